import type { Transition } from "../../model/alert.ts";
import type { Reason, Rejection } from "../../model/rejection.ts";
import type { Rule } from "../../model/rule.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { parseSensorTopic } from "../../model/topics.ts";
import { alertId } from "../alert-id.ts";
import type { Outcome, Step, WatchedSensor } from "../conditions/condition.ts";
import { CONDITIONS } from "../conditions/registry.ts";
import type { RejectionsParams } from "../conditions/rejections.ts";
import { type CompiledRule, compileRule } from "./plan.ts";
import type { StateRow, States } from "./states.ts";
import type { Active } from "./subject.ts";
import { endOf, nextActive, type RuleOnSensor, toTransition } from "./transitions.ts";

const REFUSED = "~refused";

/** Not the sensor's own doing: somebody else used its topic, or the service could not keep what was right. */
const OF_OTHERS: ReadonlySet<Reason> = new Set([
  "not_allowed",
  "unknown_topic",
  "unknown_sensor",
  "conflict",
  "store_refused",
]);

/** Whose sign of life a refused message is; undefined: nobody's. */
export function talker({ sensorId, unregistered, reason }: Rejection): string | undefined {
  return unregistered || OF_OTHERS.has(reason) ? undefined : sensorId;
}

type Watch = { readonly compiled: CompiledRule; readonly params: RejectionsParams };
type State = Parameters<typeof CONDITIONS.rejections.step>[1];
/** Of one rule on one sensor, while there is something to remember. */
type Known = { state: State; active: Active | undefined };
type KnownJson = { readonly rule: string; readonly fit: string; readonly state: State; readonly active?: Active };

/**
 * What is refused of the sensors, for the rules that count it. In the order of the journal, and apart from the engine:
 * refused messages have no place among the readings, whose times can be relied on.
 */
