import { z } from "zod";
import { RULES_MAX } from "../model/rule.ts";
import type { RuleStats } from "../model/rule-stats.ts";
import type { Parts } from "./api.ts";

const Spans = z.object({ count: z.number().int(), medianMs: z.number(), p90Ms: z.number() });

export const STATS_DAYS = 30;
/** A page of rules is shown often and its figures change slowly. */
const FRESH_MS = 10_000;

export const RuleStatsBody = z
  .object({
    days: z.number().int().describe("The period, by when alerts began; reviews are all there are"),
    alerts: z.number().int(),
    alertsPerDay: z.number(),
    suppressed: z.number().int().describe("Kept from being told, for whatever reason"),
    flaps: z.number().int().describe("Kept from being told because they came and went"),
    retracted: z.number().int().describe("Taken back after a late reading"),
    reviews: z.object({ right: z.number().int(), wrong: z.number().int(), unclear: z.number().int() }),
    precision: z.number().optional().describe("right / (right + wrong), as people judged it"),
    acknowledge: Spans.optional().describe("From when the service knew until somebody took it"),
    resolve: Spans.optional().describe("From the beginning to the end, in the sensor's time"),
  })
  .meta({ id: "RuleStats" });

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
