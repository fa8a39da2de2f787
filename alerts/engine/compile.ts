import { createHash } from "node:crypto";
import type { Rule } from "../../model/rule.ts";
import { matcherOf } from "../../model/rule-match.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { overValues, paramsMaker } from "../conditions/registry.ts";

/** Of a rule's condition for a sensor. They survive JSON; what they are only the condition knows. */
export type Params = object;

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

export function compileRule(rule: Rule): CompiledRule {
  const { condition, metric, mode, audience } = rule;
  const fit = createHash("sha256")
    .update(JSON.stringify([condition, metric, mode, audience]))
    .digest("hex")
    .slice(0, 8);
  return {
    rule,
    fit,
    matches: matcherOf(rule),
    paramsFor: shared(rule, paramsMaker(rule) as (sensor: WatchedSensor) => Params | undefined),
    failure: undefined,
  };
}

/**
 * Equal params are one object, so that sensors with the same limits share all they can. What makes them may look at
 * nothing of the sensor but the tags that the condition names and what it `looksAt`.
 */
function shared(
  { condition }: Rule,
  make: (sensor: WatchedSensor) => Params | undefined,
): (sensor: WatchedSensor) => Params | undefined {
  const names = Object.values(condition).flatMap((field) => (isTagged(field) ? [field.tag] : []));
  const looksAt = overValues(condition.type)?.looksAt;
  const made = new Map<string, Params | undefined>();
  return (sensor) => {
    const own = names.map((name) => (Object.hasOwn(sensor.tags, name) ? sensor.tags[name] : null));
    const key = `${looksAt?.(sensor) ?? ""} ${own.length > 0 ? JSON.stringify(own) : ""}`;
    if (!made.has(key)) made.set(key, make(sensor));
    return made.get(key);
  };
}

function isTagged(field: unknown): field is { tag: string } {
  return typeof field === "object" && field !== null && "tag" in field;
}
