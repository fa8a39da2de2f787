import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../model/time.ts";
import { zoneNamed } from "../../model/zone.ts";
import { type Cadence, GAPS_MAX, intervalMs, quietLimitMs, SILENCE_MIN_MS } from "./cadence.ts";

/** A gap that was too long for what was known of its sensor then. */
export type Pause = { readonly from: number; readonly to: number };

/**
 * With the longest pauses of the last weeks, oldest first, since when the sensor is known, and how often it was heard in
 * each hour of each kind of day (`withHours`).
 */
export type Rhythm = Cadence & {
  readonly pauses?: readonly Pause[];
  readonly firstAt?: number | undefined;
  readonly hours?: readonly number[];
};

const WEEK_MS = 7 * DAY_MS;
/** What is older is forgotten: the rhythm of a season is not that of the next. */
const MEMORY_MS = 4 * WEEK_MS;
/** Three a day; of more the longest are kept. */
export const PAUSES_MAX = 96;

/** The pauses of a sensor with one more. */
export function withPause(rhythm: Rhythm, pause: Pause, zone?: string): readonly Pause[] {
  const { pauses = [], firstAt = pause.from } = rhythm;
  const kept = [...pauses.filter(({ to }) => to > pause.to - MEMORY_MS), pause];
  if (kept.length <= PAUSES_MAX) return kept;
  const { own, weights } = learnt(rhythm, kept, firstAt, pause.to, zone);
  const lengths = own.map(({ from, to }) => counted(weights, from, to));
  const least = lengths.indexOf(Math.min(...lengths));
  return kept.filter((_, i) => i !== least);
}

/** A hole of more than a week, in what came more often than that, says nothing of the rhythm. */
export function isHole(gap: number, cadence: Cadence): boolean {
  if (gap <= WEEK_MS) return false;
  const interval = intervalMs(cadence);
  return interval !== undefined && gap > 3 * interval;
}

/**
 * When a sensor that was heard at `lastAt` counts as silent: `quietLimitMs` later, and not before so much time has passed
 * in which it is usually heard that it has been missed. undefined while its interval is unknown.
 *
 * Time counts by how often the sensor was heard at the same time of earlier days of the same kind (working days,
 * Saturdays, Sundays, by the clocks of `zone`): a night, a weekend, the hours outside the office hours pass for nothing.
 * One outage is no habit, however long. And of what pauses at any time, as often as twice a week, a silence must be longer
 * than that, by as much as its pauses differ.
 */
export function silentFrom(rhythm: Rhythm, lastAt: number, afterMs: number, zone?: string): number | undefined {
  const limitMs = quietLimitMs(rhythm, afterMs);
  if (limitMs === undefined) return undefined;
  const { pauses = [], firstAt, declaredMs } = rhythm;
  // What was declared is taken at its word.
  if (declaredMs !== undefined || firstAt === undefined) return lastAt + limitMs;
  const soonest = lastAt + (isLearning(rhythm) ? Math.max(limitMs, LEARNING_MS) : limitMs);
  if (pauses.length === 0) return soonest;
  const missedMs = quietLimitMs(rhythm, SILENCE_MIN_MS)!;
  const known = remembered.get(pauses) ?? [];
  const same = known.find(([at, ms, name]) => at === lastAt && ms === missedMs && name === zone);
  if (same) return Math.max(soonest, same[3]);
  const missedAt = whenMissed(rhythm, pauses, firstAt, lastAt, zone);
  remembered.set(pauses, [[lastAt, missedMs, zone, missedAt], ...known.slice(0, 3)]);
  return Math.max(soonest, missedAt);
}

/** A few gaps that differ say little about the next one. */
const LEARNING_MS = 6 * HOUR_MS;
function isLearning({ gaps }: Cadence): boolean {
  if (gaps.length < 2 || gaps.length >= GAPS_MAX) return false;
  const sorted = Float64Array.from(gaps).sort();
  return sorted[Math.ceil(0.85 * (sorted.length - 1))]! > 2 * sorted[Math.floor(0.25 * (sorted.length - 1))]!;
}

/** The clock asks about the same silence again and again. */
type Answer = readonly [lastAt: number, missedMs: number, zone: string | undefined, missedAt: number];
const remembered = new WeakMap<readonly Pause[], readonly Answer[]>();

