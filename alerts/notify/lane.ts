import type { Log } from "../../model/log.ts";
import type { Refusing, Target } from "../../model/target.ts";
import { DAY_MS, HOUR_MS, SECOND_MS } from "../../model/time.ts";
import type { Delivery, Message } from "../../store/records/outbox.ts";
import type { Records } from "../../store/records.ts";
import type { Failure, PartlySent } from "../channels/channel.ts";
import type { Send } from "../channels/registry.ts";
import { staleBecause } from "./routing.ts";

/** Calls back once, so many milliseconds from now; returns how to call it off. */
export type Later = (ms: number, work: () => void) => () => void;

type LaneParts = {
  readonly records: Pick<Records, "targets" | "outbox" | "recipients" | "alerts" | "audit" | "transaction" | "relaxed">;
  readonly send: Send;
  readonly now: () => number;
  /** The time by which a notice grows too old. */
  readonly settled: () => number;
  readonly random: () => number;
  readonly later: Later;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly count: (target: Target, what: "sent" | "failed" | "givenUp", notices: number) => void;
  /** Some of what waited is too old to be told as it was. */
  readonly onGivenUp: (target: string) => void;
  /** Nobody may be told of anything now. */
  readonly isMuted: () => boolean;
};

const BACKOFF_MAX_MS = HOUR_MS;
/** After this a notice is no news. */
export const GIVE_UP_AFTER_MS = 3 * DAY_MS;
/** 5 s, 20 s, 80 s, 5 min, 21 min, 1 h: a wrong setting can be put right meanwhile. */
const REFUSED_TRIES_MAX = 7;
const REFUSALS_IN_A_ROW = 3;

/** Doubles from 1 s (or `firstMs`, times `factor`) up to an hour; half of it is chance, so that many do not come at once. */
function backoffMs(failures: number, random: () => number, firstMs = SECOND_MS, factor = 2): number {
  const fullMs = Math.min(BACKOFF_MAX_MS, firstMs * factor ** Math.min(failures - 1, 30));
  return Math.round(fullMs / 2 + (fullMs / 2) * random());
}

/** When the same message may be tried again after the target refused it so many times; undefined: given up. */
function refusedRetryMs(refusals: number, random: () => number): number | undefined {
  return refusals >= REFUSED_TRIES_MAX ? undefined : backoffMs(refusals, random, 5 * SECOND_MS, 4);
}

/**
 * How long the target as a whole is left alone after so many failures in a row. One refused message must not hold up the
 * others; several in a row say that the target itself is set up wrong.
 */
function targetPauseMs(failure: Failure, failures: number, random: () => number): number {
  if (failure.is === "unreachable") return Math.max(backoffMs(failures, random), failure.retryAfterMs ?? 0);
  return failures < REFUSALS_IN_A_ROW ? 0 : backoffMs(failures - REFUSALS_IN_A_ROW + 1, random);
}

/** The longest wait of a timer: it looks again then. The clock may have been set meanwhile. */
const WAIT_MAX_MS = 60_000;
/** While nobody may be told, it is looked again so often. */
const MUTED_LOOK_MS = 5_000;
/** The records refuse (a full disk): what was sent may be sent again. */
const RECORDS_RETRY_MS = 5_000;
/** So many are booked as sent together: a crash before it tells them again, and every booking waits for the disk. */
const BOOKED_TOGETHER_MAX = 20;
const BOOKED_AFTER_MS = 250;

/**
 * The way to one target: one message at a time, in order. Each target has its own, so that one that is slow or dead
 * delays nobody else.
 */
