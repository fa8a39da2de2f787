import { type ParamsAs, say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import {
  amount,
  isWorkedOn,
  limitFor,
  measured,
  NOTHING,
  needsGood,
  type Outcome,
  type OverValues,
  type Sample,
  type Step,
} from "./condition.ts";
import { atKnee, type Outlook, outlookOf } from "./outlook.ts";
import { type TrendPoint, trendOf, trendScore } from "./statistics.ts";

export type ForecastParams = {
  readonly side: "above" | "below";
  readonly limit: number;
  readonly withinMs: number;
  readonly overMs: number;
  readonly needsGood: boolean;
};

/** The values of one bucket of time as sums; an ended one is a point at its middle with their mean. */
type Bucket = { readonly from: number; readonly count: number; readonly sum: number };

type ForecastState = {
  readonly open?: Bucket;
  readonly points: readonly TrendPoint[];
  /** So many buckets in a row would have said it. */
  readonly sure?: number;
  readonly since?: number;
  /** What was said: not before `from`, and overdue from `until` on. */
  readonly from?: number;
  readonly until?: number;
  /** So many times as wide is the interval said of this sensor, after what came of those before; left out: once. */
  readonly wide?: number;
};

const QUIET: ForecastState = { points: [] };
/** Pasts of ten days and more are taken day by day, so that the day's own course (a battery in the cold) is no trend. */
const DAILY_FROM_MS = 10 * DAY_MS;
const PARTS = 30;
const POINTS_MIN = 10;
/** Mann-Kendall: p < 0.01 to begin, p < 0.1 to go on. */
const Z_BEGIN = 2.576;
const Z_GO_ON = 1.645;
/** What fires goes on until the limit is this much further away than `within`. */
const SLACK = 1.25;
/** The first time that something comes to be expected it is often expected too soon: so many buckets must agree. */
const SURE = 3;
/** Nothing is said of a time that is further ahead than so much of the past that is known. */
const AHEAD = 0.7;
/** Whether it is a line, and what its noise is like, is seen in twice `over`: bends are small in the last `over` alone. */
const LOOK_BACK = 2;
/**
 * A forecast that fails widens the sensor's next intervals, one that holds narrows them: at one failure in five they stay as
 * they are (adaptive conformal inference, Gibbs and Candes 2021). Too wide to end within `within`, none is said. Forgotten with time.
 */
const [WIDER, NARROWER] = [Math.exp(0.4), Math.exp(-0.1)];
const WIDE_MAX = 16;

/**
 * When will the limit be reached? From the bucket means of the last `over` (days, or thirtieths of it if it is shorter than
 * ten days) and of as much before them, as `outlookOf` works it out: most likely, and with 80 % between two times. Fires when three buckets in a row
 * expect with 90 % that it is reached within `within` and within 0.7 of the past that is known; ends when the limit is
 * reached, when what was said is overdue, when the trend (Theil-Sen) needs longer than 1.25 x `within` or is gone. Units are
 * the metric's. Sources: `outlookOf`, `trendOf`; domain notes, section 5.
 *
 * Guards: at least ten points that span half of `over`; a trend towards the limit by Mann-Kendall's test (p < 0.01, to go
 * on p < 0.1); nothing is said where a bend would matter and cannot be told from a line, nor after a knee; a leap away from the limit (a
 * battery replaced) forgets what was before it. For operators suspect values are left out. Judged once per bucket, at its end.
 */
export const forecast: OverValues<"forecast", ForecastParams, ForecastState> = {
  over: "values",
  params({ above, below, within, over }, rule) {
    const spans = { withinMs: parseDuration(within)!, overMs: parseDuration(over)!, needsGood: needsGood(rule) };
    return (sensor) => {
      const limit = limitFor((above ?? below)!, sensor);
      return limit === undefined ? undefined : { ...spans, side: above === undefined ? "below" : "above", limit };
    };
  },
  explain({ rule, spec: { above, below }, params, sensor, outcome: { at, value, evidence, expected } }) {
    const { trend, per } = evidence.at(-1)!.says!.params as ParamsAs<"note.trend", "given">;
    return say("forecast", {
      ...measured(rule, sensor),
      value: amount(rule, value!),
      at,
      side: params.side,
      limit: amount(rule, params.limit, above ?? below),
      likely: Math.round(expected!.at / MINUTE_MS) * MINUTE_MS,
      from: Math.floor(expected!.from / MINUTE_MS) * MINUTE_MS,
      to: Math.ceil(expected!.to / MINUTE_MS) * MINUTE_MS,
      trend: amount(rule, trend),
      per,
      over: params.overMs,
    });
  },
  explainEnd({ rule, spec: { above, below }, outcome: { at, value, limit, expected } }) {
    const ended = { at, value: amount(rule, value!) };
    if (limit !== undefined) return say("forecast.reached", { ...ended, limit: amount(rule, limit, above ?? below) });
    return expected ? say("forecast.overdue", ended) : say("forecast.ended", ended);
  },
  quiet: QUIET,
  step(params, state, sample) {
    if ((params.needsGood && !sample.good) || isWorkedOn(sample, sample.at, sample.at)) return [state, NOTHING];
    const { open } = state;
    const from = Math.floor(sample.at / bucketMs(params)) * bucketMs(params);
    if (!open) return [{ ...state, open: add({ from, count: 0, sum: 0 }, sample) }, NOTHING];
    // Its bucket was judged without it.
    if (from < open.from) return [state, NOTHING];
    if (from === open.from) return [{ ...state, open: add(open, sample) }, NOTHING];
    const [judged, outcomes] = close(params, state, open);
    return [{ ...judged, open: add({ from, count: 0, sum: 0 }, sample) }, outcomes];
  },
  advance(params, state, time) {
    const { open } = state;
    const overdue = untilOf(params, state);
    if (overdue !== undefined && time > overdue && !isBeyond(params, open)) {
      const [next, outcomes] = endOverdue(state, overdue);
      return [{ ...next, open: open ?? NONE_OPEN }, outcomes];
    }
    if (!open || open.count === 0 || open.from + bucketMs(params) > time) return [state, NOTHING];
    const [judged, outcomes] = close(params, state, open);
    // The empty bucket after it: what comes for the one that was judged is too late for it.
    return [{ ...judged, open: { from: open.from + bucketMs(params), count: 0, sum: 0 } }, outcomes];
  },
};

const bucketMs = ({ overMs }: Pick<ForecastParams, "overMs">) => (overMs >= DAILY_FROM_MS ? DAY_MS : overMs / PARTS);

const add = ({ from, count, sum }: Bucket, { value }: Sample): Bucket => ({ from, count: count + 1, sum: sum + value });

/** The state without its open bucket. */
function close(params: ForecastParams, former: ForecastState, bucket: Bucket): Step<ForecastState> {
  const at = bucket.from + bucketMs(params);
  const { open: _, ...state } = former;
  if (bucket.count === 0) return [state, NOTHING];
  const point = { at: at - bucketMs(params) / 2, value: bucket.sum / bucket.count };
  const leapt = isLeapAway(params, state.points, point);
  const points = leapt ? [point] : [...state.points.filter((one) => one.at > at - LOOK_BACK * params.overMs), point];
  if (state.since !== undefined) return keepForecast(params, { ...state, points }, state.since, at);
  const quiet = afterwards(points, (state.wide ?? 1) * NARROWER ** (bucketMs(params) / params.overMs));
  const found = expect(params, quiet, at);
  if (!found) return [quiet, NOTHING];
  const sure = (state.sure ?? 0) + 1;
  if (sure < SURE) return [{ ...quiet, sure }, NOTHING];
  return [{ ...quiet, since: at, from: found.from, until: found.to }, [begun(params, points, at, found)]];
}

/** The state in which nothing is said. */
function afterwards(points: readonly TrendPoint[], wide: number): ForecastState {
  return wide <= 1 ? { points } : { points, wide: Math.min(WIDE_MAX, Number(wide.toPrecision(6))) };
}

/** undefined: too little is known, or it is not to be expected within `within`. */
function expect(
  { side, limit, overMs, withinMs }: ForecastParams,
  { points: all, wide = 1 }: ForecastState,
  at: number,
): Outlook | undefined {
  const points = lastOf(all, overMs);
  const newest = points.at(-1)!;
  const span = newest.at - points[0]!.at;
  if (points.length < POINTS_MIN || span < overMs / 2) return undefined;
  const towards = side === "above" ? 1 : -1;
  // The cheap half first: nearly every sensor has no trend, or one that needs far longer.
  if (trendScore(points) * towards < Z_BEGIN) return undefined;
  const aheadMs = Math.min(withinMs, AHEAD * span);
  const { slope, level } = trendOf(points);
  if (slope * towards <= 0 || (limit - level) / slope > 2 * aheadMs || (limit - level) * towards <= 0) return undefined;
  const { before, after } = atKnee(all);
  if (after.length < POINTS_MIN) return undefined;
  const outlook = outlookOf(after, limit, side, before);
  const found = outlook && widened(outlook, wide);
  const known = Math.min(overMs, newest.at - after[0]!.at);
  // What would be overdue as soon as it is said is for the limit's own rule to say.
  return found && found.to > at && found.to <= at + Math.min(withinMs, AHEAD * known) ? found : undefined;
}

function widened(outlook: Outlook, wide: number): Outlook {
  const { at, from, to } = outlook;
  return wide === 1
    ? outlook
    : { ...outlook, from: Math.round(at - wide * (at - from)), to: Math.round(at + wide * (to - at)) };
}

const lastOf = (points: readonly TrendPoint[], overMs: number) =>
  points.filter(({ at }) => at > points.at(-1)!.at - overMs);

/** The trend still leads to the limit in a time that is not much longer than `within`. */
function leadsOn(params: ForecastParams, all: readonly TrendPoint[], at: number): boolean {
  const { side, limit, withinMs, overMs } = params;
  const points = lastOf(all, overMs);
  const towards = side === "above" ? 1 : -1;
  if (points.length < POINTS_MIN || trendScore(points) * towards < Z_GO_ON) return false;
  const { slope, level } = trendOf(points);
  return slope * towards > 0 && points.at(-1)!.at + (limit - level) / slope <= at + SLACK * withinMs;
}

/** Away from the limit by more than half the range so far, and three times as far as any step before. */
function isLeapAway({ side }: ForecastParams, points: readonly TrendPoint[], point: TrendPoint): boolean {
  if (points.length < 3) return false;
  const values = points.map(({ value }) => value);
  const leap = (point.value - values.at(-1)!) * (side === "above" ? -1 : 1);
  const steps = values.slice(1).map((value, i) => Math.abs(value - values[i]!));
  return leap > 0 && leap > (Math.max(...values) - Math.min(...values)) / 2 && leap > 3 * Math.max(...steps);
}

const untilOf = ({ withinMs }: ForecastParams, { since, until }: ForecastState) =>
  since === undefined ? undefined : (until ?? since + SLACK * withinMs);

function keepForecast(params: ForecastParams, state: ForecastState, since: number, at: number): Step<ForecastState> {
  const { points } = state;
  const { at: measuredAt, value } = points.at(-1)!;
  const { side, limit } = params;
  const ended = { what: "resolved", startedAt: since, value: tidy(value), why: "cleared" } as const;
  const evidence = [{ measuredAt, value: tidy(value) }];
  const isReached = side === "above" ? value >= limit : value <= limit;
  const { wide = 1, from = 0 } = state;
  if (isReached) {
    const held = at >= from && measuredAt <= untilOf(params, state)!;
    return [afterwards(points, wide * (held ? NARROWER : WIDER)), [{ ...ended, at, limit, evidence }]];
  }
  const until = untilOf(params, state)!;
  if (at > until) return endOverdue(state, until);
  if (leadsOn(params, points, at)) return [state, NOTHING];
  return [afterwards(points, wide * WIDER), [{ ...ended, at, evidence }]];
}

const NONE_OPEN: Bucket = { from: Number.NEGATIVE_INFINITY, count: 0, sum: 0 };

/** The values since the last bucket say that it was reached: its end will say so. */
const isBeyond = ({ side, limit }: ForecastParams, open: Bucket | undefined) =>
  open !== undefined &&
  open.count > 0 &&
  (side === "above" ? open.sum >= limit * open.count : open.sum <= limit * open.count);

/** It was said to be reached by then. */
function endOverdue({ points, since, open, wide = 1 }: ForecastState, at: number): Step<ForecastState> {
  const { at: measuredAt, value } = points.at(-1)!;
  const evidence = [{ measuredAt, value: tidy(value) }];
  const quiet = afterwards(points, wide * WIDER);
  const next = open === undefined ? quiet : { ...quiet, open };
  const expected = { at, from: at, to: at };
  return [next, [{ what: "resolved", at, startedAt: since!, value: tidy(value), evidence, expected, why: "cleared" }]];
}

/** A trend is said per day where days are looked ahead. */
const perOf = ({ withinMs }: ForecastParams) =>
  withinMs >= 2 * DAY_MS ? ({ per: "day", perMs: DAY_MS } as const) : ({ per: "hour", perMs: HOUR_MS } as const);

function begun(params: ForecastParams, points: readonly TrendPoint[], at: number, found: Outlook): Outcome {
  const [first, newest] = [points[0]!, points.at(-1)!];
  const { per, perMs } = perOf(params);
  const slopes = [found.slope, ...found.slopes].map((slope) => Number((slope * perMs).toPrecision(3)));
  const [trend, low, high] = slopes as [number, number, number];
  const says = say("note.trend", { trend, per, low, high, count: points.length });
  const evidence = [
    { measuredAt: first.at, value: tidy(first.value) },
    { measuredAt: newest.at, value: tidy(newest.value), ...noted(says) },
  ];
  const expected = { at: found.at, from: found.from, to: found.to };
  const { limit } = params;
  return { what: "firing", at, startedAt: at, value: tidy(found.level), limit, evidence, expected };
}

const tidy = (value: number) => Math.round(value * 1e6) / 1e6;
