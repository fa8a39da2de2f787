import type { Alert } from "../../model/alert.ts";
import type { Log } from "../../model/log.ts";
import type { Notice } from "../../model/notice.ts";
import { durationMs, type Target } from "../../model/target.ts";
import type { Records } from "../../store/records.ts";
import type { Later } from "./lane.ts";

type Parts = {
  readonly records: Pick<Records, "targets" | "recipients" | "alerts" | "transaction">;
  readonly now: () => number;
  readonly later: Later;
  readonly log: Log;
  /** Puts a notice into the outbox of this target. */
  readonly tell: (target: Target, notice: Notice) => void;
};

/** By a silence or by what explains it: whoever is quiet about it now is asked again later. Flapping is no answer. */
const isKeptQuiet = ({ suppressedBy }: Alert) => suppressedBy !== undefined && suppressedBy !== "flapping";

const PAGE = 100;
const RETRY_MS = 5_000;
/** The longest wait of a timer: it looks again then. The clock may have been set meanwhile. */
const WAIT_MAX_MS = 60_000;

/** Nobody acknowledged in time: the next target is told, and the alert's timeline says so. */
export function createEscalation({ records, now, later, log, tell }: Parts) {
  const { recipients, targets, alerts } = records;
  let callOff = () => {};
  let stopped = false;

  /** From when people can have heard of it. */
  function plan(alertId: string, target: Target, from: number): void {
    const { id, escalateAfter, escalateTo } = target;
    if (escalateAfter === undefined || escalateTo === undefined) return;
    recipients.escalate({ alert: alertId, target: id, dueAt: from + durationMs(escalateAfter) });
  }

  function wake(): void {
    callOff();
    if (stopped) return;
    try {
      for (let due = next(); due.length > 0; due = next()) for (const one of due) escalate(one.alert, one.target);
      const at = recipients.nextEscalationAt();
      if (at !== undefined) callOff = later(Math.min(WAIT_MAX_MS, Math.max(1, at - now())), wake);
    } catch (error) {
      log.error({ err: error }, "escalations could not be looked up or kept; it is tried again");
      callOff = later(RETRY_MS, wake);
    }
  }

  const next = () => recipients.escalations(now(), PAGE);

  function escalate(alertId: string, from: string): void {
    records.transaction(() => {
      recipients.escalated({ alert: alertId, target: from, dueAt: 0 });
      const source = targets.get(from);
      const to = source?.escalateTo === undefined ? undefined : targets.get(source.escalateTo);
      const alert = alerts.get(alertId);
      if (!source?.enabled || !to?.enabled || !alert) return;
      if (alert.state !== "firing" || alert.handling !== "open") return;
      const at = now();
      if (isKeptQuiet(alert)) return plan(alertId, source, at);
      const note = `to ${to.name}: nobody acknowledged within ${source.escalateAfter}`;
      const told = alerts.handle(alertId, {}, { at, knownAt: at, what: "escalated", note });
      // With the time: an alert that was taken back and fires again may be escalated again.
      tell(to, { id: `${alertId}:escalated:${from}:${at}`, at, what: "escalated", alert: told ?? alert });
    });
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