export function createLane(id: string, parts: LaneParts) {
  const { records, send, now, settled, random, later, signal, log, count, isMuted, onGivenUp } = parts;
  const { targets, outbox, recipients } = records;
  let running: Promise<void> | undefined;
  let again = false;
  let pause = { since: 0, ms: 0 };
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
    if (isMuted()) return wait(now() + MUTED_LOOK_MS);
    // A clock that was set by more than the pause ends it.
    if (Math.abs(now() - pause.since) < pause.ms) return wait(pause.since + pause.ms);
    const messages = outbox.next(id, now(), BOOKED_TOGETHER_MAX);
    if (messages.length === 0) return wait(outbox.nextAt(id, now()));
    const deliveries = messages.flatMap((message) => message.deliveries);
    if (dropStale(deliveries)) return true;
    records.relaxed(() =>
      recipients.hears(
        id,
        deliveries.map(({ notice }) => notice.alert.id),
      ),
    );
    const { told, partly, failure } = await tell(target, messages);
    if (told.length + partly.length > 0) settleSent(target, told, partly);
    // Called off by the end of the service: what became of it is not known, so the next life tells it again. And what
    // went wrong with a target that has been changed since says nothing of the new one.
    if (failure && !signal.aborted && !isChanged(target)) settleFailure(target, ...failure);
    return true;
  }

  /** What has waited (for a group, a morning, a target that was away) is looked at again. True if some of it is dropped. */
  function dropStale(deliveries: readonly Delivery[]): boolean {
    const stale = deliveries.flatMap((delivery) => {
      const { what, alert } = delivery.notice;
      const current = records.alerts.get(alert.id);
      const why = current && staleBecause(what, current);
      return why === undefined ? [] : [{ delivery, why }];
    });
    if (stale.length === 0) return false;
    records.transaction(() => {
      for (const { delivery, why } of stale) {
        const { what, alert } = delivery.notice;
        outbox.giveUp([delivery], why, now());
        if (what === "firing" || what === "escalated") recipients.dropBeginning(alert.id, id);
      }
    });
    return true;
  }

  /** One after the other, until one fails. */
  async function tell(target: Target, messages: readonly Message[]) {
    const told: Message[] = [];
    const partly: (readonly [Message, PartlySent])[] = [];
    const until = now() + BOOKED_AFTER_MS;
    for (const message of messages) {
      if (told.length + partly.length > 0 && (stopped || now() > until || isChanged(target))) break;
      const notices = message.deliveries.map(({ notice }) => notice);
      const { refusedBy } = message.deliveries[0]!;
      const outcome = await send(target, { id: message.id, notices, ...(refusedBy && { only: refusedBy }) }, signal);
      if (outcome.is === "partly") partly.push([message, outcome]);
      else if (outcome.is === "sent") told.push(message);
      else return { told, partly, failure: [message, outcome] as const };
    }
    return { told, partly };
  }

  const isChanged = (target: Target) => JSON.stringify(targets.get(id)) !== JSON.stringify(target);

  function wait(until: number | undefined): false {
    if (until === undefined || stopped) return false;
    callOff();
    callOff = later(Math.min(WAIT_MAX_MS, Math.max(1, until - now())), wake);
    return false;
  }

  function settleSent(
    target: Target,
    messages: readonly Message[],
    partly: readonly (readonly [Message, PartlySent])[],
  ): void {
    const deliveries = messages.flatMap((message) => message.deliveries);
    const givenUp = records.transaction(() => {
      const { failures, refusing = [] } = targets.state(id);
      outbox.sent(deliveries, now());
      const left = partly.map(([message, { refusing: by }]) => keepForRefusing(message, by));
      const still = stillRefusing(refusing, messages, partly);
      targets.setState(id, { failures: 0, lastSentAt: now(), ...(still.length > 0 && { refusing: still }) });
      if (failures > 0) log.info({ target: id }, "a target can be told again");
      return left.reduce((sum, n) => sum + n, 0);
    });
    if (deliveries.length > 0) count(target, "sent", deliveries.length);
    if (partly.length > 0) count(target, "failed", partly.length);
    if (givenUp > 0) count(target, "givenUp", givenUp);
  }

  /** The others have it: it waits for those who refused it. How many notices are given up. */
  function keepForRefusing({ deliveries }: Message, refusing: PartlySent["refusing"]): number {
    const error = refusing.map(({ address, why }) => `${address}: ${why}`).join("; ");
    const retryMs = refusedRetryMs(Math.max(...deliveries.map(({ refusals }) => refusals)) + 1, random);
    const by = refusing.map(({ address }) => address);
    if (retryMs !== undefined) outbox.partlyRefused(deliveries, by, error, now() + retryMs);
    else outbox.giveUp(deliveries, error, now());
    return retryMs === undefined ? deliveries.length : 0;
  }

  /** Who refuses, as people see it: until something was taken there. */
  function stillRefusing(
    former: readonly Refusing[],
    sent: readonly Message[],
    partly: readonly (readonly [Message, PartlySent])[],
  ): Refusing[] {
    const asked = [...sent, ...partly.map(([message]) => message)].map(({ deliveries }) => deliveries[0]!.refusedBy);
    const isAsked = (address: string) => asked.some((only) => only?.includes(address) ?? true);
    const fresh = partly.flatMap(([, { refusing }]) => refusing.map((one) => ({ ...one, at: now() })));
    const kept = former.filter(({ address }) => !isAsked(address));
    return [...new Map([...kept, ...fresh].map((one) => [one.address, one])).values()];
  }

  function settleFailure(target: Target, message: Message, failure: Failure): void {
    const failures = targets.state(id).failures + 1;
    const { error } = failure;
    if (failures === 1) log.warn({ target: id, reason: error }, "a target could not be told; it is tried again");
    pause = { since: now(), ms: targetPauseMs(failure, failures, random) };
    count(target, "failed", 1);
    const givenUp = records.transaction(() => {
      targets.setState(id, { ...targets.state(id), failures, lastError: error, lastErrorAt: now() });
      return failure.is === "gone" ? disable(target, error) : putBack(message, failure);
    });
    if (givenUp === 0) return;
    count(target, "givenUp", givenUp);
    onGivenUp(id);
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
    return outbox.giveUpBefore(id, settled() - GIVE_UP_AFTER_MS, error, now());
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
      pause = { since: 0, ms: 0 };
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
