import { DAY_MS, parseDuration } from "../../model/time.ts";
import { type Baseline, learn, NOTHING_LEARNT, type Season, type Usual, usualAt } from "./baseline.ts";
import type { Cadence } from "./cadence.ts";
import { NOTHING, needsGood, type Outcome, type OverValues, type Step } from "./condition.ts";
import { type Closed, close, expire, type Rolling, roll, type Window, windowEvidence } from "./window.ts";
import { amount, ordinal, subject, timeText, windowUnit, windowWord } from "./words.ts";

export type AnomalyParams = {
  readonly sigmas: number;
  readonly windowMs: number;
  readonly season: Season;
  readonly count: number;
  readonly side: "both" | "above" | "below";
  readonly atLeast: number;
  readonly capture: number;
  readonly needsGood: boolean;
};

/** `run`: the newest windows out of the usual, at most `count`; `since`: the start of the first of them all. */
type AnomalyState = {
  readonly rolling: Rolling;
  readonly baseline: Baseline;
  readonly run: readonly Closed[];
  readonly since?: number;
  readonly firing?: boolean;
  readonly missed: number;
};

const QUIET: AnomalyState = { rolling: {}, baseline: NOTHING_LEARNT, run: [], missed: 0 };
const RELEARN_AFTER_MS = 28 * DAY_MS;

/**
 * `count` aligned windows in a row whose mean is not as usual at that time of the day or week:
 * |mean - median| > max(`sigmas` x 1.4826 x MAD, `atLeast`), with median and MAD of the same hours in the last weeks
 * (`usualAt`). Units are the metric's; windows and hours are UTC. Source: Hampel's identifier, seasonal (domain notes,
 * sections 2.3, 3.5 and 5). It ends with a window within half of that distance.
 *
 * Guards: nothing is said before enough is known of that hour; a window counts with 75 % data capture, an invalid or
 * missing one breaks the run, and max(3, count) of them end what fires ("no-data"). What is out of the usual is not
 * learnt, and nothing at all while it fires, or an incident would teach itself away; what has lasted four weeks is the
 * new normal: it ends, and everything is learnt anew. For operators one window of the run must have a good value.
 */
export const anomaly: OverValues<"anomaly", AnomalyParams, AnomalyState> = {
  over: "values",
  params({ type: _, window, ...rest }, rule) {
    const params = { ...rest, windowMs: parseDuration(window)!, needsGood: needsGood(rule) };
    return () => params;
  },
  explain({ rule, spec: { window, count }, sensor, outcome: { at, value, limit, evidence } }) {
    const mean = `${subject(rule, sensor)} averaged ${amount(rule, value)} over the ${windowWord(window)} to ${timeText(at)}`;
    const side = `${value! > limit! ? "above" : "below"} ${amount(rule, limit)}`;
    const run =
      count === 1 ? side : `the ${ordinal(count)} ${windowUnit(window)} in a row out of the usual, now ${side}`;
    return `${mean}, ${run} (${evidence.at(-1)!.note}).`;
  },
  quiet: QUIET,
  step(params, state, sample) {
    const { rolling, ended, missing } = roll(state.rolling, params.windowMs, sample);
    const next = { ...state, rolling };
    if (!ended && missing === 0) return [next, NOTHING];
    const [judged, outcomes] = ended ? judge(params, next, ended, sample.cadence) : ([next, NOTHING] as const);
    const [missed, lapsed] = miss(params, judged, missing, rolling.closedTo!);
    return [missed, lapsed.length > 0 ? [...outcomes, ...lapsed] : outcomes];
  },
  advance(params, state, time, cadence) {
    const { rolling, ended } = expire(state.rolling, params.windowMs, time);
    const [judged, outcomes] = ended
      ? judge(params, { ...state, rolling }, ended, cadence)
      : ([state, NOTHING] as const);
    const { open, closedTo } = judged.rolling;
    if (!judged.firing || open || closedTo === undefined) return [judged, outcomes];
    // Only to see whether the alert has run out of data: what arrives later is still judged window by window.
    const [lapsed, resolved] = miss(params, judged, Math.floor((time - closedTo) / params.windowMs), closedTo);
    return resolved.length > 0 ? [lapsed, [...outcomes, ...resolved]] : [judged, outcomes];
  },
};

