import { createHash } from "node:crypto";
import { DERIVED, isDerived, type MetricName, type RuleMetric } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { matcherOf } from "../../model/rule-match.ts";
import { SIBLINGS } from "../../model/siblings.ts";
import { HOUR_MS } from "../../model/time.ts";
import type { AnyOverValues, WatchedSensor } from "../conditions/condition.ts";
import { levelled, levelledParams } from "../conditions/levels.ts";
import { type ConditionTable, overValues, paramsMaker } from "../conditions/registry.ts";
import { HEARD } from "../conditions/silence.ts";
import { isSameSize, type WindowSize } from "../conditions/window.ts";
import type { Derive } from "./derive.ts";
import { suspectBit } from "./ring.ts";

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
  const { condition, metric, mode, audience, levels } = rule;
  const fit = createHash("sha256")
    .update(JSON.stringify([condition, metric, mode, audience, ...(levels ? [levels] : [])]))
    .digest("hex")
    .slice(0, 8);
  return {
    rule,
    fit,
    matches: matcherOf(rule),
    paramsFor: shared(
      rule,
      (rule.levels ? levelledParams(rule, paramsMaker) : paramsMaker(rule)) as (
        sensor: WatchedSensor,
      ) => Params | undefined,
    ),
    failure: undefined,
  };
}

/**
 * Equal params are one object, so that sensors with the same limits share all they can. What makes them may look at
 * nothing of the sensor but the tags that the condition names and what it `looksAt`.
 */
