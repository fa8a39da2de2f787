import type { RuleData } from "../../../model/rule.ts";
import { writeRuleYaml } from "../rule-yaml.ts";

/** What new rules begin with: one for each thing people ask for, as a shadow. */
export const TEMPLATES = ["limit", "mean", "silence", "stuck", "change", "unusual", "forecast", "quorum"] as const;
export type Template = (typeof TEMPLATES)[number];

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
      ...{ type: "anomaly", sigmas: 5, window: "30m", season: "week", count: 2, side: "below", atLeast: 20 },
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
    ...{ id: "my-rule", title, severity: "warning", audience: "operators", mode: "shadow", source: { text: source } },
    ...PARTS[name],
  };
  return writeRuleYaml(rule);
}
