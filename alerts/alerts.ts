import { setImmediate as immediate } from "node:timers/promises";
import type { Transition } from "../model/alert.ts";
import type { Batch } from "../model/batch.ts";
import type { Figure, Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import type { Rule } from "../model/rule.ts";
import { createSettledClock, DAY_MS, HOUR_MS } from "../model/time.ts";
import type { Records } from "../store/records.ts";
import { healthOfAlerts, healthOfLag } from "./alerts-health.ts";
import type { ConditionTable } from "./conditions/registry.ts";
import { alertFigures, createDetector, waitingFigures } from "./detector.ts";
import type { Rejudged } from "./engine/corrector.ts";
import type { StateRow } from "./engine/states.ts";
import { createExcuses } from "./excuses.ts";
import { createHistorySummary } from "./history-summary.ts";
import { cityRules } from "./rules/zoned.ts";
import { createRulesTime, TIME } from "./rules-time.ts";
import { createTurns, type Turns, UNSAID, WAITING } from "./turns.ts";
import { endUnwatched } from "./unwatched.ts";
import { createWorks } from "./works.ts";

export type AlertsOptions = {
  readonly rules: readonly Rule[];
  /** Where the city's days begin, and in which its sentences state times; UTC without it. */
  readonly zone?: string | undefined;
  /** Where the city is: where the sun is asked for, and a sensor has no place of its own. */
  readonly place?: Rule["place"] | undefined;
  readonly holidays?: readonly string[] | undefined;
  readonly records: Pick<
    Records,
    "sensors" | "silences" | "alerts" | "ruleStates" | "offsets" | "transaction" | "relaxed"
  >;
  /** The first record that is still in the journal: where a service without a saved offset starts. */
  readonly first: number;
  readonly now: () => number;
  readonly log: Log;
  /** False while the service can take no messages (the journal is full): that time is no sensor's silence. */
  readonly listening?: () => boolean;
  /** Of a city that reads from a broker of somebody else: whether it is away. What speaks through it is not silent then. */
  readonly brokerIsAway?: () => boolean;
  /** False while received messages wait in the journal: then the clock runs only as far as those that were taken. Live, `untaken` says it. */
  readonly caughtUp?: () => boolean;
  /** Messages that are in the journal and have not come to `take`. */
  readonly untaken?: () => number;
  /** In real time. Without it (virtual time) everything is done at once, in the order of the journal. */
  readonly live?: Live;
  readonly conditions?: ConditionTable;
  /** Live readings older than this, beyond the delay of their feed, are history: nobody is told of their alerts. */
  readonly historyAfterMs?: number | undefined;
  /** Milliseconds that do not jump, to tell whether the clock has: while it is wrong, nothing that comes live is history. */
  readonly uptime?: (() => number) | undefined;
  /** Readings as people corrected their sensors', without those of which nothing is left; the same array if none is. */
  readonly correct?: (readings: readonly Reading[]) => readonly Reading[];
  /** Records transitions, within the transaction it is called in: the noise control, which also decides what is told. */
  readonly apply?: (transitions: readonly Transition[]) => void;
};

/**
 * With others to serve on the same thread: what one sender sends above its share waits for others, and what waits is
 * done by `work`, some milliseconds at a time.
 */
export type Live = {
  /** Milliseconds that do not jump. */
  monotonic(): number;
  /** Something waits: call `work`. */
  onWaiting(): void;
  /** Some of the messages `from` ... `before - 1` once more: what waits of one sender beyond what fits into memory. */
  readAgain(from: number, before: number): Promise<Batch>;
};

export type Alerts = ReturnType<typeof createAlerts>;

/** How often `tick` should be called. */
export const TICK_EVERY_MS = 5_000;
const SAVE_EVERY_MS = 5_000;
const SAVE_EVERY_READINGS = 200_000;
/** A sensor seen for the first time makes several rows: 200 of them are a save of their own, or one would hold others up. */
const NEWCOMER_READINGS = 1_000;
const OFFSET = "alerts";
/** What is done in one go of a batch, and for those who wait; after it everybody else has their turn. */
const TAKE_MS = 8;
/** Senders that have hardly sent anything lately are still judged for so many times that. */
const MODEST = 3;
const WORK_MS = 2;
/** Turns that are done whatever the time says, which passes on a busy machine without anything being done. */
const WORK_TURNS = 4;
const SETTLE_COSTS_TURNS = 4;
/**
 * Lines of one transaction: so many as take about so long. A line is dearer than many readings (SQLite). Those of who has
 * little to say may take longer: nobody else has.
 */
const SAID_AT_ONCE = 64;
const SAID_AT_ONCE_MIN = 4;
const SAY_MS = 2;
const SAY_FEW_TIMES = 4;
/** Fewer are said once so much time has passed, or when nothing else is to be done: each transaction has its price. */
const SAY_EVERY_MS = 50;
/** Sensors whose states are saved in one go, so that it stays short: many are saved more often than every 5 s. */
const SAVE_SENSORS = 128;
/** Lines that wait to be said: no more is judged of what waits. */
const UNSAID_MAX = 2_048;
/**
 * While messages wait to be taken, of others too, those who are above their share have a fifth of the time, so many
 * milliseconds apart; but they never stand still for longer than a second.
 */
const GIVE_WAY_MS = 10;
const GIVE_WAY_TIMES = 4;
const GIVE_WAY_MAX_MS = 1_000;
/** Sensors the clock looks at in one go: a few milliseconds. */
const CLOCK_SENSORS = 1_000;
/** After each piece of work the others have the thread for so many times as long. */
const PAUSE_TIMES = 2;
const PAUSE_MS = 1;
const PAUSE_MAX_MS = 20;
const IDLE_MS = 20;
const TRY_AGAIN_MS = 1_000;
/** Rows of late readings that are folded between two looks at the time. */
const SETTLE_ROWS = 128;
/** What late readings say is told together: it costs a save. */
const TELL_SETTLED_EVERY_MS = 250;
/** What the last batch had waited is what the next one waits, while batches come. */
const TAKEN_LATELY_MS = 2_000;

/**
 * The engine as a consumer of the journal. The transitions of a batch are committed with the batch; the engine's states
 * with their offset every 5 s or 200,000 readings and at the end. After a crash the states are loaded and the journal is
 * read again from there: the same readings give the same alert ids, and what has been said is not said twice.
 */
export function createAlerts(options: AlertsOptions) {
  const {
    records,
    now,
    log,
    correct = (readings) => readings,
    listening = () => true,
    caughtUp = () => true,
  } = options;
  let rules = cityRules(options.rules, options);
  const { apply = (all) => all.forEach((one) => void records.alerts.apply(one)) } = options;
  const { live, untaken = () => 0 } = options;
  const gatewayOf = (sensorId: string) => records.sensors.get(sensorId)?.gateway;
  const passed = live?.monotonic ?? now;
  const settlesLater = live !== undefined;
  const { historyAfterMs: afterMs = DAY_MS, uptime = now, conditions } = options;
  // A clock that is set ahead by a day makes everything look old: no alert would be told.
  const settled = createSettledClock(now, uptime, { leapMs: HOUR_MS }).now;
  const historyAfterMs = () => (Math.abs(now() - settled()) > HOUR_MS ? Number.POSITIVE_INFINITY : afterMs);
  const excuses = createExcuses(options);
  const { isExcused } = excuses;
  const worksOn = createWorks(records.silences);
  const sensor = records.sensors.get;
  const engine = createDetector({ rules, sensor, conditions, settlesLater, historyAfterMs, isExcused, worksOn });
  const history = createHistorySummary(log);
  const time = createRulesTime(now, live?.monotonic, engine.reachedBy);
  const turns = live && createTurns({ monotonic: live.monotonic, gatewayOf });
  let offset = records.offsets.get(OFFSET) ?? options.first;
  const start = offset;
  let savedAt = now();
  let saved = offset;
  let heardTo = 0;
  let readingsSinceSave = 0;
  let subjectsAtSave = 0;
  let wasListening = true;
  /** What the records have not taken yet: kept, in order, until they do. */
  let unapplied: Transition[] = [];
  /** Some of it does not follow from the journal alone: it is saved with the states, or would be forgotten by a crash. */
  let mustSave = false;
  /** Lines of one transaction, by what they took lately. */
  let saidAtOnce = SAID_AT_ONCE_MIN;
  let saidAt = Number.NEGATIVE_INFINITY;
  let givesWayUntil = Number.NEGATIVE_INFINITY;
  /** How long the last batch had waited when it was taken, and when that was. */
  let taken = { lagMs: 0, at: Number.NEGATIVE_INFINITY };
  /** Since when messages are there and none is taken. */
  let stuckSince: number | undefined;
  let problem: string | undefined;
  let isReading = false;
  let unreadable = false;
  let isClosed = false;
  const failed = new Set<string>();
  let outdated: StateRow[] = [];
  const bornAt = now();
  /** What the last life had judged after its last save is still to be judged once more. */
  let isReplaying = true;
  let reconciled = 0;

  const rows = [...records.ruleStates.load()];
  const isOwn = ({ rule }: StateRow) => rule === TIME || rule === WAITING || rule === UNSAID;
  time.load(rows.find(({ rule }) => rule === TIME));
  engine.states.load(rows.filter((row) => !isOwn(row)));
  if (turns) load(turns);
  push(engine.reconcile(time.now()), true);
  endOthers();
  engine.listen(time.now());
  save();

  function load(turns: Turns): void {
    const waiting = rows.filter(({ rule }) => rule === WAITING || rule === UNSAID);
    turns.load(waiting, options.first, offset);
    noteLate(turns);
    // Former versions kept the readings themselves.
    for (const { rule, subject, state } of waiting) {
      if (rule !== WAITING || subject === "") continue;
      judge(turns, JSON.parse(state) as Reading[]);
      mustSave = true;
      outdated.push({ rule, subject, state: "" });
    }
    saved = Math.min(saved, turns.from());
  }

  /**
   * Throws only before it has looked at the batch: while the records refuse what was said before, nothing more is taken.
   * What they refuse afterwards is kept and tried again, because the engine has moved on. Live the next batch is to wait
   * for the answer where there is one; when `signal` aborts it comes at once.
   */
  function take(batch: Batch, signal?: AbortSignal): Promise<void> | undefined {
    if (problem !== undefined) tryAgain();
    if (batch.to <= offset) return undefined;
    look(false);
    const received =
      batch.from >= offset ? batch.readings : batch.readings.filter(({ journalSeq }) => journalSeq >= offset);
    if (received.length > 0) taken = { lagMs: now() - received[0]!.receivedAt, at: passed() };
    stuckSince = undefined;
    const readings = time.take(correct(received));
    refuse(batch);
    excuses.note(batch);
    if (turns) admit(turns, readings, batch);
    else push(engine.observe(readings), false);
    offset = batch.to;
    readingsSinceSave += readings.length;
    for (const { receivedAt } of readings) if (receivedAt > heardTo) heardTo = receivedAt;
    // What the others have to say is said by `work`, which saves, too: the next batch does not wait for it.
    if (turns) write(mustSave ? saveAll : keepFew);
    else if (isSaveDue()) write(saveAll);
    else if (unapplied.length > 0 || problem !== undefined) write(() => keep());
    if (!turns) return undefined;
    callForWork();
    return turns.isFull() ? makeRoom(turns, signal) : undefined;
  }

  /**
   * The readings of a sensor since `reachFrom`, as they were corrected. True once what that says, and the states it came
   * to, are kept.
   */
  function rejudge(sensorId: string, readings: readonly Reading[], why: Rejudged): boolean {
    push(engine.rejudge(sensorId, readings, why), true);
    const isKept = write(saveAll);
    callForWork();
    return isKept;
  }

  /** In the order of the journal: nobody's turn is waited for, because so little is done for each. */
  function refuse({ rejections, from }: Batch): void {
    const received = from >= offset ? rejections : rejections.filter(({ journalSeq }) => journalSeq >= offset);
    if (received.length === 0) return;
    const ahead = time.aheadMs();
    const moved = received.map((one) => (ahead === 0 ? one : { ...one, receivedAt: one.receivedAt + ahead }));
    for (const { receivedAt } of moved) if (receivedAt > heardTo) heardTo = receivedAt;
    push(engine.refuse(moved), false);
  }

  function isSaveDue(): boolean {
    const newcomers = engine.counts().subjects - subjectsAtSave;
    const isMuch = readingsSinceSave + NEWCOMER_READINGS * newcomers >= SAVE_EVERY_READINGS;
    return isMuch || isFullSaveDue() || (live !== undefined && engine.states.isManyNew(SAVE_SENSORS));
  }

  function isFullSaveDue(): boolean {
    return Math.abs(now() - savedAt) >= SAVE_EVERY_MS;
  }

  function admit(turns: Turns, readings: readonly Reading[], batch: Batch): void {
    const begun = passed();
    const before = turns.unsaid();
    turns.admit(readings, senderOf(batch), (some) => {
      judge(turns, some);
      const used = Math.max((passed() - begun) / TAKE_MS, (turns.unsaid() - before) / SAID_AT_ONCE);
      return used < 1 ? "all" : used < MODEST ? "modest" : "none";
    });
  }

  /** Who sent a reading, asked in the order of the batch. */
  function senderOf({ messages }: Batch): (reading: Reading) => string {
    if (!messages) return ({ sensorId }) => gatewayOf(sensorId) ?? sensorId;
    let place = 0;
    return ({ journalSeq }) => {
      while (messages[place]!.seq < journalSeq && place < messages.length - 1) place += 1;
      return messages[place]!.source.name;
    };
  }

  /** Everybody is above their share, or it is too much for the memory: others than the rules have their turn in between. */
  async function makeRoom(turns: Turns, signal: AbortSignal | undefined): Promise<void> {
    while (turns.isFull() && problem === undefined && !signal?.aborted && !isClosed) {
      const did = go(turns);
      if (!did && turns.mustSave()) write(saveAll);
      await immediate();
    }
  }

  function judge(turns: Turns, readings: readonly Reading[], isMoreToCome = false): void {
    for (const one of engine.observe(readings, isMoreToCome)) {
      history.note(one);
      turns.push(time.show(one), engine.isOfLate(one));
    }
    noteFailures();
    noteLate(turns);
  }

  function noteLate(turns: Turns): void {
    for (const id of engine.newlyLate()) turns.setLate(id, engine.lateOf(id));
  }

  /**
   * One piece of work for those who wait, some milliseconds long: the states are saved, or some of what is to be said is,
   * or some readings are judged. False if there was nothing to do.
   */
  function go(turns: Turns): boolean {
    const isUnsaidDue = turns.mustSave() && Math.abs(now() - savedAt) >= TELL_SETTLED_EVERY_MS;
    // Where only the number of sensors makes it due, nobody waits for the disk: after a power cut the journal says it again.
    if (mustSave || isUnsaidDue || isFullSaveDue()) return write(saveAll);
    if (isSaveDue()) return write(() => save(turns.mustSave()));
    const isRoom = turns.unsaid() < UNSAID_MAX;
    const isSaying = turns.unsaid() >= saidAtOnce || passed() - saidAt >= SAY_EVERY_MS;
    return (isSaying && say(turns)) || (isRoom && judgeSome(turns)) || say(turns);
  }

  function judgeSome(turns: Turns): boolean {
    const until = passed() + WORK_MS;
    const before = turns.unsaid();
    let done = 0;
    while (turns.unsaid() - before < saidAtOnce && (done < WORK_TURNS || passed() < until)) {
      const next = turns.next();
      if (!next) break;
      done += "readings" in next ? 1 : SETTLE_COSTS_TURNS;
      if ("readings" in next) judge(turns, next.readings, next.isMoreToCome);
      else for (const one of engine.settleOf(next.lateOf, SETTLE_ROWS)) turns.push(time.show(one), true);
      // Of imported history there may be several sensors in one turn.
      const judged = "readings" in next ? new Set(next.readings.map((one) => one.sensorId)) : [next.lateOf];
      for (const sensorId of judged) turns.setLate(sensorId, engine.lateOf(sensorId));
    }
    noteFailures();
    return done > 0;
  }

  /** A transaction's worth of what is to be said, if there is something. */
  function say(turns: Turns): boolean {
    const before = turns.unsaid();
    saidAt = passed();
    write(() => keep());
    return turns.unsaid() < before;
  }

  /**
   * Some milliseconds for what waits. Answers when to call it again, undefined if nothing waits any more.
   */
  function work(): number | undefined {
    if (problem !== undefined) write(tryAgain);
    if (problem !== undefined) return TRY_AGAIN_MS;
    const begun = passed();
    if (untaken() > 0 && begun < givesWayUntil) return PAUSE_MS;
    const isAsking = engine.isTicking();
    const did = isAsking ? askClock(untaken() === 0) || true : go(turns!);
    const ended = passed();
    const apartMs = Math.max(GIVE_WAY_MS, GIVE_WAY_TIMES * (ended - begun));
    givesWayUntil = ended + Math.min(GIVE_WAY_MAX_MS, apartMs);
    readAgain(turns!);
    if (isDone(turns!)) return undefined;
    if (!did) return unreadable ? TRY_AGAIN_MS : IDLE_MS;
    return Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MS, PAUSE_TIMES * (passed() - begun)));
  }

  function readAgain(turns: Turns): void {
    const wanted = isReading ? undefined : turns.toReadAgain();
    if (!wanted) return;
    isReading = true;
    live!
      .readAgain(wanted.from, offset)
      .then((batch) => {
        unreadable = false;
        const readings = time.take(correct(batch.readings));
        turns.readAgain(wanted.sender, { from: wanted.from, to: batch.to, readings }, senderOf(batch), offset);
        if (!isClosed) live!.onWaiting();
      })
      .catch((error) => {
        if (!unreadable)
          log.error({ err: error }, "readings that wait could not be read from the journal; tried again");
        unreadable = true;
      })
      .finally(() => {
        isReading = false;
      });
  }

  /** Time in which the process did not run, or by which the clock jumped, is nobody's silence. */
  function look(isIdle: boolean): void {
    const since = time.look(isIdle);
    if (since !== undefined) engine.listen(since);
  }

  /** Call it every `TICK_EVERY_MS`. What the clock said is saved at once: the journal could not say it again. */
  function tick(): void {
    const isListening = listening();
    if (isListening && !wasListening) engine.listen(time.now());
    wasListening = isListening;
    if (history.isWaiting()) history.look(now());
    if (untaken() === 0) stuckSince = undefined;
    else stuckSince ??= passed();
    write(saveAll);
    const isIdle = turns ? untaken() === 0 : caughtUp();
    look(isIdle);
    if (isReplaying && isReplayed(isIdle)) {
      isReplaying = false;
      if (endOthers()) write(saveAll);
    }
    if (!isListening) return;
    if (askClock(isIdle)) write(saveAll);
    if (turns) write(keepFew);
    callForWork();
  }

  /** The next sensors; live not all at once. True if there is something to tell. */
  function askClock(isIdle: boolean): boolean {
    // The journal is in the order of receipt. With messages waiting, time has come only as far as the last one taken.
    const at = Math.min(isIdle ? time.now() : heardTo, turns?.unknownSince() ?? Number.POSITIVE_INFINITY);
    // A sensor whose readings wait is not silent.
    const isNews = push(engine.tick(at, turns?.isHeld, turns && CLOCK_SENSORS), true);
    return (engine.reconciled() !== reconciled && endOthers()) || isNews;
  }

  /** Everything that was received before this life has been judged again. */
  const isReplayed = (isIdle: boolean) =>
    (isIdle || heardTo > bornAt) && Math.min(turns?.line().since ?? bornAt, engine.backlog().since ?? bornAt) >= bornAt;

  const isDone = (turns: Turns) => turns.isEmpty() && !engine.isTicking() && !isSaveDue();

  function callForWork(): void {
    if (turns && !isDone(turns)) live!.onWaiting();
  }

  /** Other rules from now on, without a restart. What that ends is saved with the states of the new rules. */
  function replaceRules(next: readonly Rule[], at: number): void {
    failed.clear();
    rules = cityRules(next, options);
    push(engine.replaceRules(rules, time.inside(at)), true);
    endOthers();
    write(saveAll);
    callForWork();
  }

  /** True if there is something to tell. */
  function push(transitions: readonly Transition[], mustBeSaved: boolean): boolean {
    for (const one of transitions) {
      history.note(one);
      if (turns) turns.push(time.show(one), mustBeSaved);
      else unapplied.push(time.show(one));
    }
    noteFailures();
    return transitions.length > 0;
  }

  function noteFailures(): void {
    for (const { rule, failure } of engine.failures()) {
      if (failed.has(rule)) continue;
      failed.add(rule);
      log.error(
        { rule, failure },
        "a rule failed and is out of use until it is changed or the service is started again",
      );
    }
  }

  /** Whether the records took it. */
  function write(work: () => void): boolean {
    try {
      work();
      if (problem !== undefined) log.info({}, "alerts are being kept again");
      problem = undefined;
    } catch (error) {
      if (problem === undefined) log.error({ err: error }, "alerts could not be kept; they are tried again");
      problem = error instanceof Error ? error.message : String(error);
    }
    return problem === undefined;
  }

  const tryAgain = () => (mustSave ? save() : keep());

  const keepFew = () => keep(true);
  const saveAll = () => save();

  function keep(ofFew = false): void {
    if (turns && unapplied.length === 0) unapplied = turns.gather(saidAtOnce * (ofFew ? SAY_FEW_TIMES : 1), ofFew);
    if (unapplied.length === 0) return;
    const begun = passed();
    // Live nobody waits for the disk here: after a power cut the journal, or what was saved to be said, says it again.
    const transaction = live ? records.relaxed : records.transaction;
    transaction(() => apply(unapplied));
    adapt(passed() - begun);
    unapplied = [];
  }

  function adapt(tookMs: number): void {
    const wanted = Math.floor((SAY_MS * unapplied.length) / Math.max(tookMs, 1));
    const next = Math.round((3 * saidAtOnce + wanted) / 4);
    saidAtOnce = Math.max(SAID_AT_ONCE_MIN, Math.min(SAID_AT_ONCE, next));
  }

  /** What is still to be said is saved, too, and said later. */
  function save(isSynced = true): void {
    mustSave = true;
    const from = Math.min(offset, turns?.from() ?? offset);
    const rows = [...engine.states.snapshot(isSynced), ...time.rows(), ...(turns?.rows() ?? []), ...outdated];
    const transaction = isSynced ? records.transaction : records.relaxed;
    transaction(() => {
      apply(unapplied);
      records.ruleStates.save(rows);
      records.offsets.set(OFFSET, offset);
    });
    unapplied = [];
    mustSave = false;
    outdated = [];
    engine.states.saved();
    time.saved();
    turns?.saved();
    if (isSynced) saved = from;
    if (isSynced) savedAt = now();
    readingsSinceSave = 0;
    subjectsAtSave = engine.counts().subjects;
  }

  /** Open alerts that the rules and sensors of now cannot end any more must not fire for ever. True if there are some. */
  function endOthers(): boolean {
    reconciled = engine.reconciled();
    const unsaid = [...unapplied, ...(turns?.toSay() ?? [])];
    const clock = { inside: time.mayBeInside, now: now() };
    const ended = endUnwatched({ rules, records, unsaid, held: engine.held(), isReplaying, ...clock });
    for (const one of ended) {
      if (turns) turns.push(one, true);
      else unapplied.push(one);
    }
    return ended.length > 0;
  }

  /** What the rules have not seen yet, in milliseconds since the oldest of it was received. */
  function lagMs(): number {
    const since = [turns?.line().since, engine.backlog().since].filter((at) => at !== undefined);
    const waited = since.length === 0 ? 0 : time.now() - Math.min(...since);
    if (untaken() === 0) return Math.max(0, waited);
    const lately = passed() - taken.at < TAKEN_LATELY_MS ? taken.lagMs : 0;
    return Math.max(0, waited, lately, stuckSince === undefined ? 0 : passed() - stuckSince);
  }

  const unsaid = () => unapplied.length + (turns?.unsaid() ?? 0);

  const health = () => healthOfAlerts(problem, unsaid(), engine.failures());

  return {
    name: OFFSET,
    /** The first record this consumer has not taken: where the worker starts it. */
    offset: start,
    durable: true as const,
    take,
    /** The journal may let go of what lies before this: later records are needed again after a crash. */
    durableOffset: () => saved,
    tick,
    work,
    lagMs,
    /** Readings that wait, without those that were left in the journal for now. */
    waitingInMemory: () => turns?.waitingInMemory() ?? 0,
    replaceRules,
    rejudge,
    /** Since when readings of a sensor can be judged again; undefined while the clock is behind what it said before. */
    reachFrom: (sensorId: string) => (time.inside(now()) === now() ? engine.reachFrom(sensorId) : undefined),
    remembersAll: (sensorId: string) => time.inside(now()) === now() && engine.remembersAll(sensorId),
    markOf: engine.markOf,
    /** The first record that was not taken. */
    position: () => offset,
    failures: () => engine.failures(),
    /** Saves the states and the offset; throws if the records refuse. */
    snapshot: () => save(),
    figures: (): Figure[] => [
      ...alertFigures(engine.counts(), engine.failures().length, unsaid()),
      ...waitingFigures(lagMs(), engine.backlog().readings, turns?.waiting() ?? 0, time.behindMs()),
    ],
    /** Of the alerts themselves. */
    health,
    /** How far the rules are behind, and whether the clock can be relied on. */
    troubles: (): Health[] => [healthOfLag(lagMs(), untaken(), [engine.backlog(), turns]), time.health()],
    /** Saves for the last time. */
    close(): void {
      isClosed = true;
      save();
    },
  };
}