function judge(params: AnomalyParams, state: AnomalyState, ended: Window, cadence: Cadence): Step<AnomalyState> {
  const closed = close(ended, { ...params, aggregate: "mean" }, cadence);
  if (!closed.valid) return miss(params, state, 1, closed.from);
  const usual = usualAt(state.baseline, params, closed.from);
  if (state.firing) return watchForEnd(params, state, closed, usual);
  if (!usual || !isOut(params, usual, closed.value)) {
    const baseline = learn(state.baseline, params, closed.from, closed.value);
    return [{ rolling: state.rolling, baseline, run: [], missed: 0 }, NOTHING];
  }
  const run = [...state.run, closed].slice(-params.count);
  const since = state.since ?? closed.from;
  const next = { ...state, run, since, missed: 0 };
  if (run.length < params.count || (params.needsGood && !run.some(({ good }) => good))) return [next, NOTHING];
  return [{ ...next, run: [], firing: true }, [begun(params, run, since, usual)]];
}

const distanceOf = ({ sigmas, atLeast }: AnomalyParams, { spread }: Usual) => Math.max(sigmas * spread, atLeast);

function isOut(params: AnomalyParams, usual: Usual, value: number): boolean {
  const off = value - usual.middle;
  if (params.side === "above" ? off <= 0 : params.side === "below" && off >= 0) return false;
  return Math.abs(off) > distanceOf(params, usual);
}

function begun(params: AnomalyParams, run: readonly Closed[], since: number, usual: Usual): Outcome {
  const { to: at, value } = run.at(-1)!;
  const distance = distanceOf(params, usual);
  const [low, high] = [tidy(usual.middle - distance), tidy(usual.middle + distance)];
  const note = `usual at this time: ${tidy(usual.middle)}, from ${low} to ${high}`;
  const evidence = run.map((closed, i) =>
    i < run.length - 1 ? windowEvidence(closed) : { ...windowEvidence(closed), note },
  );
  return { what: "firing", at, startedAt: since, value, limit: value > usual.middle ? high : low, evidence };
}

const tidy = (value: number) => Number(value.toPrecision(4));

function watchForEnd(
  params: AnomalyParams,
  state: AnomalyState,
  closed: Closed,
  usual: Usual | undefined,
): Step<AnomalyState> {
  const { to: at, value } = closed;
  const { rolling, baseline, since } = state;
  const lasted = at - since! >= RELEARN_AFTER_MS;
  const isBack = !usual || Math.abs(value - usual.middle) <= distanceOf(params, usual) / 2;
  if (!lasted && !isBack) return [{ ...state, missed: 0 }, NOTHING];
  const note = isBack ? {} : { note: "has lasted four weeks: taken for the new normal" };
  const evidence = [{ ...windowEvidence(closed), ...note }];
  const next = { rolling, baseline: isBack ? baseline : NOTHING_LEARNT, run: [], missed: 0 };
  return [next, [{ what: "resolved", at, startedAt: since!, value, evidence, why: "cleared" }]];
}

/** `count` windows from `from` on have no valid mean: the run is broken, and too many of them end the alert. */
function miss(params: AnomalyParams, state: AnomalyState, count: number, from: number): Step<AnomalyState> {
  if (count === 0) return [state, NOTHING];
  const { rolling, baseline, firing, since, missed } = state;
  const over: AnomalyState = { rolling, baseline, run: [], missed: 0 };
  if (!firing) return [over, NOTHING];
  const lapseAfter = Math.max(3, params.count);
  if (missed + count < lapseAfter) return [{ ...state, missed: missed + count }, NOTHING];
  const at = from + (lapseAfter - missed) * params.windowMs;
  return [over, [{ what: "resolved", at, startedAt: since!, evidence: [], why: "no-data" }]];
}
