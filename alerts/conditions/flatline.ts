import type { Evidence } from "../../model/alert.ts";
import { type ParamsAs, say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import { isBroken, isIntervalBelow } from "./cadence.ts";
import {
  amount,
  isWorkedOn,
  measured,
  NOTHING,
  needsGood,
  type Outcome,
  type OverValues,
  type Sample,
  type Step,
  type WatchedSensor,
} from "./condition.ts";

/**
 * What a sensor's own past says of the lowest it can show. Bounded: a handful of numbers, however long the past.
 */
type ValueHistory = {
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

const NEW_HISTORY: ValueHistory = {
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
function withRun(history: ValueHistory, since: number, value: number): ValueHistory {
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
function isNearFloor({ lows, recent, mean }: ValueHistory, value: number): boolean {
  if (lows.length < DAYS) return false;
  const [lowest, fifth] = [lows[0]!, lows[DAYS - 1]!];
  const isLow = value <= lowest + LOW * Math.max(0, mean - lowest);
  if (isLow && recent.filter((low) => low === value).length >= SAME_LOW_DAYS) return true;
  const near = NEAR * Math.max(0, mean - fifth);
  return value >= lows[SHOWN_DAYS - 1]! - near / 2 && value <= fifth + near;
}

export type FlatlineParams = {
  readonly afterMs: number;
  readonly samples: number;
  readonly tolerance: number;
  readonly floor?: number;
  readonly ceiling?: number;
  readonly needsGood: boolean;
  /** The metric counts what passes: zero is normal by night. `lon`: degrees east, which tells the night; may be unknown. */
  readonly zeroByNight: boolean;
  readonly lon?: number;
};

/** What its evidence says of the values in a row: `low` and `high` where they are not all the same. */
type Values = ParamsAs<"note.equal", "given"> & Partial<ParamsAs<"note.within", "given">>;

/** Values in a row that lie within the tolerance of each other. */
type Run = {
  readonly since: number;
  readonly count: number;
  readonly low: number;
  readonly high: number;
  /** Zeros of the night: neither time nor values that count. */
  readonly idleMs: number;
  readonly good: boolean;
  readonly firing?: boolean;
  /** Long enough, and near the floor: it waits for what the others show. */
  readonly pending?: boolean;
};

type FlatlineState = { readonly run?: Run; readonly history: ValueHistory };

const QUIET: FlatlineState = { history: NEW_HISTORY };

/**
 * Stuck: at least `samples` values in a row whose range (max - min) is within `tolerance`, over at least `after`.
 * Source: QARTOD flat line test (IOOS). Units are the metric's. A value stands for its interval, so that 24 equal hourly
 * values are a day. It ends with the first value outside the tolerance.
 *
 * Guards: a value at or below `floor` is the detection limit. Without one, a value at the floor learnt from the sensor's
 * own past (`isNearFloor`) may be: the alert is pending, and `districts/floors.ts` makes it fire if the neighbours are
 * not near their floors as well. At or above `ceiling` it is a cap. A sensor that has only ever sent whole numbers needs twice as
 * many values. A gap longer than max(3 x interval, 15 min) starts the run anew, for nobody saw it hold; what is firing
 * goes on until another value comes. Of metrics that count what passes, zeros between 22:00 and 06:00 of solar time count
 * neither as time nor as values; where the longitude is unknown, zeros need at least a day.
 */
export const flatline: OverValues<"flatline", FlatlineParams, FlatlineState> = {
  over: "values",
  params({ after, samples, tolerance, floor, ceiling }, rule) {
    const zeroByNight = ZERO_BY_NIGHT.has(rule.metric!);
    const limits = { afterMs: parseDuration(after)!, samples, tolerance, floor, ceiling };
    return (sensor) => ({ ...limits, needsGood: needsGood(rule), zeroByNight, lon: wholeLon(sensor) });
  },
  looksAt: (sensor) => String(wholeLon(sensor)),
  explain({ rule, spec: { tolerance }, sensor, outcome: { what, startedAt, value, evidence } }) {
    const { count, low, high } = evidence[0]!.says!.params as Values;
    return say("flatline", {
      ...measured(rule, sensor),
      value: amount(rule, value!),
      since: startedAt,
      count,
      meaning: what === "pending" ? "lowest" : "stuck",
      ...(tolerance > 0 ? { tolerance: amount(rule, tolerance) } : {}),
      ...(low === undefined || high === undefined ? {} : { low: amount(rule, low), high: amount(rule, high) }),
    });
  },
  explainEnd: ({ rule, outcome: { at, value } }) => say("flatline.ended", { at, value: amount(rule, value!) }),
  deed: ({ metric }) => say("deed.stuck", { metric: metric! }),
  quiet: QUIET,
  step(params, state, sample) {
    const { run, history } = state;
    if (!run) return [{ run: startRun(sample), history }, NOTHING];
    const { at, value, lastAt, cadence } = sample;
    const equal = Math.max(run.high, value) - Math.min(run.low, value) <= params.tolerance;
    if (equal && (run.firing || run.pending)) return [state, NOTHING];
    if (equal && !isBroken(lastAt, at, cadence)) return extend(params, run, history, sample);
    const isTaught = !isWorkedOn(sample, run.since, lastAt ?? at);
    const next = { run: startRun(sample), history: isTaught ? withRun(history, run.since, run.low) : history };
    return [next, run.firing || run.pending ? [ended(run, sample)] : NOTHING];
  },
};

const startRun = ({ at, value, good }: Sample): Run => ({
  since: at,
  count: 1,
  low: value,
  high: value,
  idleMs: 0,
  good,
});

function extend(params: FlatlineParams, run: Run, history: ValueHistory, sample: Sample): Step<FlatlineState> {
  const { at, value, good, lastAt } = sample;
  const idle = params.zeroByNight && value === 0 && isNight(at, params.lon);
  const next: Run = {
    since: run.since,
    count: run.count + (idle ? 0 : 1),
    low: Math.min(run.low, value),
    high: Math.max(run.high, value),
    idleMs: run.idleMs + (idle ? at - (lastAt ?? at) : 0),
    good: run.good || good,
  };
  if (idle || !isStill(params, next, history, sample)) return [{ run: next, history }, NOTHING];
  const isZero = params.zeroByNight && value === 0;
  const mayBeFloor = params.floor === undefined && !isZero && isNearFloor(history, value);
  if (mayBeFloor) return [{ run: { ...next, pending: true }, history }, [begun("pending", next, sample)]];
  return [{ run: { ...next, firing: true }, history }, [begun("firing", next, sample)]];
}

/** It has repeated its value for long enough, and that is no stated limit of what it can show. */
function isStill(params: FlatlineParams, run: Run, history: ValueHistory, { at, value, cadence }: Sample): boolean {
  const isZero = params.zeroByNight && value === 0;
  const enough = history.whole && Number.isInteger(value) ? 2 * params.samples : params.samples;
  if (run.count < enough || (params.needsGood && !run.good)) return false;
  const afterMs = isZero && params.lon === undefined ? Math.max(params.afterMs, DAY_MS) : params.afterMs;
  const restMs = afterMs - (at - run.since - run.idleMs);
  if (restMs > 0 && isIntervalBelow(cadence, restMs)) return false;
  if (params.ceiling !== undefined && value >= params.ceiling) return false;
  return params.floor === undefined || value > params.floor;
}

/** Between 22:00 and 06:00 by the sun: 15 degrees of longitude are an hour. An unknown longitude has no night. */
function isNight(at: number, lon: number | undefined): boolean {
  if (lon === undefined) return false;
  const hour = (((at / HOUR_MS + lon / 15) % 24) + 24) % 24;
  return hour >= 22 || hour < 6;
}

function begun(what: "pending" | "firing", { since, count, low, high }: Run, { at, value, good }: Sample): Outcome {
  const says = low === high ? say("note.equal", { count }) : say("note.within", { count, low, high });
  const newest: Evidence = {
    measuredAt: at,
    value,
    window: { from: since, samples: count },
    ...noted(says),
    ...(good ? {} : { quality: "suspect" }),
  };
  return { what, at, startedAt: since, value, evidence: [newest] };
}

function ended({ since, pending }: Run, { at, value }: Sample): Outcome {
  const why = pending ? "not-held" : "cleared";
  return { what: "resolved", at, startedAt: since, value, evidence: [{ measuredAt: at, value }], why };
}

/** Nothing passes at night, and by day something always does. Rarer things (buses, bicycles) may stay away all day. */
const ZERO_BY_NIGHT: ReadonlySet<string> = new Set(["flow", "occupancy", "carCount"]);

/** Near enough to tell the night by the sun, and the same for the sensors of a city. */
function wholeLon({ lon }: WatchedSensor): number | undefined {
  return lon === undefined ? undefined : Math.round(lon);
}
