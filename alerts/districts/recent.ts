/**
 * The recent values of one metric of one sensor, thinned: of every 5 minutes the first one, so that the same ring holds
 * five hours of a loop and three days of an hourly station. What it holds does not depend on the order of arrival.
 * Changed in place: every reading passes here.
 */
export type Recent = { readonly at: number[]; readonly value: number[] };

export const SLOT_MS = 5 * 60_000;
/** Kept at least; up to `ROOM` more before the oldest are let go of together. */
export const VALUES_KEPT = 64;
const ROOM = 32;

export function createRecent(): Recent {
  return { at: [], value: [] };
}

const slotOf = (at: number) => Math.floor(at / SLOT_MS);
/** The last moment of the five minutes of `at`. */
export const slotEnd = (at: number) => (slotOf(at) + 1) * SLOT_MS - 1;

/** Answers the time of what it changed, undefined if nothing. */
export function noteValue({ at: times, value: values }: Recent, at: number, value: number): number | undefined {
  const last = times.length - 1;
  const slot = slotOf(at);
  const newest = last < 0 ? -1 : slotOf(times[last]!);
  if (slot > newest) {
    times.push(at);
    values.push(value);
    if (times.length > VALUES_KEPT + ROOM) {
      times.splice(0, ROOM);
      values.splice(0, ROOM);
    }
    return at;
  }
  let index = last;
  if (slot < newest) {
    while (index >= 0 && slotOf(times[index]!) > slot) index -= 1;
  }
  if (index < 0 || slotOf(times[index]!) < slot) {
    if (index < 0 && times.length >= VALUES_KEPT) return undefined;
    times.splice(index + 1, 0, at);
    values.splice(index + 1, 0, value);
    return at;
  }
  // The first of its five minutes; of two at the same moment the larger, whichever came first.
  if (at > times[index]! || (at === times[index]! && value <= values[index]!)) return undefined;
  times[index] = at;
  values[index] = value;
  return at;
}

/** The values in (after, to], oldest first, the newest `max` of them. */
export function valuesIn({ at, value }: Recent, after: number, to: number, max: number): number[] {
  let end = at.length;
  while (end > 0 && at[end - 1]! > to) end -= 1;
  let from = end;
  while (from > 0 && at[from - 1]! > after && end - from < max) from -= 1;
  return value.slice(from, end);
}

/** How many of the newest values up to `to` are equal, and since when. */
export function repeats(
  { at, value }: Recent,
  to: number,
): { count: number; since: number; value: number } | undefined {
  let end = at.length - 1;
  while (end >= 0 && at[end]! > to) end -= 1;
  if (end < 0) return undefined;
  let from = end;
  while (from > 0 && value[from - 1] === value[end]) from -= 1;
  return { count: end - from + 1, since: at[from]!, value: value[end]! };
}

/** The usual distance of its values, at least 5 minutes; undefined for fewer than three. */
export function usualGapMs({ at }: Recent): number | undefined {
  if (at.length < 3) return undefined;
  const gaps = at.slice(-21).map((time, i, all) => (i === 0 ? 0 : time - all[i - 1]!));
  const sorted = gaps.slice(1).sort((a, b) => a - b);
  return Math.max(SLOT_MS, sorted[(sorted.length - 1) >> 1]!);
}

/** [time, value, ms to the next, value, …] of what is newer than `after`. */
export type RecentJson = readonly number[];

export function recentToJson({ at, value }: Recent, after = Number.NEGATIVE_INFINITY): RecentJson | undefined {
  const steps: number[] = [];
  let last = 0;
  for (let i = Math.max(0, at.length - VALUES_KEPT); i < at.length; i++) {
    if (at[i]! <= after) continue;
    steps.push(at[i]! - last, value[i]!);
    last = at[i]!;
  }
  return steps.length === 0 ? undefined : steps;
}

/** Answers the newest time. */
export function restoreRecent(recent: Recent, steps: RecentJson): number {
  let at = 0;
  for (let i = 0; i < steps.length; i += 2) {
    at += steps[i]!;
    noteValue(recent, at, steps[i + 1]!);
  }
  return at;
}
