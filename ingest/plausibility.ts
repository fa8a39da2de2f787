import type { MetricName } from "../model/metrics.ts";
import type { Quality, Values } from "../model/reading.ts";

/** µg/m³, and the share of the coarser fraction. */
const TOLERANCE = 2;
const TOLERANCE_SHARE = 0.1;
/** Each pair with the finer fraction first: a part cannot weigh more than the whole. */
const PAIRS: readonly (readonly [MetricName, MetricName])[] = [
  ["pm1", "pm25"],
  ["pm25", "pm10"],
  ["pm1", "pm10"],
];

/**
 * pm1 ≤ pm25 ≤ pm10 with a tolerance of 2 µg/m³ or 10 %, whichever is more. Reference-grade stations break it in 3-8 %
 * of hours, so both values are flagged and never rejected. Answers the quality to go on with.
 */
export function flagParticleOrder(values: Values, quality: Quality | undefined): Quality | undefined {
  let flags = quality;
  for (const [fine, coarse] of PAIRS) {
    const part = values[fine];
    const whole = values[coarse];
    if (part === undefined || whole === undefined) continue;
    if (part <= whole + Math.max(TOLERANCE, TOLERANCE_SHARE * whole)) continue;
    flags ??= {};
    flags[fine] = "suspect";
    flags[coarse] = "suspect";
  }
  return flags;
}
