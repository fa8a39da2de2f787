import { DAY_MS } from "../../model/time.ts";

/** How often something reports: declared by its owner, or estimated from the last gaps (in any order). */
export type Cadence = { readonly declaredMs?: number; readonly gaps: readonly number[] };

/** A gap that was too long for the rhythm as it was known then. */
export type Pause = { readonly from: number; readonly to: number };

/** With the pauses of a sensor, oldest first, and since when it is known: they show what it does every night or weekend. */
export type Rhythm = Cadence & { readonly pauses?: readonly Pause[]; readonly firstAt?: number | undefined };

export const GAPS_MAX = 20;
/** Below this many gaps a median says little: the longest gap seen stands in, so that a guess errs on the slow side. */
const GAPS_FOR_MEDIAN = 3;

/**
 * The interval between readings in ms: as declared, else the median of the last 20 gaps. undefined after a first
 * reading, when nothing can be said yet. The median shrugs off outages and bursts: half of the gaps must change first.
 * Of an even number the lower one: an analyser that drops every third hour (Beijing Tiantan, December 2014) has gaps of
 * one and two hours in equal number, and would pass for one that reports every 90 minutes and misses nothing.
 */
export function intervalMs({ declaredMs, gaps }: Cadence): number | undefined {
  if (declaredMs !== undefined) return declaredMs;
  if (gaps.length === 0) return undefined;
  if (gaps.length < GAPS_FOR_MEDIAN) return Math.max(...gaps);
  const sorted = Float64Array.from(gaps).sort();
  return sorted[(sorted.length - 1) >> 1];
}

/**
 * Whether the interval is below `ms`; false while it is unknown. What `intervalMs` would say, by counting instead of
 * sorting: this is asked for every sample.
 */
export function isIntervalBelow({ declaredMs, gaps }: Cadence, ms: number): boolean {
  if (declaredMs !== undefined) return declaredMs < ms;
  let below = 0;
  for (let i = 0; i < gaps.length; i++) if (gaps[i]! < ms) below += 1;
  return gaps.length < GAPS_FOR_MEDIAN ? below > 0 && below === gaps.length : below > (gaps.length - 1) >> 1;
}

/** No gap below this is a silence. */
export const SILENCE_MIN_MS = 15 * 60_000;

/**
 * The gap in ms after which a sensor counts as silent: max(3 x interval, `atLeastMs`), `atLeastMs` being 15 minutes or
 * more; of a learnt interval above 12 hours the interval and a day. undefined while the interval is unknown. Source: practice for city networks (domain notes, section 5).
 */
export function silenceLimitMs(cadence: Cadence, atLeastMs = SILENCE_MIN_MS): number | undefined {
  const interval = intervalMs(cadence);
  if (interval === undefined) return undefined;
  // What was declared is taken at its word.
  return Math.max(cadence.declaredMs === undefined ? missedMs(interval) : 3 * interval, atLeastMs);
}

/**
 * The same for the sensor as a whole: where its interval was learnt, the second longest of its last 20 gaps takes the
 * place of the median, so that three times of what this sensor often does is no silence. Probe vehicles and polled loops
 * report irregularly (NAB TravelTime_451: median 10 min, one gap in ten over 50 min, 53 of them over 30 min in a week);
 * of a sensor that keeps its interval nothing changes, and one outage among the gaps does not count.
 */
export function quietLimitMs(cadence: Cadence, atLeastMs: number): number | undefined {
  const { declaredMs, gaps } = cadence;
  const limit = silenceLimitMs(cadence, atLeastMs);
  if (limit === undefined || declaredMs !== undefined || gaps.length < GAPS_FOR_MEDIAN) return limit;
  return Math.max(limit, missedMs(Float64Array.from(gaps).sort().at(-2)!));
}

/** Three intervals, but never more than a day after the next one was due: what sends once a week is missed on day eight. */
const missedMs = (interval: number): number => Math.min(3 * interval, interval + DAY_MS);

/** So many earlier days, and weeks, must have been the same, if the sensor is known for as long. */
const TIMES_SEEN = 2;
/** A pause may begin and end by a quarter of its length sooner or later than before, but not by more than a day. */
const marginOf = ({ from, to }: Pause): number => Math.min((to - from) / 4, DAY_MS);
/** Each turn passes the end of a pause, of which few are kept. */
const TURNS_MAX = 64;

/**
 * The first moment from `from` on at which it is not usual to hear nothing: at the same time of the last two days, or on
 * the same day of the last two weeks, the sensor was not in a pause of more than `limitMs`. One outage is no habit,
 * however long it was.
 */
export function pastPauses({ pauses: known = [], firstAt }: Rhythm, from: number, limitMs: number): number {
  if (known.length === 0 || firstAt === undefined) return from;
  const pauses = known.filter((pause) => pause.to - pause.from > limitMs);
  let at = from;
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const until = Math.max(usualUntil(pauses, firstAt, at, DAY_MS), usualUntil(pauses, firstAt, at, 7 * DAY_MS));
    if (until <= at) return at;
    at = until;
  }
  return at;
}

function usualUntil(pauses: readonly Pause[], firstAt: number, at: number, periodMs: number): number {
  let until = Number.POSITIVE_INFINITY;
  let former: Pause | undefined;
  for (let times = 1; times <= TIMES_SEEN && at - times * periodMs >= firstAt; times++) {
    const pause = pauseAt(pauses, at - times * periodMs, former);
    if (!pause) return at;
    until = Math.min(until, pause.to + marginOf(pause) + times * periodMs);
    former = pause;
  }
  return until === Number.POSITIVE_INFINITY ? at : until;
}

/** Rather one that lies there than one that lies near. */
function pauseAt(pauses: readonly Pause[], at: number, other: Pause | undefined): Pause | undefined {
  const near = (pause: Pause, margin: number) => at >= pause.from - margin && at < pause.to + margin;
  const left = pauses.filter((pause) => pause !== other);
  return left.find((pause) => near(pause, 0)) ?? left.find((pause) => near(pause, marginOf(pause)));
}

/** Too long since the last sample to say that a value held in between. An unknown interval does not break a run. */
export function isBroken(lastAt: number | undefined, at: number, cadence: Cadence): boolean {
  // The gap is longer than three intervals and than the 15 minutes of `silenceLimitMs`.
  return lastAt !== undefined && at - lastAt > SILENCE_MIN_MS && isIntervalBelow(cadence, (at - lastAt) / 3);
}
