import { createHash } from "node:crypto";
import type { RuleCondition } from "../../model/conditions.ts";
import type { Kind } from "../../model/kinds.ts";
import type { Rule } from "../../model/rule.ts";
import { matcherOf } from "../../model/rule-match.ts";
import { anomaly } from "../conditions/anomaly.ts";
import { change } from "../conditions/change.ts";
import { consecutive } from "../conditions/consecutive.ts";
import { flatline } from "../conditions/flatline.ts";
import { forecast } from "../conditions/forecast.ts";
import { missing } from "../conditions/missing.ts";
import { register } from "../conditions/register.ts";
import type { ValueCondition } from "../conditions/sample.ts";
import { spike } from "../conditions/spike.ts";
import { threshold } from "../conditions/threshold.ts";
import { type Params, paramsMaker, wholeLon } from "./params.ts";

export type { Params } from "./params.ts";

/** The part of the registry's sensor that rules look at. */
export type WatchedSensor = {
  readonly id: string;
  readonly kind: Kind;
  readonly district: string;
  readonly name?: string;
  readonly intervalS?: number;
  readonly lat?: number;
  readonly lon?: number;
  /** The gateway that enrolled it. */
  readonly gateway?: string;
  readonly tags: Readonly<Record<string, string>>;
};

/** A rule made ready: what does not depend on the sensor is worked out once. */
export type CompiledRule = {
  readonly rule: Rule;
  /** What the states of this rule depend on: a state made under another one is not carried over. */
  readonly fit: string;
  readonly matches: (sensor: WatchedSensor) => boolean;
  /** undefined: this sensor lacks the tag of the limit, or the tag is not a number. */
  readonly paramsFor: (sensor: WatchedSensor) => Params | undefined;
  /** Set when its condition has thrown: the rule is out of use until the next start. */
  failure: string | undefined;
};

/** One line per condition over values. The silence of a sensor has its own place; here is that of one of its values. */
export type ConditionTable = Readonly<
  Record<"threshold" | "consecutive", ValueCondition<Params, unknown>> &
    Partial<Record<RuleCondition["type"], ValueCondition<Params, unknown>>>
>;

export const CONDITIONS = {
  threshold,
  consecutive,
  flatline,
  spike,
  change,
  register,
  forecast,
  anomaly,
  silence: missing,
} as unknown as ConditionTable;

export function compileRule(rule: Rule): CompiledRule {
  const { condition, metric, mode, audience } = rule;
  const fit = createHash("sha256")
    .update(JSON.stringify([condition, metric, mode, audience]))
    .digest("hex")
    .slice(0, 8);
  return { rule, fit, matches: matcherOf(rule), paramsFor: shared(rule, paramsMaker(rule)), failure: undefined };
}

/**
 * Equal params are one object, so that sensors with the same limits share all they can. What makes them may look at
 * nothing of the sensor but the tags that the condition names and its longitude in whole degrees.
 */
function shared(
  { condition }: Rule,
  make: (sensor: WatchedSensor) => Params | undefined,
): (sensor: WatchedSensor) => Params | undefined {
  const names = Object.values(condition).flatMap((field) => (isTagged(field) ? [field.tag] : []));
  const made = new Map<string, Params | undefined>();
  return (sensor) => {
    const own = names.map((name) => (Object.hasOwn(sensor.tags, name) ? sensor.tags[name] : null));
    const key = condition.type === "flatline" ? String(wholeLon(sensor)) : own.length > 0 ? JSON.stringify(own) : "";
    if (!made.has(key)) made.set(key, make(sensor));
    return made.get(key);
  };
}

function isTagged(field: unknown): field is { tag: string } {
  return typeof field === "object" && field !== null && "tag" in field;
}
