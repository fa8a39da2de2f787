import { z } from "zod";
import { AUDIENCES, SEVERITIES, type Severity } from "./alert.ts";
import {
  CONSECUTIVE_MAX,
  conditionSchema,
  hold,
  type Limit,
  limit,
  type RuleCondition,
  ruleId,
  type Spec,
} from "./conditions.ts";
import { KINDS, type Kind } from "./kinds.ts";
import {
  DERIVED,
  isDerived,
  isMetricName,
  METRIC_NAMES,
  type MetricName,
  metricRow,
  type RuleMetric,
  ruleMetricsOf,
} from "./metrics.ts";
import { conditionAt } from "./rule-levels.ts";
import { DAY_MS, HOUR_MS, parseDuration } from "./time.ts";

/** A rule is data: what a city writes in YAML. Everything has a limit, and the message says what to write instead. */
export const RULES_MAX = 1_000;

const RULE_METRICS = [...METRIC_NAMES, ...Object.keys(DERIVED)];

const oneOrMore = z.union([ruleId, z.array(ruleId).min(1).max(100)]);

const source = z.strictObject({
  text: z.string().min(3).max(300),
  url: z.url({ protocol: /^https?$/ }).optional(),
});

/** Above the rule's own condition and severity, which are the first: what a level does not say is as in the rule. */
const level = z.strictObject({
  above: limit.optional(),
  below: limit.optional(),
  clear: limit.optional(),
  /** 0s: at once, where the rule waits. */
  for: z.union([z.literal("0s"), hold]).optional(),
  keepFor: hold.optional(),
  count: z.int().min(1).max(CONSECUTIVE_MAX).optional(),
  allowed: z.int().min(0).max(366).optional(),
  severity: z.enum(SEVERITIES),
  title: z.string().min(3).max(120).optional(),
  source: source.optional(),
  advice: z.string().max(500).optional(),
  formerly: ruleId.optional(),
});

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
      /** Not those with any of these tags: what other rules know better. */
      without: z.record(z.string().min(1).max(64), z.string().max(200)).optional(),
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
  source,
  /** The rule that this one, at its first level, has taken the place of: what names that still means this. */
  formerly: ruleId.optional(),
  /** Further levels of the same condition, the mildest first: one alert, whose severity rises and falls. */
  levels: z.array(level).min(1).max(5).optional(),
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
export type Rule = RuleData & {
  readonly version: string;
  /** In which its sentences state times, where rules are in force: UTC without it. */
  readonly zone?: string;
  /** Where the city is, for sensors without a place of their own. */
  readonly place?: { readonly lat: number; readonly lon: number };
  /** Days like Sundays, where rules are in force: "12-25" of every year, or "2026-04-06". */
  readonly holidays?: readonly string[];
};

type Contradiction = { readonly path: (string | number)[]; readonly message: string };

type Level = z.infer<typeof level>;
type Draft = {
  readonly kind: Kind | "any";
  readonly metric?: string;
  readonly condition: RuleCondition;
  readonly severity?: Severity;
  readonly levels?: readonly Level[] | undefined;
};

/** What each field of a rule allows and together makes no sense, each with what to write instead. */
export function contradictions(rule: Draft): Contradiction[] {
  return [...metricMistakes(rule), ...conditionMistakes(rule), ...limitMistakes(rule), ...levelMistakes(rule)];
}

function levelMistakes({ levels = [], condition, severity = "info", ...rest }: Draft): Contradiction[] {
  if (levels.length === 0) return [];
  const { type } = condition;
  if (type !== "threshold" && type !== "consecutive") {
    const message = `a ${type} rule has no levels: they are for threshold and consecutive; write a rule of its own for each`;
    return [{ path: ["levels"], message }];
  }
  let former = { condition: condition as RuleCondition, severity };
  return levels.flatMap((one, i) => {
    const strange = strangersIn(condition, one);
    const next = { condition: conditionAt(condition, one), severity: one.severity };
    const found = strange ?? orderMistakes(former, next, one, i);
    const own = [...conditionMistakes({ ...rest, ...next }), ...limitMistakes({ ...rest, ...next })];
    former = next;
    const inside = own.map(({ path, message }) => ({ path: path.slice(1), message }));
    return [...found, ...(found.length > 0 ? [] : inside)].map(({ path, message }) => ({
      path: ["levels", i, ...path],
      message,
    }));
  });
}

