import { DERIVED } from "../../model/metrics.ts";
import { say } from "../../model/sentence.ts";
import { HOUR_MS } from "../../model/time.ts";
import type { Derive } from "../engine/derive.ts";

/**
 * Both may be wrong by a quarter: the data quality objective for particles of 2008/50/EC, Annex I. Fine particles are a
 * part of the coarse ones, so what lies beyond that is no air.
 */
const MARGIN = 1.25;

/**
 * By how much the hourly mean of PM2.5 lies beyond one and a quarter of that of PM10, in µg/m³ (below 0: it does not).
 * Told if both have their data capture; good if each had a value that is not suspect.
 */
export const particlesExcess: Derive<object> = {
  metric: "particlesExcess",
  from: DERIVED.particlesExcess.from,
  capture: 0.75,
  quiet: {},
  step(state, hour, { pm25: fine, pm10: coarse }) {
    if (!fine?.valid || !coarse?.valid) return [state, undefined];
    const value = rounded(fine.value - MARGIN * coarse.value);
    const because = say("index.because", { metric: "pm25", value: { value: fine.value, of: "pm25" } });
    return [state, { at: hour + HOUR_MS, value, good: fine.good && coarse.good, because }];
  },
};

/** Six decimals: without the dust of adding up. */
const rounded = (value: number) => Math.round(value * 1e6) / 1e6;
