import type { Evidence } from "../../model/alert.ts";
import { METRICS, type MetricName } from "../../model/metrics.ts";
import { type ParamsAs, say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import {
  type Baseline,
  distance,
  learn,
  learnOther,
  NOTHING_LEARNT,
  renewed,
  type Shape,
  slotOf,
  type Usual,
  usualAt,
} from "./baseline.ts";
import type { Cadence } from "./cadence.ts";
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
} from "./condition.ts";
import { median } from "./statistics.ts";
import { type Closed, close, expire, type Rolling, roll, type Window, windowEvidence } from "./window.ts";

export type AnomalyParams = Shape & {
  readonly sigmas: number;
  readonly count: number;
  readonly side: "both" | "above" | "below";
  readonly atLeast: number;
  readonly capture: number;
  readonly needsGood: boolean;
  /** What the metric can be. */
  readonly range: readonly [number, number];
};

/** Beside `count` windows in a row, the means over so many times as long: what is less far off, but for longer. */
const SPANS = [4, 16] as const;
/** What of `atLeast` matters over so long. */
const SPAN_AT_LEAST = 0.75;
/** One window counts in a mean for no more than twice what fires, so that it takes more than half of the span. */
const CLIP_TIMES = 2;
const SPREADS_MAX = 96;
const SPREADS_MIN = 12;
/** The largest distance of each day is remembered for four weeks. */
const PEAKS_MAX = 28;
/** It takes half as much again as on the second of those days: the first may have been an event itself. */
const BEYOND_PEAKS = 1.5;
/** While fewer are known, all of them count. */
const PEAKS_MIN = 3;
/** Longer than this no value repeats itself unless the sensor is stuck. */
const STILL_MAX_MS = 20 * HOUR_MS;

/** A mean that forgets: of distances and of what lies behind them, and since when it has been half of what fires. */
type Mean = {
  readonly z: number;
  readonly off: number;
  readonly since?: number;
  readonly spreads: readonly number[];
  /** Of `spreads`, worked out when one is added; undefined while there are too few. */
  readonly spread?: number;
};
/** The largest distance of the days before, and of the day that is on: of a run first, then of the means. */
type Peaks = {
  readonly day: number;
  readonly today: readonly number[];
  readonly before: readonly (readonly number[])[];
  /** What must be passed for them, worked out when a day is over. */
  readonly limits: readonly number[];
};

/**
 * `run`: the newest windows, at most `count`, on one side and out of the usual; `zs`: the distances of the newest ones;
 * `since`: the start of the first of a run. `held`: equal windows, not learnt before it is clear that the sensor is not
 * stuck. `firing`: over which span (0: a run), and which distance made it fire.
 */
type AnomalyState = {
  readonly rolling: Rolling;
  readonly baseline: Baseline;
  readonly run: readonly Closed[];
  readonly zs: readonly number[];
  readonly means: readonly Mean[];
  readonly peaks: Peaks;
  readonly since?: number;
  readonly firing?: { readonly over: number; readonly limit: number };
  readonly held?:
    | { readonly from: number; readonly to: number; readonly value: number; readonly isAlarmed?: boolean }
    | undefined;
  readonly windows: number;
  readonly missed: number;
};

const NO_PEAKS: Peaks = { day: 0, today: [0, 0, 0], before: [[], [], []], limits: [0, 0, 0] };
const NO_MEANS: readonly Mean[] = SPANS.map(() => ({ z: 0, off: 0, spreads: [] }));
const QUIET: AnomalyState = {
  rolling: {},
  baseline: NOTHING_LEARNT,
  run: [],
  zs: [],
  means: NO_MEANS,
  peaks: NO_PEAKS,
  windows: 0,
  missed: 0,
};

/**
 * What is not as usual at this time of the day, of this kind of day (working days, Saturdays, Sundays and holidays, by
 * the city's clocks): z = (mean of a window - median) / spread, with median and spread of the same step of the last days
 * (`baseline.ts`). It fires when
 * - `count` windows in a row are off to one side, each by more than `sigmas` and `atLeast` (in the metric's unit); or
 * - a mean of z over 4 or 16 times as long is, in its own robust spread. Source: EWMA charts (Roberts 1959).
 * Either must be farther off, by half as much again, than on all but one of the last 28 days, so that a sensor whose
 * values have long tails sets its own limit. It ends within half of what made it fire.
 *
 * Guards: a window counts with its data capture, an invalid or missing one breaks the run, and max(3, count) of them end
 * what fires ("no-data"). What is out of the usual is not learnt, nor are windows in which something else is known to be
 * wrong (an open alert on this value) or which repeat one value for more than 20 hours. A change that stays is learnt
 * after five days of its kind: then it ends as the new level. For operators one window of the run must have a good value.
 */
