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
const SETTLING = [0.2, 0.4, 0.6, 0.8, 1, 1.3, 1.6, 1.9, 2.2, 2.6, 3, 3.5, 4.2, 5, 6, 7, 8.5, 10, 12];
const BENDS = [...SETTLING.map((bend) => -bend).reverse(), 0, ...SETTLING];
const STRAIGHT = 0.3;
/** A bend that holds more of the belief is looked at in so many parts: else the interval is as wide as the list is coarse. */
const LARGE = 0.1;
const PARTS = 6;
/** With less belief left in a line it is bent; else both must come to about the same. */
const BENT = 0.02;
const AGREE = 0.4;
/** Between them it cannot be told whether it settles, and nothing is said: a line said by mistake is reached far too soon. */
const [SETTLES_MAYBE, SETTLES] = [0.05, 0.9];
/** What has passed all that and is not bent is a line by so much higher odds: most of what might bend has been sorted out. */
const ODDS_OF_LINE = 8;
/** Correlation of neighbouring points' noise; the odds of none before anything is seen, and how those of the others grow: few points show less of it than there is. */
const CORRELATIONS = [0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.86, 0.94] as const;
const ODDS_OF_NONE = 16;
const ODDS_OF_MUCH = 1;
/** Fewer points before a knee say nothing of the noise. */
const BEFORE_MIN = 6;
const [LOW, MIDDLE, HIGH] = [0.1, 0.5, 0.9];
/** Twice the past that is known, in steps; each is halved so many times. */
const END = 2;
const STEPS = 32;
const HALVINGS = 8;

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
export function outlookOf(
  points: readonly TrendPoint[],
  limit: number,
  side: "above" | "below",
  before: readonly TrendPoint[] = [],
): Outlook | undefined {
  const sign = side === "above" ? 1 : -1;
  const { newest, span, times } = timesOf(points);
  const plain = Float64Array.from(points, ({ value }) => sign * value);
  const { values, lost } = withoutWeek(points, plain, newest, span);
  const models = modelsOf(times, values, lost, correlationsOf(before));
  const belief = (of: (bend: number) => boolean) =>
    models.reduce((sum, one) => sum + (of(one.bend) ? one.weight : 0), 0);
  const settles = belief((bend) => bend > 0);
  if (settles > SETTLES_MAYBE && settles < SETTLES) return undefined;
  const straight = belief((bend) => bend === 0);
  const isBent = straight < BENT;
  const goal = sign * limit;
  const odds = isBent ? 1 : ODDS_OF_LINE;
  const any = quantiles(
    models.map((one) => (one.bend === 0 ? { ...one, weight: odds * one.weight } : one)),
    goal,
  );
  if (!any) return undefined;
  if (!isBent) {
    const line = quantiles(
      models.filter(({ bend }) => bend === 0),
      goal,
    );
    if (!line || any[2] - line[2] > AGREE * line[2] || line[0] - any[0] > AGREE * line[2]) return undefined;
  }
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

/**
 * The points before and after the knee, where two lines that meet explain them far better than any curve: what was before says
 * nothing of what comes, but of its noise. Without a knee all are after it.
 */
export function atKnee(points: readonly TrendPoint[]): { before: readonly TrendPoint[]; after: readonly TrendPoint[] } {
  const times = [...timesOf(points).times];
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
  return { before: points.slice(0, knee), after: points.slice(knee) };
}

/** How far ahead it is reached with 10, 50 and 90 %. */
function quantiles(models: readonly Model[], goal: number): [number, number, number] | undefined {
  const weight = models.reduce((sum, one) => sum + one.weight, 0);
  const reached = (ahead: number) =>
    models.reduce((sum, model) => sum + model.weight * beyond(model, ahead, goal), 0) / weight;
  const steps = Float64Array.from({ length: STEPS + 1 }, (_, i) => reached((END * i) / STEPS));
  if (!(steps[STEPS]! >= HIGH)) return undefined;
  const ahead = (share: number) => {
    const i = steps.findIndex((one) => one >= share);
    if (i === 0) return [0, 0] as const;
    let [early, late] = [(END * (i - 1)) / STEPS, (END * i) / STEPS];
    for (let k = 0; k < HALVINGS; k++) {
      const half = (early + late) / 2;
      if (reached(half) >= share) late = half;
      else early = half;
    }
    return [early, late] as const;
  };
  return [ahead(LOW)[0], ahead(MIDDLE)[1], ahead(HIGH)[1]];
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

type Found = Omit<Model, "weight"> & { readonly score: number };

function modelsOf(times: Float64Array, values: Float64Array, lost: number, known: readonly number[]): Model[] {
  const belief = (1 - STRAIGHT) / (BENDS.length - 1);
  const noises = noisesOf(times).map((noise, i) => ({ ...noise, score: noise.score + known[i]! }));
  const fits = (bend: number, believed: number) => fitsOf(times, values, lost, noises, bend, believed);
  const found = BENDS.flatMap((bend) => fits(bend, bend === 0 ? STRAIGHT : belief));
  const shares = new Map<number, number>();
  for (const { bend, weight } of weighted(found)) shares.set(bend, (shares.get(bend) ?? 0) + weight);
  const large = BENDS.filter((bend) => bend !== 0 && (shares.get(bend) ?? 0) > LARGE);
  if (large.length === 0) return weighted(found);
  const parts = large.flatMap(partsOf).flatMap((bend) => fits(bend, belief / PARTS));
  return weighted([...found.filter(({ bend }) => !large.includes(bend)), ...parts]);
}

/** From half way to the bend before to half way to the one after. */
function partsOf(bend: number): number[] {
  const i = BENDS.indexOf(bend);
  const low = (bend + (BENDS[i - 1] ?? bend)) / 2;
  const high = (bend + (BENDS[i + 1] ?? bend)) / 2;
  return Array.from({ length: PARTS }, (_, part) => low + ((high - low) * (part + 0.5)) / PARTS);
}

/** Without those that hardly count. */
function weighted(found: readonly Found[]): Model[] {
  const best = Math.max(...found.map(({ score }) => score));
  const sum = found.reduce((all, { score }) => all + Math.exp(score - best), 0);
  return found
    .map(({ score, ...rest }) => ({ ...rest, weight: Math.exp(score - best) / sum }))
    .filter(({ weight }) => weight > 1e-3);
}

/** What each point shares with the one before, how much it counts for the rest, and the logarithm of its likelihood for that. */
type Noise = { readonly shared: Float64Array; readonly scale: Float64Array; readonly score: number };

const noisesOf = (times: Float64Array) => CORRELATIONS.map((correlation) => noiseOf(times, correlation));

/** What is known of the correlations before the points are looked at: by the line that was before the knee. */
function correlationsOf(before: readonly TrendPoint[]): readonly number[] {
  const odds = CORRELATIONS.map((correlation) =>
    Math.log(correlation === 0 ? ODDS_OF_NONE : 1 + ODDS_OF_MUCH * correlation),
  );
  if (before.length < BEFORE_MIN) return odds;
  const { times, span } = timesOf(before);
  const plain = Float64Array.from(before, ({ value }) => value);
  const { values, lost } = withoutWeek(before, plain, before.at(-1)!.at, span);
  const fits = fitsOf(times, values, lost, noisesOf(times), 0, 1);
  return fits.length === odds.length ? odds.map((one, i) => one + fits[i]!.score) : odds;
}

function timesOf(points: readonly TrendPoint[]) {
  const newest = points.at(-1)!.at;
  const span = newest - points[0]!.at;
  return { newest, span, times: Float64Array.from(points, ({ at }) => (at - newest) / span) };
}

/** Those further apart share less. */
function noiseOf(times: Float64Array, correlation: number): Noise {
  const step = 1 / (times.length - 1);
  const shared = times.map((time, i) =>
    i === 0 ? 0 : correlation ** Math.max(1, Math.round((time - times[i - 1]!) / step)),
  );
  const scale = shared.map((one) => Math.sqrt((1 - correlation ** 2) / (1 - one ** 2)));
  return { shared, scale, score: scale.reduce((sum, one) => sum + Math.log(one), 0) };
}

/** Curves of one bend, one for each correlation. `belief`: in the bend, before anything is seen. */
function fitsOf(
  times: Float64Array,
  values: Float64Array,
  lost: number,
  noises: readonly Noise[],
  bend: number,
  belief: number,
): Found[] {
  const n = times.length;
  const own = times.map((time) => curve(bend, time));
  const found: Found[] = [];
  for (const { shared, scale, score: known } of noises) {
    let [s11, s12, s22, s1y, s2y, syy] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      // Whitened: what points share with the one before is no news.
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
    const score = Math.log(belief) + known - 0.5 * Math.log(det) - (freedom / 2) * Math.log(rss);
    const cov = [(s22 / det) * noise, (s11 / det) * noise, (-s12 / det) * noise] as const;
    found.push({ score, bend, level, slope, cov, freedom });
  }
  return found;
}

type Row = { readonly x: readonly number[]; readonly y: number };
type Fit = { readonly beta: number[]; readonly rss: number };

/** Least squares by the normal equations (Gauss-Jordan); undefined where they have no one answer. */
function leastSquares(rows: readonly Row[]): Fit | undefined {
  const p = rows[0]!.x.length;
  const system = Array.from({ length: p }, () => new Array<number>(p + 1).fill(0));
  for (const { x, y } of rows) {
    for (let i = 0; i < p; i++) {
      for (let j = 0; j < p; j++) system[i]![j]! += x[i]! * x[j]!;
      system[i]![p]! += x[i]! * y;
    }
  }
  for (let i = 0; i < p; i++) {
    const pivot = system[i]![i]!;
    if (!(pivot > 1e-12)) return undefined;
    for (let j = 0; j <= p; j++) system[i]![j]! /= pivot;
    for (let k = 0; k < p; k++) {
      if (k === i) continue;
      const times = system[k]![i]!;
      for (let j = 0; j <= p; j++) system[k]![j]! -= times * system[i]![j]!;
    }
  }
  const beta = system.map((row) => row[p]!);
  let rss = 0;
  for (const { x, y } of rows) rss += (y - x.reduce((sum, one, i) => sum + one * beta[i]!, 0)) ** 2;
  return { beta, rss };
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
