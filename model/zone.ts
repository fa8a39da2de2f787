import { DAY_MS, startOfDay } from "./time.ts";

/**
 * A city's calendar days. Times stay epoch milliseconds; only where a day begins and what it is called is the zone's.
 * A day has 23, 24 or 25 hours (or another length: zones move by half hours, and Samoa left out a day).
 */
export type Zone = {
  /** An IANA name, or an offset that holds all year ("+01:00"). */
  readonly name: string;
  /** When the day that a moment lies in begins. */
  startOfDay(at: number): number;
  /** When the day after it begins. */
  nextDay(at: number): number;
  /** Its day as people write it: "2026-11-21". */
  dateOf(at: number): string;
  /** What its clocks are ahead of UTC at a moment. */
  offsetMs(at: number): number;
};

/** Enough for ten years, so that whoever reads years in any order works each day out once. */
const DAYS_KEPT_MAX = 4_000;

type Day = { readonly start: number; readonly end: number; readonly date: string };

export const UTC: Zone = {
  name: "UTC",
  startOfDay,
  nextDay: (at) => startOfDay(at) + DAY_MS,
  dateOf: (at) => new Date(at).toISOString().slice(0, 10),
  offsetMs: () => 0,
};

/** Throws a RangeError for what is no zone (`isTimeZone` tells). */
export function createZone(name: string): Zone {
  if (name === "UTC") return UTC;
  const zoned = (at: number) => Temporal.Instant.fromEpochMilliseconds(Math.floor(at)).toZonedDateTimeISO(name);
  const days = new Map<number, readonly Day[]>();
  let last: Day = { start: Number.POSITIVE_INFINITY, end: 0, date: "" };

  function dayAt(at: number): Day {
    const start = zoned(at).startOfDay();
    // Not 24 hours later: a day may have other lengths, and the next may begin at 01:00.
    const end = start.toPlainDate().add({ days: 1 }).toZonedDateTime(name);
    return { start: start.epochMilliseconds, end: end.epochMilliseconds, date: start.toPlainDate().toString() };
  }

  /** Readings come in the order of time, so nearly always in the day that was asked for last. */
  function find(at: number): Day {
    if (at >= last.start && at < last.end) return last;
    const key = startOfDay(at);
    const near = days.get(key) ?? [];
    const known = near.find(({ start, end }) => at >= start && at < end);
    last = known ?? dayAt(at);
    if (!known) {
      if (days.size >= DAYS_KEPT_MAX) days.clear();
      days.set(key, [...near, last]);
    }
    return last;
  }

  return {
    name,
    startOfDay: (at) => find(at).start,
    nextDay: (at) => find(at).end,
    dateOf: (at) => find(at).date,
    offsetMs: (at) => zoned(at).offsetNanoseconds / 1e6,
  };
}

const named = new Map<string, Zone>();

/** The same one for everybody who asks for this name. */
export function zoneNamed(name: string): Zone {
  const known = named.get(name) ?? createZone(name);
  named.set(name, known);
  return known;
}

/** "2026-11-21 15:00 UTC+1", "2026-11-21 14:00 UTC"; seconds only where there are some. The offset tells autumn's two hours apart. */
export function timeText(at: number, zone = "UTC"): string {
  const offsetMs = zone === "UTC" ? 0 : zoneNamed(zone).offsetMs(at);
  const iso = new Date(at + offsetMs).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.slice(17, 19) === "00" ? 16 : 19)} ${offsetText(offsetMs)}`;
}

/** "UTC+5:30". */
function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  if (minutes === 0) return "UTC";
  const part = minutes % 60 === 0 ? "" : `:${String(minutes % 60).padStart(2, "0")}`;
  return `UTC${offsetMs < 0 ? "-" : "+"}${Math.floor(minutes / 60)}${part}`;
}

/** The machine's own, as TZ or its settings say. */
export const machineZone = (): string => new Intl.DateTimeFormat("en").resolvedOptions().timeZone;

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
