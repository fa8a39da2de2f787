import { DAY_MS } from "../../model/time.ts";
import type { TrendPoint } from "./statistics.ts";

/** When a series will reach a limit: most likely, and with 80 % between `from` and `to`. Times are epoch milliseconds. */
export type Outlook = {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  /** The series without its noise at the newest point, and how it moves there, per millisecond. */
  readonly level: number;
  readonly slope: number;
  /** With 80 % the slope lies between them. */
  readonly slopes: readonly [number, number];
};

/**
 * Bend of the curve in the past that is known, as its exponent over all of it: below 0 it speeds up, above it settles.
 * A third of the belief is in a straight line before anything is seen.
 */
const BENDS = [
  -6, -5, -4.2, -3.5, -3, -2.6, -2.2, -1.9, -1.6, -1.3, -1, -0.8, -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1, 1.3, 1.6,
  1.9, 2.2, 2.6, 3, 3.5, 4.2, 5, 6,
];
const STRAIGHT = 0.3;
/** With less belief left in a line it is bent; else both must come to about the same. */
const BENT = 0.02;
const AGREE = 0.4;
/** Correlation of neighbouring points' noise. Few points show less of it than there is: more is believed before anything is seen. */
const CORRELATED = 3;
const CORRELATIONS = [0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.88] as const;
const [LOW, MIDDLE, HIGH] = [0.1, 0.5, 0.9];
/** Twice the past that is known, in steps. */
const END = 2;
const STEPS = 200;

type Model = {
  readonly weight: number;
  readonly bend: number;
  readonly level: number;
  readonly slope: number;
  /** Of level, slope, and both, over the noise that is left. */
  readonly cov: readonly [number, number, number];
  readonly freedom: number;
};

/**
 * Bayesian model average over bends and correlations (flat priors on level and slope, 1/sigma on the noise, so that each
 * model predicts by Student's t): what can pass for a line may be the beginning of a bend, and correlated noise knows
 * less than its points let expect. undefined: it is not 90 % sure that it is reached within twice the past that is known.
 */
export function outlookOf(points: readonly TrendPoint[], limit: number, side: "above" | "below"): Outlook | undefined {
  const sign = side === "above" ? 1 : -1;
  const newest = points.at(-1)!.at;
  const span = newest - points[0]!.at;
  const times = Float64Array.from(points, ({ at }) => (at - newest) / span);
  const plain = Float64Array.from(points, ({ value }) => sign * value);
  const { values, lost } = withoutWeek(points, plain, newest, span);
  const models = modelsOf(times, values, lost);
  const straight = models.reduce((sum, { bend, weight }) => (bend === 0 ? sum + weight : sum), 0);
  const goal = sign * limit;
  const line =
    straight < 1e-9
      ? undefined
      : quantiles(
          models.filter(({ bend }) => bend === 0),
          straight,
          goal,
        );
  const any = quantiles(models, 1, goal);
  if (!any) return undefined;
  const isBent = straight < BENT;
  if (!isBent && (!line || any[2] - line[2] > AGREE * line[2] || line[0] - any[0] > AGREE * line[2])) return undefined;
  const [from, at, to] = any.map((ahead) => Math.round(newest + ahead * span)) as [number, number, number];
  const mean = (of: (model: Model) => number) => models.reduce((sum, one) => sum + one.weight * of(one), 0);
  const slope = (sign * mean((one) => one.slope)) / span;
  const spread = mean((one) => one.cov[1] + one.slope ** 2) - mean((one) => one.slope) ** 2;
  const reach = (1.2816 * Math.sqrt(Math.max(0, spread))) / span;
  return { at, from, to, level: sign * mean(({ level }) => level), slope, slopes: [slope - reach, slope + reach] };
}

/** Fewer points than that on either side show no knee; and what it must leave of the squares that the best curve leaves. */
const KNEE_MIN = 2;
const KNEE = 0.6;

