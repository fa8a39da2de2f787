import type { Rule } from "../../model/rule.ts";
import { DAY_MS, parseDuration } from "../../model/time.ts";

/** What rules have of their city. */
export type City = {
  readonly zone?: string | undefined;
  readonly place?: Rule["place"] | undefined;
  readonly holidays?: readonly string[] | undefined;
};

/**
 * The rules as they are in force in a city: days and sentences are those of its zone, and the sun is over its place. Whose days a rule has is part of
 * what its states fit, so that a city that changes its zone begins new days, instead of cutting old ones anew.
 */
export function cityRules(rules: readonly Rule[], { zone, place, holidays = [] }: City): readonly Rule[] {
  const ofPlace = { ...(place && { place }), ...(holidays.length > 0 && { holidays }) };
  const placed = rules.map((rule) => ({ ...rule, ...ofPlace }));
  return zonedRules(placed, zone);
}

export function zonedRules(rules: readonly Rule[], zone: string | undefined): readonly Rule[] {
  return zone === undefined ? rules : rules.map((rule) => zoned(rule, zone));
}

function zoned(rule: Rule, zone: string): Rule {
  const { condition } = rule;
  const hasDays = condition.type === "threshold" || condition.type === "consecutive";
  // Days of UTC are left as versions before had them: with their alerts and states.
  if (!hasDays || zone === "UTC" || condition.days !== undefined) return { ...rule, zone };
  const isOfDays = condition.window !== undefined && parseDuration(condition.window) === DAY_MS;
  return { ...rule, zone, ...(isOfDays ? { condition: { ...condition, days: zone } } : {}) };
}