/** Fields that the condition of this rule does not have. */
function strangersIn(condition: Spec<"threshold"> | Spec<"consecutive">, one: Level): Contradiction[] | undefined {
  const side = condition.type === "threshold" && condition.below !== undefined ? "below" : "above";
  const known = condition.type === "threshold" ? [side, "clear", "for", "keepFor"] : ["above", "count", "allowed"];
  const strange = (["above", "below", "clear", "for", "keepFor", "count", "allowed"] as const).filter(
    (key) => one[key] !== undefined && !known.includes(key),
  );
  if (strange.length > 0) {
    const message = `a level of this rule may have ${known.join(", ")}; remove ${strange.join(", ")}`;
    return [{ path: [strange[0]!], message }];
  }
  if (condition.type === "consecutive" && one.above !== undefined && typeof one.above !== "number") {
    return [{ path: ["above"], message: "a level of a consecutive rule is a number" }];
  }
  return undefined;
}

type AtLevel = { readonly condition: RuleCondition; readonly severity: Severity };

function orderMistakes(former: AtLevel, next: AtLevel, one: Level, i: number): Contradiction[] {
  const order = "order levels from the mildest to the most severe";
  const [before, after] = [former.condition, next.condition] as Spec<"threshold">[];
  const side = before!.below === undefined ? "above" : "below";
  const pair = comparable(before![side]!, after![side]!);
  const path = [one[side] === undefined ? "severity" : side];
  if (!pair) return [{ path, message: "all levels of a rule are numbers, or shares of the same tag" }];
  const beyond = side === "above" ? pair[1] - pair[0] : pair[0] - pair[1];
  const first = `level ${i + 1}`;
  if (beyond < 0) {
    const message = `level ${i + 2} (${side} ${pair[1]}) lies before ${first} (${side} ${pair[0]}): ${order}`;
    return [{ path, message }];
  }
  if (beyond === 0 && longOf(next.condition) <= longOf(former.condition)) {
    const message = `level ${i + 2} is no further than ${first} and need not last longer: leave it out, or raise its limit`;
    return [{ path, message }];
  }
  if (SEVERITIES.indexOf(next.severity) >= SEVERITIES.indexOf(former.severity)) return [];
  const message = `level ${i + 2} is ${next.severity} and ${first} is ${former.severity}: ${order}`;
  return [{ path: ["severity"], message }];
}

/** How long it has to last: windows, or milliseconds. */
function longOf(condition: RuleCondition): number {
  const { count, for: hold } = condition as { count?: number; for?: string };
  return count ?? parseDuration(hold ?? "") ?? 0;
}

function metricMistakes({ kind, metric, condition }: Draft): Contradiction[] {
  const { type } = condition;
  if (type === "quorum") {
    const message = "a quorum rule watches the alerts of another rule: leave metric out";
    return metric === undefined ? [] : [{ path: ["metric"], message }];
  }
  // Without a metric it is the sensor that is silent, or its messages that are refused.
  if ((type === "silence" || type === "rejections") && metric === undefined) return [];
  if (metric === undefined) return [{ path: ["metric"], message: "metric is missing: which value is compared?" }];
  const kinds = kind === "any" ? KINDS : [kind];
  const common = ruleMetricsOf(kinds[0]!).filter((name) => kinds.every((one) => ruleMetricsOf(one).includes(name)));
  if (!common.includes(metric as RuleMetric)) {
    const whose = kind === "any" ? "every kind of sensor" : `${kind} sensors`;
    return [{ path: ["metric"], message: `"${metric}" is not sent by ${whose}; choose one of: ${common.join(" ")}` }];
  }
  return isDerived(metric) ? derivedMistakes(metric, condition) : [];
}

/** It has one value per hour, an index of few classes: there is nothing in it to be stuck, to drift or to roll over. */
function derivedMistakes(metric: string, condition: RuleCondition): Contradiction[] {
  const { type } = condition;
  if (type !== "threshold" && type !== "consecutive" && type !== "change") {
    const message = `${type} makes no sense on "${metric}", one value per hour: use threshold, consecutive or change`;
    return [{ path: ["condition", "type"], message }];
  }
  const windowMs = type === "change" || condition.window === undefined ? undefined : parseDuration(condition.window);
  if (windowMs === undefined || windowMs >= HOUR_MS) return [];
  const message = `"${metric}" has one value per hour: no window shorter than 1h can be filled`;
  return [{ path: ["condition", "window"], message }];
}

