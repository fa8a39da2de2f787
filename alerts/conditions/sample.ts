import type { Evidence, Expected } from "../../model/alert.ts";
import type { Cadence } from "./cadence.ts";
import type { Roll } from "./window.ts";

/** One value of one metric of one sensor, in event-time order within its stream. Times are epoch milliseconds. */
export type Sample = {
  readonly at: number;
  readonly value: number;
  /** False for a value flagged suspect: it counts, but an operators' alert does not rest on such values alone. */
  readonly good: boolean;
  /** The sample before, undefined for the first. */
  readonly lastAt: number | undefined;
  /** When its sensor was last heard before, whatever it said then. Left out where it does not matter. */
  readonly heardAt?: number | undefined;
  /** How often samples come, as known before this one. */
  readonly cadence: Cadence;
  /**
   * What this sample did to windows, for the rules that come after: those with windows of one size share them, in time
   * and in memory. A memory of a pure function, nothing else; left out in tests.
   */
  readonly rolls?: Roll[];
};

/** What a condition has to say. The engine makes alerts of it. */
export type Outcome = {
  readonly what: "pending" | "firing" | "resolved";
  /** Event time of the verdict: the sample's time, or the end of the window. */
  readonly at: number;
  /** When the condition began to hold: with rule and subject, the identity of the alert. */
  readonly startedAt: number;
  readonly value?: number;
  /** Where it is not the rule's own limit: the silence limit in minutes. */
  readonly limit?: number;
  readonly evidence: readonly Evidence[];
  /** For a forecast: when the limit will be reached. */
  readonly expected?: Expected;
  /** For "resolved": it cleared, it ended before it had held for long enough, or the data ran out. */
  readonly why?: "cleared" | "not-held" | "no-data";
};

/** The next state and what happened. States are plain JSON and never changed in place. */
export type Step<State> = readonly [state: State, outcomes: readonly Outcome[]];

export const NOTHING: readonly Outcome[] = [];

/**
 * A condition over the values of one metric. Pure: time is the sample's. `State` must survive JSON and be bounded.
 */
export type ValueCondition<Params, State> = {
  /** The state of a subject nothing is known of. Returned by reference, so that such states need not be kept. */
  readonly quiet: State;
  step(params: Params, state: State, sample: Sample): Step<State>;
  /** Everything up to `time` is known to have come: a window that has ended is closed without waiting for a sample. */
  advance?(params: Params, state: State, time: number, cadence: Cadence & { readonly lastAt?: number }): Step<State>;
  /** `advance` gets the time the sensor was last heard instead, where that is earlier. */
  readonly whileHeard?: true;
};