function shared(
  { condition, levels = [] }: Rule,
  make: (sensor: WatchedSensor) => Params | undefined,
): (sensor: WatchedSensor) => Params | undefined {
  const fields = [condition, ...levels].flatMap((one) => Object.values(one));
  const names = fields.flatMap((field) => (isTagged(field) ? [field.tag] : []));
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

/** One rule with the params of some sensors. `column`: the place of its state. */
export type Watch = {
  readonly column: number;
  readonly compiled: CompiledRule;
  readonly params: Params;
  /** undefined for silence, which watches the sensor rather than a value. */
  readonly condition: Pick<AnyOverValues, "quiet" | "step" | "advance" | "whileHeard" | "beside"> | undefined;
  /** The place of its window among those of the stream, if it has one. */
  readonly window: number | undefined;
};

/** One metric, sent or derived, and who watches it. `index`: the place of its stream. */
export type Track = {
  readonly index: number;
  readonly metric: RuleMetric;
  readonly watches: readonly Watch[];
  /** The sizes of their windows. */
  readonly sizes: readonly WindowSize[];
  /** Several of them have windows, which they can share. */
  readonly sharesWindows: boolean;
  /** Columns of the rules whose alerts leave nothing to learn of the value, where one of its own learns what is usual. */
  readonly alarms: readonly number[];
  /** Other metrics that its conditions look at, and where a row of the ring has them; undefined where none does. */
  readonly beside: readonly { readonly metric: MetricName; readonly value: number }[] | undefined;
};

/** A track of a metric that sensors send, and where a row of the ring has it. */
type Measuring = { readonly track: Track; readonly value: number; readonly suspect: number };

export type Deriving = {
  readonly track: Track;
  readonly derive: Derive;
  readonly column: number;
  /** What it is made of: where a row of the ring has it, its stream, and the place of the hour among the stream's windows. */
  readonly inputs: readonly Input[];
};

type Input = {
  readonly metric: MetricName;
  readonly value: number;
  readonly stream: number;
  readonly window: number;
};

/**
 * What is to be done with the readings of a sensor. Sensors with the same rules and params share one plan, so that a
 * sensor itself costs no more than its states.
 */
export type Plan = {
  /** The same for the same rules, conditions and params, also after a restart. */
  readonly id: string;
  readonly watches: readonly Watch[];
  /** The metrics that the ring keeps, in the order of its values. */
  readonly metrics: readonly MetricName[];
  readonly tracks: readonly Track[];
  readonly measuring: readonly Measuring[];
  readonly deriving: readonly Deriving[];
  readonly silences: readonly Watch[];
  /** By whose clocks its sensors live; UTC's without. */
  readonly zone: string | undefined;
  /** A state for each column, of a sensor nothing is known of. */
  readonly quiet: readonly unknown[];
};

export type Bound = { readonly compiled: CompiledRule; readonly params: Params };

export type Planner = ReturnType<typeof createPlanner>;

export function createPlanner(conditions: ConditionTable, derives: readonly Derive[]) {
  const plans = new Map<string, Plan>();
  const ids = new Map<CompiledRule | string, number>();
  let paramIds = new WeakMap<Params, number>();

  function idOf(key: CompiledRule | string): number {
    const known = ids.get(key);
    if (known !== undefined) return known;
    ids.set(key, ids.size);
    return ids.size - 1;
  }

  /** Equal params have one id, also those that come out of the records. */
  function idOfParams(params: Params): number {
    let id = paramIds.get(params);
    if (id === undefined) {
      id = idOf(JSON.stringify(params));
      paramIds.set(params, id);
    }
    return id;
  }

  /** The same plan for the same rules and params. */
  function planOf(bound: readonly Bound[]): Plan {
    let key = "";
    for (const { compiled, params } of bound) key += `${idOf(compiled)}:${idOfParams(params)} `;
    const known = plans.get(key);
    if (known) return known;
    const plan = createPlan(bound, conditions, derives);
    plans.set(key, plan);
    return plan;
  }

  return {
    planOf,
    planFor: (sensor: WatchedSensor, rules: readonly CompiledRule[]) => planOf(boundTo(sensor, rules, conditions)),
    /** The rules were replaced: nobody needs the old plans any more. */
    forget(): void {
      plans.clear();
      ids.clear();
      paramIds = new WeakMap();
    },
  };
}

/** The rules of one sensor that the engine itself decides: others (of districts) have no condition here. */
function boundTo(sensor: WatchedSensor, rules: readonly CompiledRule[], conditions: ConditionTable): Bound[] {
  const bound: Bound[] = [];
  for (const compiled of rules) {
    const { type } = compiled.rule.condition;
    if (conditions[type].over !== "values") continue;
    const params = compiled.matches(sensor) ? compiled.paramsFor(sensor) : undefined;
    if (params) bound.push({ compiled, params });
  }
  return bound;
}

function windowSizeOf(params: Params): WindowSize | undefined {
  const { windowMs, days } = params as Partial<WindowSize>;
  if (windowMs === undefined) return undefined;
  return days === undefined ? { windowMs } : { windowMs, days };
}

const HOUR: WindowSize = { windowMs: HOUR_MS };

/** The sizes of the windows over one metric; of what others are worked out from the hour, too. */
function sizesOf(metric: RuleMetric | undefined, bound: readonly Bound[]): WindowSize[] {
  const mine = bound.filter(({ compiled }) => compiled.rule.metric === metric);
  const isInput = bound.some(({ compiled }) => inputsOf(compiled.rule.metric).some((input) => input === metric));
  const sizes = [...mine.flatMap(({ params }) => windowSizeOf(params) ?? []), ...(isInput ? [HOUR] : [])];
  return sizes.filter((size, i) => sizes.findIndex((one) => isSameSize(one, size)) === i);
}

const inputsOf = (metric: RuleMetric | undefined): readonly MetricName[] =>
  metric !== undefined && isDerived(metric) ? DERIVED[metric].from : [];

function stepsOf({ condition: { type }, levels }: Rule, conditions: ConditionTable): Watch["condition"] {
  const condition = overValues(type, conditions);
  return condition && levels ? levelled(condition) : condition;
}

/** The silence of a sensor, not that of one of its values. */
const isOfSensor = ({ rule }: CompiledRule) => rule.condition.type === "silence" && rule.metric === undefined;

function createPlan(bound: readonly Bound[], conditions: ConditionTable, derives: readonly Derive[]): Plan {
  const watches = bound.map(({ compiled, params }, column): Watch => {
    const { metric } = compiled.rule;
    const size = windowSizeOf(params);
    const window = size && sizesOf(metric, bound).findIndex((one) => isSameSize(one, size));
    return {
      column,
      compiled,
      params,
      condition: isOfSensor(compiled) ? undefined : stepsOf(compiled.rule, conditions),
      window,
    };
  });
  const silences = watches.filter(({ condition }) => !condition);
  const watched = [
    ...new Set(watches.filter(({ condition }) => condition).map(({ compiled }) => compiled.rule.metric!)),
  ];
  const besides = watched.map((metric) => besideOf(watches, metric));
  const needed = watched.flatMap((metric) => (isDerived(metric) ? [...DERIVED[metric].from] : [metric]));
  const metrics = [...new Set<MetricName>([...needed, ...besides.flat()])];
  const tracks = [...new Set([...watched, ...needed])].map((metric, index): Track => {
    const mine = watches.filter((one) => one.condition && one.compiled.rule.metric === metric);
    const sizes = sizesOf(metric, bound);
    const shares = mine.filter(({ window }) => window !== undefined).length > 1;
    const beside = (besides[index] ?? []).map((other) => ({ metric: other, value: metrics.indexOf(other) }));
    return {
      index,
      metric,
      watches: mine,
      sizes,
      sharesWindows: shares,
      alarms: mine.some(isOfUnusual) ? alarmsFor(watches, metric) : [],
      beside: beside.length > 0 ? beside : undefined,
    };
  });
  const place = (metric: MetricName) => {
    const value = metrics.indexOf(metric);
    return { value, suspect: suspectBit(value) };
  };
  const measuring = tracks.flatMap((track) => {
    return isDerived(track.metric) ? [] : [{ track, ...place(track.metric) }];
  });
  const inputOf = (metric: MetricName): Input => {
    const { index, sizes } = tracks.find((track) => track.metric === metric)!;
    const window = sizes.findIndex((size) => isSameSize(size, HOUR));
    return { metric, value: metrics.indexOf(metric), stream: index, window };
  };
  const deriving = tracks.flatMap((track) => {
    const derive = derives.find(({ metric }) => metric === track.metric);
    return derive ? [{ track, derive, inputs: derive.from.map(inputOf) }] : [];
  });
  const placed = deriving.map((one, i): Deriving => ({ ...one, column: watches.length + i }));
  const quiet = [
    ...watches.map(({ condition }) => (condition ? condition.quiet : HEARD)),
    ...placed.map(({ derive }) => derive.quiet),
  ];
  const zone = bound.find(({ compiled }) => compiled.rule.zone !== undefined)?.compiled.rule.zone;
  return { id: identity(bound), watches, metrics, tracks, measuring, deriving: placed, silences, zone, quiet };
}

/**
 * Rules on the value itself, on what goes with it on the same sensor, and on what is worked out of it, by which an
 * incident is told from a value that is merely unusual. Its own unusual values are left out by what learns.
 */
function alarmsFor(watches: readonly Watch[], metric: RuleMetric): number[] {
  const together = new Set<RuleMetric>([metric, ...(isDerived(metric) ? [] : (SIBLINGS[metric] ?? []))]);
  return watches.flatMap((watch) => {
    const other = watch.compiled.rule.metric;
    if (other === undefined || (other === metric && isOfUnusual(watch))) return [];
    const isOfIt = isDerived(other) && (DERIVED[other].from as readonly string[]).includes(metric);
    return together.has(other) || isOfIt ? [watch.column] : [];
  });
}

/** It learns what is usual, and leaves out what somebody is alarmed about. */
const isOfUnusual = ({ compiled }: Watch): boolean => compiled.rule.condition.type === "anomaly";

function besideOf(watches: readonly Watch[], metric: RuleMetric): MetricName[] {
  const mine = watches.filter(({ compiled }) => compiled.rule.metric === metric);
  return [...new Set(mine.flatMap(({ condition }) => condition?.beside ?? []))].filter((other) => other !== metric);
}

function identity(bound: readonly Bound[]): string {
  const parts = bound.map(({ compiled, params }) => [compiled.rule.id, compiled.fit, params]);
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
