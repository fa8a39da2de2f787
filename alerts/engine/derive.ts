import type { DerivedMetric, MetricName } from "../../model/metrics.ts";
import type { Sentence } from "../../model/sentence.ts";

/** The mean of one metric over an hour; `valid`: with its data capture, as any window of a rule. */
export type HourMean = { readonly value: number; readonly good: boolean; readonly valid: boolean };
/** Of those metrics that had a value in the hour. */
export type HourMeans = Readonly<Partial<Record<MetricName, HourMean>>>;

export type DerivedSample = {
  readonly at: number;
  readonly value: number;
  readonly good: boolean;
  /** What it was worked out from, for its evidence. */
  readonly because?: Sentence;
};

/**
 * A metric that no sensor sends, worked out from others of the same sensor at the end of each UTC hour that had any of
 * `from`, when the first value after it comes; such as an air-quality index. A pure fold like a condition, over the hours
 * (by their beginnings, epoch milliseconds). The state must survive JSON, be bounded and never be changed in place.
 */
export type Derive<State = unknown> = {
  readonly metric: DerivedMetric;
  readonly from: readonly MetricName[];
  /** The share of an hour for which there must be data. */
  readonly capture: number;
  readonly quiet: State;
  step(state: State, hour: number, means: HourMeans): readonly [state: State, sample: DerivedSample | undefined];
};