export function createRefusals(
  rules: readonly Rule[],
  registry: (id: string) => WatchedSensor | undefined,
  states: States,
) {
  const condition = CONDITIONS.rejections;
  const watches = rules.flatMap((rule): Watch[] => {
    if (rule.condition.type !== "rejections") return [];
    return [{ compiled: compileRule(rule), params: condition.params(rule.condition) }];
  });
  const known = new Map<string, Map<string, Known>>();
  const table = states.open<string>({
    names: [REFUSED],
    keys: () => known.keys(),
    rowsOf: (id) => [rowOf(id)],
    load: (rows) => rows.forEach(load),
  });
  let said: Transition[] = [];

  /** Those that are sensors' own, in the order of the journal. */
  function take(rejections: readonly Rejection[]): Transition[] {
    for (const one of watches.length > 0 ? rejections : []) {
      const id = talker(one);
      const sensor = id === undefined ? undefined : registry(id);
      if (!sensor) continue;
      for (const watch of watches) {
        const { rule, matches } = watch.compiled;
        if (rule.metric !== one.metric || !matches(sensor)) continue;
        const { receivedAt: at, reason, detail } = one;
        const isImported = parseSensorTopic(one.topic)?.imported === true;
        run(sensor, watch, at, (state) => condition.step(watch.params, state, { at, reason, detail }), isImported);
      }
    }
    return handOver();
  }

  /** The clock: what is no longer refused is over. Sensors that were removed are watched no more. */
  function tick(now: number): Transition[] {
    for (const [id, own] of known) {
      const sensor = registry(id);
      for (const watch of watches) {
        const one = own.get(watch.compiled.rule.id);
        if (!one) continue;
        if (sensor) run(sensor, watch, now, (state) => condition.advance(watch.params, state, now));
      }
      if (!sensor) drop(id, now, say("end.sensorRemoved", {}));
    }
    return handOver();
  }

  function run(
    sensor: WatchedSensor,
    watch: Watch,
    knownAt: number,
    step: (state: State) => Step<State>,
    isImported = false,
  ): void {
    const own = known.get(sensor.id) ?? new Map<string, Known>();
    const { rule } = watch.compiled;
    const one = own.get(rule.id) ?? { state: condition.quiet, active: undefined };
    const [state, outcomes] = step(one.state);
    if (state === one.state && outcomes.length === 0) return;
    one.state = state;
    for (const outcome of outcomes) record(one, { ...watch, sensor }, outcome, knownAt, isImported);
    if (state === condition.quiet) own.delete(rule.id);
    else own.set(rule.id, one);
    if (own.size > 0) known.set(sensor.id, own);
    else known.delete(sensor.id);
    table.mark(sensor.id);
  }

  function record(
    one: Known,
    about: Watch & RuleOnSensor,
    outcome: Outcome,
    knownAt: number,
    isImported: boolean,
  ): void {
    const { compiled, params, sensor } = about;
    const next = nextActive({ rule: compiled.rule, params, sensor }, one.active, outcome);
    const active = isImported && outcome.what !== "resolved" ? { ...next, isHistory: true as const } : next;
    const { what, at } = outcome;
    const resolvedAt = what === "resolved" ? at : undefined;
    said.push(
      toTransition(about, active, { state: what as "firing" | "resolved", resolvedAt, entry: { what, at, knownAt } }),
    );
    one.active = what === "resolved" ? undefined : active;
  }

  /** Nothing is known of this sensor any more. */
  function drop(id: string, at: number, note: Sentence): void {
    for (const [rule, { active }] of known.get(id) ?? []) {
      const watch = watches.find(({ compiled }) => compiled.rule.id === rule);
      if (active && watch) said.push(endFor(watch, active, id, at, note));
    }
    known.delete(id);
    table.mark(id);
  }

  function endFor({ compiled }: Watch, active: Active, id: string, at: number, note: Sentence): Transition {
    const { kind, district } = registry(id) ?? { kind: "air", district: "" };
    const sensor = registry(id) ?? { id, kind, district, tags: {} };
    return toTransition({ compiled, sensor }, ...endOf(active, at, at, note));
  }

  /** Ends what fires under rules that are not as they were (`at`: wall clock). */
  function end(next: readonly Rule[], at: number): Transition[] {
    const fits = new Set(next.map((rule) => `${rule.id} ${compileRule(rule).fit}`));
    const ids = new Set(next.map(({ id }) => id));
    for (const watch of watches) {
      const { rule, fit } = watch.compiled;
      if (fits.has(`${rule.id} ${fit}`)) continue;
      const note = ids.has(rule.id) ? say("end.ruleChanged", {}) : say("end.ruleDeleted", {});
      for (const [id, own] of known) {
        const active = own.get(rule.id)?.active;
        if (active) said.push(endFor(watch, active, id, at, note));
        if (own.delete(rule.id)) table.mark(id);
      }
    }
    return handOver();
  }

  function handOver(): Transition[] {
    const all = said;
    said = [];
    return all;
  }

  function rowOf(id: string): StateRow {
    const rows = watches.flatMap(({ compiled: { rule, fit } }): KnownJson[] => {
      const one = known.get(id)?.get(rule.id);
      return one ? [{ rule: rule.id, fit, state: one.state, ...(one.active ? { active: one.active } : {}) }] : [];
    });
    return { rule: REFUSED, subject: id, state: rows.length === 0 ? "" : JSON.stringify(rows) };
  }

  /** What no rule of today watches is forgotten. */
  function load({ subject: id, state: saved }: StateRow): void {
    table.mark(id);
    const sensor = registry(id);
    for (const { rule, fit, state, active } of JSON.parse(saved) as KnownJson[]) {
      const watch = watches.find(({ compiled }) => compiled.rule.id === rule && compiled.fit === fit);
      if (!watch || !sensor || !watch.compiled.matches(sensor)) continue;
      const own = known.get(id) ?? new Map<string, Known>();
      known.set(id, own.set(rule, { state, active }));
    }
  }

  /** The ids of the alerts that are not over. */
  function held(): string[] {
    return [...known].flatMap(([id, own]) =>
      watches.flatMap(({ compiled: { rule, fit } }) => {
        const active = own.get(rule.id)?.active;
        return active ? [alertId(rule.id, id, active.startedAt, fit)] : [];
      }),
    );
  }

  /** Ends what is of a sensor that its rule no longer watches (`at`: wall clock). */
  function reconcile(at: number): Transition[] {
    for (const [id, own] of known) {
      const sensor = registry(id);
      if (!sensor) {
        drop(id, at, say("end.sensorRemoved", {}));
        continue;
      }
      for (const watch of watches) {
        const one = own.get(watch.compiled.rule.id);
        if (!one || watch.compiled.matches(sensor)) continue;
        if (one.active) said.push(endFor(watch, one.active, id, at, say("end.unwatched", {})));
        own.delete(watch.compiled.rule.id);
        table.mark(id);
      }
      if (own.size === 0) known.delete(id);
    }
    return handOver();
  }

  return { take, tick, end, held, reconcile, close: () => table.close() };
}
