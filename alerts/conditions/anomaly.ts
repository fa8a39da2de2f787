import { type ParamsAs, say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import type { Cadence } from "./cadence.ts";
import { amount, measured, NOTHING, needsGood, type Outcome, type OverValues, type Step } from "./condition.ts";
import { median } from "./statistics.ts";
import { type Closed, close, expire, type Rolling, roll, type Window, windowEvidence } from "./window.ts";

/** What is usual at this time of the day or the week, learnt from the last weeks. Bounded; shared between copies. */
type Baseline = {
  /** One list per hour of the season, each the values of its last occurrences, oldest first. */
  readonly slots: readonly (readonly number[])[];
  /** How far the last taught values lay from what was usual then. */
  readonly offs: readonly number[];
};

const NOTHING_LEARNT: Baseline = { slots: [], offs: [] };

export type Season = "none" | "day" | "week";

/** `spread`: one robust standard deviation. */
type Usual = { readonly middle: number; readonly spread: number };

/** 1970-01-01 was a Thursday; slots begin on Monday. */
const MONDAY_MS = 4 * DAY_MS;
const OFFS_MAX = 96;
const OFFS_MIN = 24;
/** Makes a MAD the standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/** Of windows shorter than an hour so many are learnt per hour, each time others. `min`: occurrences before it speaks. */
const SEASONS = {
  none: { slots: 1, perHour: 60, keep: 336, min: 48 },
  day: { slots: 24, perHour: 4, keep: 14, min: 5 },
  week: { slots: 168, perHour: 2, keep: 5, min: 3 },
} as const;
/** Two weekends, or four working days. */
const POOL_MIN = 4;

type Shape = { readonly season: Season; readonly windowMs: number };

/**
 * Median and 1.4826 x MAD of the windows at the same hour of the season in the last weeks (14 days, or 5 weeks; without
 * a season the last 336 windows), the spread being at least that of all hours together: a MAD of five values may be small by chance. Of a week, until an
 * hour has been seen three times, all days of its kind (Monday to Friday, or the weekend) stand in. undefined while too
 * little is known, and where nothing ever moves. Hours and days are UTC. Source: Rousseeuw & Croux 1993 for the scale.
 */
function usualAt({ slots, offs }: Baseline, shape: Shape, from: number): Usual | undefined {
  const values = valuesFor(slots, shape, from);
  if (!values || offs.length < OFFS_MIN) return undefined;
  const { middle, off } = middleOf(values);
  const spread = MAD_SCALE * Math.max(off, median(offs));
  return spread > 0 ? { middle, spread } : undefined;
}

/** Learns a window that was as usual. */
export function learn(baseline: Baseline, shape: Shape, from: number, value: number): Baseline {
  if (!isTaught(shape, from)) return baseline;
  const { slots: count, keep } = SEASONS[shape.season];
  const { slots } = baseline;
  const place = slotOf(shape.season, from);
  const values = valuesFor(slots, shape, from);
  const size = shape.season === "none" ? keep : keep * taughtPerHour(shape);
  const short = Number(value.toPrecision(5));
  const next = slots.length === 0 ? Array<readonly number[]>(count).fill([]) : [...slots];
  next[place] = [...next[place]!, short].slice(-size);
  if (!values) return { slots: next, offs: baseline.offs };
  const off = Number(Math.abs(value - median(values)).toPrecision(5));
  return { slots: next, offs: [...baseline.offs, off].slice(-OFFS_MAX) };
}

function middleOf(values: readonly number[]): { middle: number; off: number } {
  const middle = median(values);
  return { middle, off: median(values.map((value) => Math.abs(value - middle))) };
}

function valuesFor(slots: Baseline["slots"], shape: Shape, from: number): readonly number[] | undefined {
  const { season } = shape;
  const place = slotOf(season, from);
  const own = slots[place];
  if (!own) return undefined;
  const taught = season === "none" ? 1 : taughtPerHour(shape);
  if (own.length >= SEASONS[season].min * taught) return own;
  if (season !== "week") return undefined;
  const days = place < 5 * 24 ? [0, 1, 2, 3, 4] : [5, 6];
  const pool = days.flatMap((day) => slots[day * 24 + (place % 24)]!);
  return pool.length >= POOL_MIN * taught ? pool : undefined;
}

function slotOf(season: Season, from: number): number {
  if (season === "none") return 0;
  const periodMs = season === "day" ? DAY_MS : 7 * DAY_MS;
  return Math.floor(((from - MONDAY_MS) % periodMs) / HOUR_MS + (from < MONDAY_MS ? periodMs / HOUR_MS : 0));
}

const windowsPerHour = ({ windowMs }: Shape) => Math.max(1, Math.floor(HOUR_MS / windowMs));
const taughtPerHour = (shape: Shape) => Math.min(SEASONS[shape.season].perHour, windowsPerHour(shape));

/** Every n-th window of an hour, beginning with another one on every day. */
function isTaught(shape: Shape, from: number): boolean {
  const windows = windowsPerHour(shape);
  const every = Math.ceil(windows / taughtPerHour(shape));
  const place = Math.floor((from % HOUR_MS) / shape.windowMs);
  return (place + Math.floor(from / DAY_MS)) % every === 0;
}

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
  explain({ rule, params: { windowMs }, spec: { count }, sensor, outcome: { at, value, limit, evidence } }) {
    const { usual, low, high } = evidence.at(-1)!.says!.params as ParamsAs<"note.usual", "given">;
    const usually = { usual: amount(rule, usual), low: amount(rule, low), high: amount(rule, high) };
    const mean = { ...measured(rule, sensor), value: amount(rule, value!), at, window: windowMs };
    return say("anomaly", { ...mean, count, side: value! > limit! ? "above" : "below", ...usually });
  },
  explainEnd({ rule, outcome: { at, value, evidence } }) {
    if (evidence[0]?.says?.key !== "note.newNormal") return undefined;
    return say("anomaly.newNormal", { at, value: amount(rule, value!) });
  },
  quiet: QUIET,
  step(params, state, sample) {
    const { rolling, ended, missing } = roll(state.rolling, params, sample);
    const next = { ...state, rolling };
    if (!ended && missing === 0) return [next, NOTHING];
    const [judged, outcomes] = ended ? judge(params, next, ended, sample.cadence) : ([next, NOTHING] as const);
    const [missed, lapsed] = passMissing(params, judged, missing, rolling.closedTo!);
    return [missed, lapsed.length > 0 ? [...outcomes, ...lapsed] : outcomes];
  },
  advance(params, state, time, cadence) {
    const { rolling, ended } = expire(state.rolling, params, time);
    const [judged, outcomes] = ended
      ? judge(params, { ...state, rolling }, ended, cadence)
      : ([state, NOTHING] as const);
    const { open, closedTo } = judged.rolling;
    if (!judged.firing || open || closedTo === undefined) return [judged, outcomes];
    // Only to see whether the alert has run out of data: what arrives later is still judged window by window.
    const [lapsed, resolved] = passMissing(params, judged, Math.floor((time - closedTo) / params.windowMs), closedTo);
    return resolved.length > 0 ? [lapsed, [...outcomes, ...resolved]] : [judged, outcomes];
  },
};

