import { z } from "zod";
import { AUDIENCES, SEVERITIES } from "./alert.ts";
import { parseDuration } from "./duration.ts";
import { ID_PATTERN } from "./ids.ts";
import { KINDS } from "./kinds.ts";
import { isMetricName, METRIC_NAMES, METRICS_OF, type MetricName } from "./metrics.ts";

/** A rule is data: what a city writes in YAML. Everything has a limit, and the message says what to write instead. */
const DAY_MS = 86_400_000;
/** 7 days: the longest `for`, `keepFor` and `after`. */
export const RULE_DURATION_MAX_MS = 7 * DAY_MS;
/** A sensor is not called silent before this. */
export const SILENCE_AFTER_MIN_MS = 15 * 60_000;
export const RULES_MAX = 1_000;
export const CONSECUTIVE_MAX = 48;

const id = z.string().regex(ID_PATTERN, "an id is 1 to 64 of a-z, 0-9 and -, and starts with a letter or digit");

function duration(minMs: number, maxMs: number, range: string) {
  return z.string().refine((text) => {
    const ms = parseDuration(text);
    return ms !== undefined && ms >= minMs && ms <= maxMs;
  }, `write a whole number and s, m, h or d, such as 10m; ${range}`);
}

const windowSize = z.string().refine((text) => {
  const ms = parseDuration(text);
  return ms !== undefined && ms >= 60_000 && ms <= DAY_MS && DAY_MS % ms === 0;
}, "a window is 1m to 1d and divides the day, such as 5m, 10m, 15m, 1h, 8h or 1d (windows are aligned to UTC)");

const hold = duration(1_000, RULE_DURATION_MAX_MS, "from 1s to 7d");
const capture = z.number().min(0.01).max(1).default(0.75);

/** A number, or the sensor's own rating: the number in its tag, times a factor. Sensors without the tag are skipped. */
const limit = z.union([z.number(), z.strictObject({ tag: z.string().min(1).max(64), times: z.number().positive() })], {
  error: "a limit is a number, or { tag, times } for a share of a number in the sensor's tags",
});

const thresholdShape = {
  type: z.literal("threshold"),
  above: limit.optional(),
  below: limit.optional(),
  /** Once firing, back to normal at or beyond this level; without it, at the limit itself. */
  clear: limit.optional(),
  for: hold.optional(),
  keepFor: hold.optional(),
  window: windowSize.optional(),
  aggregate: z.enum(["mean", "min", "max"]).default("mean"),
  capture,
};

const condition = z.discriminatedUnion(
  "type",
  [
    z.strictObject(thresholdShape),
    z.strictObject({
      type: z.literal("consecutive"),
      above: z.number(),
      count: z.int().min(1).max(CONSECUTIVE_MAX),
      window: windowSize,
      capture,
    }),
    z.strictObject({
      type: z.literal("silence"),
      after: duration(SILENCE_AFTER_MIN_MS, RULE_DURATION_MAX_MS, "from 15m to 7d").default("15m"),
    }),
  ],
  { error: "condition.type is one of threshold, consecutive, silence" },
);

const oneOrMore = z.union([id, z.array(id).min(1).max(100)]);

const fields = z.strictObject({
  id,
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
  condition,
  severity: z.enum(SEVERITIES),
  audience: z.enum(AUDIENCES),
  /** The law, standard or practice behind the limit. */
  source: z.strictObject({ text: z.string().min(3).max(300), url: z.url({ protocol: /^https?$/ }).optional() }),
  mode: z.enum(["live", "shadow"]).default("live"),
  /** What a crew or an operator should do. */
  advice: z.string().max(500).optional(),
});

export const ruleSchema = fields.superRefine((rule, context) => {
  for (const { path, message } of contradictions(rule)) context.addIssue({ code: "custom", path, message });
});

export type RuleData = Omit<z.infer<typeof fields>, "metric"> & { readonly metric?: MetricName };
/** `version`: the first 12 hex digits of the SHA-256 of the rule's canonical content. */
export type Rule = RuleData & { readonly version: string };
export type RuleCondition = RuleData["condition"];
export type ThresholdSpec = Extract<RuleCondition, { type: "threshold" }>;
export type ConsecutiveSpec = Extract<RuleCondition, { type: "consecutive" }>;
export type SilenceSpec = Extract<RuleCondition, { type: "silence" }>;
export type Limit = NonNullable<ThresholdSpec["above"]>;

type Contradiction = { path: string[]; message: string };

/** What each field allows and together makes no sense. */
function contradictions(rule: z.infer<typeof fields>): Contradiction[] {
  return [...metricMistakes(rule), ...(rule.condition.type === "threshold" ? thresholdMistakes(rule.condition) : [])];
}

function metricMistakes({ kind, metric, condition }: z.infer<typeof fields>): Contradiction[] {
  if (condition.type === "silence") {
    return metric === undefined
      ? []
      : [{ path: ["metric"], message: "a silence rule watches every reading of a sensor: leave metric out" }];
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
