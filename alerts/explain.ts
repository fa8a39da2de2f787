import type { RuleCondition } from "../model/conditions.ts";
import { explainFlatline, explainRegister, explainSpike } from "./explain/faults.ts";
import { explainConsecutive, explainSilence, explainThreshold } from "./explain/limits.ts";
import { explainAnomaly, explainChange, explainForecast } from "./explain/trends.ts";
import { amount, type Case, spanText, timeText } from "./explain/words.ts";

const SENTENCES: Partial<Record<RuleCondition["type"], (about: Case) => string>> = {
  threshold: explainThreshold,
  consecutive: explainConsecutive,
  silence: explainSilence,
  flatline: explainFlatline,
  spike: explainSpike,
  change: explainChange,
  register: explainRegister,
  forecast: explainForecast,
  anomaly: explainAnomaly,
};

/** One plain sentence for an operator: what, where, when, how much, against which limit. For pending and firing. */
export function explain(about: Case): string {
  const { rule } = about;
  return SENTENCES[rule.condition.type]?.(about) ?? rule.title;
}

/** How it ended, as a sentence of its own. */
export function explainEnd({ rule, outcome }: Pick<Case, "rule" | "outcome">): string {
  const { at, value, why, evidence } = outcome;
  const { condition } = rule;
  if (condition.type === "silence")
    return `A ${rule.metric ? "value" : "reading"} came again at ${timeText(evidence[0]?.measuredAt ?? at)}.`;
  if (why === "no-data") return `It ended at ${timeText(at)} because no valid data followed.`;
  if (condition.type === "flatline") return `Another value came at ${timeText(at)}: ${amount(rule, value)}.`;
  if (condition.type === "spike") {
    return `It ended at ${timeText(at)}, after ${spanText(condition.within)} without another.`;
  }
  if (condition.type === "forecast") {
    return `It ended at ${timeText(at)}: the trend no longer reaches the limit in that time; it stands at ${amount(rule, value)}.`;
  }
  if (condition.type === "register") return `It ended at ${timeText(at)}, after a run of plausible readings.`;
  const ended = `It ended at ${timeText(at)} with ${amount(rule, value)}`;
  const held = condition.type === "threshold" ? condition.for : undefined;
  return why === "not-held" && held ? `${ended}, before it had held for ${spanText(held)}.` : `${ended}.`;
}