/** The points after the knee, where two lines that meet explain them far better than any curve: what was before says nothing of what comes. */
export function afterKnee(points: readonly TrendPoint[]): readonly TrendPoint[] {
  const [newest, oldest] = [points.at(-1)!.at, points[0]!.at];
  const times = points.map(({ at }) => (at - newest) / (newest - oldest));
  const left = (x: (time: number) => number[]) =>
    leastSquares(times.map((time, i) => ({ x: x(time), y: points[i]!.value })))?.rss ?? Number.POSITIVE_INFINITY;
  const curved = Math.min(...BENDS.map((bend) => left((time) => [1, curve(bend, time)])));
  let best = KNEE * curved;
  let knee = 0;
  for (let i = KNEE_MIN; i < times.length - KNEE_MIN; i++) {
    const bent = left((time) => [1, time, Math.max(0, time - times[i]!)]);
    if (bent >= best) continue;
    best = bent;
    knee = i;
  }
  return knee === 0 ? points : points.slice(knee);
}

/** How far ahead it is reached with 10, 50 and 90 %. */
function quantiles(models: readonly Model[], weight: number, goal: number): [number, number, number] | undefined {
  const reached = Float64Array.from({ length: STEPS + 1 }, (_, i) => {
    let sum = 0;
    for (const model of models) sum += model.weight * beyond(model, (END * i) / STEPS, goal);
    return sum / weight;
  });
  if (!(reached[STEPS]! >= HIGH)) return undefined;
  const ahead = (share: number) => {
    const i = reached.findIndex((one) => one >= share);
    return i === 0 ? 0 : ((i - 1 + (share - reached[i - 1]!) / (reached[i]! - reached[i - 1]!)) * END) / STEPS;
  };
  return [ahead(LOW), ahead(MIDDLE), ahead(HIGH)];
}

/** 0 at the newest point, and there as steep as time. */
const curve = (bend: number, time: number) => (bend === 0 ? time : (1 - Math.exp(-bend * time)) / bend);

/** How sure it is that the level is beyond the goal so far ahead. */
function beyond({ bend, level, slope, cov, freedom }: Model, ahead: number, goal: number): number {
  const g = curve(bend, ahead);
  const deviation = Math.sqrt(Math.max(cov[0] + 2 * g * cov[2] + g * g * cov[1], 1e-300));
  return studentCdf((level + slope * g - goal) / deviation, freedom);
}

/** A week of days has its own course: a sine and a cosine are taken out where they explain more than chance would (F test). */
function withoutWeek(points: readonly TrendPoint[], values: Float64Array, newest: number, span: number) {
  const step = span / (points.length - 1);
  if (span < 13 * DAY_MS || step > 1.5 * DAY_MS || step < DAY_MS / 2) return { values, lost: 0 };
  const week = points.map(({ at }) => (2 * Math.PI * (at - newest)) / (7 * DAY_MS));
  const rows = points.map(({ at }, i): Row => {
    const t = (at - newest) / span;
    return { x: [1, t, t * t, Math.sin(week[i]!), Math.cos(week[i]!)], y: values[i]! };
  });
  const plain = leastSquares(rows.map(({ x, y }) => ({ x: x.slice(0, 3), y })));
  const waved = leastSquares(rows);
  if (!plain || !waved || (plain.rss - waved.rss) / 2 <= (5 * waved.rss) / (points.length - 5))
    return { values, lost: 0 };
  const [, , , sine, cosine] = waved.beta as [number, number, number, number, number];
  return { values: values.map((value, i) => value - sine * Math.sin(week[i]!) - cosine * Math.cos(week[i]!)), lost: 2 };
}