/** Whatever was learnt, nothing is waited for longer than this: a week and a day. */
const WAIT_MAX_MS = WEEK_MS + DAY_MS;

function whenMissed(
  rhythm: Rhythm,
  pauses: readonly Pause[],
  firstAt: number,
  lastAt: number,
  zone: string | undefined,
): number {
  const missedMs = quietLimitMs(rhythm, SILENCE_MIN_MS)!;
  const { own, weights, since, until } = learnt(rhythm, pauses, firstAt, lastAt, zone);
  const needed = Math.max(missedMs, usualPause(own, weights, since, until, missedMs));
  const end = until + WAIT_MAX_MS;
  let missed = 0;
  for (let at = until; at < end; ) {
    const next = Math.min(slotAfter(at), end);
    const weight = weights[slotOf(at)]!;
    if (missed + weight * (next - at) >= needed) return lastAt + (at - until) + Math.ceil((needed - missed) / weight);
    missed += weight * (next - at);
    at = next;
  }
  return lastAt + Math.max(WAIT_MAX_MS, missedMs);
}

/** The time on a city's clocks, as if they were UTC's. */
export const localTime = (at: number, zone: string | undefined) =>
  zone === undefined || zone === "UTC" ? at : at + zoneNamed(zone).offsetMs(at);

/** What is known of the weeks before `lastAt`; all times are local. */
function learnt(
  rhythm: Rhythm,
  pauses: readonly Pause[],
  firstAt: number,
  lastAt: number,
  zone: string | undefined,
): { own: readonly Pause[]; weights: Float64Array; since: number; until: number } {
  const until = localTime(lastAt, zone);
  const since = localTime(Math.max(firstAt, lastAt - MEMORY_MS), zone);
  const own = pauses.map(({ from, to }) => ({ from: localTime(from, zone), to: localTime(to, zone) }));
  // What it often leaves out at any time of the day is no hole in the day.
  const limitMs = quietLimitMs(rhythm, SILENCE_MIN_MS)!;
  const long = own.filter(({ from, to }) => to > since && to - from > limitMs);
  const weights = weightsOf(long, since, until);
  weighByRate(weights, rhythm.hours ?? []);
  return { own, weights, since, until };
}

/** The week in quarters of an hour of a working day, a Saturday and a Sunday: the kinds of day of load profiles (BDEW). */
const SLOT_MS = 15 * MINUTE_MS;
const SLOTS = DAY_MS / SLOT_MS;
const KINDS = 3;

const slotAfter = (local: number) => (Math.floor(local / SLOT_MS) + 1) * SLOT_MS;
const timeSlot = (local: number) => Math.floor((local - Math.floor(local / DAY_MS) * DAY_MS) / SLOT_MS);
/** 1 January 1970 was a Thursday. */
function kindOfDay(local: number): number {
  const weekday = (((Math.floor(local / DAY_MS) + 3) % 7) + 7) % 7;
  return weekday < 5 ? 0 : weekday - 4;
}
const slotOf = (local: number) => kindOfDay(local) * SLOTS + timeSlot(local);

/** A pause may begin and end by a quarter of its length sooner or later, but not by more than an hour. */
const marginOf = ({ from, to }: Pause) => Math.min((to - from) / 4, HOUR_MS);
/** Of fewer days of its kind the other days speak, too. */
const DAYS_KNOWN = 3;
/** So many pauses make one usual, or all of them where there are fewer days. */
const TIMES_SEEN = 2;

/** What a moment of each slot counts, from 0 (never heard then) to 1 (as often as at its best times). Times are local. */
function weightsOf(pauses: readonly Pause[], since: number, until: number): Float64Array {
  const seen = countDays(since, until);
  const paused = countPauses(pauses, since, until, seen);
  const least = leastPaused(paused, seen);
  const weights = new Float64Array(KINDS * SLOTS);
  for (let slot = 0; slot < weights.length; slot++) {
    const any = KINDS * SLOTS + (slot % SLOTS);
    const isKnown = seen[slot]! >= DAYS_KNOWN;
    const isUsual =
      isHabit(paused[slot]!, seen[slot]!, least) || (!isKnown && isHabit(paused[any]!, seen[any]!, least));
    const of = isKnown ? slot : any;
    const share = seen[of]! < DAYS_KNOWN ? 0 : paused[of]! / seen[of]!;
    weights[slot] = isUsual ? 0 : Math.min(1, (1 - share) / (1 - least));
  }
  return weights;
}

