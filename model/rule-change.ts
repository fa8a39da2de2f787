import type { Figures } from "./backtest.ts";
import type { RuleData } from "./rule.ts";

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
