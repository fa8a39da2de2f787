import type { Evidence } from "../../model/alert.ts";
import { say } from "../../model/sentence.ts";
import { parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import { isBroken } from "./cadence.ts";
import { amount, measured, NOTHING, needsGood, type Outcome, type OverValues, type Step } from "./condition.ts";

export type SpikeParams = {
  readonly above: number;
  readonly count: number;
  readonly withinMs: number;
  readonly needsGood: boolean;
};

type Seen = { readonly at: number; readonly value: number; readonly good: boolean };

/** `spikes`: the times of the newest, at most `count`. `since`: the first of those that made it fire. */
type SpikeState = {
  readonly before?: Seen;
  readonly middle?: Seen;
  readonly spikes: readonly number[];
  readonly since?: number;
};

const QUIET: SpikeState = { spikes: [] };

/**
 * `count` spikes within `within`. A spike is one value that stands out from both its neighbours:
 * |x1 - (x0 + x2) / 2| > `above`, in the metric's unit. Source: QARTOD spike test (IOOS), with the signs kept: the
 * reference is the mean of the neighbours, not of their absolute values. It ends when `within` has passed without one.
 *
 * Guards: x1 lies beyond both neighbours, by at least half of `above` beyond each, or a step would pass for a spike; what
 * really happens lasts two values or more. The three values follow each other without a gap. For operators one of the
 * three must not be suspect.
 */
export const spike: OverValues<"spike", SpikeParams, SpikeState> = {
  over: "values",
  params({ above, count, within }, rule) {
    const params = { above, count, withinMs: parseDuration(within)!, needsGood: needsGood(rule) };
    return () => params;
  },
  explain({ rule, params: { above, count, withinMs }, sensor, outcome: { evidence, value } }) {
    const [before, middle, after] = evidence as [Evidence, Evidence, Evidence];
    return say("spike", {
      ...measured(rule, sensor),
      value: amount(rule, value!),
      at: middle.measuredAt,
      before: amount(rule, before.value!),
      after: amount(rule, after.value!),
      limit: amount(rule, above),
      count,
      within: withinMs,
    });
  },
  explainEnd: ({ spec, outcome: { at } }) => say("spike.ended", { at, within: parseDuration(spec.within)! }),
  quiet: QUIET,
  step(params, state, sample) {
    const [expired, outcomes] = expire(params, state, sample.at);
    const newest: Seen = { at: sample.at, value: sample.value, good: sample.good };
    if (isBroken(sample.lastAt, sample.at, sample.cadence)) {
      return [{ spikes: expired.spikes, since: expired.since, middle: newest }, outcomes];
    }
    const { before, middle } = expired;
    const next = { ...expired, before: middle, middle: newest };
    // Between two spikes lies a normal value, which stands out from both of them.
    const afterSpike = before !== undefined && expired.spikes.at(-1) === before.at;
    if (!before || !middle || afterSpike || !isSpike(params, before, middle, newest)) return [next, outcomes];
    const [recorded, fired] = recordSpike(params, next, [before, middle, newest]);
    return [recorded, outcomes.length > 0 ? [...outcomes, ...fired] : fired];
  },
  advance: (params, state, time) => expire(params, state, time),
};

function isSpike({ above, needsGood }: SpikeParams, before: Seen, middle: Seen, after: Seen): boolean {
  const up = middle.value - before.value;
  const down = middle.value - after.value;
  if (up * down <= 0 || Math.abs(up + down) / 2 <= above) return false;
  if (Math.min(Math.abs(up), Math.abs(down)) < above / 2) return false;
  return !needsGood || before.good || middle.good || after.good;
}

function recordSpike(params: SpikeParams, state: SpikeState, seen: readonly [Seen, Seen, Seen]): Step<SpikeState> {
  const [, middle, after] = seen;
  const recent = state.spikes.filter((at) => middle.at - at <= params.withinMs);
  const spikes = [...recent, middle.at].slice(-params.count);
  if (state.since !== undefined || spikes.length < params.count) return [{ ...state, spikes }, NOTHING];
  const since = spikes[0]!;
  const evidence = seen.map(evidenceOf);
  const { value } = middle;
  const fired: Outcome = { what: "firing", at: after.at, startedAt: since, value, limit: params.above, evidence };
  return [{ ...state, spikes, since }, [fired]];
}

/** Over once `within` has passed since the last spike. */
function expire({ withinMs }: SpikeParams, state: SpikeState, time: number): Step<SpikeState> {
  const { since, spikes, before, middle } = state;
  if (since === undefined) return [state, NOTHING];
  const at = spikes.at(-1)! + withinMs;
  if (time < at) return [state, NOTHING];
  return [{ before, middle, spikes: [] }, [{ what: "resolved", at, startedAt: since, evidence: [], why: "cleared" }]];
}

function evidenceOf({ at, value, good }: Seen, index: number): Evidence {
  const note = index === 1 ? noted(say("note.standsOut", {})) : {};
  return good ? { measuredAt: at, value, ...note } : { measuredAt: at, value, quality: "suspect", ...note };
}
