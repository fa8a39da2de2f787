import { z } from "zod";
import { AUDIENCES, SEVERITIES } from "../model/alert.ts";
import { KINDS } from "../model/kinds.ts";
import type { Rule, RuleData } from "../model/rule.ts";
import { AlertBody } from "./alert.ts";
import { type Sent, Time, type View } from "./common.ts";

const Spans = z.object({ count: z.number().int(), medianMs: z.number(), p90Ms: z.number() });
/** How many, and how long it took, in milliseconds. */
export type SpansView = View<typeof Spans>;

/** The period of a rule's figures, unless asked otherwise. */
export const RULE_STATS_DAYS = 30;

/** How a rule does: what people thought of its alerts, how fast they were dealt with, how much noise it made. */
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

export type RuleStatsView = View<typeof RuleStatsBody>;

/**
 * A rule as in a rules file, as it is served. The document leaves it open: what may be in it is said by the rules
 * themselves (docs/rules.md).
 */
const ServedRule = z.looseObject({}) as unknown as z.ZodType<RuleData>;

export const FiguresBody = z
  .strictObject({
    alerts: z.number().int().nonnegative(),
    alertsPerDay: z.number().nonnegative(),
    // Time in which alerts were firing within the span, summed over the alerts.
    minutesFiring: z.number().nonnegative(),
    // Said and then taken back by a late reading.
    retracted: z.number().int().nonnegative().default(0),
  })
  .meta({ id: "BacktestFigures", description: "What a backtest said" });
export type FiguresView = View<typeof FiguresBody>;

/** What people did to a rule while the service ran. `removed`: back to the version of the files, or gone. */
const RULE_CHANGES = ["changed", "promoted", "removed"] as const;

export const ChangeBody = z
  .object({
    id: z.number().int(),
    rule: z.string(),
    at: Time,
    by: z.string(),
    what: z.enum(RULE_CHANGES),
    reason: z.string(),
    version: z.string().optional().describe("Absent once it is removed"),
    data: ServedRule.optional().describe("The rule as it was from then on"),
    figures: FiguresBody.optional(),
  })
  .meta({ id: "RuleChange" });
export type RuleChangeView = Omit<View<typeof ChangeBody>, "data"> & { readonly data?: RuleData };
export type RuleChange = Omit<RuleChangeView, "at"> & { readonly at: number };

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

export const RuleBody = z
  .looseObject({
    id: z.string(),
    version: z.string(),
    title: z.string(),
    kind: z.enum([...KINDS, "any"]),
    metric: z.string().optional(),
    condition: z.looseObject({ type: z.string() }),
    severity: z.enum(SEVERITIES),
    audience: z.enum(AUDIENCES),
    source: z.object({ text: z.string(), url: z.string().optional() }).describe("Where the limit comes from"),
    mode: z.enum(["live", "shadow"]).describe("shadow: it runs and tells nobody"),
    state: z.enum(["ok", "error"]),
    failure: z.string().optional().describe("Why it is out of use"),
    stats: RuleStatsBody.optional().describe("Of the last 30 days"),
    file: z.string().optional().describe("The file it stands in; absent for a rule made here"),
    changed: z
      .object({ at: Time, by: z.string(), what: z.enum(RULE_CHANGES), reason: z.string() })
      .optional()
      .describe("The change that is in force over the file"),
  })
  .meta({ id: "Rule" });

export const RuleDetailBody = RuleBody.extend({
  shadow: z
    .object({ alerts: z.number().int(), firing: z.number().int(), last: z.array(AlertBody) })
    .optional()
    .describe("What a shadow rule would have said since it is one"),
}).meta({ id: "RuleDetail" });
/** A rule with what the service says of it; `shadow` where one rule was asked for. */
export type RuleView = Omit<View<typeof RuleDetailBody>, keyof RuleData> & RuleData;

const reason = z.string().trim().min(3).max(500);
const because = { reason, figures: FiguresBody.optional() };
export const NewRule = z
  .strictObject({ rule: z.looseObject({}).describe("The rule, as in a rules file"), ...because })
  .meta({ id: "NewRule" });
export type NewRule = Sent<typeof NewRule>;
export const Because = z.strictObject(because).meta({ id: "RuleReason" });
export type Because = Sent<typeof Because>;

/** For `ifVersion`: there is no such rule yet. */
export const NO_VERSION = "none";
/** Who changes a rule, why, on what ground, and which version they looked at. */
export type RuleAuthor = View<typeof Because> & {
  readonly by: string;
  /** undefined: whatever it is now. */
  readonly ifVersion?: string;
};
export const Reason = z.strictObject({ reason });
export type Reason = Sent<typeof Reason>;

const FoundRule = z.looseObject({ id: z.string() }) as unknown as z.ZodType<RuleData>;
const YAML_CHARS_MAX = 1_048_576;
export const RulesYaml = z.strictObject({ yaml: z.string().max(YAML_CHARS_MAX) }).meta({ id: "RulesYaml" });
export type RulesYaml = Sent<typeof RulesYaml>;
export const CheckBody = z
  .object({
    ok: z.boolean(),
    rules: z.number().int().describe("Rules without a mistake"),
    mistakes: z.array(
      z.object({ file: z.string(), line: z.number().int(), column: z.number().int(), message: z.string() }),
    ),
    truncated: z.boolean().describe("There may be more mistakes: after 100 the rest is not read"),
    found: z.array(FoundRule).describe("Those rules, with what they leave out filled in"),
  })
  .meta({ id: "RulesCheck" });
export type RulesCheckView = Omit<View<typeof CheckBody>, "found"> & { readonly found: readonly RuleData[] };

export const RuleStatsQuery = z.strictObject({
  days: z.coerce.number().int().min(1).max(365).default(RULE_STATS_DAYS),
});
