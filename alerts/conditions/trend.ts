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
    level: medianOf(points.map(({ at, value }) => value + slope * (newest - at))),
  };
}

/** Of an even number the mean of the two in the middle; NaN of none. */
export function medianOf(values: readonly number[]): number {
  return middle(Float64Array.from(values).sort());
}

function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
