import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { asText, type Sentence, say } from "../../model/sentence.ts";
import { DAY_MS } from "../../model/time.ts";
import { alertId } from "../alert-id.ts";
import { SILENCE_MIN_MS } from "../conditions/cadence.ts";
import { isWorkedOn, type WatchedSensor, type WorksOn } from "../conditions/condition.ts";
import { CONDITIONS, type ConditionTable } from "../conditions/registry.ts";
import { DERIVES } from "../derived/registry.ts";
import { arrive } from "./arrivals.ts";
import { createCorrector, type Rejudged } from "./corrector.ts";
import type { Derive } from "./derive.ts";
import { type FoldContext, isPast } from "./fold.ts";
import { adaptTo, addLate, appendReading, placeOf, prune, refoldRows, TOGETHER_FIRST } from "./history.ts";
import { type CompiledRule, compileRule, createPlanner, type Plan } from "./plan.ts";
import { clearColumn, droppedColumns, rebind } from "./rebind.ts";
import { KEY, RECEIVED, rowCount } from "./ring.ts";
import { createStates, type StateRow, type States } from "./states.ts";
import { addSign, createSubject, NO_WORKS, type Subject } from "./subject.ts";
import { changedRows, droppedRows, FAILED, LISTENING, loadSubjects } from "./subject-rows.ts";
import { createRecorder, openAlert } from "./transitions.ts";

export type EngineOptions = {
  readonly rules: readonly Rule[];
  /** The registry, from RAM: asked for every reading. A sensor that was changed must come as a new object. */
  readonly sensor: (id: string) => WatchedSensor | undefined;
  /** For tests: the conditions over values. */
  readonly conditions?: ConditionTable;
  readonly derives?: readonly Derive[];
  /** The most readings remembered for corrections: of one sensor, of one that sends many late ones, and of all together. */
  readonly remember?: { readonly perSensor: number; readonly perLateSensor?: number; readonly total: number };
  /** The caller calls `settleOf` between other work; without it `observe` and `tick` do. */
  readonly settlesLater?: boolean;
  /** Live readings older than this, beyond the delay of their feed, are history: nobody is told. A day, unless told otherwise. */
  readonly historyAfterMs?: () => number;
  /** Whether a sensor cannot be expected to be heard now, for reasons that are not its own: that time is none of its silence. */
  readonly isExcused?: (sensorId: string, now: number) => boolean;
  readonly worksOn?: WorksOn;
  /** Where it keeps what is saved, with what others save; without it by itself. */
  readonly states?: States;
};

export type Engine = ReturnType<typeof createEngine>;

/** Even of a city of many sensors each keeps some. */
const ROWS_MIN = 32;
const REMEMBER = { perSensor: 1_000, perLateSensor: 20_000, total: 1_000_000 };
/** Late readings are folded at once if that is so few rows; else together with others, so that each costs no more. */
const AT_ONCE_ROWS = 256;
/** Rows that are folded for what waits, for each reading that comes. */
const ROWS_PER_READING = 32;
/** Where the rest is settled later: so many in all, so that it stays short. */
const AT_ONCE_TOTAL = 512;
/** One sensor's turn, while others wait as well. */
const TURN_ROWS = 512;
const UNWATCHED = say("end.unwatched", {});
/** Often enough that no gap between two excuses could be a silence. */
const EXCUSE_EVERY_MS = SILENCE_MIN_MS / 3;
/** Starts of listening that are kept. */
const STARTS_MAX = 64;

/**
 * The rules on the readings. Knows no clock: the time of `observe` is in the readings, that of `tick` is handed in.
 * The same readings in the same order give the same transitions, however they are cut into batches; in another order,
 * within the lateness, they come to the same alerts in the end.
 *
 * The conditions are pure and their states immutable; what the engine keeps per sensor beside them is changed in place,
 * because every reading of the city comes through here.
 */
