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
