import type { Transition } from "../../model/alert.ts";
import { LATE_AFTER_MS, type Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import type { Outcome, Sample, Step } from "../conditions/sample.ts";
import { lookForSilence, type SilenceParams, type SilenceState, stepSilence } from "../conditions/silence.ts";
import { CONDITIONS, type ConditionTable, compileRule, type WatchedSensor } from "./compile.ts";
import { createListening } from "./listening.ts";
import { CLOCKS, LISTENING, type Orphan, orphan, restoreClocks, restoreWatch, type StateRow } from "./state-rows.ts";
import { moveOn, placeOf, remember, type Stream } from "./stream.ts";
import { createSubject, type MetricWatches, type Subject, type Watch, watchesOf } from "./subject.ts";
import { nextActive, toTransition } from "./transition.ts";
import { createUnsaved } from "./unsaved.ts";

export type EngineOptions = {
  readonly rules: readonly Rule[];
  /** The registry, from RAM: asked for every reading. A sensor that was changed must come as a new object. */
  readonly sensor: (id: string) => WatchedSensor | undefined;
  /** For tests: the conditions over values. */
  readonly conditions?: ConditionTable;
};

export type Engine = ReturnType<typeof createEngine>;

/**
 * The rules on the readings. Knows no clock: the time of `observe` is in the readings, that of `tick` is handed in.
 * The same readings in the same order give the same transitions, however they are cut into batches.
 *
 * The conditions are pure and their states immutable; what the engine keeps per sensor beside them (clocks, which state
 * is current, what is to be saved) is changed in place, because every reading of the city comes through here.
 */
export function createEngine({ rules, sensor: registry, conditions = CONDITIONS }: EngineOptions) {
  const compiled = rules.map(compileRule);
  const subjects = new Map<string, Subject>();
  const listening = createListening();
  const unsaved = createUnsaved();
  const counts = { readings: 0, inOrder: 0, late: 0, duplicate: 0, pending: 0, firing: 0, resolved: 0, shadow: 0 };
  let said: Transition[] = [];

  /** What the rules have to say to these readings, in their order. */
  function observe(readings: readonly Reading[]): Transition[] {
    for (const reading of readings) take(reading);
    return handOver();
  }

  function handOver(): Transition[] {
    const transitions = said;
    said = [];
    return transitions;
  }

  function take(reading: Reading): void {
    counts.readings += 1;
    const subject = subjectOf(reading);
    hear(subject, reading);
    const { metrics } = subject;
    for (let i = 0; i < metrics.length; i++) {
      const entry = metrics[i]!;
      const value = reading.values[entry.metric];
      if (value !== undefined) measure(entry, value, reading);
    }
    if (!reading.imported) subject.heardAt = reading.receivedAt;
    unsaved.clocks(subject);
  }

  function subjectOf({ sensorId: id, kind, district, measuredAt, receivedAt }: Reading): Subject {
    const known = subjects.get(id);
    const registered = registry(id);
    if (known && (registered === undefined || registered === known.sensor)) return known;
    const sensor = registered ?? { id, kind, district, tags: {} };
    const subject = createSubject(sensor, registered !== undefined, compiled, conditions, known);
    subjects.set(id, subject);
    if (known) succeed(known, subject, measuredAt, receivedAt);
    return subject;
  }

  /** The sensor's entry in the registry was changed: other tags may mean other rules. */
  function succeed(former: Subject, subject: Subject, at: number, knownAt: number): void {
    former.gone = true;
    const kept = new Set(watchesOf(subject).map((watch) => watch.compiled));
    for (const watch of watchesOf(former)) {
      if (!kept.has(watch.compiled)) withdraw(watch, at, knownAt, "The rule no longer watches this sensor.");
      watch.gone = true;
    }
    for (const watch of watchesOf(subject)) unsaved.watch(watch);
  }

  function hear(subject: Subject, { measuredAt: at, receivedAt, imported }: Reading): void {
    const { stream, silences } = subject;
    const { lastAt } = stream;
    const isNews = lastAt === undefined || at > lastAt;
    for (let i = 0; i < silences.length; i++) {
      const watch = silences[i]!;
      // An old reading is no news in event time; but it ends a silence that the clock had seen.
      if (!isNews && (imported || watch.state.since === undefined)) continue;
      const listeningSince = imported ? undefined : listening.between(subject.heardAt, receivedAt);
      attempt(watch, receivedAt, () =>
        stepSilence(watch.params as SilenceParams, watch.state, { at, lastAt, cadence: stream, listeningSince }),
      );
    }
    if (!isNews) return;
    moveOn(stream, at);
    subject.imported = imported === true;
  }

  function measure({ metric, stream, watches }: MetricWatches, value: number, reading: Reading): void {
    const { measuredAt: at, receivedAt, quality } = reading;
    const good = quality === undefined || quality[metric] === undefined;
    const sample: Sample = { at, value, good, lastAt: stream.lastAt, cadence: stream };
    if (stream.lastAt !== undefined && at <= stream.lastAt) return measureLate(stream, watches, sample, receivedAt);
    counts.inOrder += 1;
    for (let i = 0; i < watches.length; i++) {
      const watch = watches[i]!;
      attempt(watch, receivedAt, () => watch.condition!.step(watch.params, watch.state, sample));
    }
    moveOn(stream, at);
  }

  /** A late sample may enter a window that is still open; it decides nothing. A duplicate is none at all. */
  function measureLate(stream: Stream, watches: readonly Watch[], sample: Sample, knownAt: number): void {
    const place = placeOf(stream, sample.at);
    counts[place === "duplicate" ? "duplicate" : "late"] += 1;
    if (place !== "late") return;
    remember(stream, sample.at);
    for (const watch of watches) {
      const { condition, params, state } = watch;
      if (condition?.late) attempt(watch, knownAt, () => [condition.late!(params, state, sample), []]);
    }
  }

  /** A condition that throws puts its rule out of use; the other rules go on. */
  function attempt(watch: Watch, knownAt: number, work: () => Step<unknown>): void {
    if (watch.compiled.failure !== undefined) return;
    try {
      const [state, outcomes] = work();
      if (state === watch.state && outcomes.length === 0) return;
      watch.state = state;
      unsaved.watch(watch);
      for (let i = 0; i < outcomes.length; i++) tell(watch, outcomes[i]!, knownAt);
    } catch (error) {
      watch.compiled.failure = error instanceof Error ? error.message : String(error);
    }
  }

  function tell(watch: Watch, outcome: Outcome, knownAt: number): void {
    const { compiled, params, subject } = watch;
    const about = { rule: compiled.rule, params, sensor: subject.sensor };
    const active = nextActive(about, watch.active, outcome);
    watch.active = outcome.what === "resolved" ? undefined : active;
    const note = outcome.why === "cleared" ? undefined : outcome.why;
    say(watch, toTransition(about, active, { what: outcome.what, at: outcome.at, knownAt, note }));
  }

  function say({ compiled }: Watch, transition: Transition): void {
    if (compiled.rule.mode === "shadow") {
      counts.shadow += 1;
      return;
    }
    counts[transition.entry.what as Outcome["what"]] += 1;
    said.push(transition);
  }

  /** Nothing will ever resolve this alert: say so instead of leaving it. */
  function withdraw(watch: Watch, time: number, knownAt: number, note: string): void {
    unsaved.dropWatch(watch);
    const { active, compiled, subject } = watch;
    if (!active) return;
    const at = Math.max(time, active.firedAt ?? active.startedAt);
    const ended = { ...active, explanation: `${active.explanation} ${note}` };
    const about = { rule: compiled.rule, sensor: subject.sensor };
    say(watch, toTransition(about, ended, { what: "resolved", at, knownAt, note }));
  }

  /**
   * What the clock has to say: sensors that have fallen silent, and windows that ended half an hour ago without a
   * reading after them. Only for sensors that report live. Call it only when everything received has been observed.
   */
  function tick(now: number): Transition[] {
    for (const subject of subjects.values()) {
      if (subject.registered && !registry(subject.sensor.id)) remove(subject, now);
      else if (!subject.imported) look(subject, now);
    }
    return handOver();
  }

  function look(subject: Subject, now: number): void {
    const { stream, silences, metrics, heardAt } = subject;
    const listeningSince = listening.newest();
    const { lastAt } = stream;
    if (lastAt === undefined) return;
    for (const watch of silences) {
      const at = { now, lastAt, heardAt, cadence: stream, listeningSince };
      attempt(watch, now, () => lookForSilence(watch.params as SilenceParams, watch.state as SilenceState, at));
    }
    for (const { stream, watches } of metrics) {
      for (const watch of watches) {
        const { condition, params, state } = watch;
        if (!condition?.advance) continue;
        attempt(watch, now, () => condition.advance!(params, state, now - LATE_AFTER_MS, stream));
      }
    }
  }

  function remove(subject: Subject, now: number): void {
    subjects.delete(subject.sensor.id);
    for (const watch of watchesOf(subject)) withdraw(watch, now, now, "The sensor was removed.");
    unsaved.dropSubject(subject);
  }

  /** From now on nothing that the sensors say is missed; before, it may have been. */
  function listen(since: number): void {
    listening.add(since);
    unsaved.other({ rule: LISTENING, subject: "", state: listening.toJson() });
  }

  /** Goes on from what `rows` gave. Answers the alerts that nothing watches any more, for the caller to end. */
  function load(rows: Iterable<StateRow>): Orphan[] {
    const all = [...rows];
    for (const { rule, state } of all) if (rule === LISTENING) listening.restore(state);
    for (const row of all) if (row.rule === CLOCKS) loadClocks(row);
    const orphans = all.filter(({ rule }) => !rule.startsWith("~")).filter((row) => !loadWatch(row));
    for (const row of orphans) unsaved.other({ ...row, state: "" });
    return orphans.map(orphan);
  }

  function loadClocks(row: StateRow): void {
    const sensor = registry(row.subject);
    if (!sensor) return unsaved.other({ ...row, state: "" });
    const subject = createSubject(sensor, true, compiled, conditions);
    restoreClocks(subject, row.state);
    subjects.set(sensor.id, subject);
  }

  function loadWatch(row: StateRow): boolean {
    const subject = subjects.get(row.subject);
    return subject !== undefined && restoreWatch(subject, row);
  }

  const failures = () => compiled.flatMap(({ rule, failure }) => (failure ? [{ rule: rule.id, failure }] : []));

  return {
    observe,
    tick,
    listen,
    load,
    /** The states that have changed; call `saved` in the same turn, once they are on disk. */
    dirty: unsaved.rows,
    saved: unsaved.saved,
    failures,
    counts: () => ({ ...counts, rules: compiled.length, subjects: subjects.size }),
  };
}
