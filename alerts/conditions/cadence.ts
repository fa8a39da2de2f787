import { DAY_MS } from "../../model/time.ts";

/** How often something reports: declared by its owner, or estimated from the last gaps (in any order). */
export type Cadence = { readonly declaredMs?: number; readonly gaps: readonly number[] };

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

/** Too long since the last sample to say that a value held in between. An unknown interval does not break a run. */
export function isBroken(lastAt: number | undefined, at: number, cadence: Cadence): boolean {
  // The gap is longer than three intervals and than the 15 minutes of `silenceLimitMs`.
  return lastAt !== undefined && at - lastAt > SILENCE_MIN_MS && isIntervalBelow(cadence, (at - lastAt) / 3);
}
