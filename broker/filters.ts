/**
 * True for a topic filter as MQTT 3.1.1 section 4.7.1 wants it: `+` fills a whole level, `#` a whole last level. A topic
 * without wildcards is a filter too.
 */
export function isFilter(filter: string): boolean {
  if (filter.length === 0) return false;
  for (let i = 0; i < filter.length; i += 1) {
    const code = filter.charCodeAt(i);
    if (code !== 43 && code !== 35) continue;
    if (i > 0 && filter[i - 1] !== "/") return false;
    if (i === filter.length - 1) continue;
    if (code === 35 || filter[i + 1] !== "/") return false;
  }
  return true;
}

/** Whether a topic is one of those the filter names; `a/#` names `a`, too [MQTT-4.7.1-2]. */
export function filterMatches(filter: string, topic: string): boolean {
  const wanted = filter.split("/");
  const levels = topic.split("/");
  for (let i = 0; i < wanted.length; i += 1) {
    if (wanted[i] === "#") return true;
    if (i >= levels.length || (wanted[i] !== "+" && wanted[i] !== levels[i])) return false;
    if (i === levels.length - 1 && wanted[i + 1] === "#" && wanted.length === i + 2) return true;
  }
  return wanted.length === levels.length;
}

/** What MQTT forbids or discourages in text (section 1.5.3), and U+FFFD, which is what bad UTF-8 was decoded to. */
const UNFIT = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\ufffd]/u;

/** What MQTT forbids in a topic: U+0000, and what was decoded from bad UTF-8. The rest is not a topic of ours either, but can be answered. */
export function isText(text: string): boolean {
  return !text.includes("\u0000") && !text.includes("\ufffd");
}

export function isCleanText(text: string): boolean {
  return !UNFIT.test(text);
}
