import type { Evidence } from "../../model/alert.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import { type Cadence, isBroken } from "./cadence.ts";
import {
  amount,
  type Case,
  limitFor,
  measured,
  NOTHING,
  needsGood,
  needsSecond,
  type Outcome,
  type OverValues,
  type Sample,
  type Step,
} from "./condition.ts";
import {
  type Closed,
  close,
  expire,
  NO_WINDOW,
  type Rolled,
  type Rolling,
  roll,
  sizeOf,
  type WindowParams,
  windowEvidence,
} from "./window.ts";

/** A value against a limit, with a clear level, `for` and `keepFor`. */
type LevelParams = {
  readonly side: "above" | "below";
  readonly limit: number;
  /** Back to normal at or beyond this; the same as `limit` if the rule names none. */
  readonly clear: number;
  readonly forMs: number;
  readonly keepForMs: number;
  /** An operators' alert needs one value that is not suspect. */
  readonly needsGood: boolean;
  /** One sample is not enough. Left out where it is: then the params are as they always were. */
  readonly needsSecond?: true;
};

/** A value that stands for `from` … `at`: a sample (both the same) or a window. */
type Point = {
  readonly from: number;
  readonly at: number;
  readonly value: number;
  readonly good: boolean;
  readonly evidence: Evidence;
};

type Level =
  | { readonly phase: "quiet" }
  | {
      readonly phase: "pending";
      readonly since: number;
      readonly lastAt: number;
      readonly good: boolean;
      readonly first: Evidence;
    }
  | { readonly phase: "firing"; readonly since: number; readonly clearSince?: number };

const QUIET_LEVEL: Level = { phase: "quiet" };

/** Strictly beyond: "above 200" is not 200. */
function isBeyond({ side, limit }: LevelParams, value: number): boolean {
  return side === "above" ? value > limit : value < limit;
}

function isClear({ side, clear }: LevelParams, value: number): boolean {
  return side === "above" ? value <= clear : value >= clear;
}

function stepLevel(params: LevelParams, level: Level, point: Point): Step<Level> {
  switch (level.phase) {
    case "quiet":
      if (!isBeyond(params, point.value)) return [QUIET_LEVEL, NOTHING];
      return begin(params, point);
    case "pending":
      if (!isBeyond(params, point.value)) return giveUp(params, level, point.at, "not-held", point.evidence);
      return hold(params, { ...level, lastAt: point.at, good: level.good || point.good }, point);
    case "firing":
      return watchForEnd(params, level, point);
  }
}

function begin(params: LevelParams, point: Point): Step<Level> {
  const { from: since, at: lastAt, good, evidence: first } = point;
  const [next, outcomes] = hold(params, { phase: "pending", since, lastAt, good, first }, point);
  if (next.phase === "firing" || params.forMs === 0) return [next, outcomes];
  return [next, [{ what: "pending", at: lastAt, startedAt: since, value: point.value, evidence: [first] }]];
}

/**
 * Fires once it has held for `for` and, where operators would be called, one of the values is not suspect; where crews
 * would be called at once, two samples say so.
 */
function hold(params: LevelParams, level: Extract<Level, { phase: "pending" }>, point: Point): Step<Level> {
  if (point.at - level.since < params.forMs || (params.needsGood && !level.good)) return [level, NOTHING];
  const isOneSample = level.first === point.evidence && (point.evidence.window?.samples ?? 1) < 2;
  if (params.needsSecond && isOneSample) return [level, NOTHING];
  const { since: startedAt, first } = level;
  const evidence = first === point.evidence ? [first] : [first, point.evidence];
  const fired: Outcome = { what: "firing", at: point.at, startedAt, value: point.value, evidence };
  return [{ phase: "firing", since: startedAt }, [fired]];
}

function watchForEnd(params: LevelParams, level: Extract<Level, { phase: "firing" }>, point: Point): Step<Level> {
  if (!isClear(params, point.value)) {
    return level.clearSince === undefined ? [level, NOTHING] : [{ phase: "firing", since: level.since }, NOTHING];
  }
  const clearSince = level.clearSince ?? point.from;
  if (point.at - clearSince < params.keepForMs) return [{ ...level, clearSince }, NOTHING];
  const { at, value, evidence } = point;
  return [QUIET_LEVEL, [{ what: "resolved", at, startedAt: level.since, value, evidence: [evidence], why: "cleared" }]];
}

/** A pending that will not fire. Without `for` nobody was told of it, so nobody is told of its end. */
function giveUp(
  params: LevelParams,
  level: Extract<Level, { phase: "pending" }>,
  at: number,
  why: "not-held" | "no-data",
  evidence: Evidence,
): Step<Level> {
  if (params.forMs === 0) return [QUIET_LEVEL, NOTHING];
  return [
    QUIET_LEVEL,
    [{ what: "resolved", at, startedAt: level.since, value: evidence.value, evidence: [evidence], why }],
  ];
}

/** A hole in the data: what is firing stays so, but "for 10 minutes" cannot be said across it. */
function breakRun(params: LevelParams, level: Level): Step<Level> {
  if (level.phase !== "pending") return [level, NOTHING];
  return giveUp(params, level, level.lastAt, "no-data", level.first);
}

/** Without `windowMs` every sample is compared, with it the aggregate of every valid aligned window. */
export type ThresholdParams = LevelParams & Omit<WindowParams, "windowMs"> & { readonly windowMs?: number };

type ThresholdState = { readonly level: Level; readonly rolling?: Rolling };

const QUIET: ThresholdState = { level: QUIET_LEVEL };
const STILL_QUIET: Step<ThresholdState> = [QUIET, NOTHING];