export const anomaly: OverValues<"anomaly", AnomalyParams, AnomalyState> = {
  over: "values",
  params({ type: _, window, ...rest }, rule) {
    const { fail } = METRICS[rule.metric as MetricName];
    const range: readonly [number, number] = [
      PHYSICAL_ZERO.has(rule.metric!) ? Math.max(0, fail[0]) : fail[0],
      fail[1],
    ];
    const { zone, holidays } = rule;
    const spreadMin = rest.atLeast / rest.sigmas;
    const windowMs = parseDuration(window)!;
    const params = { ...rest, windowMs, needsGood: needsGood(rule), range, zone, holidays, spreadMin };
    return () => params;
  },
  explain({ rule, params: { windowMs }, spec: { count }, sensor, outcome: { at, value, limit, evidence } }) {
    const last = evidence.at(-1)!;
    const { usual, low, high } = last.says!.params as ParamsAs<"note.usual", "given">;
    const usually = { usual: amount(rule, usual), low: amount(rule, low), high: amount(rule, high) };
    const spanMs = at - (last.window?.from ?? at - windowMs);
    const mean = { ...measured(rule, sensor), value: amount(rule, value!), at, window: spanMs };
    const side = value! > limit! ? "above" : "below";
    return say("anomaly", { ...mean, count: spanMs === windowMs ? count : 1, side, ...usually });
  },
  explainEnd({ rule, outcome: { at, startedAt, value, evidence } }) {
    if (evidence[0]?.says?.key !== "note.newNormal") return undefined;
    return say("anomaly.newNormal", { at, value: amount(rule, value!), since: startedAt });
  },
  quiet: QUIET,
  step(params, state, sample) {
    const { rolling, ended, missing } = roll(state.rolling, params, sample);
    const next = { ...state, rolling };
    if (!ended && missing === 0) return [next, NOTHING];
    const [judged, outcomes] = ended
      ? judgeSound(params, upgraded(next), ended, sample)
      : ([upgraded(next), NOTHING] as const);
    const [missed, lapsed] = passMissing(params, judged, missing, rolling.closedTo!);
    return [missed, lapsed.length > 0 ? [...outcomes, ...lapsed] : outcomes];
  },
  advance(params, state, time, cadence) {
    const { rolling, ended } = expire(state.rolling, params, time);
    const [judged, outcomes] = ended
      ? judge(params, upgraded({ ...state, rolling }), ended, cadence, false)
      : ([state, NOTHING] as const);
    const { open, closedTo } = judged.rolling;
    if (!judged.firing || open || closedTo === undefined) return [judged, outcomes];
    // Only to see whether the alert has run out of data: what arrives later is still judged window by window.
    const [lapsed, resolved] = passMissing(params, judged, Math.floor((time - closedTo) / params.windowMs), closedTo);
    return resolved.length > 0 ? [lapsed, [...outcomes, ...resolved]] : [judged, outcomes];
  },
};

/** These cannot be below zero, though what devices send may be, a little. */
const PHYSICAL_ZERO: ReadonlySet<string> = new Set([
  ...["pm1", "pm25", "pm10", "no2", "o3", "so2", "co", "co2", "no", "nox", "benzene", "noise", "rain", "windSpeed"],
  ...["flow", "occupancy", "speed", "headway", "queueLength", "travelTime", "voltage", "frequency", "thdVoltage"],
]);

/** Versions before kept less: what they had learnt by the hour is learnt anew. What fires goes on. */
function upgraded(state: AnomalyState): AnomalyState {
  if (state.peaks) return state;
  const { rolling, since, firing, missed } = state;
  const known = { ...QUIET, rolling, missed };
  return firing ? { ...known, since, firing: { over: 0, limit: Number.MAX_SAFE_INTEGER } } : known;
}

/**
 * What a sensor shows while somebody works on it is judged like all else, and nothing of it is learnt. Under another alert
 * of the same cause only what stays is (`teach`), and how far off it was says nothing of other days.
 */
