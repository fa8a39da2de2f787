import { DAY_MS, parseDuration } from "../model/time.ts";
import { invalid } from "./problems.ts";

const ISO_WITH_ZONE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;
/** The largest time a Date can hold. */
const TIME_MAX = 8.64e15;

export type Range = { readonly from: number; readonly to: number };

/** Without `from` and `to`: the last 24 hours. Throws a problem that says what to ask for instead. */
export function parseRange(query: { from?: string; to?: string }, now: number, spanMaxMs: number): Range {
  const to = query.to === undefined ? now : parseTime(query.to, "to");
  const from = query.from === undefined ? to - DAY_MS : parseTime(query.from, "from");
  if (from >= to) throw invalid("#/query/from", "from must be before to.");
  if (to - from > spanMaxMs) {
    throw invalid("#/query/from", `At most ${spanMaxMs / DAY_MS} days at a time: ask for shorter ranges one by one.`);
  }
  return { from, to };
}

/** ISO 8601 with a zone (a date alone is UTC) or epoch milliseconds. */
export function parseTime(text: string, name: string): number {
  const time = /^-?\d{1,16}$/.test(text) ? Number(text) : ISO_WITH_ZONE.test(text) ? Date.parse(text) : Number.NaN;
  if (!(Math.abs(time) <= TIME_MAX)) {
    throw invalid(
      `#/query/${name}`,
      `${name} is ISO 8601 with a zone, like 2026-11-21T10:00:00Z, or epoch milliseconds.`,
    );
  }
  return time;
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
