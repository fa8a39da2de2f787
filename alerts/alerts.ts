import { saidOf, type Transition } from "../model/alert.ts";
import type { Batch } from "../model/batch.ts";
import type { Figure, Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import type { Rule } from "../model/rule.ts";
import type { Records } from "../store/records.ts";
import { alertFigures, waitingFigures } from "./alert-figures.ts";
import { createDetector } from "./detector.ts";
import type { ConditionTable } from "./engine/compile.ts";
import type { Orphan } from "./engine/state-rows.ts";
import { alertId } from "./engine/transition.ts";
import { createRulesTime, TIME } from "./rules-time.ts";
import { createTurns, type Turns, WAITING } from "./turns.ts";
import { unwatchedAlerts } from "./unwatched.ts";

export type AlertsOptions = {
  readonly rules: readonly Rule[];
  readonly records: Pick<Records, "sensors" | "alerts" | "ruleStates" | "offsets" | "transaction">;
  /** The first record that is still in the journal: where a service without a saved offset starts. */
  readonly first: number;
  readonly now: () => number;
  readonly log: Log;
  /** False while the service can take no messages (the journal is full): that time is no sensor's silence. */
  readonly listening?: () => boolean;
  /** False while received messages wait in the journal: then the clock runs only as far as those that were taken. */
  readonly caughtUp?: () => boolean;
  /** Messages that are in the journal and have not come to `take`. */
  readonly untaken?: () => number;
  /**
   * Milliseconds that do not jump. With it a sensor that sends more than its share waits for others, and what waits is
   * done by `work`; without it (virtual time) everything is done at once, in the order of the journal.
   */
  readonly monotonic?: () => number;
  /** Something waits: call `work`. */
  readonly onWaiting?: () => void;
  readonly conditions?: ConditionTable;
  /** Records transitions, within the transaction it is called in: the noise control, which also decides what is told. */
  readonly apply?: (transitions: readonly Transition[]) => void;
};

export type Alerts = ReturnType<typeof createAlerts>;

/** How often `tick` should be called. */
export const TICK_EVERY_MS = 5_000;
const SAVE_EVERY_MS = 5_000;
const SAVE_EVERY_READINGS = 200_000;
/** A sensor seen for the first time makes several rows: 500 of them are a save of their own, or one would hold others up. */
const NEWCOMER_READINGS = 400;
const OFFSET = "alerts";
/** What is done in one go for those who wait, and the pause after it, in which everybody else has their turn. */
const WORK_MS = 3;
/** Lines that are written in one go: what is said costs more than what is judged. */
const SAID_AT_ONCE = 64;
const PAUSE_MS = 1;
const PAUSE_MAX_MS = 500;
const TRY_AGAIN_MS = 1_000;
/** Rows of late readings that are folded between two looks at the time. */
const SETTLE_ROWS = 256;
/** What late readings say is told together: it costs a save. */
const TELL_SETTLED_EVERY_MS = 250;
/** Beyond this the rules are said to lag. */
const LAG_SAID_MS = 1_000;
/** What the last batch had waited is what the next one waits, while batches come. */
const TAKEN_LATELY_MS = 2_000;

/**
 * The engine as a consumer of the journal. The transitions of a batch are committed with the batch; the engine's states
 * with their offset every 5 s or 200,000 readings and at the end. After a crash the states are loaded and the journal is
 * read again from there: the same readings give the same alert ids, and what has been said is not said twice.
 */
export function createAlerts(options: AlertsOptions) {
  const { rules, records, now, log, listening = () => true, caughtUp = () => true } = options;
  const { apply = (all) => all.forEach((one) => void records.alerts.apply(one)) } = options;
  const { monotonic, onWaiting = () => {}, untaken = () => 0 } = options;
  const settlesLater = monotonic !== undefined;
  const engine = createDetector({ rules, sensor: records.sensors.get, conditions: options.conditions, settlesLater });
  const time = createRulesTime(now, monotonic);
  const turns = monotonic && createTurns(monotonic);
  let offset = records.offsets.get(OFFSET) ?? options.first;
  const start = offset;
  let savedAt = now();
  let saved = offset;
  let heardTo = 0;
  let readingsSinceSave = 0;
  let wasListening = true;
  /** What the records have not taken yet: kept, in order, until they do. */
  let unapplied: Transition[] = [];
  /** Some of it does not follow from the journal alone: it is saved with the states, or would be forgotten by a crash. */
  let isUnique = false;
  /** How long the last batch had waited when it was taken, and when that was. */
  let taken = { lagMs: 0, at: Number.NEGATIVE_INFINITY };
  /** Since when messages are there and none is taken. */
  let stuckSince: number | undefined;
  let problem: string | undefined;
  const failed = new Set<string>();

  const rows = [...records.ruleStates.load()];
  time.load(rows.find(({ rule }) => rule === TIME));
  turns?.load(rows.filter(({ rule }) => rule === WAITING));
  endOrphans(engine.load(rows.filter(({ rule }) => rule !== TIME && rule !== WAITING)));
  engine.listen(time.now());
  save();

  /**
   * Throws only before it has looked at the batch: while the records refuse what was said before, nothing more is taken.
   * What they refuse afterwards is kept and tried again, because the engine has moved on.
   */
  function take(batch: Batch): void {
    if (problem !== undefined) keep();
    if (batch.to <= offset) return;
    look(false);
    const received =
      batch.from >= offset ? batch.readings : batch.readings.filter(({ journalSeq }) => journalSeq >= offset);
    if (received.length > 0) taken = { lagMs: now() - received[0]!.receivedAt, at: passed() };
    stuckSince = undefined;
    const readings = time.take(received);
    const known = engine.counts().subjects;
    const isNews = judge(turns ? turns.admit(readings) : readings);
    offset = batch.to;
    readingsSinceSave += readings.length + NEWCOMER_READINGS * (engine.counts().subjects - known);
    for (const { receivedAt } of readings) if (receivedAt > heardTo) heardTo = receivedAt;
    const isDue = readingsSinceSave >= SAVE_EVERY_READINGS || Math.abs(now() - savedAt) >= SAVE_EVERY_MS;
    if (isDue) write(save);
    else if (isNews || problem !== undefined) write(keep);
    if (problem === undefined && turns?.isFull()) makeRoom(turns);
    if (isWaiting()) onWaiting();
  }

  /** One transaction for all of it: each waits for the disk. */
  function makeRoom({ isFull, next }: Turns): void {
    let hasNews = false;
    while (isFull()) hasNews = judge(next()) || hasNews;
    if (hasNews) write(keep);
  }

  /** True if there is something to tell. */
  function judge(readings: readonly Reading[]): boolean {
    const transitions = engine.observe(readings);
    turns?.charge(transitions);
    return push(transitions);
  }

  const passed = monotonic ?? now;

  const isWaiting = () => turns !== undefined && (turns.waiting() > 0 || engine.backlogged() > 0 || isUnique);

  /**
   * Some milliseconds for the sensors that wait, in turns: readings above their share, and late ones. Answers when to
   * call it again, undefined if nothing waits any more.
   */
  function work(): number | undefined {
    if (problem !== undefined) write(keep);
    if (problem !== undefined) return TRY_AGAIN_MS;
    const begun = passed();
    const until = begun + WORK_MS;
    let hasNews = false;
    while (problem === undefined && passed() < until && (turns!.waiting() > 0 || engine.backlogged() > 0)) {
      if (turns!.waiting() > 0) hasNews = judge(turns!.next()) || hasNews;
      if (engine.backlogged() > 0 && push(engine.settle(SETTLE_ROWS))) isUnique = true;
      if (hasNews && unapplied.length >= SAID_AT_ONCE) break;
    }
    if (hasNews) write(keep);
    if (isUnique && Math.abs(now() - savedAt) >= TELL_SETTLED_EVERY_MS) write(save);
    // A turn that has much to tell takes longer than meant: others get twice of what it took.
    const tookMs = passed() - begun;
    const pauseMs = tookMs <= 2 * WORK_MS ? PAUSE_MS : Math.min(PAUSE_MAX_MS, 2 * tookMs);
    return isWaiting() ? pauseMs : undefined;
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
    if (untaken() === 0) stuckSince = undefined;
    else stuckSince ??= passed();
    write(save);
    const isIdle = caughtUp();
    look(isIdle);
    if (!isListening) return;
    // The journal is in the order of receipt. With messages waiting, time has come only as far as the last one taken,
    // or the first that waits for its turn: a sensor whose readings wait is not silent.
    const at = Math.min(isIdle ? time.now() : heardTo, turns?.line().since ?? Number.POSITIVE_INFINITY);
    if (push(engine.tick(at))) write(save);
    if (isWaiting()) onWaiting();
  }

  /** Other rules from now on, without a restart. What that ends is saved with the states of the new rules. */
  function replaceRules(next: readonly Rule[], at: number): void {
    failed.clear();
    push(engine.replaceRules(next, time.inside(at)));
    write(save);
  }

  function push(transitions: readonly Transition[]): boolean {
    for (const transition of transitions) unapplied.push(time.show(transition));
    for (const { rule, failure } of engine.failures()) {
      if (failed.has(rule)) continue;
      failed.add(rule);
      log.error(
        { rule, failure },
        "a rule failed and is out of use until it is changed or the service is started again",
      );
    }
    return transitions.length > 0;
  }

  function write(work: () => void): void {
    try {
      work();
      if (problem !== undefined) log.info({}, "alerts are being kept again");
      problem = undefined;
    } catch (error) {
      if (problem === undefined) log.error({ err: error }, "alerts could not be kept; they are tried again");
      problem = error instanceof Error ? error.message : String(error);
    }
  }

  const keep = () => (isUnique ? save() : applyAll());

  function applyAll(): void {
    if (unapplied.length === 0) return;
    records.transaction(() => {
      apply(unapplied);
    });
    unapplied = [];
  }

  function save(): void {
    const rows = [...engine.dirty(), ...time.rows(), ...(turns?.rows() ?? [])];
    records.transaction(() => {
      apply(unapplied);
      records.ruleStates.save(rows);
      records.offsets.set(OFFSET, offset);
    });
    unapplied = [];
    isUnique = false;
    engine.saved();
    time.saved();
    turns?.saved();
    saved = offset;
    savedAt = now();
    readingsSinceSave = 0;
  }

  /** Rules were changed or deleted, sensors removed, while the service was down: their alerts must not fire for ever. */
  function endOrphans(orphans: readonly Orphan[]): void {
    const ids = orphans.flatMap(({ row, startedAt, fit }) => {
      return startedAt === undefined ? [] : [alertId(row.rule, row.subject, startedAt, fit)];
    });
    for (const id of new Set([...ids, ...unwatchedAlerts(rules, records)])) {
      const alert = records.alerts.get(id);
      if (!alert || (alert.state !== "firing" && alert.state !== "pending")) continue;
      const note = "The rule was changed or deleted, or the sensor removed.";
      const at = Math.max(now(), alert.startedAt);
      const explanation = `${alert.explanation} ${note}`;
      const ended = { ...saidOf(alert), state: "resolved" as const, resolvedAt: at, explanation };
      unapplied.push({ alert: ended, entry: { at, knownAt: at, what: "resolved", note } });
    }
  }

  /** What the rules have not seen yet, in milliseconds since the oldest of it was received. */
  function lagMs(): number {
    const since = [turns?.line().since, engine.backlog().since].filter((at) => at !== undefined);
    const waited = since.length === 0 ? 0 : time.now() - Math.min(...since);
    if (untaken() === 0) return Math.max(0, waited);
    const lately = passed() - taken.at < TAKEN_LATELY_MS ? taken.lagMs : 0;
    return Math.max(0, waited, lately, stuckSince === undefined ? 0 : passed() - stuckSince);
  }

  function lagHealth(): Health {
    const part = "rules";
    const lag = lagMs();
    if (lag <= LAG_SAID_MS) return { part, state: "ok", ready: true };
    const { sensors, readings } = engine.backlog();
    const waiting = readings + (turns?.waiting() ?? 0);
    const of = Math.max(sensors, turns?.line().sensors ?? 0);
    const reason =
      waiting > 0
        ? `The rules are ${Math.round(lag / 1_000)} s behind: ${waiting} readings of ${of} ${of === 1 ? "sensor" : "sensors"} ` +
          "that sent more than their share wait. Alerts of other sensors are not held up."
        : `The rules are ${Math.round(lag / 1_000)} s behind: ${untaken()} messages wait in the journal.`;
    return { part, state: "degraded", ready: true, reason };
  }

  function health(): Health {
    const part = "alerts";
    const broken = engine.failures();
    if (problem !== undefined) {
      const reason = `Alerts cannot be kept (${problem}); ${unapplied.length} wait. Check the disk of the data directory.`;
      return { part, state: "failed", ready: false, reason };
    }
    if (broken.length === 0) return { part, state: "ok", ready: true };
    const names = broken.map(({ rule, failure }) => `${rule} (${failure})`).join(", ");
    return {
      part,
      state: "degraded",
      ready: true,
      reason: `Rules out of use after an error: ${names}. Restart to try again.`,
    };
  }

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
    replaceRules,
    failures: () => engine.failures(),
    /** Saves the states and the offset; throws if the records refuse. */
    snapshot: save,
    figures: (): Figure[] => [
      ...alertFigures(engine.counts(), engine.failures().length, unapplied.length),
      ...waitingFigures(lagMs(), engine.backlog().readings, turns?.waiting() ?? 0, time.behindMs()),
    ],
    /** Of the alerts themselves. */
    health,
    /** How far the rules are behind, and whether the clock can be relied on. */
    troubles: (): Health[] => [lagHealth(), time.health()],
    /** Saves for the last time. */
    close: save,
  };
}
