import type { MetricName } from "../../model/metrics.ts";
import type { ValueCondition } from "../conditions/sample.ts";
import { HEARD, type SilenceState } from "../conditions/silence.ts";
import type { CompiledRule, ConditionTable, Params, WatchedSensor } from "./compile.ts";
import { createStream, type Stream } from "./stream.ts";
import type { Active } from "./transition.ts";

/** One rule on one sensor. Changed in place by the engine; the condition states in it never are. */
export type Watch<State = unknown> = {
  readonly compiled: CompiledRule;
  /** undefined for silence, which watches the sensor rather than a value. */
  readonly condition: ValueCondition<Params, unknown> | undefined;
  readonly params: Params;
  readonly subject: Subject;
  state: State;
  active: Active | undefined;
  /** Changed since it was last saved. */
  dirty: boolean;
  /** There is a row of it in the records. */
  stored: boolean;
  /** No longer watched: nothing is saved of it. */
  gone: boolean;
};

export type MetricWatches = { readonly metric: MetricName; readonly stream: Stream; readonly watches: Watch[] };

/** A sensor as the engine knows it: only the metrics and rules that concern it. */
export type Subject = {
  readonly sensor: WatchedSensor;
  /** Was in the registry when it was bound. */
  readonly registered: boolean;
  /** All readings of the sensor, whatever they measure. */
  readonly stream: Stream;
  readonly metrics: readonly MetricWatches[];
  readonly silences: readonly Watch<SilenceState>[];
  /** When anything of it last arrived live, and whether its newest reading is imported history. */
  heardAt: number;
  imported: boolean;
  dirty: boolean;
  gone: boolean;
};

/** Binds a sensor to the rules that match it; `former` hands over clocks and states when the sensor's entry changed. */
export function createSubject(
  sensor: WatchedSensor,
  registered: boolean,
  rules: readonly CompiledRule[],
  conditions: ConditionTable,
  former?: Subject,
): Subject {
  const metrics: MetricWatches[] = [];
  const silences: Watch<SilenceState>[] = [];
  const stream = continued(former?.stream, sensor);
  const { heardAt = 0, imported = false } = former ?? {};
  const flags = { registered, heardAt, imported, dirty: false, gone: false };
  const subject: Subject = { sensor, stream, metrics, silences, ...flags };
  for (const compiled of rules) {
    const params = compiled.matches(sensor) ? compiled.paramsFor(sensor) : undefined;
    if (!params) continue;
    const { metric, condition } = compiled.rule;
    const watch = createWatch(subject, compiled, params, conditions, former);
    if (condition.type === "silence") silences.push(watch as Watch<SilenceState>);
    else metricEntry(metrics, metric as MetricName, sensor, former).watches.push(watch);
  }
  return subject;
}

function createWatch(
  subject: Subject,
  compiled: CompiledRule,
  params: Params,
  conditions: ConditionTable,
  former?: Subject,
): Watch {
  const { type } = compiled.rule.condition;
  const condition = type === "silence" ? undefined : conditions[type];
  const old = former && watchesOf(former).find((watch) => watch.compiled === compiled);
  const { state, active, stored } = old ?? { state: condition?.quiet ?? HEARD, active: undefined, stored: false };
  return { compiled, condition, params, subject, state, active, stored, dirty: false, gone: false };
}

function metricEntry(
  metrics: MetricWatches[],
  metric: MetricName,
  sensor: WatchedSensor,
  former?: Subject,
): MetricWatches {
  const known = metrics.find((one) => one.metric === metric);
  if (known) return known;
  const entry = { metric, stream: continued(former && streamFor(former, metric), sensor), watches: [] };
  metrics.push(entry);
  return entry;
}

function continued(former: Stream | undefined, { intervalS }: WatchedSensor): Stream {
  const declaredMs = intervalS === undefined ? undefined : intervalS * 1_000;
  return former ? Object.assign(former, { declaredMs }) : createStream(declaredMs);
}

export function streamFor(subject: Subject, metric: MetricName): Stream | undefined {
  return subject.metrics.find((one) => one.metric === metric)?.stream;
}

export function watchesOf({ metrics, silences }: Subject): Watch[] {
  return [...metrics.flatMap(({ watches }) => watches), ...(silences as Watch[])];
}
