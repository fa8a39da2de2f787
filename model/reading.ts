import type { Kind } from "./kinds.ts";
import type { MetricName } from "./metrics.ts";
import { DAY_MS } from "./time.ts";

export type Values = Partial<Record<MetricName, number>>;
/** "good" is left out. */
export type Quality = Partial<Record<MetricName, "suspect">>;

/** One sensor's values at one moment. Times are epoch milliseconds inside the service, ISO 8601 outside. */
export type Reading = {
  readonly sensorId: string;
  readonly kind: Kind;
  readonly district: string;
  readonly measuredAt: number;
  readonly receivedAt: number;
  readonly values: Values;
  readonly quality?: Quality;
  /** The place of its message in the journal: tells a re-delivery of our own work from a device's duplicate. */
  readonly journalSeq: number;
  /** Came by the import topic: history, not news. Rules run on it; wall-clock timers do not. */
  readonly imported?: boolean;
  /** The device's clock was never set: `measuredAt` is when the reading was received. */
  readonly clock?: true;
  /** The device's own counter, if it sends one: tells a message sent again from a new one of the same values. */
  readonly seq?: number;
  /** What the device said, of metrics whose value was calibrated or corrected. */
  readonly raw?: Values;
  /** Only of what is read through corrections: which values are not those that the store has, or are not to be used. */
  readonly marks?: Partial<Record<MetricName, "corrected" | "invalid">>;
  /** Only there: the time that the device said. */
  readonly movedFrom?: number;
  /**
   * Of several messages with metrics of one moment, which one this is (the first has none). Only between the store writer
   * and the store, which shows everybody else one reading.
   */
  readonly part?: number;
};

/** Clock rules. A reading from further ahead than this is quarantined as `future`. */
export const FUTURE_MAX_MS = 5 * 60_000;
/** A reading older than this on arrival is quarantined as `too_late`, unless imported. */
export const LATENESS_MAX_MS = 7 * DAY_MS;
/** A reading this old on arrival is kept and shown as late. */
export const LATE_AFTER_MS = 30 * 60_000;

/** Derived, not stored: both times are. */
export function isLate(reading: Pick<Reading, "measuredAt" | "receivedAt">): boolean {
  return reading.receivedAt - reading.measuredAt > LATE_AFTER_MS;
}