const isHabit = (times: number, days: number, least: number) =>
  days > 0 && times >= Math.min(TIMES_SEEN, days) && times / days - least >= 0.5;

/** An hour of the day, to be in pauses least: what is as often in one at all hours has no hour for them. */
function leastPaused(paused: Int16Array, seen: Int16Array): number {
  const shares: number[] = [];
  for (let slot = KINDS * SLOTS; slot < paused.length; slot++) {
    if (seen[slot]! >= DAYS_KNOWN) shares.push(paused[slot]! / seen[slot]!);
  }
  const best = shares.sort((a, b) => a - b).slice(0, HOUR_MS / SLOT_MS);
  return best.length === 0 ? 0 : Math.min(0.9, best.reduce((sum, one) => sum + one, 0) / best.length);
}

/** A pause that is longer is no part of a week, but a hole in it: its days were not seen. */
const HABIT_MAX_MS = 4 * DAY_MS;

/** Calls `visit` for the middle of each quarter of an hour between two moments, with its places for its own kind of day and for any. */
function forSlots(from: number, to: number, visit: (slot: number, any: number, day: number) => void): void {
  const middle = SLOT_MS / 2;
  const end = Math.ceil((to - middle) / SLOT_MS);
  for (let at = Math.ceil((from - middle) / SLOT_MS); at < end; ) {
    const day = Math.floor(at / SLOTS);
    const kind = kindOfDay(day * DAY_MS) * SLOTS;
    const next = Math.min(end, (day + 1) * SLOTS);
    for (; at < next; at++) visit(kind + at - day * SLOTS, KINDS * SLOTS + at - day * SLOTS, day);
  }
}

/** How many days there were for each slot of each kind of day, and then for each of any day. */
function countDays(since: number, until: number): Int16Array {
  const seen = new Int16Array((KINDS + 1) * SLOTS);
  forSlots(since, until, (slot, any) => {
    seen[slot]! += 1;
    seen[any]! += 1;
  });
  return seen;
}

/** How many pauses lay there. One that lasted for days counts once: the others of its days are no days that were `seen`. */
function countPauses(pauses: readonly Pause[], since: number, until: number, seen: Int16Array): Int16Array {
  const paused = new Int16Array(seen.length);
  const lastDay = new Int32Array(seen.length).fill(-1);
  const lastPause = new Int16Array(seen.length).fill(-1);
  for (const [i, pause] of pauses.entries()) {
    const margin = marginOf(pause);
    const isHole = pause.to - pause.from > HABIT_MAX_MS;
    const count = (slot: number, day: number) => {
      if (isHole || lastPause[slot] === i) seen[slot]! -= 1;
      else if (lastDay[slot] !== day) paused[slot]! += 1;
      lastDay[slot] = day;
      lastPause[slot] = i;
    };
    forSlots(Math.max(since, pause.from - margin), Math.min(until, pause.to + margin), (slot, any, day) => {
      count(slot, day);
      count(any, day);
    });
  }
  return paused;
}

/** Pauses that come as often as that are a habit of a sensor that pauses at any time. */
const HABIT_PER_WEEK = 2;
const HABIT_MIN = 3;
/** So many of the longest show how the others are distributed. */
const TAIL_MAX = 24;
/** Silences that are none are to be rarer than this. */
const FALSE_PER_WEEK = 0.05;
/** What the longest of its pauses say of longer ones is only believed so far, and as far as twice the longest one. */
const REACH_MIN = 1.5;
const REACH_MAX = 8;
const LONGEST_TIMES = 2;

/**
 * How long a silence must be in time that counts to be longer than the sensor's usual pauses: the length that is exceeded
 * once in ten weeks, if the lengths are distributed as their tail is (Hill's estimator, Hill 1975, with the median in
 * place of the mean, which a few outages would move). 0: it has no habit of pausing.
 */
