import type { Evidence } from "../../model/alert.ts";
import { parseDuration } from "../../model/time.ts";
import { zoneNamed } from "../../model/zone.ts";
import { type Cadence, intervalMs } from "./cadence.ts";

/**
 * Aligned windows [from, to): the hours (UTC) and days (the city's) of the air directives, the 10-minute values of
 * EN 50160. A day has 23 or 25 hours when the clocks change. Kept as sums: a sample costs the same however long the window, and nothing is ever scanned again.
 */
export type Window = {
  readonly from: number;
  readonly count: number;
  readonly good: number;
  /** The time its samples stand for (`coveredBy`); and how many of them stand for the interval, unknown as it was then. */
  readonly coveredMs?: number;
  readonly uncounted?: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
};

/** The window being filled, and the end of the last one that was judged: nothing before it is opened again. */
export type Rolling = { readonly open?: Window; readonly closedTo?: number };

/** How long windows are; of those of a day, in which zone the days are (UTC without it). */
export type WindowSize = { readonly windowMs: number; readonly days?: string };

export const isSameSize = (a: WindowSize, b: WindowSize): boolean => a.windowMs === b.windowMs && a.days === b.days;

export function windowStart({ windowMs, days }: WindowSize, at: number): number {
  return days === undefined ? Math.floor(at / windowMs) * windowMs : zoneNamed(days).startOfDay(at);
}

export function windowEnd({ windowMs, days }: WindowSize, from: number): number {
  return days === undefined ? from + windowMs : zoneNamed(days).nextDay(from);
}

/** How many windows lie between two of their beginnings: an hour more or less makes no day. */
const windowsBetween = ({ windowMs }: WindowSize, from: number, to: number): number =>
  Math.round((to - from) / windowMs);

/** How many have ended since this end of one. */
export const windowsSince = (size: WindowSize, from: number, at: number): number =>
  Math.max(0, windowsBetween(size, from, windowStart(size, at)));

/** The end of the `count`th window from `from` on. */
export function windowEndAfter(size: WindowSize, from: number, count: number): number {
  if (size.days === undefined) return from + count * size.windowMs;
  let end = from;
  for (let i = 0; i < count; i++) end = windowEnd(size, end);
  return end;
}

/** `utc` and UTC are the plain days. */
export function sizeOf(window: string, days: string | undefined): WindowSize {
  const windowMs = parseDuration(window)!;
  return days === undefined || days === "utc" || days === "UTC" ? { windowMs } : { windowMs, days };
}

type Aggregate = "mean" | "min" | "max";

export type WindowParams = WindowSize & { readonly aggregate: Aggregate; readonly capture: number };

/** A window that has ended. `valid`: enough of the expected samples came (data capture). */
export type Closed = {
  readonly from: number;
  readonly to: number;
  readonly value: number;
  readonly samples: number;
  readonly expected?: number;
  readonly good: boolean;
  readonly valid: boolean;
};

/** What a sample did: the new rolling state, the window it ended, and how many empty ones lay between. */
export type Rolled = {
  readonly rolling: Rolling;
  readonly ended?: Window;
  readonly missing: number;
  /** Where several rules share it. */
  readonly calm?: Calm;
};

/** The states of those rules that have nothing to remember but the window, by condition. */
type Calm = { threshold: unknown; consecutive: unknown };

/** A value, as far as windows look at it. Times are epoch milliseconds. */
export type WindowSample = {
  readonly at: number;
  readonly value: number;
  /** False for a value flagged suspect: it counts, but an operators' alert does not rest on such values alone. */
  readonly good: boolean;
  /** The time it stands for, in ms; undefined: the interval, which is not known yet. */
  readonly coversMs?: number | undefined;
  /**
   * What this sample did to windows, for the rules that come after: those with windows of one size share them, in time
   * and in memory. A memory of a pure function, nothing else; left out in tests.
   */
  readonly rolls?: Roll[];
};

/** What a sample did to one window: rules with windows of one size share the new one, in time and in memory. */
type Roll = { readonly before: Rolling; readonly size: WindowSize; readonly rolled: Rolled };

export const NO_WINDOW: Rolling = {};

export function roll(rolling: Rolling, size: WindowSize, sample: WindowSample): Rolled {
  const { rolls } = sample;
  if (!rolls) return rollOn(rolling, size, sample);
  for (let i = 0; i < rolls.length; i++) {
    const known = rolls[i]!;
    if (isSameSize(known.size, size) && same(known.before, rolling)) return known.rolled;
  }
  const rolled = rollOn(rolling, size, sample, { threshold: undefined, consecutive: undefined });
  rolls.push({ before: rolling, size, rolled });
  return rolled;
}

