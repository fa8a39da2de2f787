import { METRICS, type MetricName } from "../../model/metrics.ts";

/** The middle one; of an even number the mean of the two. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = new Float64Array(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
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
};

/** A difference of this size is noise, in the metric's unit: an absolute part, or a tenth of the level. */
export function noiseOf(metric: MetricName, level: number): number {
  const absolute = DIFFERENCES[metric] ?? 5;
  return NARROW.has(metric) ? absolute : Math.max(absolute, 0.1 * Math.abs(level));
}

/** What is measured in traces: near zero an analyser shows its detection limit. */
const TRACES = new Set<MetricName>(["pm25", "pm10", "pm1", "no2", "o3", "so2", "co"]);

/** Near the lower end of what the sensor can tell: there a constant value is the detection limit, not a fault. */
export function isNearFloor(metric: MetricName, value: number): boolean {
  const [low, high] = METRICS[metric].suspect;
  return TRACES.has(metric) && value <= low + 0.02 * (high - low);
}
