import { z } from "zod";
import { AUDIENCES, SEVERITIES } from "./alert.ts";
import { conditionSchema, ruleId } from "./conditions.ts";
import { KINDS } from "./kinds.ts";
import { DERIVED, isDerived, isMetricName, METRIC_NAMES, type RuleMetric } from "./metrics.ts";
import { contradictions } from "./rule-mistakes.ts";

/** A rule is data: what a city writes in YAML. Everything has a limit, and the message says what to write instead. */
export const RULES_MAX = 1_000;

const RULE_METRICS = [...METRIC_NAMES, ...Object.keys(DERIVED)];

const oneOrMore = z.union([ruleId, z.array(ruleId).min(1).max(100)]);

const fields = z.strictObject({
  id: ruleId,
  title: z.string().min(3).max(120),
  /** "any" for what every device reports of itself: battery, radio, enclosure, silence. */
  kind: z.enum([...KINDS, "any"]),
  select: z
    .strictObject({
      district: oneOrMore.optional(),
      sensor: oneOrMore.optional(),
      tag: z.record(z.string().min(1).max(64), z.string().max(200)).optional(),
    })
    .optional(),
  metric: z
    .string()
    .refine((name) => isMetricName(name) || isDerived(name), {
      error: (issue) => `"${issue.input}" is not a metric; known: ${RULE_METRICS.join(" ")}`,
    })
    .meta({ enum: RULE_METRICS })
    .optional(),
  condition: conditionSchema,
  severity: z.enum(SEVERITIES),
  audience: z.enum(AUDIENCES),
  /** The law, standard or practice behind the limit. */
  source: z.strictObject({ text: z.string().min(3).max(300), url: z.url({ protocol: /^https?$/ }).optional() }),
  mode: z.enum(["live", "shadow"]).default("live"),
  /** While this rule fires, alerts of those rules on the same sensor (or behind the same gateway, …) tell nobody. */
  inhibits: z
    .array(
      z.strictObject({
        rule: ruleId,
        where: z
          .union([z.enum(["sensor", "district", "gateway"]), z.strictObject({ tag: z.string().min(1).max(64) })])
          .default("sensor"),
      }),
    )
    .max(100)
    .optional(),
  /** What a crew or an operator should do. */
  advice: z.string().max(500).optional(),
});

export const ruleSchema = fields.superRefine((rule, context) => {
  for (const { path, message } of contradictions(rule)) context.addIssue({ code: "custom", path, message });
});

export type RuleData = Omit<z.infer<typeof fields>, "metric"> & { readonly metric?: RuleMetric };
/** `version`: the first 12 hex digits of the SHA-256 of the rule's canonical content. */
export type Rule = RuleData & { readonly version: string };
