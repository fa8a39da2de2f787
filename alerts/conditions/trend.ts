export type TrendPoint = { readonly at: number; readonly value: number };

/** Slopes are in units per millisecond; `low` and `high` are the 95 % confidence limits of `slope`. */
export type Trend = {
  readonly slope: number;
  readonly low: number;
  readonly high: number;
  /** The line at the newest point. */
  readonly level: number;
  /** Mann-Kendall's z: beyond 1.96 either way, a trend at p < 0.05 (two-sided). */
  readonly z: number;
};

/** Of the standard normal distribution, 95 % two-sided. */
const Z_95 = 1.959_964;

/**
 * A straight line that a quarter of bad points does not move, and how sure it is. At least three points, in order.
 *
 * slope = median of all (yj - yi) / (tj - ti), i < j (Theil 1950, Sen 1968); level = median of y + slope x (now - t).
 * Mann-Kendall (Mann 1945, Kendall 1975): S = sum of sign(yj - yi), var = (n(n-1)(2n+5) - sum over ties of
 * t(t-1)(2t+5)) / 18, z = (S -+ 1) / sqrt(var). Confidence limits (Sen 1968): C = 1.96 sqrt(var), N slopes in order; the
 * limits are the (N - C)/2-th smallest and the (N + C)/2 + 1-th smallest.
 * n points cost n(n-1)/2 slopes and a sort: callers keep n below about a hundred.
 */
export function trendOf(points: readonly TrendPoint[]): Trend {
  const slopes: number[] = [];
  let score = 0;
  for (let j = 1; j < points.length; j++) {
    for (let i = 0; i < j; i++) {
      const rise = points[j]!.value - points[i]!.value;
      slopes.push(rise / (points[j]!.at - points[i]!.at));
      score += Math.sign(rise);
    }
  }
  const sorted = Float64Array.from(slopes).sort();
  const slope = middle(sorted);
  const newest = points.at(-1)!.at;
  const level = medianOf(points.map(({ at, value }) => value + slope * (newest - at)));
  const deviation = Math.sqrt(variance(points));
  const reach = Z_95 * deviation;
  return {
    slope,
    low: sorted[Math.max(0, Math.round((sorted.length - reach) / 2) - 1)]!,
    high: sorted[Math.min(sorted.length - 1, Math.round((sorted.length + reach) / 2))]!,
    level,
    z: score === 0 || deviation === 0 ? 0 : (score - Math.sign(score)) / deviation,
  };
}

function variance(points: readonly TrendPoint[]): number {
  const n = points.length;
  const counts = new Map<number, number>();
  for (const { value } of points) counts.set(value, (counts.get(value) ?? 0) + 1);
  let ties = 0;
  for (const count of counts.values()) ties += count * (count - 1) * (2 * count + 5);
  return Math.max(0, (n * (n - 1) * (2 * n + 5) - ties) / 18);
}

/** Of an even number the mean of the two in the middle; NaN of none. */
export function medianOf(values: readonly number[]): number {
  return middle(Float64Array.from(values).sort());
}

function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