function usualPause(
  pauses: readonly Pause[],
  weights: Float64Array,
  since: number,
  until: number,
  atLeastMs: number,
): number {
  const weeks = Math.max(DAY_MS, until - since) / WEEK_MS;
  const habit = Math.max(HABIT_MIN, Math.round(HABIT_PER_WEEK * weeks));
  const rank = Math.max(habit, Math.min(TAIL_MAX, pauses.length >> 1));
  if (pauses.length < rank) return 0;
  const lengths = Float64Array.from(pauses, ({ from, to }) => counted(weights, from, to))
    .sort()
    .reverse();
  const common = lengths[rank - 1]!;
  if (common <= atLeastMs / 2) return 0;
  const middle = Math.log(lengths[(rank - 1) >> 1]! / common) / Math.LN2;
  const spread = middle * (1 + 1.4 / Math.sqrt(rank));
  const reach = (rank / (weeks * FALSE_PER_WEEK)) ** spread;
  const longest = Math.min(REACH_MAX * common, LONGEST_TIMES * lengths[0]!);
  return Math.max(REACH_MIN * common, Math.min(reach * common, longest));
}

function counted(weights: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; ) {
    const next = Math.min(slotAfter(at), to);
    sum += weights[slotOf(at)]! * (next - at);
    at = next;
  }
  return sum;
}

const HOURS = 24;
const HOURS_OF_KINDS = KINDS * HOURS;
/** What was so many days ago fades: of each kind of day. */
const DAYS_MAX = 10;

const hourOf = (local: number) => kindOfDay(local) * HOURS + Math.floor((local % DAY_MS) / HOUR_MS);

/**
 * How often a sensor was heard in the hours of each kind of day (sums), and on how many of them (days): with `count` times
 * in the hour `from`, and never in the hours after it until `to`. A hole of days counts once for each hour. Local times, full hours.
 */
export function withHours(hours: readonly number[], from: number, count: number, to: number): readonly number[] {
  const next = hours.length === 0 ? new Array<number>(2 * HOURS_OF_KINDS).fill(0) : hours.slice();
  const add = (hour: number, times: number) => {
    const days = next[HOURS_OF_KINDS + hour]!;
    const fade = days < DAYS_MAX ? 1 : 1 - 1 / DAYS_MAX;
    next[hour] = Math.round(1_000 * (next[hour]! * fade + times)) / 1_000;
    next[HOURS_OF_KINDS + hour] = Math.min(DAYS_MAX, days + 1);
  };
  add(hourOf(from), count);
  const done = new Set<number>();
  for (let at = from + HOUR_MS; at < to && at < from + WEEK_MS; at += HOUR_MS) {
    const hour = hourOf(at);
    if (done.has(hour)) continue;
    done.add(hour);
    add(hour, 0);
  }
  return next;
}

/** Rarer ones say nothing of the hour. */
const RATE_MIN = 2;

/** Of a sensor that is heard several times an hour a moment counts as often as it is heard then. */
function weighByRate(weights: Float64Array, hours: readonly number[]): void {
  if (hours.length === 0) return;
  const rateOf = (hour: number) => {
    const days = hours[HOURS_OF_KINDS + hour]!;
    if (days >= DAYS_KNOWN) return hours[hour]! / days;
    let [sum, all] = [0, 0];
    for (let kind = 0; kind < KINDS; kind++) {
      sum += hours[kind * HOURS + (hour % HOURS)]!;
      all += hours[HOURS_OF_KINDS + kind * HOURS + (hour % HOURS)]!;
    }
    return all === 0 ? undefined : sum / all;
  };
  const rates = Array.from({ length: HOURS_OF_KINDS }, (_, hour) => rateOf(hour));
  let [sum, squares] = [0, 0];
  for (const rate of rates) {
    sum += rate ?? 0;
    squares += (rate ?? 0) ** 2;
  }
  // As its messages see it: hours in which there are more of them have more to say.
  const typical = squares / sum;
  if (!(typical >= RATE_MIN)) return;
  for (let slot = 0; slot < weights.length; slot++) {
    const rate = rates[Math.floor(slot / SLOTS) * HOURS + Math.floor((slot % SLOTS) / (SLOTS / HOURS))];
    if (weights[slot]! > 0) weights[slot] = (rate ?? typical) / typical;
  }
}
