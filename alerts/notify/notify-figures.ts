import { TARGET_TYPES, type TargetType } from "../../model/channels.ts";
import { byLabel, counter, type Figure, gauge, type Health } from "../../model/health.ts";
import type { Target } from "../../model/target.ts";
import type { Records } from "../../store/records.ts";

type Parts = Pick<Records, "targets" | "outbox">;
type What = "sent" | "failed" | "givenUp";

/** What was told, by the type of the target: a closed set, however many targets there are. */
export function createNotifyFigures({ targets, outbox }: Parts) {
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
export function notifyHealth({ targets }: Pick<Parts, "targets">): Health {
  const part = "notifications";
  const failing = targets.list().flatMap(({ id, name, enabled }) => {
    const { failures, lastError, disabledBecause } = targets.state(id);
    if (disabledBecause !== undefined) return [`${name} was disabled (${disabledBecause})`];
    return enabled && failures > 0 ? [`${name} (${lastError})`] : [];
  });
  if (failing.length === 0) return { part, state: "ok", ready: true };
  const reason = `These targets cannot be told of alerts: ${failing.join("; ")}. Look at GET /api/v1/targets.`;
  return { part, state: "degraded", ready: true, reason };
}
