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

type Part = { readonly part: keyof LocalTime | "half"; readonly source: string };

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const PARTS: Readonly<Record<string, Part>> = {
  YYYY: { part: "year", source: "\\d{4}" },
  YY: { part: "year", source: "\\d{2}" },
  MMM: { part: "month", source: `(?:${MONTHS.join("|")})[a-z]*\\.?` },
  MM: { part: "month", source: "\\d{1,2}" },
  M: { part: "month", source: "\\d{1,2}" },
  DD: { part: "day", source: "\\d{1,2}" },
  D: { part: "day", source: "\\d{1,2}" },
  HH: { part: "hour", source: "\\d{1,2}" },
  H: { part: "hour", source: "\\d{1,2}" },
  mm: { part: "minute", source: "\\d{1,2}" },
  ss: { part: "second", source: "\\d{1,2}(?:[.,]\\d+)?" },
  A: { part: "half", source: "[ap]\\.?m\\.?" },
};

/** "HHmm" as spreadsheets and loggers leave it, without the zeros before it: 0100, 100, 30 (half past midnight), 2400. */
const CLOCK = "(\\d{0,2}?)(\\d{1,2})";

/**
 * "DD/MM/YYYY HH:mm:ss" -> a reader of such texts, which answers undefined for anything else. "MMM" is an English month
 * ("Mar", "March"), "A" is AM or PM.
 */
export function localTimeReader(pattern: string): (text: string) => LocalTime | undefined {
  const order: Part["part"][] = [];
  const source = pattern.replace(/YYYY|YY|MMM|MM|M|DD|D|HHmm(?!ss)|HH|H|mm|ss|A|[^A-Za-z]|[A-Za-z]/g, (token) => {
    if (token === "HHmm") {
      order.push("hour", "minute");
      return CLOCK;
    }
    const known = PARTS[token];
    if (!known) return token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    order.push(known.part);
    return `(${known.source})`;
  });
  const whole = new RegExp(`^${source}$`, "i");
  return (text) => {
    const found = whole.exec(text);
    if (!found) return undefined;
    const time = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    let half: string | undefined;
    order.forEach((part, i) => {
      const said = found[i + 1]!.toLowerCase();
      if (part === "half") half = said[0];
      else if (part === "month" && /^[a-z]/.test(said)) time.month = MONTHS.indexOf(said.slice(0, 3)) + 1;
      else time[part] = Number(said.replace(",", "."));
    });
    if (half !== undefined) {
      if (time.hour < 1 || time.hour > 12) return undefined;
      time.hour = (time.hour % 12) + (half === "p" ? 12 : 0);
    }
    // Two digits: no sensor of a city recorded before 1970.
    if (time.year < 100) time.year += time.year < 70 ? 2000 : 1900;
    return time;
  };
}

/** What is not "YYYY-MM-DDTHH:mm:ss.sssZ" to the letter and ISO 8601 all the same, as devices and exports write it. */
const ISO =
  /^(\d{4})-?(\d\d)-?(\d\d)(?:(?:[T_]|\s+)(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?)?\s*(Z|UTC|GMT|[+\u2212-]\d\d(?::?\d\d)?)?$/i;

/** A time of ISO 8601, with what it says of its zone: milliseconds to be added to UTC, or undefined. */
export function readIso(text: string): { readonly time: LocalTime; readonly offsetMs: number | undefined } | undefined {
  const found = ISO.exec(text.trim());
  if (!found) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone] = found;
  const time = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(`${second}.${fraction.slice(0, 9)}`),
  };
  return { time, offsetMs: zone === undefined ? undefined : zoneOffsetMs(zone) };
}

function zoneOffsetMs(zone: string): number {
  const found = /^([+\u2212-])(\d\d):?(\d\d)?$/.exec(zone);
  if (!found) return 0;
  const ms = (Number(found[2]) * 60 + Number(found[3] ?? 0)) * 60_000;
  return found[1] === "+" ? ms : -ms;
}

/** Milliseconds as if the time were UTC; undefined for one that does not exist (31 April). "24:00" is the next midnight. */
export function localMs({ year, month, day, hour, minute, second }: LocalTime): number | undefined {
  const endOfDay = hour === 24 && minute === 0 && second === 0;
  if ((hour > 23 && !endOfDay) || minute > 59 || second >= 60) return undefined;
  // Real dates survive the round trip, 31 April does not.
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return Math.floor(date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000);
}

