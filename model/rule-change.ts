import type { Figures } from "./backtest.ts";
import type { Rule, RuleData } from "./rule.ts";

/** What people did to a rule while the service ran. `removed`: back to the version of the files, or gone. */
export const RULE_CHANGES = ["changed", "promoted", "removed"] as const;

export type RuleChange = {
  readonly id: number;
  readonly rule: string;
  readonly at: number;
  readonly by: string;
  readonly what: (typeof RULE_CHANGES)[number];
  readonly reason: string;
  /** Of the rule as it was from then on; undefined once it is removed. */
  readonly version?: string;
  readonly data?: RuleData;
  /** What a backtest said of it, as the author gave it for a ground. */
  readonly figures?: Figures;
};

/** For `ifVersion`: there is no such rule yet. */
export const NO_VERSION = "none";

/** Who changes a rule, why, on what ground, and which version they looked at. */
export type RuleAuthor = {
  readonly by: string;
  readonly reason: string;
  readonly figures?: Figures;
  /** undefined: whatever it is now. */
  readonly ifVersion?: string;
};

/** The rule and where it comes from. */
export type RuleEntry = {
  readonly rule: Rule;
  /** undefined: it stands in no file. */
  readonly file?: string;
  readonly change?: RuleChange;
};

/** A change is refused. `pointer`: the field at fault, from the rule on. */
export type RuleRefusal = {
  readonly why: "invalid" | "conflict" | "missing";
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
};
export type RuleOutcome = RuleEntry | { readonly removed: true } | { readonly refused: RuleRefusal };

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
