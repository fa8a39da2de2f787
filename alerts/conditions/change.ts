import type { Evidence } from "../../model/alert.ts";
import { say } from "../../model/sentence.ts";
import { parseDuration } from "../../model/time.ts";
import {
  amount,
  measured,
  NOTHING,
  needsGood,
  needsSecond,
  type Outcome,
  type OverValues,
  type Sample,
  type Step,
} from "./condition.ts";

export type ChangeParams = {
  readonly direction: "rise" | "fall";
  /** In the metric's unit, above 0. */
  readonly by: number;
  readonly withinMs: number;
  readonly keepForMs: number;
  readonly needsGood: boolean;
  /** One sample is not enough, and a suspect one is nothing to compare with. */
  readonly needsSecond?: true;
};

type Seen = { readonly at: number; readonly value: number; readonly good: boolean };

/** `base`: the values the newest may be compared with, oldest first, each further from the extreme than the one before. */
type ChangeState = {
  readonly base: readonly Seen[];
  readonly since?: number;
  readonly clearSince?: number;
  /** One sample has said so. */
  readonly isSaid?: true;
};

const QUIET: ChangeState = { base: [] };
/** The window is cut into so many parts; of each, one base is kept beside those that are more extreme. */
const PARTS = 64;

/**
 * A rise: newest - min(values of the last `within`) >= `rise`; a fall: max - newest >= `fall`. Units are the metric's.
 * Source: practice (flood: 10 cm in 10 minutes; domain notes, section 5). It ends once no such change lies within
 * `within` of the newest value, and has not for `keepFor`.
 *
 * The extreme comes from a monotonic queue: a new value drops the bases that can never be the extreme again, so that a
 * sample costs the same however long the window. Bounded to 65 bases: of values in the same 1/64 of the window only the
 * most extreme stays, which may understate a change by what happened within that 1/64, and never overstates it.
 * Guards: a gap longer than `within` leaves nothing to compare with; for operators one of the two values is not suspect.
 * What is firing stays so while no value comes.
 */
export const change: OverValues<"change", ChangeParams, ChangeState> = {
  over: "values",
  params({ rise, fall, within, keepFor }, rule) {
    const params: ChangeParams = {
      direction: rise === undefined ? "fall" : "rise",
      by: (rise ?? fall)!,
      withinMs: parseDuration(within)!,
      keepForMs: keepFor === undefined ? 0 : parseDuration(keepFor)!,
      needsGood: needsGood(rule),
      ...(needsSecond(rule) ? { needsSecond: true as const } : {}),
    };
    return () => params;
  },
  explain({ rule, spec: { rise }, params: { by, withinMs }, sensor, outcome: { evidence } }) {
    const [first, newest] = evidence as [Evidence, Evidence];
    const moved = {
      from: amount(rule, first.value!),
      fromAt: first.measuredAt,
      to: amount(rule, newest.value!),
      at: newest.measuredAt,
      by: amount(rule, Math.abs(newest.value! - first.value!)),
    };
    const direction = rise === undefined ? "fall" : "rise";
    return say("change", { ...measured(rule, sensor), direction, ...moved, limit: amount(rule, by), within: withinMs });
  },
  quiet: QUIET,
  step(params, state, sample) {
    if (params.needsSecond && !sample.good) return [state, NOTHING];
    const kept = unexpired(state.base, sample.at - params.withinMs);
    const extreme = kept[0];
    const base = withNewest(params, kept, sample);
    const amount = extreme === undefined ? 0 : sizeOf(params, extreme.value, sample.value);
    const isLarge = amount >= params.by && (!params.needsGood || sample.good || extreme!.good);
    if (state.since !== undefined) return watchForEnd(params, state, base, isLarge, sample);
    if (!isLarge) return [base === state.base && !state.isSaid ? state : { base }, NOTHING];
    if (params.needsSecond && !state.isSaid) return [{ base, isSaid: true }, NOTHING];
    const evidence = [evidenceOf(extreme!), evidenceOf(sample)];
    const { at, value } = sample;
    const fired: Outcome = { what: "firing", at, startedAt: at, value, limit: params.by, evidence };
    return [{ base, since: at }, [fired]];
  },
};

const sizeOf = ({ direction }: ChangeParams, from: number, to: number) =>
  direction === "rise" ? to - from : from - to;

function unexpired(base: readonly Seen[], from: number): readonly Seen[] {
  let gone = 0;
  while (gone < base.length && base[gone]!.at < from) gone++;
  return gone === 0 ? base : base.slice(gone);
}

function withNewest(params: ChangeParams, base: readonly Seen[], { at, value, good }: Sample): readonly Seen[] {
  const partMs = params.withinMs / PARTS;
  const isSamePart = (one: Seen) => Math.floor(one.at / partMs) === Math.floor(at / partMs);
  const last = base.at(-1);
  // The same again, as nearly always in the same part: nothing new.
  if (last && last.value === value && (last.good || !good) && isSamePart(last)) return base;
  let length = base.length;
  while (length > 0 && sizeOf(params, value, base[length - 1]!.value) >= 0) length--;
  const kept = length === base.length ? base : base.slice(0, length);
  const next = kept.at(-1);
  return next && isSamePart(next) ? kept : [...kept, { at, value, good }];
}

function watchForEnd(
  { keepForMs }: ChangeParams,
  { since, clearSince: former }: ChangeState,
  base: readonly Seen[],
  isLarge: boolean,
  sample: Sample,
): Step<ChangeState> {
  if (isLarge) return [{ base, since }, NOTHING];
  const { at, value } = sample;
  const clearSince = former ?? at;
  if (at - clearSince < keepForMs) return [{ base, since, clearSince }, NOTHING];
  const evidence = [evidenceOf(sample)];
  return [{ base }, [{ what: "resolved", at, startedAt: since!, value, evidence, why: "cleared" }]];
}

function evidenceOf({ at, value, good }: Seen): Evidence {
  return good ? { measuredAt: at, value } : { measuredAt: at, value, quality: "suspect" };
}