function judgeSound(params: AnomalyParams, state: AnomalyState, ended: Window, sample: Sample): Step<AnomalyState> {
  const isAlarmed = sample.alarmed === true;
  const [judged, outcomes] = judge(params, state, ended, sample.cadence, isAlarmed);
  const { baseline, means, peaks, windows, held } = state;
  if (isWorkedOn(sample, ended.from, ended.from + params.windowMs - 1))
    return [{ ...judged, baseline, means, peaks, windows, held }, outcomes];
  if (!isAlarmed) return [judged, outcomes];
  const known = judged.means.map(
    (mean, i): Mean => ({ ...mean, spreads: means[i]!.spreads, spread: means[i]!.spread }),
  );
  return [{ ...judged, means: known, peaks }, outcomes];
}

function judge(
  params: AnomalyParams,
  state: AnomalyState,
  ended: Window,
  cadence: Cadence,
  isAlarmed: boolean,
): Step<AnomalyState> {
  const closed = close(ended, { ...params, aggregate: "mean" }, cadence);
  if (!closed.valid) return passMissing(params, state, 1, closed.from);
  const usual = usualAt(state.baseline, params, slotOf(params, closed.from));
  if (!usual) {
    if (state.firing) return watchForEnd(params, state, closed, undefined, false);
    const [taught] = teach(params, state, closed, isStill(ended), isAlarmed);
    return [{ ...taught, run: [], zs: [], missed: 0 }, NOTHING];
  }
  const z = distance(usual, closed.value);
  const measured = usual.isKnown ? withMeans(params, state, closed, usual, z) : state;
  const [taught, isRenewed] = teach(params, measured, closed, isStill(ended), isAlarmed, usual);
  if (taught.firing) return watchForEnd(params, taught, closed, isRenewed ? undefined : usual, isRenewed);
  // A stuck sensor says nothing of the city, and another rule says that it is stuck.
  const isStuck = taught.held !== undefined && taught.held.to - taught.held.from > STILL_MAX_MS;
  if (isStuck) return [{ ...taught, run: [], zs: [], since: undefined, means: forgotten(taught), missed: 0 }, NOTHING];
  return watch(params, taught, closed, usual, z);
}

const isStill = ({ min, max, count }: Window) => min === max && count > 0;

/** Learns the window, or keeps it for as long as it may be a stuck sensor's. Answers whether a step has a new level. */
function teach(
  params: AnomalyParams,
  state: AnomalyState,
  { from, to, value }: Closed,
  isFlat: boolean,
  isAlarmed: boolean,
  known?: Usual,
): [AnomalyState, boolean] {
  const { held, firing } = state;
  if (held && isFlat && held.value === value && held.to === from) return [{ ...state, held: { ...held, to } }, false];
  const sigmas = firing ? params.sigmas / 2 : params.sigmas;
  let { baseline } = state;
  let isRenewed = false;
  const learnOne = (at: number, one: number, isOther: boolean) => {
    const isAsKnown = known !== undefined && at === from && baseline === state.baseline;
    const usual = isAsKnown ? known : usualAt(baseline, params, slotOf(params, at));
    if (!isOther && (!usual || Math.abs(distance(usual, one)) <= sigmas)) {
      baseline = learn(baseline, params, at, one);
      return;
    }
    const [next, renews] = learnOther(baseline, params, at, one);
    baseline = next;
    isRenewed ||= renews;
  };
  if (held && held.to - held.from <= STILL_MAX_MS) {
    for (let at = held.from; at < held.to; at += params.windowMs) learnOne(at, held.value, held.isAlarmed === true);
  }
  const fresh = isFlat ? { from, to, value, ...(isAlarmed ? { isAlarmed } : {}) } : undefined;
  if (!fresh) learnOne(from, value, isAlarmed);
  return [{ ...state, baseline, held: fresh }, isRenewed];
}

const short = (value: number) => Number(value.toPrecision(5));

/** One more window in the means over longer spans. */
function withMeans(params: AnomalyParams, state: AnomalyState, closed: Closed, usual: Usual, z: number): AnomalyState {
  const windows = state.windows + 1;
  const means = state.means.map((mean, i): Mean => {
    const span = SPANS[i]! * params.count;
    const most = CLIP_TIMES * limitOf(params, state.peaks, i + 1) * spreadOf(mean, span);
    const share = Math.abs(z) > most ? most / Math.abs(z) : 1;
    const next = {
      ...mean,
      z: short(mean.z + (share * z - mean.z) / span),
      off: short(mean.off + (share * (closed.value - usual.middle) - mean.off) / span),
    };
    if (windows % span !== 0 || state.firing) return next;
    const spreads = [...mean.spreads, Math.abs(next.z)].slice(-SPREADS_MAX);
    if (spreads.length < SPREADS_MIN) return { ...next, spreads };
    return { ...next, spreads, spread: short(Math.max(leastSpread(span), 1.4826 * median(spreads))) };
  });
  return { ...state, means, windows };
}

