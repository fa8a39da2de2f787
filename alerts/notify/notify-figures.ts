import type { Figure, Health } from "../../model/health.ts";
import { TARGET_TYPES, type Target, type TargetType } from "../../model/target.ts";
import type { Records } from "../../store/records.ts";

type Parts = Pick<Records, "targets" | "outbox">;
type What = "sent" | "failed" | "givenUp";
type Row = readonly [name: string, help: string, type: Figure["type"], read: (type: TargetType) => number];

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
    const rows: readonly Row[] = [
      ["lamppost_notifications_pending", "Notices that wait for a target.", "gauge", (type) => pending[type]],
      ["lamppost_notifications_sent_total", "Notices told since the start.", "counter", (type) => counts.sent[type]],
      [
        "lamppost_notifications_failed_total",
        "Attempts to tell a target that failed, since the start.",
        "counter",
        (type) => counts.failed[type],
      ],
      [
        "lamppost_notifications_given_up_total",
        "Notices that were given up, since the start.",
        "counter",
        (type) => counts.givenUp[type],
      ],
    ];
    return rows.flatMap(([name, help, kind, ofType]) =>
      TARGET_TYPES.map((type) => ({ name, help, type: kind, value: ofType(type), labels: { type } })),
    );
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
