import type { ConditionType } from "../../model/conditions.ts";
import type { Rule } from "../../model/rule.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { titleOf } from "../says.ts";
import { anomaly } from "./anomaly.ts";
import { change } from "./change.ts";
import {
  type AnyOverValues,
  amount,
  type Case,
  type Condition,
  type Outcome,
  type WatchedSensor,
} from "./condition.ts";
import { consecutive } from "./consecutive.ts";
import { drift } from "./drift.ts";
import { flatline } from "./flatline.ts";
import { forecast } from "./forecast.ts";
import { lighting } from "./lighting.ts";
import { quorum } from "./quorum.ts";
import { register } from "./register.ts";
import { rejections } from "./rejections.ts";
import { running } from "./running.ts";
import { silence } from "./silence.ts";
import { spike } from "./spike.ts";
import { threshold } from "./threshold.ts";

export type ConditionTable = { readonly [T in ConditionType]: Condition<T> };

/**
 * Every type of condition; its parameters as people write them are in `model/conditions.ts`. City or sensor
 * (`districts/verdict.ts`) is none: no rule names it, it judges the alerts of all these.
 */
export const CONDITIONS: ConditionTable = {
  threshold,
  consecutive,
  change,
  silence,
  rejections,
  flatline,
  spike,
  anomaly,
  forecast,
  register,
  drift,
  lighting,
  running,
  quorum,
};

/** What a type of condition says of one sensor; undefined: it watches several. */
export function wordsOfCondition(type: ConditionType): Pick<AnyOverValues, Words> | undefined {
  const condition = CONDITIONS[type];
  return condition.over === "several" ? undefined : (condition as Pick<AnyOverValues, Words>);
}

type Words = "explain" | "explainEnd" | "deed" | "limit" | "unit";

/** undefined: it watches several sensors, or what is refused of one. */
export function overValues(type: ConditionType, table: ConditionTable = CONDITIONS): AnyOverValues | undefined {
  const condition = table[type];
  return condition.over === "values" ? (condition as AnyOverValues) : undefined;
}

/** The params of a rule's condition for a sensor; undefined: the rule cannot watch it. */
export function paramsMaker(rule: Rule): (sensor: WatchedSensor) => unknown {
  return overValues(rule.condition.type)?.params(rule.condition, rule) ?? (() => undefined);
}

export function explain(about: Omit<Case, "spec">): Sentence {
  const spec = about.rule.condition;
  return wordsOfCondition(spec.type)?.explain({ ...about, spec }) ?? titleOf(about.rule);
}

export function explainEnd(rule: Rule, outcome: Outcome): Sentence {
  const spec = rule.condition;
  const { at, value, why } = outcome;
  const own = wordsOfCondition(spec.type)?.explainEnd?.({ rule, spec, outcome });
  if (why === "no-data") return say("ended.noData", { at });
  return own ?? (value === undefined ? say("ended", { at }) : say("ended.value", { at, value: amount(rule, value) }));
}
