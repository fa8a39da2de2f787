import type { Expected } from "../../model/alert.ts";
import { type ParamsAs, say } from "../../model/sentence.ts";
import { DAY_MS, MINUTE_MS, parseDuration } from "../../model/time.ts";
import { noted } from "../says.ts";
import {
  amount,
  limitFor,
  measured,
  NOTHING,
  needsGood,
  type Outcome,
  type OverValues,
  type Sample,
  type Step,
} from "./condition.ts";
import { type Trend, type TrendPoint, trendOf, trendScore } from "./statistics.ts";

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
  readonly since?: number;
};

const QUIET: ForecastState = { points: [] };
/** Pasts of ten days and more are taken day by day, so that the day's own course (a battery in the cold) is no trend. */
const DAILY_FROM_MS = 10 * DAY_MS;
const PARTS = 30;
const POINTS_MIN = 10;
/** Mann-Kendall: p < 0.05 to begin, p < 0.1 to go on. */
const Z_BEGIN = 1.96;
const Z_GO_ON = 1.645;
/** What fires goes on until the limit is this much further away than `within`. */
const SLACK = 1.25;
/** A late end of the interval where the slope may as well be none: so many times the best estimate. */
const LATEST_TIMES = 10;

/**
 * When will the limit be reached? Theil-Sen line through the bucket means of the last `over` (days, or thirtieths of it
 * if it is shorter than ten days): expected = newest + (limit - level) / slope, and from its 95 % confidence limits
 * (Sen 1968) the earliest and the latest. Fires when the limit is expected within `within`; ends when it is expected
 * later than 1.25 x `within` or the trend is gone. Units are the metric's. Sources: `trendOf`; domain notes, section 5.
 *
 * Guards: at least ten points that span half of `over`; a trend towards the limit by Mann-Kendall's test (p < 0.05, to go
 * on p < 0.1); a leap away from the limit (a battery replaced) forgets what was before it. For operators suspect values
 * are left out. Judged once per bucket, at its end. The test takes the points for independent: what swings slowly within
 * `over` can pass for a trend, so choose `over` longer than the swing.
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
  explainEnd: ({ rule, outcome: { at, value } }) => say("forecast.ended", { at, value: amount(rule, value!) }),
  quiet: QUIET,
  step(params, state, sample) {
    if (params.needsGood && !sample.good) return [state, NOTHING];
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
    if (!open || open.count === 0 || open.from + bucketMs(params) > time) return [state, NOTHING];
    const [judged, outcomes] = close(params, state, open);
    // The empty bucket after it: what comes for the one that was judged is too late for it.
    return [{ ...judged, open: { from: open.from + bucketMs(params), count: 0, sum: 0 } }, outcomes];
  },
};

const bucketMs = ({ overMs }: ForecastParams) => (overMs >= DAILY_FROM_MS ? DAY_MS : overMs / PARTS);

const add = ({ from, count, sum }: Bucket, { value }: Sample): Bucket => ({ from, count: count + 1, sum: sum + value });

/** The state without its open bucket. */
function close(params: ForecastParams, { points: former, since }: ForecastState, bucket: Bucket): Step<ForecastState> {
  const at = bucket.from + bucketMs(params);
  if (bucket.count === 0) return [{ points: former, since }, NOTHING];
  const point = { at: at - bucketMs(params) / 2, value: bucket.sum / bucket.count };
  const leapt = isLeapAway(params, former, point);
  const points = leapt ? [point] : [...former.filter((one) => one.at > at - params.overMs), point];
  const found = extrapolate(params, points);
  if (since !== undefined) return keepForecast(params, points, since, at, found);
  if (!found || found.score < Z_BEGIN || found.expected.at > at + params.withinMs) {
    return [{ points }, NOTHING];
  }
  return [{ points, since: at }, [begun(params, points, at, found)]];
}

/** `score`: Mann-Kendall's z, above 0 towards the limit. */
type Found = { readonly trend: Trend; readonly score: number; readonly expected: Expected };

/** undefined: too little is known, or the trend does not lead to the limit. */
function extrapolate({ side, limit, overMs }: ForecastParams, points: readonly TrendPoint[]): Found | undefined {
  const newest = points.at(-1)!;
  if (points.length < POINTS_MIN || newest.at - points[0]!.at < overMs / 2) return undefined;
  const towards = side === "above" ? 1 : -1;
  const score = trendScore(points) * towards;
  // The cheap half first: the slopes are only sorted where there is a trend.
  if (score < Z_GO_ON) return undefined;
  const trend = trendOf(points);
  if (trend.slope * towards <= 0) return undefined;
  const distance = (limit - trend.level) * towards;
  const soonest = side === "above" ? trend.high : trend.low;
  const slowest = side === "above" ? trend.low : trend.high;
  const best = Math.max(0, distance / (trend.slope * towards));
  const latest = LATEST_TIMES * best;
  const until = slowest * towards <= 0 ? latest : Math.min(latest, Math.max(0, distance / (slowest * towards)));
  const from = newest.at + Math.max(0, distance / (soonest * towards));
  return { trend, score, expected: { at: round(newest.at + best), from: round(from), to: round(newest.at + until) } };
}

const round = (time: number) => Math.round(time);

/** Away from the limit by more than half the range so far, and three times as far as any step before. */
function isLeapAway({ side }: ForecastParams, points: readonly TrendPoint[], point: TrendPoint): boolean {
  if (points.length < 3) return false;
  const values = points.map(({ value }) => value);
  const leap = (point.value - values.at(-1)!) * (side === "above" ? -1 : 1);
  const steps = values.slice(1).map((value, i) => Math.abs(value - values[i]!));
  return leap > 0 && leap > (Math.max(...values) - Math.min(...values)) / 2 && leap > 3 * Math.max(...steps);
}

function keepForecast(
  { withinMs }: ForecastParams,
  points: readonly TrendPoint[],
  since: number,
  at: number,
  found: Found | undefined,
): Step<ForecastState> {
  if (found && found.expected.at <= at + SLACK * withinMs) {
    return [{ points, since }, NOTHING];
  }
  const { at: measuredAt, value } = points.at(-1)!;
  const evidence = [{ measuredAt, value: tidy(value) }];
  return [{ points }, [{ what: "resolved", at, startedAt: since, value: tidy(value), evidence, why: "cleared" }]];
}

function begun({ limit }: ForecastParams, points: readonly TrendPoint[], at: number, found: Found): Outcome {
  const { trend, expected } = found;
  const [first, newest] = [points[0]!, points.at(-1)!];
  const perDay = [trend.slope, trend.low, trend.high].map((slope) => Number((slope * DAY_MS).toPrecision(3)));
  const [trendPerDay, low, high] = perDay as [number, number, number];
  const says = say("note.trend", { trend: trendPerDay, per: "day", low, high, count: points.length });
  const evidence = [
    { measuredAt: first.at, value: tidy(first.value) },
    { measuredAt: newest.at, value: tidy(newest.value), ...noted(says) },
  ];
  return { what: "firing", at, startedAt: at, value: tidy(trend.level), limit, evidence, expected };
}

const tidy = (value: number) => Math.round(value * 1e6) / 1e6;
