import type { Evidence, Expected } from "../../model/alert.ts";
import type { ConditionType, Limit, Spec } from "../../model/conditions.ts";
import type { Kind } from "../../model/kinds.ts";
import { isDerived, type MetricName } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import type { Amount, Sentence } from "../../model/sentence.ts";
import type { Span } from "../../model/silence.ts";
import type { Cadence } from "./cadence.ts";
import type { OverRejections } from "./rejections.ts";
import type { WindowSample } from "./window.ts";

/** One value of one metric of one sensor, in event-time order within its stream. Times are epoch milliseconds. */
export type Sample = WindowSample & {
  /** The sample before, undefined for the first. */
  readonly lastAt: number | undefined;
  /** When its sensor was last heard before, whatever it said then. Left out where it does not matter. */
  readonly heardAt?: number | undefined;
  /** Another alert of the same cause is open: on this value, or one that goes with it. It shows nothing to learn from. */
  readonly alarmed?: boolean | undefined;
  /** When people worked on the sensor, oldest first: nor does that. Left out where nobody did. */
  readonly works?: readonly Span[] | undefined;
  /** How often samples come, as known before this one. */
  readonly cadence: Cadence;
  /** Other values of the same reading, for conditions that name them. Left out where nobody does. */
  readonly beside?: Readonly<Partial<Record<MetricName, number>>> | undefined;
  /** Of a value that is worked out: from what. */
  readonly because?: Sentence | undefined;
};

/** Somebody worked on its sensor at some time within [from, to]. */
export function isWorkedOn({ works }: Pick<Sample, "works">, from: number, to: number): boolean {
  return works?.some((span) => span.from <= to && span.to > from) === true;
}

/** The `nth` hour or day of this year above the limit; `allowed`: so many of them. */
export type Count = {
  readonly per: "hour" | "day";
  readonly nth: number;
  readonly allowed?: number | undefined;
  readonly limit: number;
};

/** What a condition has to say. The engine makes alerts of it. */
export type Outcome = {
  /** "raised", "lowered": it fires on, at another level; "counted": it fires on, and once more of what is allowed is used. */
  readonly what: "pending" | "firing" | "raised" | "lowered" | "counted" | "resolved";
  /** Of a rule with levels: at which it is, 1 the mildest; and since when that holds. */
  readonly level?: number | undefined;
  readonly since?: number | undefined;
  /** Event time of the verdict: the sample's time, or the end of the window. */
  readonly at: number;
  /** When the condition began to hold: with rule and subject, the identity of the alert. */
  readonly startedAt: number;
  readonly value?: number;
  /** Where it is not the rule's own limit: the silence limit in minutes. */
  readonly limit?: number;
  readonly evidence: readonly Evidence[];
  /** Of limits that may be passed so often a year: which time it is. */
  readonly counts?: readonly Count[];
  /** For a forecast: when the limit will be reached. */
  readonly expected?: Expected;
  /** For "resolved": it cleared, it ended before it had held for long enough, or the data ran out. */
  readonly why?: "cleared" | "not-held" | "no-data" | undefined;
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

/** The part of the registry's sensor that rules look at. */
export type WatchedSensor = {
  readonly id: string;
  readonly kind: Kind;
  readonly district: string;
  readonly name?: string;
  readonly intervalS?: number;
  readonly lat?: number;
  readonly lon?: number;
  /** The gateway that enrolled it. */
  readonly gateway?: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** When people worked on a sensor, around this moment, oldest first: nothing is learnt of what it shows then. */
export type WorksOn = (sensor: WatchedSensor, at: number) => readonly Span[];

/** What a sentence is made from. */
export type Case<T extends ConditionType = ConditionType, Params = unknown> = {
  readonly rule: Rule;
  readonly spec: Spec<T>;
  readonly params: Params;
  readonly sensor: WatchedSensor;
  readonly outcome: Outcome;
};

/** Everything of a type of condition that watches the values of one sensor. */
export type OverValues<T extends ConditionType, Params, State> = ValueCondition<Params, State> & {
  readonly over: "values";
  /** What is the same for all sensors is worked out once. undefined: the sensor lacks the tag of the limit, or it is no number. */
  params(spec: Spec<T>, rule: Rule): (sensor: WatchedSensor) => Params | undefined;
  /** What `params` looks at of a sensor beside the tags that the condition names: sensors with the same share their params. */
  looksAt?(sensor: WatchedSensor): string;
  /** Metrics that it wants to see beside its own, where a reading has them. */
  readonly beside?: readonly MetricName[];
  /** The limit that an alert shows, where the outcome has none of its own. */
  limit?(params: Params): number;
  /** Of the value and the limit of the alert, where it is not the metric's. */
  readonly unit?: string;
  /** What, where, when, how much, against which limit. For pending and firing. */
  explain(about: Case<T, Params>): Sentence;
  /** How it ended, as a sentence of its own; undefined: with the value at which it ended. */
  explainEnd?(about: Pick<Case<T, Params>, "rule" | "spec" | "outcome">): Sentence | undefined;
  /** What the sensors of a quorum did that counts these alerts: "fell silent". */
  deed?(rule: Rule): Sentence;
};

/** A type of condition that watches what several sensors say: `districts/` counts and compares them. */
export type OverSeveral = { readonly over: "several" };

// biome-ignore lint/suspicious/noExplicitAny: the registry has conditions of all params and states, each its own
export type AnyOverValues = OverValues<ConditionType, any, any>;
type Several = "drift" | "quorum";
export type Condition<T extends ConditionType> = T extends "rejections"
  ? OverRejections
  : T extends Several
    ? OverSeveral
    : // biome-ignore lint/suspicious/noExplicitAny: see above
      OverValues<T, any, any>;

/** Operators' alerts do not rest on suspect values alone. */
export const needsGood = ({ audience }: Rule): boolean => audience === "operators";

/**
 * One sample never calls a crew as critical: devices say 85 °C, 0 % or 65535 where they have nothing to say, and some of
 * that lies within the range of what is possible. The second one confirms it. An index that is worked out has none.
 */
export const needsSecond = ({ audience, severity, metric }: Rule): boolean =>
  audience === "crews" && severity === "critical" && metric !== undefined && !isDerived(metric);

/** A limit of one sensor; undefined: it lacks the tag, or the tag is no number. */
export function limitFor(limit: Limit, { tags }: WatchedSensor): number | undefined {
  if (typeof limit === "number") return limit;
  const text = Object.hasOwn(tags, limit.tag) ? tags[limit.tag]!.trim() : "";
  const rating = text === "" ? Number.NaN : Number(text);
  return Number.isFinite(rating) ? rating * limit.times : undefined;
}

/** What is measured where: the beginning of most sentences. */
export function measured({ metric }: Rule, { id, name }: WatchedSensor): { metric: string; where: string } {
  return { metric: metric!, where: name ?? id };
}

/** A value of the metric. `limit`: it is this one of the rule's, for which the sensor's own rating may stand. */
export function amount({ metric }: Rule, value: number, limit?: Limit): Amount {
  const share = typeof limit === "object" ? { share: limit.times, tag: limit.tag } : {};
  return { value, of: metric, ...share };
}
