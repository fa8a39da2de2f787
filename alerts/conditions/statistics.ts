import { METRICS, type MetricName } from "../../model/metrics.ts";

export type TrendPoint = { readonly at: number; readonly value: number };

/** Slopes are in units per millisecond; `low` and `high` are the 95 % confidence limits of `slope`. */
export type Trend = {
  readonly slope: number;
  readonly low: number;
  readonly high: number;
  /** The line at the newest point. */
  readonly level: number;
};

/** Of the standard normal distribution, 95 % two-sided. */
const Z_95 = 1.959_964;

/**
 * Is there a trend at all? Mann-Kendall's z (Mann 1945, Kendall 1975): S = sum of sign(yj - yi), i < j;
 * var = (n(n-1)(2n+5) - sum over ties of t(t-1)(2t+5)) / 18; z = (S -+ 1) / sqrt(var). Beyond 1.96 either way: p < 0.05
 * (two-sided). 0 where nothing moves. At most about a hundred points: it compares all pairs.
 */
export function trendScore(points: readonly TrendPoint[]): number {
  let score = 0;
  for (let j = 1; j < points.length; j++) {
    for (let i = 0; i < j; i++) score += Math.sign(points[j]!.value - points[i]!.value);
  }
  const deviation = deviationOf(points);
  return score === 0 || deviation === 0 ? 0 : (score - Math.sign(score)) / deviation;
}

/** The standard deviation of S. */
function deviationOf(points: readonly TrendPoint[]): number {
  const n = points.length;
  const counts = new Map<number, number>();
  for (const { value } of points) counts.set(value, (counts.get(value) ?? 0) + 1);
  let ties = 0;
  for (const count of counts.values()) ties += count * (count - 1) * (2 * count + 5);
  return Math.sqrt(Math.max(0, (n * (n - 1) * (2 * n + 5) - ties) / 18));
}

/**
 * A straight line that a quarter of bad points does not move, and how sure it is. At least two points, in order.
 *
 * slope = median of all (yj - yi) / (tj - ti), i < j (Theil 1950, Sen 1968); level = median of y + slope x (now - t).
 * Confidence limits (Sen 1968): C = 1.96 x the standard deviation of Mann-Kendall's S, N slopes in order; the limits are
 * the (N - C)/2-th smallest and the (N + C)/2 + 1-th smallest. Sorts n(n-1)/2 slopes.
 */
export function trendOf(points: readonly TrendPoint[]): Trend {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2);
  let pair = 0;
  for (let j = 1; j < points.length; j++) {
    for (let i = 0; i < j; i++) {
      slopes[pair++] = (points[j]!.value - points[i]!.value) / (points[j]!.at - points[i]!.at);
    }
  }
  const sorted = slopes.sort();
  const slope = middle(sorted);
  const newest = points.at(-1)!.at;
  const reach = Z_95 * deviationOf(points);
  return {
    slope,
    low: sorted[Math.max(0, Math.round((sorted.length - reach) / 2) - 1)]!,
    high: sorted[Math.min(sorted.length - 1, Math.round((sorted.length + reach) / 2))]!,
    level: median(points.map(({ at, value }) => value + slope * (newest - at))),
  };
}

function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The middle one; of an even number the mean of the two. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = new Float64Array(values);
  return middle(sorted.length > FEW ? sorted.sort() : insertionSorted(sorted));
}

/** So few are sorted sooner in place than by a call of the runtime's sort. */
const FEW = 24;

function insertionSorted(values: Float64Array): Float64Array {
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    let place = i;
    for (; place > 0 && values[place - 1]! > value; place--) values[place] = values[place - 1]!;
    values[place] = value;
  }
  return values;
}

/** 1.4826 x the median absolute deviation: the standard deviation of a normal distribution, deaf to outliers. */
export function robustSigma(values: readonly number[], middle = median(values)): number {
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)));
}

/** Metrics with no natural zero, or of which a tenth is a lot: only the absolute part counts. */
const NARROW = new Set<MetricName>([
  "temperature",
  "relativeHumidity",
  "pressure",
  "noise",
  "windDirection",
  "voltage",
  "frequency",
  "powerFactor",
  "oilTemperature",
]);

/** The smallest difference between two places that says anything. Practice. */
const DIFFERENCES: Partial<Record<MetricName, number>> = {
  pm25: 5,
  pm10: 8,
  pm1: 5,
  no2: 5,
  o3: 6,
  so2: 5,
  co: 0.2,
  co2: 20,
  temperature: 1,
  relativeHumidity: 5,
  pressure: 2,
  noise: 3,
  windSpeed: 1,
  windDirection: 30,
  rain: 1,
  no: 5,
  nox: 8,
  benzene: 0.5,
  flow: 100,
  occupancy: 3,
  speed: 4,
  headway: 1,
  queueLength: 20,
  travelTime: 30,
  voltage: 1,
  frequency: 0.02,
  powerFactor: 0.05,
  thdVoltage: 0.3,
  oilTemperature: 2,
  lampState: 0.5,
};

/** A difference of this size is noise, in the metric's unit: an absolute part, or a tenth of the level. */
export function noiseOf(metric: MetricName, level: number): number {
  const absolute = DIFFERENCES[metric] ?? 5;
  return NARROW.has(metric) ? absolute : Math.max(absolute, 0.1 * Math.abs(level));
}

/** What is measured in traces: near zero an analyser shows its detection limit. */
const TRACES = new Set<MetricName>(["pm25", "pm10", "pm1", "no2", "o3", "so2", "co", "no", "nox", "benzene"]);

export const isTrace = (metric: MetricName): boolean => TRACES.has(metric);

/** Near the lower end of what the sensor can tell: there a constant value is the detection limit, not a fault. */
export function isNearFloor(metric: MetricName, value: number): boolean {
  const [low, high] = METRICS[metric].suspect;
  return isTrace(metric) && value <= low + 0.02 * (high - low);
}
