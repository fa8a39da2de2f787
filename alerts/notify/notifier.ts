import { recordText } from "../../messages/messages.ts";
import type { Notice } from "../../model/alert.ts";
import { TARGET_TYPES, type TargetType } from "../../model/channels.ts";
import { byLabel, counter, type Figure, gauge, type Health } from "../../model/health.ts";
import type { Log } from "../../model/log.ts";
import { type Language, say } from "../../model/sentence.ts";
import { durationMs, isPersonal, type Target } from "../../model/target.ts";
import { DAY_MS, HOUR_MS, parseDuration } from "../../model/time.ts";
import type { Escalation } from "../../store/records/outbox.ts";
import type { Records } from "../../store/records.ts";
import type { CurrentOf } from "../channels/channel.ts";
import { createSend, type NotifyPorts } from "../channels/registry.ts";
import { noted } from "../says.ts";
import { createCatchUp } from "./catch-up.ts";
import { type AllowList, createAllowList, refusalOf } from "./http-post.ts";
import { createLane, GIVE_UP_AFTER_MS, type Lane, type Later } from "./lane.ts";
import { isFor, isKeptQuiet, planOf } from "./routing.ts";

type EscalationParts = {
  readonly records: Pick<Records, "targets" | "recipients" | "alerts" | "transaction">;
  readonly now: () => number;
  readonly later: Later;
  readonly log: Log;
  readonly isMuted: () => boolean;
  /** Puts a notice into the outbox of this target. */
  readonly tell: (target: Target, notice: Notice) => void;
};

/** Escalations of one transaction, and how long others have the thread before the next ones. */
const PAGE = 20;
const BETWEEN_MS = 1;
const RETRY_MS = 5_000;
/** The longest wait of a timer: it looks again then. The clock may have been set meanwhile. */
const WAIT_MAX_MS = 60_000;

/** Nobody acknowledged in time: the next target is told, and the alert's timeline says so. */
function createEscalation({ records, now, later, log, isMuted, tell }: EscalationParts) {
  const { recipients, targets, alerts } = records;
  let callOff = () => {};
  let stopped = false;
  /** What is put into the outbox wakes this once more, in the middle of its work. */
  let running = false;

  /** From when people can have heard of it. */
  function plan(alertId: string, target: Target, from: number): void {
    const { id, escalateAfter, escalateTo } = target;
    if (escalateAfter === undefined || escalateTo === undefined) return;
    recipients.escalate({ alert: alertId, target: id, dueAt: from + durationMs(escalateAfter) });
  }

  function wake(): void {
    if (stopped || running) return;
    callOff();
    // Nobody could have heard of it, so nobody can have failed to answer.
    if (isMuted()) {
      callOff = later(RETRY_MS, wake);
      return;
    }
    running = true;
    try {
      const due = recipients.escalations(now(), PAGE);
      if (due.length > 0) records.transaction(() => due.forEach(escalate));
      const at = due.length === PAGE ? now() + BETWEEN_MS : recipients.nextEscalationAt();
      if (at !== undefined) callOff = later(Math.min(WAIT_MAX_MS, Math.max(1, at - now())), wake);
    } catch (error) {
      log.error({ err: error }, "escalations could not be looked up or kept; it is tried again");
      callOff = later(RETRY_MS, wake);
    } finally {
      running = false;
    }
  }

  function escalate({ alert: alertId, target: from, dueAt }: Escalation): void {
    recipients.escalated(alertId, from);
    const source = targets.get(from);
    const to = source?.escalateTo === undefined ? undefined : targets.get(source.escalateTo);
    const alert = alerts.get(alertId);
    if (!source?.enabled || !to?.enabled || !alert) return;
    if (alert.state !== "firing" || alert.handling !== "open") return;
    const at = now();
    if (isKeptQuiet(alert)) return plan(alertId, source, at);
    const says = say("escalated", { to: to.name, after: parseDuration(source.escalateAfter!)! });
    const told = alerts.handle(alertId, {}, { at, knownAt: at, what: "escalated", ...noted(says) });
    // With the time it was due: an alert that was taken back and fires again may be escalated again.
    tell(to, { id: `${alertId}:escalated:${from}:${dueAt}`, at, what: "escalated", alert: told ?? alert });
  }

  return {
    plan,
    wake,
    stop(): void {
      stopped = true;
      callOff();
    },
  };
}

