import type { Limit, RuleCondition, ThresholdSpec } from "../../model/conditions.ts";
import type { Rule } from "../../model/rule.ts";
import { parseDuration } from "../../model/time.ts";
import type { AnomalyParams } from "../conditions/anomaly.ts";
import type { ChangeParams } from "../conditions/change.ts";
import type { ConsecutiveParams } from "../conditions/consecutive.ts";
import type { FlatlineParams } from "../conditions/flatline.ts";
import type { ForecastParams } from "../conditions/forecast.ts";
import type { RegisterParams } from "../conditions/register.ts";
import type { SilenceParams } from "../conditions/silence.ts";
import type { SpikeParams } from "../conditions/spike.ts";
import type { ThresholdParams } from "../conditions/threshold.ts";
import type { WatchedSensor } from "./compile.ts";

export type Params =
  | ThresholdParams
  | ConsecutiveParams
  | SilenceParams
  | FlatlineParams
  | SpikeParams
  | ChangeParams
  | RegisterParams
  | ForecastParams
  | AnomalyParams;

/** undefined: this sensor lacks the tag of the limit, or the tag is not a number. */
type ParamsFor = (sensor: WatchedSensor) => Params | undefined;

type Spec<Type extends RuleCondition["type"]> = Extract<RuleCondition, { type: Type }>;

/** One line per condition: what of it is the same for all sensors is worked out once. */
export const PARAMS: { readonly [Type in RuleCondition["type"]]?: (spec: Spec<Type>, rule: Rule) => ParamsFor } = {
  threshold: (spec, rule) => (sensor) => thresholdParams(spec, sensor, needsGood(rule)),
  consecutive: ({ above, count, window, capture }, rule) =>
    always({ above, count, windowMs: parseDuration(window)!, capture, needsGood: needsGood(rule) }),
  silence: ({ after }) => always({ afterMs: parseDuration(after)! }),
  flatline: ({ after, samples, tolerance, floor, ceiling }, rule) => {
    const zeroByNight = ZERO_BY_NIGHT.has(rule.metric!);
    const limits = { afterMs: parseDuration(after)!, samples, tolerance, floor, ceiling };
    return (sensor) => ({ ...limits, needsGood: needsGood(rule), zeroByNight, lon: wholeLon(sensor) });
  },
  spike: ({ above, count, within }, rule) =>
    always({ above, count, withinMs: parseDuration(within)!, needsGood: needsGood(rule) }),
  change: ({ rise, fall, within, keepFor }, rule) =>
    always({
      direction: rise === undefined ? "fall" : "rise",
      by: (rise ?? fall)!,
      withinMs: parseDuration(within)!,
      keepForMs: keepFor === undefined ? 0 : parseDuration(keepFor)!,
      needsGood: needsGood(rule),
    }),
  anomaly: ({ type: _, window, ...rest }, rule) =>
    always({ ...rest, windowMs: parseDuration(window)!, needsGood: needsGood(rule) }),
  forecast: ({ above, below, within, over }, rule) => {
    const spans = { withinMs: parseDuration(within)!, overMs: parseDuration(over)!, needsGood: needsGood(rule) };
    return (sensor) => {
      const limit = resolve((above ?? below)!, sensor);
      return limit === undefined ? undefined : { ...spans, side: above === undefined ? "below" : "above", limit };
    };
  },
  register: ({ maxPower, digits }) => {
    return (sensor) => {
      const maxPowerKw = resolve(maxPower, sensor);
      return maxPowerKw === undefined || maxPowerKw <= 0 ? undefined : { maxPowerKw, digits };
    };
  },
};

export function paramsMaker(rule: Rule): ParamsFor {
  const make = PARAMS[rule.condition.type] as ((spec: RuleCondition, rule: Rule) => ParamsFor) | undefined;
  return make ? make(rule.condition, rule) : () => undefined;
}

/** Near enough to tell the night by the sun, and the same for the sensors of a city. */
export function wholeLon({ lon }: WatchedSensor): number | undefined {
  return lon === undefined ? undefined : Math.round(lon);
}

const always = (params: Params) => () => params;
const needsGood = ({ audience }: Rule) => audience === "operators";

/** Nothing passes at night, and by day something always does. Rarer things (buses, bicycles) may stay away all day. */
const ZERO_BY_NIGHT: ReadonlySet<string> = new Set(["flow", "occupancy", "carCount"]);

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