function judge(params: AnomalyParams, state: AnomalyState, ended: Window, cadence: Cadence): Step<AnomalyState> {
  const closed = close(ended, { ...params, aggregate: "mean" }, cadence);
  if (!closed.valid) return passMissing(params, state, 1, closed.from);
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
  const says = say("note.usual", { usual: tidy(usual.middle), low, high });
  const evidence = run.map((closed, i) =>
    i < run.length - 1 ? windowEvidence(closed) : { ...windowEvidence(closed), ...noted(says) },
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
  const evidence = [{ ...windowEvidence(closed), ...(isBack ? {} : noted(say("note.newNormal", {}))) }];
  const next = { rolling, baseline: isBack ? baseline : NOTHING_LEARNT, run: [], missed: 0 };
  return [next, [{ what: "resolved", at, startedAt: since!, value, evidence, why: "cleared" }]];
}

/** `count` windows from `from` on have no valid mean: the run is broken, and too many of them end the alert. */
function passMissing(params: AnomalyParams, state: AnomalyState, count: number, from: number): Step<AnomalyState> {
  if (count === 0) return [state, NOTHING];
  const { rolling, baseline, firing, since, missed } = state;
  const over: AnomalyState = { rolling, baseline, run: [], missed: 0 };
  if (!firing) return [over, NOTHING];
  const lapseAfter = Math.max(3, params.count);
  if (missed + count < lapseAfter) return [{ ...state, missed: missed + count }, NOTHING];
  const at = from + (lapseAfter - missed) * params.windowMs;
  return [over, [{ what: "resolved", at, startedAt: since!, evidence: [], why: "no-data" }]];
}
