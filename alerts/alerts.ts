import { saidOf, type Transition } from "../model/alert.ts";
import type { Batch } from "../model/batch.ts";
import type { Figure, Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Rule } from "../model/rule.ts";
import type { Records } from "../store/records.ts";
import { alertFigures } from "./alert-figures.ts";
import { createDetector } from "./detector.ts";
import type { ConditionTable } from "./engine/compile.ts";
import type { Orphan } from "./engine/state-rows.ts";
import { alertId } from "./engine/transition.ts";
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
  readonly conditions?: ConditionTable;
  /** Records transitions, within the transaction it is called in: the noise control, which also decides what is told. */
  readonly apply?: (transitions: readonly Transition[]) => void;
};

export type Alerts = ReturnType<typeof createAlerts>;

/** How often `tick` should be called. */
export const TICK_EVERY_MS = 5_000;
const SAVE_EVERY_MS = 5_000;
const SAVE_EVERY_READINGS = 200_000;
const OFFSET = "alerts";

/**
 * The engine as a consumer of the journal. The transitions of a batch are committed with the batch; the engine's states
 * with their offset every 5 s or 200,000 readings and at the end. After a crash the states are loaded and the journal is
 * read again from there: the same readings give the same alert ids, and what has been said is not said twice.
 */
export function createAlerts(options: AlertsOptions) {
  const { rules, records, now, log, listening = () => true, caughtUp = () => true } = options;
  const { apply = (all) => all.forEach((one) => void records.alerts.apply(one)) } = options;
  const engine = createDetector({ rules, sensor: records.sensors.get, conditions: options.conditions });
  let offset = records.offsets.get(OFFSET) ?? options.first;
  const start = offset;
  let savedAt = now();
  let saved = offset;
  let heardTo = 0;
  let readingsSinceSave = 0;
  let wasListening = true;
  /** What the records have not taken yet: kept, in order, until they do. */
  let unapplied: Transition[] = [];
  let problem: string | undefined;
  const failed = new Set<string>();

  endOrphans(engine.load(records.ruleStates.load()));
  engine.listen(now());
  save();

  /**
   * Throws only before it has looked at the batch: while the records refuse what was said before, nothing more is taken.
   * What they refuse afterwards is kept and tried again, because the engine has moved on.
   */
  function take(batch: Batch): void {
    if (unapplied.length > 0) applyAll();
    if (batch.to <= offset) return;
    const fresh =
      batch.from >= offset ? batch.readings : batch.readings.filter(({ journalSeq }) => journalSeq >= offset);
    push(engine.observe(fresh));
    offset = batch.to;
    readingsSinceSave += fresh.length;
    for (const { receivedAt } of fresh) if (receivedAt > heardTo) heardTo = receivedAt;
    const due = readingsSinceSave >= SAVE_EVERY_READINGS || now() - savedAt >= SAVE_EVERY_MS;
    write(due ? save : applyAll);
  }

  /** Call it every `TICK_EVERY_MS`. What the clock said is saved at once: the journal could not say it again. */
  function tick(): void {
    const isListening = listening();
    if (isListening && !wasListening) engine.listen(now());
    wasListening = isListening;
    write(save);
    if (!isListening) return;
    // The journal is in the order of receipt. With messages waiting, time has come only as far as the last one taken:
    // a sensor whose readings wait is not silent.
    if (push(engine.tick(caughtUp() ? now() : heardTo))) write(save);
  }

  /** Other rules from now on, without a restart. What that ends is saved with the states of the new rules. */
  function replaceRules(next: readonly Rule[], at: number): void {
    failed.clear();
    push(engine.replaceRules(next, at));
    write(save);
  }

  function push(transitions: readonly Transition[]): boolean {
    for (const transition of transitions) unapplied.push(transition);
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

  function applyAll(): void {
    if (unapplied.length === 0) return;
    records.transaction(() => {
      apply(unapplied);
    });
    unapplied = [];
  }

  function save(): void {
    const rows = engine.dirty();
    records.transaction(() => {
      apply(unapplied);
      records.ruleStates.save(rows);
      records.offsets.set(OFFSET, offset);
    });
    unapplied = [];
    engine.saved();
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
    replaceRules,
    failures: () => engine.failures(),
    /** Saves the states and the offset; throws if the records refuse. */
    snapshot: save,
    figures: (): Figure[] => alertFigures(engine.counts(), engine.failures().length, unapplied.length),
    health,
    /** Saves for the last time. */
    close: save,
  };
}
