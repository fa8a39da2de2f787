import type { Figure, Health } from "../../model/health.ts";
import type { Log } from "../../model/log.ts";
import type { Notice } from "../../model/notice.ts";
import type { Target } from "../../model/target.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import type { Records } from "../../store/records.ts";
import { createSend, type NotifyPorts } from "../channels/registry.ts";
import { type AllowList, createAllowList } from "./addresses.ts";
import { createEscalation } from "./escalation.ts";
import { refusalOf } from "./http-post.ts";
import { createLane, type Lane, type Later } from "./lane.ts";
import { createNotifyFigures, notifyHealth } from "./notify-figures.ts";
import { GIVE_UP_AFTER_MS } from "./retry.ts";
import { isFor, planOf } from "./routing.ts";
import { sampleNotice } from "./test-notice.ts";

type NotifierOptions = {
  readonly records: Pick<Records, "targets" | "outbox" | "recipients" | "alerts" | "audit" | "transaction">;
  readonly ports: NotifyPorts;
  /** What may be told although it is not on the public internet; nothing when left out. */
  readonly allowed?: AllowList;
  readonly now: () => number;
  /** The time by which a notice grows too old: it does not leap with the clock. `now` when left out. */
  readonly settled?: () => number;
  readonly random: () => number;
  readonly log: Log;
  /** Where people open the page: links in messages lead there. */
  readonly publicUrl?: string;
  readonly timeoutMs?: number;
  readonly later?: Later;
};

const TIMEOUT_MS = 10_000;
/** Notices that wait for one target at most. */
const PENDING_MAX = 10_000;
const STOP_GRACE_MS = 2_000;
/** How long it can be looked up in the records what was sent and given up. */
const KEEP_DONE_MS = 7 * DAY_MS;
const PRUNE_EVERY_MS = HOUR_MS;

const timer: Later = (ms, work) => {
  const handle = setTimeout(work, ms);
  return () => clearTimeout(handle);
};

/**
 * Tells people and programs of alerts: at least once, in order for each alert, with the same id on every attempt. What
 * is to be told is in the outbox before anyone hears of it, so that it is told after a crash too.
 */
export function createNotifier(options: NotifierOptions) {
  const { records, ports, now, random, log, publicUrl, timeoutMs = TIMEOUT_MS, later = timer } = options;
  const { settled = now } = options;
  const { targets, outbox, recipients } = records;
  const { allowed = createAllowList([]) } = options;
  const send = createSend(ports, { publicUrl, timeoutMs, now });
  const lanes = new Map<string, Lane>();
  const figures = createNotifyFigures(records);
  const end = new AbortController();
  const escalation = createEscalation({ records, now, later, log, tell: put });
  let started = false;
  let stopping = false;
  let callOffPrune = () => {};

  /**
   * Call it in the transaction that commits the alert's change. Who hears of a beginning is decided by the targets as
   * they are; of everything after it, whoever heard of the beginning.
   */
  function enqueue(notice: Notice): void {
    const { alert, what } = notice;
    if (what === "firing") {
      for (const target of targets.list()) if (isFor(target, alert)) put(target, notice);
      return;
    }
    for (const id of recipients.of(alert.id)) {
      const target = targets.get(id);
      if (target?.enabled) put(target, notice);
    }
    if (what === "resolved" || what === "retracted") recipients.forget(alert.id);
  }

  function put(target: Target, notice: Notice): void {
    const plan = planOf(target, notice, now());
    // A repeat after a crash: it has been told or is on its way.
    if (!outbox.add({ target: target.id, notice, ...plan }, PENDING_MAX)) return;
    if (notice.what !== "firing" && notice.what !== "escalated") return;
    recipients.add(notice.alert.id, target.id);
    escalation.plan(notice.alert.id, target, plan.dueAt);
  }

  function laneOf(id: string): Lane {
    const parts = { records, send, now, settled, random, later, signal: end.signal, log, count: figures.count };
    const lane = lanes.get(id) ?? createLane(id, parts);
    lanes.set(id, lane);
    return lane;
  }

  function onAdded(target: string): void {
    if (!started || stopping) return;
    laneOf(target).wake();
    escalation.wake();
  }

  function onChange(target: string): void {
    if (!started || stopping) return;
    if (targets.get(target)) return laneOf(target).reset();
    void lanes.get(target)?.stop();
    lanes.delete(target);
  }

  function prune(): void {
    callOffPrune = later(PRUNE_EVERY_MS, prune);
    try {
      outbox.prune(settled() - KEEP_DONE_MS);
    } catch (error) {
      log.warn({ err: error }, "old rows of the outbox could not be removed; it is tried again");
    }
  }

  /** Why a target could never be told as the service is set up; undefined when nothing speaks against it. */
  function check({ type, url }: Pick<Target, "type" | "url">): string | undefined {
    if (type === "email" && !ports.mail) return "set LAMPPOST_SMTP_URL and LAMPPOST_SMTP_FROM to send mails";
    return url === undefined ? undefined : refusalOf(new URL(url), allowed);
  }

  /** One attempt with a made-up alert, past the outbox; undefined when there is no such target. */
  async function test(id: string): Promise<{ readonly sent: true } | { readonly error: string } | undefined> {
    const target = targets.get(id);
    if (!target) return undefined;
    const notice = sampleNotice(target, now());
    const outcome = await send(target, { id: `msg_test_${now()}`, notices: [notice] }, end.signal);
    return outcome.is === "sent" ? { sent: true } : { error: outcome.error };
  }

  return {
    enqueue,
    check,
    test,
    /** Goes on with what the former life left. */
    start(): void {
      started = true;
      outbox.onAdded(onAdded);
      targets.onChange(onChange);
      for (const { id } of targets.list()) {
        // After a long rest or from an old backup: no news any more.
        outbox.giveUpBefore(id, now() - GIVE_UP_AFTER_MS, "too old when the service started", now());
        laneOf(id).wake();
      }
      escalation.wake();
      prune();
    },
    /** Waits a moment for what is under way; what was cut off is told again by the next life. */
    async stop(): Promise<void> {
      stopping = true;
      escalation.stop();
      callOffPrune();
      const callOff = timer(STOP_GRACE_MS, () => end.abort());
      await Promise.all([...lanes.values()].map((lane) => lane.stop()));
      callOff();
      end.abort();
    },
    health: (): Health => notifyHealth(records),
    figures: (): readonly Figure[] => figures.read(),
  };
}