/**
 * A value, or a window's mean, minimum or maximum, beyond a limit (strictly).
 *
 * value > above (or < below), held for `for` -> firing; value <= clear (or >= clear), held for `keepFor` -> resolved.
 * Units are the metric's. `for` is measured between samples: from the first one beyond the limit (of a window, from
 * its start) to the one that is being judged, never on a clock.
 * Guards: invalid windows (data capture, see `close`) are passed over; a gap longer than max(3 x interval, 15 min), or
 * a missing window, starts `for` anew; an alert for operators waits for a value that is not suspect, a critical one for
 * crews for a second sample. What is firing
 * goes on firing through a gap: that the sensor is silent is said by another rule, and does not make the limit hold.
 */
export const threshold: OverValues<"threshold", ThresholdParams, ThresholdState> = {
  over: "values",
  params(spec, rule) {
    const shared = {
      side: spec.above === undefined ? ("below" as const) : ("above" as const),
      forMs: spec.for === undefined ? 0 : parseDuration(spec.for)!,
      keepForMs: spec.keepFor === undefined ? 0 : parseDuration(spec.keepFor)!,
      ...(spec.window === undefined ? { windowMs: undefined } : sizeOf(spec.window, spec.days)),
      aggregate: spec.aggregate,
      capture: spec.capture,
      needsGood: needsGood(rule),
      ...(needsSecond(rule) ? { needsSecond: true as const } : {}),
    };
    return (sensor) => {
      const limit = limitFor((spec.above ?? spec.below)!, sensor);
      const clear = spec.clear === undefined ? limit : limitFor(spec.clear, sensor);
      if (limit === undefined || clear === undefined) return undefined;
      const { side, ...rest } = shared;
      return { side, limit, clear, ...rest };
    };
  },
  limit: ({ limit }) => limit,
  explain: explainThreshold,
  explainEnd({ rule, spec, outcome: { at, value, why } }) {
    if (why !== "not-held" || !spec.for) return undefined;
    return say("threshold.notHeld", { at, value: amount(rule, value!), held: parseDuration(spec.for)! });
  },
  quiet: QUIET,
  step(params, state, sample) {
    return params.windowMs === undefined
      ? stepSample(params, state, sample)
      : finish(params as Windowed, state, roll(state.rolling ?? NO_WINDOW, params as Windowed, sample), sample.cadence);
  },
  advance(params, state, time, cadence) {
    const { windowMs } = params;
    if (windowMs === undefined || !state.rolling?.open) return [state, NOTHING];
    return finish(params as Windowed, state, expire(state.rolling, params as Windowed, time), cadence);
  },
};

type Windowed = LevelParams & WindowParams;

function stepSample(params: ThresholdParams, { level }: ThresholdState, sample: Sample): Step<ThresholdState> {
  // Nearly every sample of a city ends here.
  if (level.phase === "quiet" && !isBeyond(params, sample.value)) return STILL_QUIET;
  const broken = level.phase === "pending" && isBroken(sample.lastAt, sample.at, sample.cadence);
  return judge(params, level, broken, pointOf(sample));
}

function pointOf({ at, value, good, because }: Sample): Point {
  const plain: Evidence = good ? { measuredAt: at, value } : { measuredAt: at, value, quality: "suspect" };
  const evidence = because === undefined ? plain : { ...plain, ...noted(because) };
  return { from: at, at, value, good, evidence };
}

function finish(params: Windowed, state: ThresholdState, rolled: Rolled, cadence: Cadence): Step<ThresholdState> {
  const { ended } = rolled;
  if (!ended) return [stateOf(state.level, rolled), NOTHING];
  const closed = close(ended, params, cadence);
  if (!closed.valid) return [stateOf(state.level, rolled), NOTHING];
  const [next, outcomes] = judgeWindow(params, state.level, closed);
  return [stateOf(next.level, rolled), outcomes];
}

function stateOf(level: Level, { rolling, calm }: Rolled): ThresholdState {
  if (level.phase !== "quiet" || !calm) return { level, rolling };
  calm.threshold ??= { level: QUIET_LEVEL, rolling };
  return calm.threshold as ThresholdState;
}

function judgeWindow(params: Windowed, level: Level, closed: Closed): Step<ThresholdState> {
  const { from, to: at, value, good } = closed;
  const broken = level.phase === "pending" && from > level.lastAt;
  return judge(params, level, broken, { from, at, value, good, evidence: windowEvidence(closed) });
}

function judge(params: LevelParams, level: Level, broken: boolean, point: Point): Step<ThresholdState> {
  const [start, ended] = broken ? breakRun(params, level) : [level, NOTHING];
  const [next, outcomes] = stepLevel(params, start, point);
  const state = next === QUIET_LEVEL ? QUIET : { level: next };
  return [state, ended.length > 0 ? [...ended, ...outcomes] : outcomes];
}

/** The pollutant that an index stands for. */
function becauseOf({ evidence }: Outcome): { because?: Sentence } {
  const because = evidence.at(-1)?.says;
  return because?.key === "index.because" ? { because } : {};
}

function explainThreshold({ rule, spec, params, sensor, outcome }: Case<"threshold", ThresholdParams>): Sentence {
  const { what, at, startedAt, value } = outcome;
  const { side, limit, forMs, windowMs, aggregate } = params;
  return say("threshold", {
    ...measured(rule, sensor),
    value: amount(rule, value!),
    at,
    side,
    limit: amount(rule, limit, spec.above ?? spec.below),
    ...becauseOf(outcome),
    ...(forMs === 0 ? {} : { since: startedAt }),
    ...(what === "pending" ? { counts: forMs } : {}),
    ...(windowMs === undefined ? {} : { window: windowMs, aggregate }),
  });
}
