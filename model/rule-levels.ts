import type { RuleCondition } from "./conditions.ts";
import type { Rule, RuleData } from "./rule.ts";

/** A rule as it is at each of its levels, the mildest first; one without levels is its only one. */
export function levelRules(rule: Rule): readonly Rule[] {
  return [rule, ...(rule.levels ?? []).map((level) => ({ ...rule, ...levelParts(rule, level) }))];
}

type Level = NonNullable<RuleData["levels"]>[number];

function levelParts({ title, source, advice, condition }: Rule, level: Level) {
  return {
    title: level.title ?? title,
    source: level.source ?? source,
    advice: level.advice ?? advice,
    severity: level.severity,
    condition: conditionAt(condition, level),
  };
}

const OWN = ["above", "below", "clear", "for", "keepFor", "count"] as const;

/** What a level does not say of its own is as in the rule, but for `clear`, which belongs to the limit. */
export function conditionAt(condition: RuleCondition, level: Level): RuleCondition {
  const { clear: _, ...shared } = condition as RuleCondition & { clear?: unknown };
  const own = Object.fromEntries(OWN.flatMap((key) => (level[key] === undefined ? [] : [[key, level[key]]])));
  return { ...shared, ...own } as RuleCondition;
}