/** `pass`: of a time that autumn repeats, or one that spring skips. */
export type Placed = { readonly at: number; readonly pass?: "first" | "second" | "skipped" };

/** What is remembered of one series: its last time and pass, its steps forward up to it, and its row in the repeated hour. */
type Course = { before: number; pass: Placed["pass"]; forward: number; row: string };

/** A series that came forward so often is in order; one that is read backwards or in no order tells no passes apart. */
const FORWARD_MIN = 3;

/** What local times are ahead of UTC: two answers where they are repeated or skipped. */
type Offsets = { readonly earlier: number; readonly later: number; readonly isSkipped: boolean };

const QUARTER_MS = 15 * 60_000;
const QUARTERS_KEPT_MAX = 10_000;

/**
 * Makes instants (epoch milliseconds) of local times (`localMs`). The hour that autumn repeats is taken as its first
 * pass; only a series that has come forward so far and now begins that hour again, with another row than before, is in
 * the second. A time that spring skips is taken with the offset that held before (02:30 becomes 03:30 summer time), as
 * Temporal's "compatible" does.
 *
 * `series`: whose times follow each other, because several stations in a file share each moment. `row`: all that it says,
 * so that a row that stands twice is no second pass.
 */
export function createZoneClock(zone: string): (local: number, series?: string, row?: () => string) => Placed {
  const fixed = fixedOffsetMs(zone);
  const offsets = new Map<number, Offsets>();
  const courses = new Map<string, Course>();

  /** Zones change their offset at quarters of an hour at the finest. */
  function offsetsAt(local: number): Offsets {
    const quarter = Math.floor(local / QUARTER_MS);
    const known = offsets.get(quarter);
    if (known) return known;
    const start = quarter * QUARTER_MS;
    const plain = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO("UTC").toPlainDateTime();
    const [earlier, later] = (["earlier", "later"] as const).map((disambiguation) =>
      plain.toZonedDateTime(zone, { disambiguation }),
    ) as [Temporal.ZonedDateTime, Temporal.ZonedDateTime];
    const both = {
      earlier: start - earlier.epochMilliseconds,
      later: start - later.epochMilliseconds,
      isSkipped: !later.toPlainDateTime().equals(plain),
    };
    if (offsets.size >= QUARTERS_KEPT_MAX) offsets.clear();
    offsets.set(quarter, both);
    return both;
  }

  return (local, series = "", row = () => "") => {
    if (fixed !== undefined) return { at: local - fixed };
    const { earlier, later, isSkipped } = offsetsAt(local);
    let course = courses.get(series);
    if (!course) {
      course = { before: Number.NEGATIVE_INFINITY, pass: undefined, forward: FORWARD_MIN, row: "" };
      courses.set(series, course);
    }
    const placed: Placed = isSkipped
      ? { at: local - later, pass: "skipped" }
      : place(local - earlier, local - later, course, row);
    if (placed.at !== course.before) course.forward = placed.at > course.before ? course.forward + 1 : 0;
    course.before = placed.at;
    course.pass = placed.pass;
    return placed;
  };
}

function place(first: number, second: number, course: Course, row: () => string): Placed {
  if (first === second) return { at: first };
  const hour = second - first;
  const { before, pass, forward } = course;
  const said = row();
  // The same moment once more: only another row is a second pass, the same one stands there twice.
  const isBack = before > first || (before === first && said !== course.row);
  const isAgain = pass === "first" && isBack && before - first < hour;
  const goesOn = pass === "second" && Math.abs(second - before) < hour;
  course.row = said;
  return forward >= FORWARD_MIN && (isAgain || goesOn) ? { at: second, pass: "second" } : { at: first, pass: "first" };
}

function fixedOffsetMs(zone: string): number | undefined {
  if (zone === "UTC") return 0;
  const found = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (!found) return undefined;
  const ms = (Number(found[2]) * 60 + Number(found[3])) * 60_000;
  return found[1] === "-" ? -ms : ms;
}
