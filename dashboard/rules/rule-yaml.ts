import type { RuleData } from "../../model/rule.ts";

/** The order in which people read a rule. */
const ORDER = ["id", "title", "kind", "metric", "select", "condition", "severity", "audience", "mode", "source"];

/** A rules file with this one rule, as one could put it into the folder of rules. One field on each line, so that a mistake has its own. */
export function writeRuleYaml(rule: RuleData & { readonly version?: string }): string {
  const { version: _, ...data } = rule;
  const entries = Object.entries(data).filter(([, value]) => value !== undefined);
  const sorted = entries.sort(([a], [b]) => rankOf(a) - rankOf(b));
  const lines = sorted.flatMap(([key, value]) => field(key, value, 2));
  return ["rules:", ...lines.map((line, i) => `  ${i === 0 ? "- " : "  "}${line.slice(2)}`), ""].join("\n");
}

function rankOf(key: string): number {
  const rank = ORDER.indexOf(key);
  return rank < 0 ? ORDER.length : rank;
}

/** `key: value`, indented; maps and lists on lines of their own, what is in them on one line each. */
function field(key: string, value: unknown, indent: number): string[] {
  const pad = " ".repeat(indent);
  if (Array.isArray(value) && value.length > 0) {
    return [`${pad}${key}:`, ...value.map((item) => `${pad}  - ${inline(item)}`)];
  }
  if (isMap(value) && Object.keys(value).length > 0) {
    const inner = Object.entries(value).filter(([, one]) => one !== undefined);
    return [`${pad}${key}:`, ...inner.map(([name, one]) => `${pad}  ${scalar(name)}: ${inline(one)}`)];
  }
  return [`${pad}${key}: ${inline(value)}`];
}

const isMap = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (!isMap(value)) return typeof value === "string" ? scalar(value) : JSON.stringify(value);
  const inner = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{ ${inner.map(([key, one]) => `${scalar(key)}: ${inline(one)}`).join(", ")} }`;
}

/** Plain where no reader of YAML could take it for anything else. */
function scalar(text: string): string {
  const isPlain = /^(\d+[smhd]|[a-z][\w-]*( [\w-]+)*)$/i.test(text);
  const isWord = /^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain && !isWord ? text : JSON.stringify(text);
}

/** What new rules begin with: one for each thing people ask for, as a shadow. */
export const TEMPLATES = ["limit", "mean", "silence", "stuck", "change", "unusual", "forecast", "quorum"] as const;
type Template = (typeof TEMPLATES)[number];

type Part = Pick<RuleData, "kind" | "metric" | "condition">;

const PARTS: Readonly<Record<Template, Part>> = {
  limit: {
    kind: "energy",
    metric: "oilTemperature",
    condition: { type: "threshold", above: 90, clear: 85, for: "10m", aggregate: "mean", capture: 0.75 },
  },
  mean: {
    kind: "air",
    metric: "no2",
    condition: { type: "consecutive", above: 200, count: 3, window: "1h", capture: 0.75 },
  },
  silence: { kind: "any", condition: { type: "silence", after: "30m" } },
  stuck: {
    kind: "air",
    metric: "noise",
    condition: { type: "flatline", after: "3h", samples: 6, tolerance: 0 },
  },
  change: {
    kind: "air",
    metric: "temperature",
    condition: { type: "change", rise: 8, within: "10m", keepFor: "10m" },
  },
  unusual: {
    kind: "traffic",
    metric: "speed",
    condition: {
      type: "anomaly",
      sigmas: 5,
      window: "30m",
      season: "week",
      count: 2,
      side: "below",
      atLeast: 20,
      capture: 0.5,
    },
  },
  forecast: {
    kind: "any",
    metric: "battery",
    condition: { type: "forecast", below: 10, within: "30d", over: "21d" },
  },
  quorum: {
    kind: "any",
    condition: { type: "quorum", rule: "sensor-silent", by: "district", count: 3, share: 0.6, within: "15m" },
  },
};

/** `title` and `source` are in the language of whoever writes it. */
export function templateYaml(name: Template, title: string, source: string): string {
  const rule: RuleData = {
    id: "my-rule",
    title,
    severity: "warning",
    audience: "operators",
    mode: "shadow",
    source: { text: source },
    ...PARTS[name],
  };
  return writeRuleYaml(rule);
}