type NotifierOptions = {
  readonly records: Pick<
    Records,
    | "targets"
    | "outbox"
    | "recipients"
    | "alerts"
    | "incidents"
    | "noise"
    | "events"
    | "audit"
    | "transaction"
    | "relaxed"
  >;
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
  /** The city's time zone, of targets that have none of their own. */
  readonly cityZone?: string | undefined;
  /** The city's language, of targets that have none of their own. */
  readonly cityLanguage?: Language | undefined;
  /** What a sensor's value is by now. */
  readonly current?: CurrentOf | undefined;
  readonly timeoutMs?: number;
  readonly later?: Later;
  /** Nobody may be told of anything now; what is to be told waits. */
  readonly isMuted?: () => boolean;
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
  const { cityZone = "UTC", cityLanguage, current } = options;
  const { settled = now } = options;
  const { targets, outbox, recipients } = records;
  const { allowed = createAllowList([]) } = options;
  const incidentOf = (alert: string) => {
    const id = records.incidents.member(alert)?.incident;
    return id === undefined ? undefined : records.incidents.get(id);
  };
  const send = createSend(ports, { publicUrl, cityZone, cityLanguage, current, incidentOf, timeoutMs, now });
  const lanes = new Map<string, Lane>();
  const figures = createNotifyFigures(records);
  const end = new AbortController();
  const { isMuted = () => false } = options;
  const escalation = createEscalation({ records, now, later, log, isMuted, tell: put });
  const catchUp = createCatchUp({ records, now, later, log, tell: put });
  let started = false;
  let stopping = false;
  let callOffPrune = () => {};

  /**
   * Call it in the transaction that commits the alert's change. Who hears of a beginning is decided by the targets as
   * they are; of everything after it, whoever heard of the beginning. `besides`: whoever has heard of one of these alerts
   * knows already. False: that is so of all whom it is for.
   */
  function enqueue(notice: Notice, besides: readonly string[] = []): boolean {
    const { alert, what } = notice;
    if (what === "firing") {
      const knows = new Set(besides.flatMap((id) => recipients.of(id)));
      const meant = targets.list().filter((target) => isFor(target, alert));
      const told = meant.filter(({ id }) => !knows.has(id));
      for (const target of told) put(target, notice);
      return told.length > 0 || besides.length === 0;
    }
    const isEnd = what === "resolved" || what === "retracted";
    for (const id of recipients.of(alert.id)) {
      const target = targets.get(id);
      if (!target?.enabled) continue;
      if (isEnd && isNeverTold(target, notice)) outbox.drop(id, alert.id, "it was over before it was told", now());
      else put(target, notice);
    }
    if (isEnd) recipients.forget(alert.id);
    return true;
  }

  /** It waited to be told there until it was over, and nobody there is interested in what it was. */
  function isNeverTold(target: Target, { what, alert }: Notice): boolean {
    if (!recipients.isUnheard(alert.id, target.id)) return false;
    return what === "retracted" || alert.handling === "closed" || isKeptQuiet(alert) || !isFor(target, alert);
  }

  function put(target: Target, notice: Notice, groupKey?: string): void {
    // Nobody is reminded of what they have not been told.
    if (notice.what === "reminder" && outbox.isWaiting(target.id, notice.alert.id)) return;
    const plan = planOf(target, notice, now(), cityZone);
    const key = plan.groupKey ?? groupKey;
    const grouped = key === undefined ? {} : { groupKey: key };
    // A repeat after a crash: it has been told or is on its way.
    if (!outbox.add({ target: target.id, notice, dueAt: plan.dueAt, ...grouped }, PENDING_MAX)) return;
    if (notice.what !== "firing" && notice.what !== "escalated") return;
    recipients.add(notice.alert.id, target.id);
    escalation.plan(notice.alert.id, target, plan.dueAt);
  }

  function laneOf(id: string): Lane {
    const common = { records, send, now, settled, random, later, signal: end.signal, log, isMuted };
    const lane = lanes.get(id) ?? createLane(id, { ...common, count: figures.count, onGivenUp: catchUp.hear });
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
    if (targets.get(target)) {
      catchUp.hear(target);
      return laneOf(target).reset();
    }
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
    if (outcome.is === "sent") return { sent: true };
    if (outcome.is !== "partly") return { error: outcome.error };
    return { error: outcome.refusing.map(({ address, why }) => `${address}: ${why}`).join("; ") };
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
      catchUp.start();
      prune();
    },
    /** Waits a moment for what is under way; what was cut off is told again by the next life. */
    async stop(): Promise<void> {
      stopping = true;
      escalation.stop();
      catchUp.stop();
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

type What = "sent" | "failed" | "givenUp";

/** What was told, by the type of the target: a closed set, however many targets there are. */
function createNotifyFigures({ targets, outbox }: Pick<Records, "targets" | "outbox">) {
  const zeros = () => Object.fromEntries(TARGET_TYPES.map((type) => [type, 0])) as Record<TargetType, number>;
  const counts: Record<What, Record<TargetType, number>> = { sent: zeros(), failed: zeros(), givenUp: zeros() };

  function read(): Figure[] {
    const pending = zeros();
    for (const [id, waiting] of outbox.pending()) {
      const type = targets.get(id)?.type;
      if (type) pending[type] += waiting;
    }
    const { sent, failed, givenUp } = counts;
    const failures = "Attempts to tell a target that failed, since the start.";
    return [
      ...byLabel(gauge, "lamppost_notifications_pending", "Notices that wait for a target.", "type", pending),
      ...byLabel(counter, "lamppost_notifications_sent_total", "Notices told since the start.", "type", sent),
      ...byLabel(counter, "lamppost_notifications_failed_total", failures, "type", failed),
      ...byLabel(
        counter,
        "lamppost_notifications_given_up_total",
        "Notices that were given up, since the start.",
        "type",
        givenUp,
      ),
    ];
  }

  return {
    count(target: Target, what: What, notices: number): void {
      counts[what][target.type] += notices;
    },
    read,
  };
}

/** A target that cannot be told is trouble of the service: names and reasons, never addresses. */
function notifyHealth({ targets }: Pick<Records, "targets">): Health {
  const part = "notifications";
  // Whom only one person is behind sees it on the page of their account.
  const shared = targets.list().filter((target) => !isPersonal(target));
  const failing = shared.flatMap(({ id, name, enabled }) => {
    const { failures, lastError, disabledBecause, refusing = [] } = targets.state(id);
    if (disabledBecause !== undefined) return [`${name} was disabled (${disabledBecause})`];
    if (!enabled) return [];
    if (failures > 0) return [`${name} (${lastError})`];
    return refusing.length > 0 ? [`${name} (mails are refused for ${refusing.length} of its addresses)`] : [];
  });
  if (failing.length === 0) return { part, state: "ok", ready: true };
  const reason = `These targets cannot be told of alerts: ${failing.join("; ")}. Look at GET /api/v1/targets.`;
  return { part, state: "degraded", ready: true, reason };
}

/** What a target is told when an admin tries it out: an alert that says so itself. */
function sampleNotice(target: Target, now: number): Notice {
  const source = "sent by an admin to try out this target";
  const works = say("test.works", { target: target.name });
  return {
    id: `test-${now}`,
    at: now,
    what: "firing",
    alert: {
      id: "al-test",
      rule: { id: "test", version: "0", title: "This is a test", source },
      subject: {},
      kind: "service",
      severity: "info",
      audience: target.audience ?? "operators",
      state: "firing",
      handling: "open",
      startedAt: now,
      firedAt: now,
      explanation: recordText([works]),
      says: { title: say("test.title", {}), explanation: [works] },
      evidence: [],
      timeline: [],
    },
  };
}