/** By value, too: what came out of the records is shared again from the next sample on. */
function same(a: Rolling, b: Rolling): boolean {
  if (a === b) return true;
  if (a.closedTo !== b.closedTo || !a.open || !b.open) return false;
  const { from, count, good, sum, min, max, coveredMs, uncounted } = a.open;
  const { open } = b;
  if (from !== open.from || count !== open.count || good !== open.good) return false;
  if (coveredMs !== open.coveredMs || uncounted !== open.uncounted) return false;
  return sum === open.sum && min === open.min && max === open.max;
}

function rollOn({ open, closedTo }: Rolling, size: WindowSize, sample: WindowSample, calm?: Calm): Rolled {
  const from = windowStart(size, sample.at);
  if (open && from === open.from) return { rolling: { open: add(open, sample), closedTo }, missing: 0, calm };
  // Its window was judged without it: closed by time, and then an older buffer came in.
  if (closedTo !== undefined && from < closedTo) return { rolling: { open, closedTo }, missing: 0, calm };
  const fresh = add({ ...NOTHING_IN, from }, sample);
  if (open) {
    const to = windowEnd(size, open.from);
    return { rolling: { open: fresh, closedTo: to }, ended: open, missing: windowsBetween(size, to, from), calm };
  }
  const missing = closedTo === undefined ? 0 : windowsBetween(size, closedTo, from);
  return { rolling: { open: fresh, closedTo }, missing, calm };
}

/** Ends the open window if it lies wholly before `time`. */
export function expire(rolling: Rolling, size: WindowSize, time: number): Rolled {
  const { open } = rolling;
  const to = open && windowEnd(size, open.from);
  if (to === undefined || to > time) return { rolling, missing: 0 };
  return { rolling: { closedTo: to }, ended: open, missing: 0 };
}

const NOTHING_IN = {
  count: 0,
  good: 0,
  coveredMs: 0,
  uncounted: 0,
  sum: 0,
  min: Number.MAX_VALUE,
  max: -Number.MAX_VALUE,
};

/** Versions before kept only how many samples there were. */
export const uncountedOf = ({ uncounted, count }: Window): number => uncounted ?? count;

function add(window: Window, { value, good, coversMs }: WindowSample): Window {
  return {
    from: window.from,
    count: window.count + 1,
    good: window.good + (good ? 1 : 0),
    coveredMs: (window.coveredMs ?? 0) + (coversMs ?? 0),
    uncounted: uncountedOf(window) + (coversMs === undefined ? 1 : 0),
    sum: window.sum + value,
    min: value < window.min ? value : window.min,
    max: value > window.max ? value : window.max,
  };
}

/** Below this share of one expected sample per window, the sensor reports too rarely for such a window to mean anything. */
const SAMPLES_PER_WINDOW_MIN = 0.75;

/** What gaps that are a little too short take away, in readings: no whole one. */
const JITTER = 0.2;

/**
 * The value of an ended window and whether it counts. Data capture: the time that its samples stand for is at least
 * `capture` of it (75 % by default: 45 minutes of an hour, 18 hours of a day), in whole readings as the interval lets
 * expect them. Source: 2008/50/EC Annex VII and XI. Time, because a sensor that sends more often when it matters has not
 * measured less in between. An unknown interval makes the window invalid: then nobody can say what is missing.
 */
export function close(window: Window, params: WindowParams, cadence: Cadence): Closed {
  const { aggregate, capture } = params;
  const interval = intervalMs(cadence);
  const to = windowEnd(params, window.from);
  const perWindow = interval === undefined ? 0 : (to - window.from) / interval;
  const expected = perWindow < SAMPLES_PER_WINDOW_MIN ? undefined : Math.max(1, Math.round(perWindow));
  const uncounted = uncountedOf(window);
  const worth = interval === undefined ? 0 : uncounted + (window.coveredMs ?? 0) / interval;
  const needed = expected === undefined ? undefined : capture * expected - 1e-9;
  const isByCount = needed !== undefined && window.count >= needed;
  // Where a window expects one reading, that one is all of it, however soon it came after one more than expected.
  const isAll = expected === 1 && window.count > 0;
  return {
    from: window.from,
    to,
    value: tidy(aggregate === "mean" ? window.sum / window.count : window[aggregate]),
    samples: window.count,
    // Of a sensor that sends now and then more often no number can be expected.
    expected: isByCount ? expected : undefined,
    good: window.good > 0,
    valid: needed !== undefined && (isAll || worth >= needed - (uncounted < window.count ? JITTER : 0)),
  };
}

/** Six decimals: so that the dust of adding up does not lift a mean of exactly the limit over it. */
function tidy(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** A window as evidence: `measuredAt` is its end. */
export function windowEvidence({ from, to, value, samples, expected, good }: Closed): Evidence {
  const window = expected === undefined ? { from, samples } : { from, samples, expected };
  return good ? { measuredAt: to, value, window } : { measuredAt: to, value, quality: "suspect", window };
}
