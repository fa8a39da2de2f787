import { createHash } from "node:crypto";
import type { Limit, RuleCondition, ThresholdSpec } from "../../model/conditions.ts";
import { parseDuration } from "../../model/duration.ts";
import type { Kind } from "../../model/kinds.ts";
import type { Rule } from "../../model/rule.ts";
import { type ConsecutiveParams, consecutive } from "../conditions/consecutive.ts";
import type { ValueCondition } from "../conditions/sample.ts";
import type { SilenceParams } from "../conditions/silence.ts";
import { type ThresholdParams, threshold } from "../conditions/threshold.ts";

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

export type Params = ThresholdParams | ConsecutiveParams | SilenceParams;

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

/** One line per condition over values. `silence` has its own place: it watches the sensor, not a metric. */
export type ConditionTable = Readonly<
  Record<"threshold" | "consecutive", ValueCondition<Params, unknown>> &
    Partial<Record<RuleCondition["type"], ValueCondition<Params, unknown>>>
>;

export const CONDITIONS = { threshold, consecutive } as unknown as ConditionTable;

export function compileRule(rule: Rule): CompiledRule {
  const { condition, metric, mode, audience } = rule;
  const fit = createHash("sha256")
    .update(JSON.stringify([condition, metric, mode, audience]))
    .digest("hex")
    .slice(0, 8);
  return { rule, fit, matches: matcher(rule), paramsFor: shared(rule, paramsMaker(rule)), failure: undefined };
}

/**
 * Equal params are one object, so that sensors with the same limits share all they can. What makes them may look at
 * nothing of the sensor but the tags that the condition names.
 */
function shared(
  { condition }: Rule,
  make: (sensor: WatchedSensor) => Params | undefined,
): (sensor: WatchedSensor) => Params | undefined {
  const names = Object.values(condition).flatMap((field) => (isTagged(field) ? [field.tag] : []));
  const made = new Map<string, Params | undefined>();
  return (sensor) => {
    const key = JSON.stringify(names.map((name) => (Object.hasOwn(sensor.tags, name) ? sensor.tags[name] : null)));
    if (!made.has(key)) made.set(key, make(sensor));
    return made.get(key);
  };
}

function isTagged(field: unknown): field is { tag: string } {
  return typeof field === "object" && field !== null && "tag" in field;
}

function matcher({ kind, select }: Rule): (sensor: WatchedSensor) => boolean {
  const districts = select?.district && new Set([select.district].flat());
  const sensors = select?.sensor && new Set([select.sensor].flat());
  const tags = Object.entries(select?.tag ?? {});
  return (sensor) =>
    (kind === "any" || kind === sensor.kind) &&
    (!districts || districts.has(sensor.district)) &&
    (!sensors || sensors.has(sensor.id)) &&
    tags.every(([name, value]) => Object.hasOwn(sensor.tags, name) && sensor.tags[name] === value);
}

function paramsMaker({ condition, audience }: Rule): (sensor: WatchedSensor) => Params | undefined {
  const needsGood = audience === "operators";
  switch (condition.type) {
    case "threshold":
      return (sensor) => thresholdParams(condition, sensor, needsGood);
    case "consecutive": {
      const { above, count, capture } = condition;
      const params = { above, count, windowMs: parseDuration(condition.window)!, capture, needsGood };
      return () => params;
    }
    case "silence": {
      const params = { afterMs: parseDuration(condition.after)! };
      return () => params;
    }
    default:
      return () => undefined;
  }
}

function thresholdParams(spec: ThresholdSpec, sensor: WatchedSensor, needsGood: boolean): ThresholdParams | undefined {
  const limit = resolve((spec.above ?? spec.below)!, sensor);
  const clear = spec.clear === undefined ? limit : resolve(spec.clear, sensor);
  if (limit === undefined || clear === undefined) return undefined;
  return {
    side: spec.above === undefined ? "below" : "above",
    limit,
    clear,
    forMs: spec.for === undefined ? 0 : parseDuration(spec.for)!,
    keepForMs: spec.keepFor === undefined ? 0 : parseDuration(spec.keepFor)!,
    windowMs: spec.window === undefined ? undefined : parseDuration(spec.window)!,
    aggregate: spec.aggregate,
    capture: spec.capture,
    needsGood,
  };
}

function resolve(limit: Limit, { tags }: WatchedSensor): number | undefined {
  if (typeof limit === "number") return limit;
  const text = Object.hasOwn(tags, limit.tag) ? tags[limit.tag]!.trim() : "";
  const rating = text === "" ? Number.NaN : Number(text);
  return Number.isFinite(rating) ? rating * limit.times : undefined;
}
