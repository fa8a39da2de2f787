import type { DerivedMetric, MetricName } from "../../model/metrics.ts";
import type { Sentence } from "../../model/sentence.ts";

/** The values of one reading that a derived metric is made of. Times are epoch milliseconds. */
export type Measured = {
  readonly at: number;
  readonly values: Readonly<Partial<Record<MetricName, number>>>;
  /** Those of the values that are flagged suspect. */
  readonly suspect: readonly MetricName[];
};

export type DerivedSample = {
  readonly at: number;
  readonly value: number;
  readonly good: boolean;
  /** What it was worked out from, for its evidence. */
  readonly because?: Sentence;
};

/**
 * A metric that no sensor sends, worked out from others of the same sensor, such as an air-quality index. A pure fold
 * like a condition: `step` gets the readings that have any of `from`, in event-time order, and answers the new state and
 * the samples that are now known, in ascending time. The state must survive JSON, be bounded and never be changed in place.
 */
export type Derive<State = unknown> = {
  readonly metric: DerivedMetric;
  readonly from: readonly MetricName[];
  readonly quiet: State;
  step(state: State, measured: Measured): readonly [state: State, samples: readonly DerivedSample[]];
};
