import { DAY_MS, HOUR_MS } from "../../model/time.ts";

/**
 * What a sensor's own past says of the lowest it can show. Bounded: a handful of numbers, however long the past.
 */
export type ValueHistory = {
  /** The hour of the last taught value; and how many were taught, up to `MEMORY`: the weight of the mean. */
  readonly hour: number;
  readonly count: number;
  readonly mean: number;
  /** Every value so far was a whole number. */
  readonly whole: boolean;
  readonly day: number;
  readonly dayLow: number;
  /** The lowest values of the five lowest days, ascending. */
  readonly lows: readonly number[];
  /** The lowest values of the last 30 days, oldest first. */
  readonly recent: readonly number[];
};

export const NEW_HISTORY: ValueHistory = {
  hour: -1,
  count: 0,
  mean: 0,
  whole: true,
  day: -1,
  dayLow: 0,
  lows: [],
  recent: [],
};

const DAYS = 5;
/** What was the lowest on one or two days only may have been the same fault. */
const SHOWN_DAYS = 3;
const RECENT_DAYS = 30;
/** Days of the last 30 whose lowest value was this very one: only a floor is met so often. */
const SAME_LOW_DAYS = 6;
const MEMORY = 1_000;
/** Share of the way from the lowest days to the mean within which a value is at the floor. */
const NEAR = 0.1;
/** The same for a value that many days had for their lowest. */
const LOW = 1 / 3;

/**
 * A run of equal values that has ended (mostly of one): what is still going on must not vouch for itself. However long,
 * it is one value of the day it began on, so that what was stuck for a month does not become the floor by lasting.
 * The mean learns one value an hour: nearly every value of a busy sensor leaves what is known as it is.
 */
export function withRun(history: ValueHistory, since: number, value: number): ValueHistory {
  const hour = Math.floor(since / HOUR_MS);
  const whole = history.whole && Number.isInteger(value);
  const isTaught = hour === history.hour;
  if (isTaught && value >= history.dayLow && whole === history.whole) return history;
  const count = isTaught ? history.count : Math.min(history.count + 1, MEMORY);
  const mean = isTaught ? history.mean : history.mean + (value - history.mean) / count;
  const day = Math.floor(since / DAY_MS);
  if (day === history.day) {
    const { lows, recent } = history;
    return { hour, count, mean, whole, day, dayLow: Math.min(history.dayLow, value), lows, recent };
  }
  const { dayLow } = history;
  const lows = history.day < 0 ? history.lows : withLow(history.lows, dayLow);
  const recent = history.day < 0 ? history.recent : [...history.recent, dayLow].slice(-RECENT_DAYS);
  return { hour, count, mean, whole, day, dayLow: value, lows, recent };
}

function withLow(lows: readonly number[], low: number): readonly number[] {
  if (lows.length === DAYS && low >= lows[DAYS - 1]!) return lows;
  return [...lows, low].sort((a, b) => a - b).slice(0, DAYS);
}

/**
 * At or near the lowest values ever shown: the detection limit, where an analyser may stand for days (NO2 at 2.0 for
 * 61 h in Beijing, Dingling). Either within a tenth of the way from the five lowest days to the mean, and not below them
 * either: a sensor that falls to a value it has not shown on three days is broken. Or, where zero offset and rounding have changed
 * over the years, the exact lowest value of 6 of the last 30 days, in the lowest third of that way. Before five days are
 * known there is no floor. Source: the recordings of domain notes, section 6 (5 and 6).
 */
export function isNearFloor({ lows, recent, mean }: ValueHistory, value: number): boolean {
  if (lows.length < DAYS) return false;
  const [lowest, fifth] = [lows[0]!, lows[DAYS - 1]!];
  const isLow = value <= lowest + LOW * Math.max(0, mean - lowest);
  if (isLow && recent.filter((low) => low === value).length >= SAME_LOW_DAYS) return true;
  const near = NEAR * Math.max(0, mean - fifth);
  return value >= lows[SHOWN_DAYS - 1]! - near / 2 && value <= fifth + near;
}