function conditionMistakes({ metric, condition }: Draft): Contradiction[] {
  switch (condition.type) {
    case "threshold":
      return [...oneSide(condition, "a threshold"), ...clearMistakes(condition), ...dayMistakes(condition)];
    case "consecutive":
      return [...dayMistakes(condition), ...allowanceMistakes(condition)];
    case "forecast":
      return [...oneSide(condition, "a forecast"), ...horizonMistakes(condition)];
    case "change":
      return changeMistakes(condition);
    case "flatline":
      return flatlineMistakes(condition);
    case "register":
      return registerMistakes(metric, condition.maxPower);
    case "lighting":
      return lightingMistakes(metric, condition);
    default:
      return [];
  }
}

function oneSide({ above, below }: Pick<Spec<"threshold">, "above" | "below">, who: string): Contradiction[] {
  if ((above === undefined) !== (below === undefined)) return [];
  return [{ path: ["condition"], message: `${who} has exactly one of above and below` }];
}

function dayMistakes({ window, days }: Pick<Spec<"threshold">, "window" | "days">): Contradiction[] {
  if (days === undefined || parseDuration(window ?? "") === DAY_MS) return [];
  return [{ path: ["condition", "days"], message: "days is about windows of 1d: shorter ones are aligned to UTC" }];
}

function allowanceMistakes({ allowed, count, window }: Spec<"consecutive">): Contradiction[] {
  const windowMs = parseDuration(window);
  if (allowed === undefined || (count === 1 && (windowMs === HOUR_MS || windowMs === DAY_MS))) return [];
  const message = "allowed is for single hours or days above the limit: count is 1, and window 1h or 1d";
  return [{ path: ["condition", "allowed"], message }];
}

function clearMistakes({ above, below, clear }: Spec<"threshold">): Contradiction[] {
  const bound = above ?? below;
  if (clear === undefined || bound === undefined || (above !== undefined && below !== undefined)) return [];
  const path = ["condition", "clear"];
  const pair = comparable(bound, clear);
  if (!pair) return [{ path, message: "clear must use the same tag as the limit" }];
  const wrong = above !== undefined ? pair[1] > pair[0] : pair[1] < pair[0];
  const side = above !== undefined ? "at or below `above`" : "at or above `below`";
  return wrong ? [{ path, message: `clear is on the wrong side: it must be ${side}` }] : [];
}

function comparable(a: Limit, b: Limit): readonly [number, number] | undefined {
  if (typeof a === "number" && typeof b === "number") return [a, b];
  if (typeof a === "number" || typeof b === "number") return undefined;
  return a.tag === b.tag ? [a.times, b.times] : undefined;
}

/** How many times the length of its past a trend may be drawn out into the future. */
const HORIZON_TIMES_MAX = 4;

function horizonMistakes({ within, over }: Spec<"forecast">): Contradiction[] {
  const [withinMs, overMs] = [parseDuration(within), parseDuration(over)];
  // What is no duration at all has been said already.
  if (withinMs === undefined || overMs === undefined || withinMs <= HORIZON_TIMES_MAX * overMs) return [];
  const message = `a trend over ${over} cannot be drawn out to ${within}: at most ${HORIZON_TIMES_MAX} times as long; raise over or lower within`;
  return [{ path: ["condition", "within"], message }];
}

function changeMistakes({ rise, fall }: Spec<"change">): Contradiction[] {
  if ((rise === undefined) !== (fall === undefined)) return [];
  return [{ path: ["condition"], message: "a change has exactly one of rise and fall" }];
}

function flatlineMistakes({ floor, ceiling }: Spec<"flatline">): Contradiction[] {
  if (floor === undefined || ceiling === undefined || floor < ceiling) return [];
  return [{ path: ["condition", "floor"], message: "floor must be below ceiling: between them lies what is watched" }];
}