/** That of a mean of windows that have nothing to do with each other. */
const leastSpread = (span: number) => 1 / Math.sqrt(2 * span - 1);
const spreadOf = ({ spread }: Mean, span: number): number => spread ?? leastSpread(span);

/** How far a mean is off, in its own spread; 0 while that is not known. */
const scoreOf = ({ z, spread }: Mean): number => (spread === undefined ? 0 : z / spread);

/** Of a run the least distance of its windows: all of them are that far off. */
function runScore(zs: readonly number[], count: number): number {
  if (zs.length < count) return 0;
  const low = Math.min(...zs);
  const high = Math.max(...zs);
  return low > 0 ? low : high < 0 ? high : 0;
}

function limitOf({ sigmas }: AnomalyParams, { before, limits }: Peaks, over: number): number {
  return Math.max(before[over]!.length < PEAKS_MIN ? BEYOND_PEAKS * sigmas : sigmas, limits[over]!);
}

function limitFor(peaks: readonly number[]): number {
  const [first = 0, second = 0] = peaks.toSorted((a, b) => b - a);
  return BEYOND_PEAKS * (peaks.length < PEAKS_MIN ? first : second);
}

const isMeant = ({ side }: AnomalyParams, score: number) =>
  side === "both" || (side === "above" ? score > 0 : score < 0);

function watch(
  params: AnomalyParams,
  state: AnomalyState,
  closed: Closed,
  usual: Usual,
  z: number,
): Step<AnomalyState> {
  const { count, atLeast, sigmas } = params;
  const off = closed.value - usual.middle;
  const isOut = isMeant(params, z) && Math.abs(z) > sigmas && Math.abs(off) > atLeast;
  const zs = [...state.zs, isOut || isMeant(params, z) ? z : 0].slice(-count);
  const sameSide = (one: Closed | undefined) =>
    one !== undefined && one.value > usual.middle === closed.value > usual.middle;
  const run = isOut ? [...(sameSide(state.run.at(-1)) ? state.run : []), closed].slice(-count) : [];
  const since = run.length === 0 ? undefined : run.length === 1 ? closed.from : (state.since ?? closed.from);
  const scores = [runScore(zs, count), ...state.means.map((mean) => scoreOf(mean))].map((one) =>
    isMeant(params, one) ? Math.abs(one) : 0,
  );
  const limits = scores.map((_, over) => limitOf(params, state.peaks, over));
  const means = state.means.map((mean, i): Mean => {
    const isHalf = scores[i + 1]! > limits[i + 1]! / 2;
    return { ...mean, since: isHalf ? (mean.since ?? closed.from) : undefined };
  });
  const next: AnomalyState = {
    ...state,
    zs,
    run,
    since,
    means,
    peaks: withPeaks(state.peaks, closed.to, scores, usual),
    missed: 0,
  };
  const isGood = !params.needsGood || closed.good || run.some(({ good }) => good);
  if (!isGood) return [next, NOTHING];
  if (run.length === count && scores[0]! > limits[0]!)
    return fire(next, 0, limits[0]!, since!, begunRun(params, run, since!, usual, limits[0]!));
  for (const [i, { off: mean, since: began = closed.from }] of means.entries()) {
    const over = i + 1;
    if (scores[over]! <= limits[over]! || Math.abs(mean) <= SPAN_AT_LEAST * atLeast) continue;
    return fire(next, over, limits[over]!, began, begunMean(params, closed, began, usual, next, over, limits[over]!));
  }
  return [next, NOTHING];
}

function fire(state: AnomalyState, over: number, limit: number, since: number, outcome: Outcome): Step<AnomalyState> {
  return [{ ...state, run: [], zs: [], since, firing: { over, limit } }, [outcome]];
}

/** Of days whose usual is known. The day that is on does not count against itself. */
function withPeaks(peaks: Peaks, at: number, scores: readonly number[], { isKnown }: Usual): Peaks {
  const { day, today, before } = peaks;
  const now = Math.floor((at - 1) / DAY_MS);
  const rounded = scores.map((score) => (isKnown ? short(score) : 0));
  if (now === day) return { ...peaks, today: today.map((peak, i) => Math.max(peak, rounded[i]!)) };
  if (today.every((peak) => peak === 0)) return { ...peaks, day: now, today: rounded };
  const kept = before.map((some, i) => [...some, today[i]!].slice(-PEAKS_MAX));
  return { day: now, today: rounded, before: kept, limits: kept.map(limitFor) };
}

