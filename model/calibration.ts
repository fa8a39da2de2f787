import type { MetricName } from "./metrics.ts";
import { metricRowOf } from "./metrics.ts";
import type { Reading, Values } from "./reading.ts";
import { DEFAULT_SITE, type Site } from "./site.ts";

/**
 * How a value of a sensor is made right from now on: `value * factor + offset`, while it is valid by the time measured. It
 * counts for what is received from `at` until `endedAt`, so that a message that is read again after a crash comes to the
 * very same values. What is stored already is for corrections.
 */
export type Calibration = {
  readonly id: number;
  readonly sensorId: string;
  readonly metric: MetricName;
  readonly factor: number;
  readonly offset: number;
  readonly from: number;
  readonly to?: number | undefined;
  /** Who calibrated it, when, against what. */
  readonly certificate: string;
  readonly by: string;
  readonly at: number;
  readonly endedAt?: number | undefined;
  readonly endedBy?: string | undefined;
};

export type NewCalibration = Omit<Calibration, "id" | "endedAt" | "endedBy">;

/** In force of one sensor: each costs its readings a look. */
export const CALIBRATIONS_PER_SENSOR_MAX = 50;

/**
 * Physical limits were judged by what the device said; what is usual at its site is judged by the right value. Of several
 * that are valid the newest counts. `all` in the order of their ids.
 */
export function calibrate(reading: Reading, all: readonly Calibration[], site: Site = DEFAULT_SITE): Reading {
  const { measuredAt, receivedAt } = reading;
  let values: Values | undefined;
  let raw: Values | undefined;
  let quality = reading.quality;
  for (let i = all.length - 1; i >= 0; i--) {
    const one = all[i]!;
    const said = reading.values[one.metric];
    if (said === undefined || raw?.[one.metric] !== undefined) continue;
    if (receivedAt < one.at || (one.endedAt !== undefined && receivedAt >= one.endedAt)) continue;
    if (measuredAt < one.from || (one.to !== undefined && measuredAt >= one.to)) continue;
    values ??= { ...reading.values };
    raw ??= {};
    raw[one.metric] = said;
    const value = said * one.factor + one.offset;
    values[one.metric] = value;
    const { [one.metric]: _, ...others } = quality ?? {};
    const row = metricRowOf(reading.kind, one.metric)!;
    const [low, high] = row.site === undefined ? row.suspect : site[row.site];
    const isSuspect = value < low || value > high;
    quality = isSuspect ? { ...others, [one.metric]: "suspect" } : others;
  }
  if (!values || !raw) return reading;
  const { quality: _, ...rest } = reading;
  const flags = quality && Object.keys(quality).length > 0 ? { quality } : {};
  return { ...rest, values, ...flags, raw };
}
