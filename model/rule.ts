import { z } from "zod";
import { AUDIENCES, SEVERITIES } from "./alert.ts";
import { conditionSchema, type Limit, ruleId, type ThresholdSpec } from "./conditions.ts";
import { KINDS } from "./kinds.ts";
import { isMetricName, METRIC_NAMES, METRICS_OF, type MetricName } from "./metrics.ts";

/** A rule is data: what a city writes in YAML. Everything has a limit, and the message says what to write instead. */
export const RULES_MAX = 1_000;

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
    .refine(isMetricName, { error: (issue) => `"${issue.input}" is not a metric; known: ${METRIC_NAMES.join(" ")}` })
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

export type RuleData = Omit<z.infer<typeof fields>, "metric"> & { readonly metric?: MetricName };
/** `version`: the first 12 hex digits of the SHA-256 of the rule's canonical content. */
export type Rule = RuleData & { readonly version: string };

type Contradiction = { path: string[]; message: string };

/** What each field allows and together makes no sense. */
function contradictions(rule: z.infer<typeof fields>): Contradiction[] {
  return [...metricMistakes(rule), ...(rule.condition.type === "threshold" ? thresholdMistakes(rule.condition) : [])];
}

function metricMistakes({ kind, metric, condition }: z.infer<typeof fields>): Contradiction[] {
  if (condition.type === "silence" || condition.type === "quorum") {
    const watched = condition.type === "silence" ? "every reading of a sensor" : "the alerts of another rule";
    const message = `a ${condition.type} rule watches ${watched}: leave metric out`;
    return metric === undefined ? [] : [{ path: ["metric"], message }];
  }
  if (metric === undefined) return [{ path: ["metric"], message: "metric is missing: which value is compared?" }];
  const kinds = kind === "any" ? KINDS : [kind];
  if (kinds.every((one) => METRICS_OF[one].includes(metric as MetricName))) return [];
  const common = METRICS_OF[kinds[0]!].filter((name) => kinds.every((one) => METRICS_OF[one].includes(name)));
  const whose = kind === "any" ? "every kind of sensor" : `${kind} sensors`;
  return [{ path: ["metric"], message: `"${metric}" is not sent by ${whose}; choose one of: ${common.join(" ")}` }];
}

function thresholdMistakes(spec: ThresholdSpec): Contradiction[] {
  const path = ["condition"];
  if ((spec.above === undefined) === (spec.below === undefined)) {
    return [{ path, message: "a threshold has exactly one of above and below" }];
  }
  const { clear } = spec;
  if (clear === undefined) return [];
  const bound = (spec.above ?? spec.below) as Limit;
  const pair = comparable(bound, clear);
  if (!pair) return [{ path: [...path, "clear"], message: "clear must use the same tag as the limit" }];
  const wrong = spec.above !== undefined ? pair[1] > pair[0] : pair[1] < pair[0];
  const side = spec.above !== undefined ? "at or below `above`" : "at or above `below`";
  return wrong ? [{ path: [...path, "clear"], message: `clear is on the wrong side: it must be ${side}` }] : [];
}

function comparable(a: Limit, b: Limit): readonly [number, number] | undefined {
  if (typeof a === "number" && typeof b === "number") return [a, b];
  if (typeof a === "number" || typeof b === "number") return undefined;
  return a.tag === b.tag ? [a.times, b.times] : undefined;
}
