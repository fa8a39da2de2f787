import type { LatestView } from "../contract/reading.ts";
import { DAY_MS, parseDuration } from "../model/time.ts";
import { createZone, isTimeZone } from "../model/zone.ts";
import { invalid } from "./problems.ts";

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)(Z|[+ -]\d\d:\d\d)?)?$/;
/** The largest time a Date can hold. */
const TIME_MAX = 8.64e15;

export type Range = { readonly from: number; readonly to: number };

/** Without `from` and `to`: the last 24 hours. Throws a problem that says what to ask for instead. */
export function parseRange(
  query: { from?: string; to?: string },
  now: number,
  spanMaxMs: number,
  zone?: string,
): Range {
  const to = query.to === undefined ? now : parseTime(query.to, "to", zone);
  const from = query.from === undefined ? to - DAY_MS : parseTime(query.from, "from", zone);
  if (from >= to) throw invalid("#/query/from", "from must be before to.");
  if (to - from > spanMaxMs) {
    throw invalid("#/query/from", `At most ${spanMaxMs / DAY_MS} days at a time: ask for shorter ranges one by one.`);
  }
  return { from, to };
}

/**
 * ISO 8601 with a zone, or epoch milliseconds. Where the question names a zone, a time without one is meant in it; else
 * only a date alone may have none, and is UTC. A "+" in an address arrives as a blank: it is read as what it was. ISO 8601 has a comma before fractions, or a point.
 */
export function parseTime(text: string, name: string, zone?: string): number {
  const time = /^-?\d{1,16}$/.test(text) ? Number(text) : parseIso(text, zone);
  if (!(Math.abs(time) <= TIME_MAX)) {
    throw invalid(
      `#/query/${name}`,
      `${name} is ISO 8601 with a zone, like 2026-11-21T10:00:00Z or 2026-11-21T10:00:00%2B01:00 (a + in an address), or epoch milliseconds.`,
    );
  }
  return time;
}

function parseIso(text: string, zone: string | undefined): number {
  const [whole, day, clock, offset] = ISO.exec(text) ?? [];
  if (whole === undefined || day === undefined) return Number.NaN;
  if (offset !== undefined) return Date.parse(`${day}T${clock!.replace(",", ".")}${offset.replace(" ", "+")}`);
  if (zone === undefined) return clock === undefined ? Date.parse(day) : Number.NaN;
  try {
    // Of an hour that comes twice, the first.
    return Temporal.PlainDateTime.from(clock === undefined ? day : `${day}T${clock}`).toZonedDateTime(zone)
      .epochMilliseconds;
  } catch {
    return Number.NaN;
  }
}

/** Throws a problem for what is no zone. */
export function parseZone(name: string | undefined): string | undefined {
  if (name === undefined || isTimeZone(name)) return name;
  throw invalid("#/query/zone", "zone is a time zone, like Europe/Madrid or UTC.");
}

const QUARTER_MS = 15 * 60_000;

/** ISO 8601: in UTC, or in a zone with its offset. */
export function timeWriter(zone: string | undefined): (at: number) => string {
  if (zone === undefined || zone === "UTC") return (at) => new Date(at).toISOString();
  const { offsetMs } = createZone(zone);
  // Clocks are set on a quarter of an hour: the next time is nearly always in the one of the last.
  let quarter = Number.NaN;
  let [offset, suffix] = [0, ""];
  return (at) => {
    if (Math.floor(at / QUARTER_MS) !== quarter) {
      quarter = Math.floor(at / QUARTER_MS);
      offset = offsetMs(at);
      suffix = suffixOf(Math.round(offset / 60_000));
    }
    return new Date(at + offset).toISOString().replace("Z", suffix);
  };
}

/** All times of a reading as they were asked for. */
export function inZone<View extends LatestView>(view: View, write: (at: number) => string): View {
  const written = (time: string) => write(Date.parse(time));
  const { measuredAt, receivedAt, movedFrom, earlier } = view;
  return {
    ...view,
    measuredAt: written(measuredAt),
    receivedAt: written(receivedAt),
    ...(movedFrom !== undefined && { movedFrom: written(movedFrom) }),
    ...(earlier && {
      earlier: Object.fromEntries(
        Object.entries(earlier).map(([name, one]) => [name, { ...one, measuredAt: written(one.measuredAt) }]),
      ),
    }),
  };
}

function suffixOf(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) =>
    String(n).padStart(2, "0"),
  );
  return `${minutes < 0 ? "-" : "+"}${hours}:${rest}`;
}

/** "5m" → milliseconds. */
export function parseEvery(text: string): number {
  const everyMs = parseDuration(text);
  if (everyMs === undefined || everyMs > 366 * DAY_MS) {
    throw invalid(
      "#/query/every",
      "every must be a whole number followed by s, m, h or d, such as 5m, and at most 366d.",
    );
  }
  return everyMs;
}

/** Too many buckets are refused with the step that would fit. */
export function checkBuckets(range: Range, everyMs: number, bucketsMax: number): void {
  const spanMs = range.to - range.from;
  if (spanMs / everyMs <= bucketsMax) return;
  const minutes = Math.ceil(spanMs / bucketsMax / 60_000);
  const advice = `Use every=${minutes}m or longer, or a shorter range.`;
  throw invalid("#/query/every", `That is more than ${bucketsMax} steps. ${advice}`);
}