export function createEngine(options: EngineOptions) {
  const { sensor: registry, conditions = CONDITIONS, derives = DERIVES, remember = REMEMBER } = options;
  const { states = createStates() } = options;
  const { perSensor, perLateSensor = perSensor, total } = remember;
  let compiled = options.rules.map(compileRule);
  const planner = createPlanner(conditions, derives);
  const subjects = new Map<string, Subject>();
  /** Those with late readings that wait, in the order of their turns. */
  const backlogged = new Set<Subject>();
  let remembered = 0;
  /** Sensors that were removed, or are bound to other rules or another entry. */
  let changes = 0;
  const listening = createListening();
  /** Plans that are on disk. */
  const plans = new Set<string>();
  const table = states.open<string>({
    keys: () => subjects.keys(),
    rowsOf: (id) => (subjects.has(id) ? changedRows(subjects.get(id)!, plans) : []),
    load,
  });
  const recorder = createRecorder(noteAlert);
  const counts = { readings: 0, inOrder: 0, late: 0, duplicate: 0, tooLate: 0, forgotten: 0 };
  let failing: CompiledRule[] = [];
  /** Those of them that are new there. */
  let newlyLate: Subject[] = [];
  /** Those the clock has not looked at yet. */
  let ticking: MapIterator<Subject> | undefined;
  const { historyAfterMs = () => DAY_MS, isExcused = () => false, worksOn = () => NO_WORKS } = options;
  const context: FoldContext = { listeningBetween: listening.between, onFailure, historyAfterMs, worksOn };
  const corrector = createCorrector(recorder, context, listening.newest);

  /** What the rules have to say to these readings, in their order. */
  function observe(readings: readonly Reading[]): Transition[] {
    for (let i = 0; i < readings.length; i++) take(readings[i]!);
    settleFor(readings.length);
    return options.settlesLater ? foldFew() : recorder.handOver();
  }

  /** One reading of many: call `settleFor` after the last of them. */
  function observeOne(reading: Reading): Transition[] {
    take(reading);
    return recorder.handOver();
  }

  /** Folds what waits as far as so many readings pay for, so that n readings cost O(n) in whatever order they come. */
  function settleFor(readings: number): void {
    if (backlogged.size > 0 && !options.settlesLater) work(ROWS_PER_READING * readings);
  }

  function take(reading: Reading): void {
    counts.readings += 1;
    table.mark(reading.sensorId);
    const subject = subjectOf(reading);
    const place = placeOf(subject, reading);
    if (!reading.imported) arriveAt(subject, reading.receivedAt, place === "in-order" ? reading.measuredAt : undefined);
    if (place === "in-order" || place === "behind") goForward(subject, reading);
    else if (place === "late") takeLate(subject, reading);
    else if (place === "duplicate") counts.duplicate += 1;
    else counts.tooLate += 1;
    if (place === "in-order") subject.imported = reading.imported === true;
    else corrector.hear(subject, reading);
    if (!reading.imported) {
      subject.heardAt = reading.receivedAt;
      if (place !== "in-order" && place !== "behind") subject.saving.isBaseStale = true;
    }
    if (failing.length > 0) endFailing(reading.measuredAt, reading.receivedAt);
  }

  /** A message of a sensor was refused: it has said nothing that could be judged, and is not silent. */
  function hearRefused(id: string, receivedAt: number): Transition[] {
    const subject = subjects.get(id);
    if (!subject) return [];
    table.mark(id);
    corrector.hear(subject, { measuredAt: receivedAt, receivedAt });
    arriveAt(subject, receivedAt);
    subject.heardAt = Math.max(subject.heardAt, receivedAt);
    subject.saving.isBaseStale = true;
    addSign(subject, receivedAt);
    return recorder.handOver();
  }

  /** The reading, which has been observed, is of the past. */
  function isOfThePast({ sensorId, imported, receivedAt, measuredAt }: Reading): boolean {
    const subject = subjects.get(sensorId);
    return subject !== undefined && isPast(subject, imported === true, receivedAt - measuredAt, context);
  }

  function arriveAt({ arrivals, clock, plan, sensor }: Subject, receivedAt: number, newsAt?: number): void {
    const { lastAt: formerly } = arrivals.clock;
    const isLong = formerly !== undefined && receivedAt - formerly > SILENCE_MIN_MS;
    const isWorked = isLong && isWorkedOn({ works: worksOn(sensor, receivedAt) }, formerly, receivedAt);
    const wasAway = isWorked || (isLong && listening.between(formerly, receivedAt) !== undefined);
    arrive(arrivals, receivedAt, newsAt, clock, wasAway, plan.zone);
  }

  function goForward(subject: Subject, reading: Reading): void {
    counts.inOrder += 1;
    remembered += 1;
    if (subject.checkpoints.length > 1) forget(subject);
    if (corrector.isAhead(subject, reading)) return corrector.confirm(subject, reading);
    const told = subject.log.length;
    appendReading(subject, reading, context);
    const { log } = subject;
    for (let i = told; i < log.length; i++) recorder.record(subject, log[i]!, reading.receivedAt);
  }

  function takeLate(subject: Subject, reading: Reading): void {
    const { ring, backlog } = subject;
    if (rowCount(ring) + (backlog ? rowCount(backlog.rows) : 0) >= (remembered < total ? perLateSensor : rowsMax())) {
      counts.tooLate += 1;
      counts.forgotten += 1;
      return;
    }
    counts.late += 1;
    remembered += 1;
    if (options.settlesLater) {
      // Who tells it between other work begins with little: nobody knows how much there will be to tell.
      addLate(subject, reading, TOGETHER_FIRST);
      wait(subject);
      return;
    }
    addLate(subject, reading);
    if (!subject.backlog!.refold && refoldRows(subject) <= AT_ONCE_ROWS) catchUp(subject, AT_ONCE_ROWS);
    else backlogged.add(subject);
  }

  function wait(subject: Subject): void {
    if (!backlogged.has(subject)) newlyLate.push(subject);
    backlogged.add(subject);
  }

  /**
   * Folds the late readings that have just come, where that is so little that nobody need wait for it; the others wait
   * for `settleOf`. For those who settle later, in place of `settleFor`.
   */
  function foldFew(): Transition[] {
    let left = AT_ONCE_TOTAL;
    for (const subject of newlyLate) {
      if (left <= 0) break;
      if (subject.backlog && refoldRows(subject) <= AT_ONCE_ROWS) left -= catchUp(subject, AT_ONCE_ROWS);
    }
    return recorder.handOver();
  }

  /** One turn of a sensor. */
  function catchUp(subject: Subject, rows: number): number {
    const said = recorder.said();
    const folded = corrector.catchUp(subject, rows);
    // Who tells it between other work tells little at a time.
    if (options.settlesLater && subject.backlog && !subject.backlog.refold) {
      adaptTo(subject.backlog, recorder.said() - said);
    }
    if (failing.length > 0) endFailing(subject.clock.lastAt ?? 0, subject.heardAt);
    if (subject.backlog) return folded;
    backlogged.delete(subject);
    if (subject.checkpoints.length > 1) forget(subject);
    table.mark(subject.sensor.id);
    return folded;
  }

  function work(rowsMax: number): void {
    let left = rowsMax;
    for (const subject of backlogged) {
      if (left <= 0) return;
      left -= Math.max(1, catchUp(subject, Math.min(left, TURN_ROWS)));
      // To the end of the line: this loop comes to it again.
      if (backlogged.delete(subject)) backlogged.add(subject);
    }
  }

  /**
   * Folds late readings that wait, at most so many rows (one is folded in 1 to 20 µs), in turns of the sensors. What it
   * says is not in the journal's order: save it at once.
   */
  function settle(rowsMax: number): Transition[] {
    work(rowsMax);
    return recorder.handOver();
  }

  /** The same of one sensor. */
  function settleOf(id: string, rowsMax: number): Transition[] {
    const subject = subjects.get(id);
    if (subject?.backlog) catchUp(subject, rowsMax);
    return recorder.handOver();
  }

  /** Since when readings of this sensor can still be judged anew; undefined where there are none that can. */
  function reachFrom(id: string): number | undefined {
    const subject = subjects.get(id);
    // Readings out of their order cannot be told from the store.
    if (!subject || subject.ring.hasBehind || rowCount(subject.ring) === 0) return undefined;
    const { key } = subject.checkpoints[0]!;
    return Number.isFinite(key) ? key : subject.ring.data[subject.ring.start + KEY];
  }

  /** The newest moment of which this sensor has spoken. */
  const reachedBy = (id: string): number | undefined => subjects.get(id)?.clock.lastAt;

  /** Nothing of this sensor has been forgotten: what its readings are moved to before the oldest can be judged, too. */
  function remembersAll(id: string): boolean {
    const subject = subjects.get(id);
    return subject !== undefined && !subject.ring.hasBehind && !Number.isFinite(subject.checkpoints[0]!.key);
  }

  /** Another text when more of this sensor has been taken. */
  function markOf(id: string): string {
    const { key, ring, backlog, heardAt } = subjects.get(id) ?? {};
    return [key, ring && rowCount(ring), backlog && rowCount(backlog.rows), heardAt].join();
  }

  /** The readings of a sensor since `reachFrom`, as they were corrected: says what is otherwise now. */
  function rejudge(id: string, readings: readonly Reading[], why: Rejudged): Transition[] {
    const subject = subjects.get(id);
    if (!subject) return [];
    finish(subject);
    remembered -= rowCount(subject.ring);
    corrector.rejudge(subject, readings, why);
    remembered += rowCount(subject.ring);
    if (failing.length > 0) endFailing(subject.clock.lastAt ?? 0, subject.heardAt);
    table.mark(id);
    return recorder.handOver();
  }

  function forget(subject: Subject): void {
    const before = rowCount(subject.ring);
    const isLate = subject.late * 8 >= before && remembered < total;
    counts.forgotten += prune(subject, isLate ? perLateSensor : rowsMax());
    remembered -= before - rowCount(subject.ring);
  }

  const rowsMax = () => Math.min(perSensor, Math.max(ROWS_MIN, Math.floor(total / Math.max(1, subjects.size))));

  function subjectOf({ sensorId: id, kind, district, measuredAt, receivedAt }: Reading): Subject {
    const known = subjects.get(id);
    const registered = registry(id);
    if (known && (registered === undefined || registered === known.sensor)) return known;
    const sensor = registered ?? { id, kind, district, tags: {} };
    const plan = planner.planFor(sensor, compiled);
    if (known) return succeed(known, sensor, plan, measuredAt, receivedAt, () => UNWATCHED);
    const subject = createSubject(sensor, registered !== undefined, plan);
    subjects.set(id, subject);
    return subject;
  }

  /** Its entry was changed, and it need not send anything for the rules to know: a move, or another interval. */
  function follow(subject: Subject, sensor: WatchedSensor, now: number): Subject {
    const plan = planner.planFor(sensor, compiled);
    return succeed(subject, sensor, plan, now, now, () => UNWATCHED);
  }

  /** The sensor's entry in the registry was changed, or the rules were: what is no longer watched is ended. */
  function succeed(
    former: Subject,
    sensor: WatchedSensor,
    plan: Plan,
    at: number,
    knownAt: number,
    note: (ruleId: string) => Sentence,
  ): Subject {
    table.mark(sensor.id);
    changes += 1;
    finish(former);
    for (const { column, compiled } of droppedColumns(former.plan, plan)) {
      recorder.end(former, column, at, knownAt, note(compiled.rule.id));
    }
    const subject = rebind(former, sensor, former.registered || registry(sensor.id) !== undefined, plan);
    subjects.set(sensor.id, subject);
    remembered += rowCount(subject.ring) - rowCount(former.ring);
    for (const rule of subject.saving.stored) subject.saving.changed.add(rule);
    return subject;
  }

  /** What waits is settled before the rules of a sensor are others. */
  function finish(subject: Subject): void {
    while (subject.backlog) catchUp(subject, Number.POSITIVE_INFINITY);
  }

  /** A condition that throws puts its rule out of use; the other rules go on. */
  function onFailure(rule: CompiledRule, error: unknown): void {
    if (rule.failure !== undefined) return;
    rule.failure = error instanceof Error ? error.message : String(error);
    failing.push(rule);
  }

  function endFailing(at: number, knownAt: number): void {
    for (const rule of failing) {
      states.put({ rule: FAILED, subject: rule.rule.id, state: rule.fit });
      for (const subject of subjects.values()) {
        const watch = subject.plan.watches.find((one) => one.compiled === rule);
        if (!watch) continue;
        recorder.end(subject, watch.column, at, knownAt, say("end.ruleFailed", { error: asText(rule.failure!) }));
        clearColumn(subject, watch.column);
      }
    }
    failing = [];
  }

  /**
   * What the clock has to say: sensors that have fallen silent, and windows that ended half an hour ago without a
   * reading after them. Only for sensors that report live. Call it only when everything received has been observed, but
   * for the readings of sensors that are `held`: of those it says nothing. With `sensorsMax` it looks at so many, and
   * `isTicking` says whether the next call goes on with others or begins again.
   */
  function tick(
    now: number,
    isHeld: (sensorId: string) => boolean = () => false,
    sensorsMax = Number.POSITIVE_INFINITY,
  ): Transition[] {
    if (!options.settlesLater) work(Number.POSITIVE_INFINITY);
    ticking ??= subjects.values();
    for (let left = sensorsMax; left > 0; left--) {
      const { value: subject, done } = ticking.next();
      if (done) {
        ticking = undefined;
        break;
      }
      const { id } = subject.sensor;
      const entry = registry(id);
      // Live, only readings that waited while their sensor was removed are of one that is not registered.
      if (!entry && (subject.registered || options.settlesLater)) remove(subject, now);
      // What its late readings say comes first.
      else if (subject.backlog || isHeld(id)) continue;
      else {
        const bound = entry === undefined || entry === subject.sensor ? subject : follow(subject, entry, now);
        if (bound.imported) continue;
        const excused = isExcused(id, now);
        if (excused) excuse(bound, now);
        if (corrector.look(bound, now, excused)) table.mark(id);
      }
    }
    if (failing.length > 0) endFailing(now, now);
    return recorder.handOver();
  }

  /** What cannot be heard is not silent: as if it had shown that it lives. */
  function excuse(subject: Subject, now: number): void {
    const { heardAt, signs, sensor, saving } = subject;
    if (now - Math.max(heardAt, signs.at(-1)?.to ?? 0) < EXCUSE_EVERY_MS) return;
    addSign(subject, now);
    saving.isBaseStale = true;
    table.mark(sensor.id);
  }

  function remove(subject: Subject, now: number): void {
    changes += 1;
    for (const { column } of subject.plan.watches)
      recorder.end(subject, column, now, now, say("end.sensorRemoved", {}));
    subjects.delete(subject.sensor.id);
    backlogged.delete(subject);
    remembered -= rowCount(subject.ring) + (subject.backlog ? rowCount(subject.backlog.rows) : 0);
    for (const row of droppedRows(subject)) states.put(row);
  }

  /** The alerts of this rule have changed. */
  function noteAlert({ sensor, saving, plan }: Subject, column: number): void {
    table.mark(sensor.id);
    saving.changed.add(plan.watches[column]!.compiled.rule.id);
  }

  /**
   * Other rules from now on (`at`, wall clock). Those that are as they were go on; what was firing under changed or
   * deleted ones is resolved with a note, and changed ones start anew.
   */
  function replaceRules(rules: readonly Rule[], at: number): Transition[] {
    const former = new Map(compiled.map((one) => [`${one.rule.id} ${one.fit}`, one]));
    compiled = rules.map((rule) => {
      const next = compileRule(rule);
      next.failure = former.get(`${rule.id} ${next.fit}`)?.failure;
      return next;
    });
    planner.forget();
    const ids = new Set(rules.map(({ id }) => id));
    const note = (id: string) => (ids.has(id) ? say("end.ruleChanged", {}) : say("end.ruleDeleted", {}));
    for (const subject of [...subjects.values()]) {
      succeed(subject, subject.sensor, planner.planFor(subject.sensor, compiled), at, at, note);
    }
    return recorder.handOver();
  }

  /** From now on nothing that the sensors say is missed; before, it may have been. */
  function listen(since: number): void {
    listening.add(since);
    states.put({ rule: LISTENING, subject: "", state: listening.toJson() });
  }

  /** Goes on from what `rows` gave. */
  function load(rows: readonly StateRow[]): void {
    const listened = rows.find(({ rule }) => rule === LISTENING);
    if (listened) listening.restore(listened.state);
    const loaded = loadSubjects(rows, { ...context, rules: compiled, planner, sensor: registry });
    for (const subject of loaded.subjects) {
      subjects.set(subject.sensor.id, subject);
      remembered += rowCount(subject.ring) + (subject.backlog ? rowCount(subject.backlog.rows) : 0);
      // It was let keep so many: it sends late ones.
      if (rowCount(subject.ring) > rowsMax()) subject.late = rowCount(subject.ring);
      if (subject.backlog) wait(subject);
      if (subject.saving.base !== subject.checkpoints[0] || subject.saving.changed.size > 0) {
        table.mark(subject.sensor.id);
      }
    }
    for (const id of loaded.plans) plans.add(id);
    for (const row of loaded.obsolete) states.put({ ...row, state: "" });
  }

  /** The ids of the alerts that are not over. */
  function held(): string[] {
    return [...subjects.values()].flatMap((subject) => {
      const { actives, tentative, plan, sensor } = subject;
      if (actives.size === 0 && tentative.size === 0) return [];
      const columns = new Set([...actives.keys(), ...tentative.keys()]);
      return [...columns].flatMap((column) => {
        const { rule, fit } = plan.watches[column]!.compiled;
        const open = openAlert(subject, column);
        return open ? [alertId(rule.id, sensor.id, open.startedAt, fit)] : [];
      });
    });
  }

  const failures = () => compiled.flatMap(({ rule, failure }) => (failure ? [{ rule: rule.id, failure }] : []));

  /** The late readings that wait: of how many sensors, how many, and when the oldest of them arrived. */
  function backlog() {
    let readings = 0;
    let since: number | undefined;
    for (const { backlog: waiting } of backlogged) {
      const { rows } = waiting!;
      readings += rowCount(rows);
      const receivedAt = rows.data[rows.start + RECEIVED]!;
      if (since === undefined || receivedAt < since) since = receivedAt;
    }
    return { sensors: backlogged.size, readings, since };
  }

  return {
    observe,
    observeOne,
    hearRefused,
    isOfThePast,
    settleFor,
    settle,
    backlog,
    settleOf,
    reachFrom,
    reachedBy,
    remembersAll,
    markOf,
    rejudge,
    foldFew,
    /** The sensors whose late readings have begun to wait since the last call. */
    newlyLate(): readonly string[] {
      const ids = newlyLate.flatMap(({ backlog, sensor }) => (backlog ? [sensor.id] : []));
      if (newlyLate.length > 0) newlyLate = [];
      return ids;
    },
    /** How many late readings of this sensor wait. */
    lateOf: (id: string) => {
      const waiting = subjects.get(id)?.backlog;
      return waiting ? rowCount(waiting.rows) : 0;
    },
    tick,
    held,
    changes: () => changes,
    isTicking: () => ticking !== undefined,
    listen,
    replaceRules,
    states,
    failures,
    counts: () => {
      return { ...counts, ...recorder.counts, rules: compiled.length, subjects: subjects.size, remembered };
    },
  };
}

/**
 * Since when the service has been listening: a start, or the end of a time in which it could take nothing. What it did
 * not hear before such a moment is no silence of the sensor. The newest 64 are kept.
 */
function createListening() {
  let starts: number[] = [];

  return {
    add(since: number): void {
      starts = [...starts, since].sort((a, b) => a - b).slice(-STARTS_MAX);
    },
    /** The newest start after `from` and not after `to`: the service was away for a part of that time. */
    between(from: number, to: number): number | undefined {
      for (let i = starts.length - 1; i >= 0 && starts[i]! > from; i--) if (starts[i]! <= to) return starts[i];
      return undefined;
    },
    newest: () => starts.at(-1),
    toJson: () => JSON.stringify(starts),
    restore(text: string): void {
      starts = [...(JSON.parse(text) as number[]), ...starts].sort((a, b) => a - b).slice(-STARTS_MAX);
    },
  };
}