const tidy = (value: number) => Number(value.toPrecision(4));

/** "usual at this time: 88, from 70 to 106", never beyond what the metric can be. */
function usualNote({ range }: AnomalyParams, usual: Usual, limit: number, atLeast: number) {
  const { middle } = usual;
  const low = tidy(Math.max(range[0], Math.min(usual.low - limit * usual.down, middle - atLeast)));
  const high = tidy(Math.min(range[1], Math.max(usual.high + limit * usual.up, middle + atLeast)));
  return { low, high, note: noted(say("note.usual", { usual: tidy(middle), low, high })) };
}

function begunRun(params: AnomalyParams, run: readonly Closed[], since: number, usual: Usual, limit: number): Outcome {
  const { to: at, value } = run.at(-1)!;
  const { low, high, note } = usualNote(params, usual, limit, params.atLeast);
  const evidence = run.map(
    (closed, i): Evidence => (i < run.length - 1 ? windowEvidence(closed) : { ...windowEvidence(closed), ...note }),
  );
  return { what: "firing", at, startedAt: since, value, limit: value > usual.middle ? high : low, evidence };
}

function begunMean(
  params: AnomalyParams,
  closed: Closed,
  since: number,
  usual: Usual,
  { means }: AnomalyState,
  over: number,
  limit: number,
): Outcome {
  const mean = means[over - 1]!;
  const value = tidy(Math.min(params.range[1], Math.max(params.range[0], usual.middle + mean.off)));
  const spread = spreadOf(mean, SPANS[over - 1]! * params.count);
  const { low, high, note } = usualNote(params, usual, limit * spread, SPAN_AT_LEAST * params.atLeast);
  const from = closed.to - SPANS[over - 1]! * params.count * params.windowMs;
  const evidence: Evidence = { measuredAt: closed.to, value, window: { from, samples: closed.samples }, ...note };
  const side = mean.off > 0 ? high : low;
  return { what: "firing", at: closed.to, startedAt: since, value, limit: side, evidence: [evidence] };
}

function watchForEnd(
  params: AnomalyParams,
  state: AnomalyState,
  closed: Closed,
  usual: Usual | undefined,
  isRenewed: boolean,
): Step<AnomalyState> {
  const { to: at, value } = closed;
  const { firing, since, rolling, peaks } = state;
  const { over, limit } = firing!;
  const isRunBack = usual && Math.abs(distance(usual, value)) <= Math.min(limit, 2 * params.sigmas) / 2;
  const isBack = over === 0 ? !usual || isRunBack : !usual || Math.abs(scoreOf(state.means[over - 1]!)) <= limit / 2;
  if (!isBack) return [{ ...state, missed: 0 }, NOTHING];
  const note = isRenewed ? noted(say("note.newNormal", {})) : {};
  const evidence = [{ ...windowEvidence(closed), ...note }];
  const baseline = isRenewed ? renewed(state.baseline, params, since!, at) : state.baseline;
  // What begins after this is another alert.
  const means = forgotten(state);
  const next: AnomalyState = {
    ...state,
    rolling,
    baseline,
    means,
    peaks,
    run: [],
    zs: [],
    since: undefined,
    firing: undefined,
    missed: 0,
  };
  return [next, [{ what: "resolved", at, startedAt: since!, value, evidence, why: "cleared" }]];
}

const forgotten = ({ means }: AnomalyState): readonly Mean[] =>
  means.map(({ since: _, ...kept }) => ({ ...kept, z: 0, off: 0 }));

/** `count` windows from `from` on have no valid mean: the run is broken, and too many of them end the alert. */
function passMissing(params: AnomalyParams, state: AnomalyState, count: number, from: number): Step<AnomalyState> {
  if (count === 0) return [state, NOTHING];
  const over: AnomalyState = { ...state, run: [], zs: [], since: undefined, firing: undefined, missed: 0 };
  if (!state.firing) return [over, NOTHING];
  const { since, missed } = state;
  const lapseAfter = Math.max(3, params.count);
  if (missed + count < lapseAfter) return [{ ...state, missed: missed + count }, NOTHING];
  const at = from + (lapseAfter - missed) * params.windowMs;
  return [over, [{ what: "resolved", at, startedAt: since!, evidence: [], why: "no-data" }]];
}
