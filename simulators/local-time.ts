/**
 * Times as recordings write them: local, without a zone, in any order of the parts. A zone is an IANA name or a fixed
 * offset ("+01:00", for loggers that stay on standard time all year: their files show hours that summer time skips).
 */
type LocalTime = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
};

const PARTS: Readonly<Record<string, { readonly part: keyof LocalTime; readonly digits: string }>> = {
  YYYY: { part: "year", digits: "\\d{4}" },
  YY: { part: "year", digits: "\\d{2}" },
  MM: { part: "month", digits: "\\d{1,2}" },
  M: { part: "month", digits: "\\d{1,2}" },
  DD: { part: "day", digits: "\\d{1,2}" },
  D: { part: "day", digits: "\\d{1,2}" },
  HH: { part: "hour", digits: "\\d{1,2}" },
  H: { part: "hour", digits: "\\d{1,2}" },
  mm: { part: "minute", digits: "\\d{1,2}" },
  ss: { part: "second", digits: "\\d{1,2}(?:\\.\\d+)?" },
};

/** "DD/MM/YYYY HH:mm:ss" -> a reader of such texts, which answers undefined for anything else. */
export function localTimeReader(pattern: string): (text: string) => LocalTime | undefined {
  const order: (keyof LocalTime)[] = [];
  const source = pattern.replace(/YYYY|YY|MM|M|DD|D|HH|H|mm|ss|[^A-Za-z]|[A-Za-z]/g, (token) => {
    const known = PARTS[token];
    if (!known) return token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    order.push(known.part);
    return `(${known.digits})`;
  });
  const whole = new RegExp(`^${source}$`);
  return (text) => {
    const found = whole.exec(text);
    if (!found) return undefined;
    const time = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    order.forEach((part, i) => {
      time[part] = Number(found[i + 1]);
    });
    // Two digits: no sensor of a city recorded before 1970.
    if (time.year < 100) time.year += time.year < 70 ? 2000 : 1900;
    return time;
  };
}

/**
 * Makes instants (epoch milliseconds) of local times in the order of a recording, undefined for a date that does not
 * exist (31 April). "24:00" is the next day's midnight. In the hour that autumn repeats, the first instant later than
 * the one before is taken: the first pass through the hour, then the second. A time that spring skips is taken with the
 * offset that held before (02:30 becomes 03:30 summer time), as Temporal's "compatible" does.
 */
export function createZoneClock(zone: string): (time: LocalTime) => number | undefined {
  let before = Number.NEGATIVE_INFINITY;
  return (time) => {
    const instant = toInstant(time, zone, before);
    if (instant !== undefined) before = instant;
    return instant;
  };
}

function toInstant(time: LocalTime, zone: string, before: number): number | undefined {
  const { hour, minute, second } = time;
  const endOfDay = hour === 24 && minute === 0 && second === 0;
  if ((hour > 23 && !endOfDay) || minute > 59 || second >= 60) return undefined;
  // Counted as if in UTC first: real dates survive the round trip, 31 April does not.
  const utc = Date.UTC(time.year, time.month - 1, time.day);
  const date = new Date(utc);
  if (date.getUTCMonth() !== time.month - 1 || date.getUTCDate() !== time.day) return undefined;
  const local = utc + ((hour * 60 + minute) * 60 + second) * 1000;
  const fixed = fixedOffsetMs(zone);
  if (fixed !== undefined) return local - fixed;
  const plain = Temporal.Instant.fromEpochMilliseconds(local).toZonedDateTimeISO("UTC").toPlainDateTime();
  const earlier = plain.toZonedDateTime(zone, { disambiguation: "earlier" }).epochMilliseconds;
  if (earlier > before) {
    // In a gap "earlier" goes back; "compatible" goes forward there and is the same everywhere else.
    return plain.toZonedDateTime(zone, { disambiguation: "compatible" }).epochMilliseconds;
  }
  const later = plain.toZonedDateTime(zone, { disambiguation: "later" }).epochMilliseconds;
  return later > before ? later : earlier;
}

function fixedOffsetMs(zone: string): number | undefined {
  if (zone === "UTC") return 0;
  const found = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (!found) return undefined;
  const ms = (Number(found[2]) * 60 + Number(found[3])) * 60_000;
  return found[1] === "-" ? -ms : ms;
}
