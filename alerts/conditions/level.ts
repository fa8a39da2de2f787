import type { Evidence } from "../../model/alert.ts";
import { NOTHING, type Outcome, type Step } from "./condition.ts";

/** The machine behind `threshold`: a value against a limit, with a clear level, `for` and `keepFor`. */
export type LevelParams = {
  readonly side: "above" | "below";
  readonly limit: number;
  /** Back to normal at or beyond this; the same as `limit` if the rule names none. */
  readonly clear: number;
  readonly forMs: number;
  readonly keepForMs: number;
  /** An operators' alert needs one value that is not suspect. */
  readonly needsGood: boolean;
};

/** A value that stands for `from` … `at`: a sample (both the same) or a window. */
export type Point = {
  readonly from: number;
  readonly at: number;
  readonly value: number;
  readonly good: boolean;
  readonly evidence: Evidence;
};

export type Level =
  | { readonly phase: "quiet" }
  | {
      readonly phase: "pending";
      readonly since: number;
      readonly lastAt: number;
      readonly good: boolean;
      readonly first: Evidence;
    }
  | { readonly phase: "firing"; readonly since: number; readonly clearSince?: number };

export const QUIET: Level = { phase: "quiet" };

/** Strictly beyond: "above 200" is not 200. */
export function isBeyond({ side, limit }: LevelParams, value: number): boolean {
  return side === "above" ? value > limit : value < limit;
}

function isClear({ side, clear }: LevelParams, value: number): boolean {
  return side === "above" ? value <= clear : value >= clear;
}

export function stepLevel(params: LevelParams, level: Level, point: Point): Step<Level> {
  switch (level.phase) {
    case "quiet":
      if (!isBeyond(params, point.value)) return [QUIET, NOTHING];
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

/** Fires once it has held for `for` and, where operators would be called, one of the values is not suspect. */
function hold(params: LevelParams, level: Extract<Level, { phase: "pending" }>, point: Point): Step<Level> {
  if (point.at - level.since < params.forMs || (params.needsGood && !level.good)) return [level, NOTHING];
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
  return [QUIET, [{ what: "resolved", at, startedAt: level.since, value, evidence: [evidence], why: "cleared" }]];
}

/** A pending that will not fire. Without `for` nobody was told of it, so nobody is told of its end. */
function giveUp(
  params: LevelParams,
  level: Extract<Level, { phase: "pending" }>,
  at: number,
  why: "not-held" | "no-data",
  evidence: Evidence,
): Step<Level> {
  if (params.forMs === 0) return [QUIET, NOTHING];
  return [QUIET, [{ what: "resolved", at, startedAt: level.since, value: evidence.value, evidence: [evidence], why }]];
}

/** A hole in the data: what is firing stays so, but "for 10 minutes" cannot be said across it. */
export function breakRun(params: LevelParams, level: Level): Step<Level> {
  if (level.phase !== "pending") return [level, NOTHING];
  return giveUp(params, level, level.lastAt, "no-data", level.first);
}
