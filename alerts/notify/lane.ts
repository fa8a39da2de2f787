import type { Log } from "../../model/log.ts";
import type { Target } from "../../model/target.ts";
import type { Message, Records } from "../../store/records.ts";
import { type Failure, GIVE_UP_AFTER_MS, type Outcome, refusedRetryMs, targetPauseMs } from "./retry.ts";
import type { Send } from "./senders.ts";

/** Calls back once, so many milliseconds from now; returns how to call it off. */
export type Later = (ms: number, work: () => void) => () => void;

export type LaneParts = {
  readonly records: Pick<Records, "targets" | "outbox" | "audit" | "transaction">;
  readonly send: Send;
  readonly now: () => number;
  readonly random: () => number;
  readonly later: Later;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly count: (target: Target, what: "sent" | "failed" | "givenUp", notices: number) => void;
};

/** The longest wait of a timer: it looks again then. */
const WAIT_MAX_MS = 3_600_000;
/** The records refuse (a full disk): what was sent may be sent again. */
const RECORDS_RETRY_MS = 5_000;

/**
 * The way to one target: one message at a time, in order. Each target has its own, so that one that is slow or dead
 * delays nobody else.
 */
export function createLane(id: string, parts: LaneParts) {
  const { records, send, now, random, later, signal, log, count } = parts;
  const { targets, outbox } = records;
  let running: Promise<void> | undefined;
  let again = false;
  let pausedUntil = 0;
  let stopped = false;
  let callOff = () => {};

  function wake(): void {
    again = true;
    if (running || stopped) return;
    callOff();
    running = run().finally(() => {
      running = undefined;
      if (again) wake();
    });
  }

  async function run(): Promise<void> {
    again = false;
    try {
      while (!stopped && (await tellNext()));
    } catch (error) {
      log.error({ err: error, target: id }, "the outbox could not be read or written; it is tried again");
      wait(now() + RECORDS_RETRY_MS);
    }
  }

  /** False when there is nothing to do now; the timer says when to look again. */
  async function tellNext(): Promise<boolean> {
    const target = targets.get(id);
    if (!target?.enabled) return false;
    if (now() < pausedUntil) return wait(pausedUntil);
    const message = outbox.next(id, now());
    if (!message) return wait(outbox.nextAt(id, now()));
    const notices = message.deliveries.map(({ notice }) => notice);
    const outcome = await send(target, { id: message.id, notices }, signal);
    // Called off by the end of the service: what became of it is not known, so the next life tells it again.
    if (outcome.is !== "sent" && signal.aborted) return false;
    // Changed or removed meanwhile: its outbox has been dealt with.
    const current = targets.get(id);
    if (current) settle(current, message, outcome);
    return true;
  }

  function wait(until: number | undefined): false {
    if (until === undefined || stopped) return false;
    callOff();
    callOff = later(Math.min(WAIT_MAX_MS, Math.max(1, until - now())), wake);
    return false;
  }

  function settle(target: Target, message: Message, outcome: Outcome): void {
    if (outcome.is !== "sent") return settleFailure(target, message, outcome);
    records.transaction(() => {
      const { failures } = targets.state(id);
      outbox.sent(message.deliveries, now());
      targets.setState(id, { failures: 0, lastSentAt: now() });
      if (failures > 0) log.info({ target: id }, "a target can be told again");
    });
    count(target, "sent", message.deliveries.length);
  }

  function settleFailure(target: Target, message: Message, failure: Failure): void {
    const failures = targets.state(id).failures + 1;
    const { error } = failure;
    if (failures === 1) log.warn({ target: id, reason: error }, "a target could not be told; it is tried again");
    pausedUntil = now() + targetPauseMs(failure, failures, random);
    count(target, "failed", 1);
    const givenUp = records.transaction(() => {
      targets.setState(id, { ...targets.state(id), failures, lastError: error, lastErrorAt: now() });
      return failure.is === "gone" ? disable(target, error) : putBack(message, failure);
    });
    if (givenUp > 0) count(target, "givenUp", givenUp);
  }

  /** How many notices are given up. */
  function putBack({ deliveries }: Message, { is, error }: Failure): number {
    if (is === "refused") {
      const retryMs = refusedRetryMs(Math.max(...deliveries.map(({ refusals }) => refusals)) + 1, random);
      if (retryMs === undefined) {
        outbox.giveUp(deliveries, error, now());
        return deliveries.length;
      }
      outbox.refused(deliveries, error, now() + retryMs);
    } else outbox.failed(deliveries, error);
    return outbox.giveUpBefore(id, now() - GIVE_UP_AFTER_MS, error, now());
  }

  function disable(target: Target, because: string): number {
    targets.put({ ...target, enabled: false });
    targets.setState(id, { failures: 1, lastError: because, lastErrorAt: now(), disabledBecause: because });
    records.audit.add({ at: now(), by: "lamppost", what: "target.disable", target: id, detail: because });
    log.warn({ target: id }, "a target is gone (410) and was disabled");
    return outbox.giveUpBefore(id, Number.MAX_SAFE_INTEGER, because, now());
  }

  return {
    wake,
    /** The target was changed: what stood against it may be over. */
    reset(): void {
      pausedUntil = 0;
      wake();
    },
    /** Begins no other attempt; resolves when the one under way, if any, has ended. */
    async stop(): Promise<void> {
      stopped = true;
      callOff();
      await running;
    },
  };
}

export type Lane = ReturnType<typeof createLane>;
