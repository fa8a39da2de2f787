import type { MetricName } from "./metrics.ts";

/** Metrics that one sensor measures of the same thing: what is wrong or unusual with one shows in the others. */
export const SIBLINGS: Partial<Record<MetricName, readonly MetricName[]>> = {
  pm1: ["pm25", "pm10"],
  pm25: ["pm10"],
  pm10: ["pm25"],
  flow: ["occupancy", "speed"],
  occupancy: ["flow", "speed"],
  speed: ["flow", "occupancy"],
  activePower: ["voltage", "current"],
  current: ["activePower", "voltage", "oilTemperature"],
  voltage: ["activePower", "current"],
  oilTemperature: ["current"],
};
