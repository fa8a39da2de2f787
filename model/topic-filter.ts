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

const SHARED = "$share/";
export const isShared = (filter: string): boolean => filter.startsWith(SHARED);

/** What a shared subscription, `$share/<group>/<filter>`, is of; undefined if it is none, or malformed [MQTT5-4.8.2-1]. */
export function sharedFilterOf(filter: string): string | undefined {
  if (!isShared(filter)) return undefined;
  const end = filter.indexOf("/", SHARED.length);
  const of = filter.slice(end + 1);
  return end > SHARED.length && !/[+#]/.test(filter.slice(0, end)) && isFilter(of) ? of : undefined;
}

/** Levels that have a meaning of their own here: the topics of other formats are elsewhere. */
const OWN = new Set(["city", "import", "alerts", "in"]);

/** Whether topics of other formats may be named so: nothing of ours, nothing of the broker's, and not everything. */
export function isForeignFilter(filter: string): boolean {
  const [first = ""] = filter.split("/");
  return isFilter(filter) && !OWN.has(first) && first !== "+" && first !== "#" && !first.startsWith("$");
}
