/** Spans of the newest alerts, in milliseconds. Absent where there is none. */
type Spans = { readonly count: number; readonly medianMs: number; readonly p90Ms: number };

/** How a rule does: what people thought of its alerts, how fast they were dealt with, how much noise it made. */
export type RuleStats = {
  /** The period that everything but the reviews is about. */
  readonly days: number;
  readonly alerts: number;
  readonly alertsPerDay: number;
  /** Kept from being told, now or when they ended: for whatever reason, and because they flapped. */
  readonly suppressed: number;
  readonly flaps: number;
  /** Taken back after a late reading. */
  readonly retracted: number;
  /** All reviews there are; the newest of each alert counts. */
  readonly reviews: { readonly right: number; readonly wrong: number; readonly unclear: number };
  /** right / (right + wrong); absent while nobody has said either. */
  readonly precision?: number;
  /** From when the service knew of the alert until somebody took it. */
  readonly acknowledge?: Spans;
  /** From the beginning of an alert to its end, in the sensor's time. */
  readonly resolve?: Spans;
};

/** Median and 90th percentile by nearest rank (the smallest value that so many percent do not exceed). */
export function spansOf(values: readonly number[]): Spans | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return { count: sorted.length, medianMs: rank(0.5), p90Ms: rank(0.9) };
}
