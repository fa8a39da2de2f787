import { RULES_MAX } from "../model/rule.ts";
import type { RuleStats } from "../model/rule-stats.ts";
import type { Parts } from "./api.ts";

export const STATS_DAYS = 30;
/** A page of rules is shown often and its figures change slowly. */
const FRESH_MS = 10_000;

/** How each rule does, over the last 30 days unless asked otherwise; kept for some seconds. */
export function createRuleFigures({ records, now }: Pick<Parts, "records" | "now">) {
  const kept = new Map<string, { readonly at: number; readonly stats: RuleStats }>();

  function of(rule: string): RuleStats {
    const known = kept.get(rule);
    if (known && Math.abs(now() - known.at) < FRESH_MS) return known.stats;
    const stats = records.ruleStats.of(rule, now(), STATS_DAYS);
    // Rules come and go: those that are gone are not kept for ever.
    if (kept.size >= 2 * RULES_MAX) kept.clear();
    kept.set(rule, { at: now(), stats });
    return stats;
  }

  return { of };
}
