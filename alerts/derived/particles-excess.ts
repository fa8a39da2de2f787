import { DERIVED } from "../../model/metrics.ts";
import { say } from "../../model/sentence.ts";
import { HOUR_MS, startOfHour } from "../../model/time.ts";
import type { Derive, DerivedSample, Measured } from "../engine/derive.ts";

/**
 * Both may be wrong by a quarter: the data quality objective for particles of 2008/50/EC, Annex I. Fine particles are a
 * part of the coarse ones, so what lies beyond that is no air.
 */
const MARGIN = 1.25;

type Sums = { readonly count: number; readonly good: number; readonly sum: number };
const NO_SUMS: Sums = { count: 0, good: 0, sum: 0 };

export type ExcessState = { readonly hour?: number; readonly fine: Sums; readonly coarse: Sums };
const QUIET: ExcessState = { fine: NO_SUMS, coarse: NO_SUMS };
const NONE: readonly DerivedSample[] = [];

/**
 * By how much the hourly mean of PM2.5 lies beyond one and a quarter of that of PM10, in µg/m³ (below 0: it does not).
 * Told at the end of the UTC hour, if both were sent in it; good if each had a value that is not suspect.
 */
export const particlesExcess: Derive<ExcessState> = {
  metric: "particlesExcess",
  from: DERIVED.particlesExcess.from,
  quiet: QUIET,
  step(state, measured) {
    const hour = startOfHour(measured.at);
    if (state.hour !== undefined && hour < state.hour) return [state, NONE];
    if (hour === state.hour) return [withValues(state, hour, measured), NONE];
    return [withValues(QUIET, hour, measured), state.hour === undefined ? NONE : close(state, state.hour)];
  },
};

function withValues({ fine, coarse }: ExcessState, hour: number, measured: Measured): ExcessState {
  return { hour, fine: add(fine, "pm25", measured), coarse: add(coarse, "pm10", measured) };
}

function add(sums: Sums, metric: "pm25" | "pm10", { values, suspect }: Measured): Sums {
  const value = values[metric];
  if (value === undefined) return sums;
  return { count: sums.count + 1, good: sums.good + (suspect.includes(metric) ? 0 : 1), sum: sums.sum + value };
}

function close({ fine, coarse }: ExcessState, hour: number): readonly DerivedSample[] {
  if (fine.count === 0 || coarse.count === 0) return NONE;
  const mean = rounded(fine.sum / fine.count);
  const value = rounded(mean - (MARGIN * coarse.sum) / coarse.count);
  const because = say("index.because", { metric: "pm25", value: { value: mean, of: "pm25" } });
  return [{ at: hour + HOUR_MS, value, good: fine.good > 0 && coarse.good > 0, because }];
}

/** Six decimals: without the dust of adding up. */
const rounded = (value: number) => Math.round(value * 1e6) / 1e6;