function registerMistakes(metric: string | undefined, maxPower: Limit): Contradiction[] {
  const path = ["condition", "maxPower"];
  const power = typeof maxPower === "number" && maxPower <= 0 ? [{ path, message: "maxPower must be above 0 kW" }] : [];
  if (metric === undefined || metric === "energyImport" || metric === "energyExport") return power;
  const message = "a register rule watches a meter's register: metric is energyImport or energyExport";
  return [{ path: ["metric"], message }, ...power];
}

const LIGHTING_METRICS = ["activePower", "current", "lampState", "dimLevel"];
/** Which fault a field is about. */
const LIGHTING_FIELDS = {
  for: ["dark", "lamps-out", "by-day"],
  share: ["lamps-out"],
  tolerance: ["switching"],
  nights: ["switching"],
} as const satisfies Partial<Record<keyof Spec<"lighting">, readonly Spec<"lighting">["fault"][]>>;

function lightingMistakes(metric: string | undefined, condition: Spec<"lighting">): Contradiction[] {
  const { fault } = condition;
  const found: Contradiction[] = [];
  if (metric !== undefined && !LIGHTING_METRICS.includes(metric)) {
    const message = `lighting watches what lamps draw or say: metric is one of ${LIGHTING_METRICS.join(" ")}`;
    found.push({ path: ["metric"], message });
  }
  if ((metric === "lampState" || metric === "dimLevel") && fault === "lamps-out") {
    const message = "how many lamps are out is seen from activePower or current, not from a state";
    found.push({ path: ["condition", "fault"], message });
  }
  for (const [field, faults] of Object.entries(LIGHTING_FIELDS)) {
    if (condition[field as keyof typeof LIGHTING_FIELDS] === undefined) continue;
    if ((faults as readonly string[]).includes(fault)) continue;
    found.push({ path: ["condition", field], message: `${field} is only for ${faults.join(", ")}: leave it out` });
  }
  return found;
}

/** A limit that no reading can pass: beyond what is accepted of the metric at all. */
function limitMistakes({ metric, condition }: Draft): Contradiction[] {
  const row = metric === undefined ? undefined : rangeOf(metric);
  if (!row || !("above" in condition || "below" in condition) || condition.type === "spike") return [];
  const [low, high] = row;
  const { above, below } = condition as { above?: Limit; below?: Limit };
  const outside = (which: string, bound: Limit | undefined, beyond: (limit: number) => boolean): Contradiction[] => {
    if (typeof bound !== "number" || !beyond(bound)) return [];
    const message = `no reading can be ${which} ${bound}: ${metric} is accepted from ${low} to ${high}`;
    return [{ path: ["condition", which], message }];
  };
  return [...outside("above", above, (limit) => limit >= high), ...outside("below", below, (limit) => limit <= low)];
}

function rangeOf(metric: string): readonly [number, number] | undefined {
  return isDerived(metric) ? DERIVED[metric].range : metricRow(metric as MetricName)?.fail;
}

/** A rule as it is at each of its levels, the mildest first; one without levels is its only one. */
export function levelRules(rule: Rule): readonly Rule[] {
  return [rule, ...(rule.levels ?? []).map((level) => ({ ...rule, ...levelParts(rule, level) }))];
}

function levelParts({ title, source, advice, condition }: RuleData, level: Level) {
  return {
    title: level.title ?? title,
    source: level.source ?? source,
    advice: level.advice ?? advice,
    severity: level.severity,
    formerly: level.formerly,
    condition: conditionAt(condition, level),
  };
}

/** The rules that this one has taken the place of. */
export const formerIds = ({ formerly, levels = [] }: Pick<RuleData, "formerly" | "levels">): string[] =>
  [formerly, ...levels.map((one) => one.formerly)].filter((id) => id !== undefined);

/** Without the levels that have taken the place of these rules, which go on by themselves; undefined: none is left. */
export function withoutLevels(rule: RuleData, formers: ReadonlySet<string>): RuleData | undefined {
  const isLeft = ({ formerly }: { readonly formerly?: string | undefined }) =>
    formerly === undefined || !formers.has(formerly);
  const levels = rule.levels?.filter(isLeft);
  const { levels: _, ...first } = rule;
  if (isLeft(rule)) return { ...first, ...(levels?.length ? { levels } : {}) };
  const [next, ...further] = levels ?? [];
  if (!next) return undefined;
  return withoutLevels({ ...first, ...levelParts(rule, next), levels: further }, formers);
}