function modelsOf(times: Float64Array, values: Float64Array, lost: number): Model[] {
  const n = times.length;
  const step = 1 / (n - 1);
  const found: (Omit<Model, "weight"> & { readonly score: number })[] = [];
  const curves = BENDS.map((bend) => times.map((time) => curve(bend, time)));
  for (const correlation of CORRELATIONS) {
    // Whitened: what points share with the one before is no news; those further apart share less.
    const shared = times.map((time, i) =>
      i === 0 ? 0 : correlation ** Math.max(1, Math.round((time - times[i - 1]!) / step)),
    );
    const scale = shared.map((one, i) =>
      i === 0 ? Math.sqrt(1 - correlation ** 2) : Math.sqrt((1 - correlation ** 2) / (1 - one ** 2)),
    );
    for (const [k, bend] of BENDS.entries()) {
      const own = curves[k]!;
      let [s11, s12, s22, s1y, s2y, syy] = [0, 0, 0, 0, 0, 0];
      for (let i = 0; i < n; i++) {
        const [c, r] = [scale[i]!, shared[i]!];
        const one = c * (1 - r);
        const x = i === 0 ? c * own[0]! : c * (own[i]! - r * own[i - 1]!);
        const y = i === 0 ? c * values[0]! : c * (values[i]! - r * values[i - 1]!);
        s11 += one * one;
        s12 += one * x;
        s22 += x * x;
        s1y += one * y;
        s2y += x * y;
        syy += y * y;
      }
      const det = s11 * s22 - s12 * s12;
      if (!(det > 0)) continue;
      const level = (s22 * s1y - s12 * s2y) / det;
      const slope = (s11 * s2y - s12 * s1y) / det;
      const freedom = n - 2 - lost;
      const rss = Math.max(syy - level * s1y - slope * s2y, 1e-9 * Math.max(syy, 1e-9));
      const noise = rss / freedom;
      const prior = bend === 0 ? STRAIGHT : (1 - STRAIGHT) / (BENDS.length - 1);
      const score =
        Math.log(prior * (1 + CORRELATED * correlation)) +
        0.5 * Math.log(1 - correlation ** 2) -
        0.5 * Math.log(det) -
        (freedom / 2) * Math.log(rss);
      const cov = [(s22 / det) * noise, (s11 / det) * noise, (-s12 / det) * noise] as const;
      found.push({ score, bend, level, slope, cov, freedom });
    }
  }
  const best = Math.max(...found.map(({ score }) => score));
  const sum = found.reduce((all, { score }) => all + Math.exp(score - best), 0);
  return found
    .map(({ score, ...rest }) => ({ ...rest, weight: Math.exp(score - best) / sum }))
    .filter(({ weight }) => weight > 1e-3);
}

type Row = { readonly x: readonly number[]; readonly y: number };
type Fit = { readonly beta: number[]; readonly inverse: number[][]; readonly rss: number; readonly logDet: number };

/** Least squares by the normal equations (Gauss-Jordan); undefined where they have no one answer. */
function leastSquares(rows: readonly Row[]): Fit | undefined {
  const p = rows[0]!.x.length;
  const system = Array.from({ length: p }, (_, i) => [
    ...new Array<number>(p).fill(0),
    ...Array.from({ length: p }, (_, j) => (i === j ? 1 : 0)),
    0,
  ]);
  for (const { x, y } of rows) {
    for (let i = 0; i < p; i++) {
      for (let j = 0; j < p; j++) system[i]![j]! += x[i]! * x[j]!;
      system[i]![2 * p]! += x[i]! * y;
    }
  }
  let logDet = 0;
  for (let i = 0; i < p; i++) {
    const pivot = system[i]![i]!;
    if (!(pivot > 1e-12)) return undefined;
    logDet += Math.log(pivot);
    for (let j = 0; j <= 2 * p; j++) system[i]![j]! /= pivot;
    for (let k = 0; k < p; k++) {
      if (k === i) continue;
      const times = system[k]![i]!;
      for (let j = 0; j <= 2 * p; j++) system[k]![j]! -= times * system[i]![j]!;
    }
  }
  const beta = system.map((row) => row[2 * p]!);
  let rss = 0;
  for (const { x, y } of rows) rss += (y - x.reduce((sum, one, i) => sum + one * beta[i]!, 0)) ** 2;
  return { beta, inverse: system.map((row) => row.slice(p, 2 * p)), rss, logDet };
}

/** Of Student's t by the normal distribution (Abramowitz and Stegun 26.7.8), and that by 7.1.26. */
function studentCdf(t: number, freedom: number): number {
  const z = (t * (1 - 1 / (4 * freedom))) / Math.sqrt(1 + (t * t) / (2 * freedom));
  const u = Math.abs(z) / Math.SQRT2;
  const k = 1 / (1 + 0.327_591_1 * u);
  const tail =
    k * (0.254_829_592 + k * (-0.284_496_736 + k * (1.421_413_741 + k * (-1.453_152_027 + k * 1.061_405_429))));
  const upper = 0.5 * tail * Math.exp(-u * u);
  return z > 0 ? 1 - upper : upper;
}
