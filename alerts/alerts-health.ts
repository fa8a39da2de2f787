import type { Health } from "../model/health.ts";
import type { Turns } from "./turns.ts";

/** Beyond this the rules are said to lag. */
const LAG_SAID_MS = 1_000;

type Late = { readonly sensors: number; readonly readings: number };

/** How far the rules are behind, in a sentence. `untaken`: messages. `late`: readings that wait, and those that wait for a turn. */
export function healthOfLag(
  lagMs: number,
  untaken: number,
  [late, turns]: readonly [late: Late, turns: Pick<Turns, "waiting" | "line"> | undefined],
): Health {
  const waiting = late.readings + (turns?.waiting() ?? 0);
  const senders = Math.max(late.sensors, turns?.line().sensors ?? 0);
  const part = "rules";
  if (lagMs <= LAG_SAID_MS) return { part, state: "ok", ready: true };
  const behind = `The rules are ${Math.round(lagMs / 1_000)} s behind:`;
  const others = "Alerts of other sensors are not held up.";
  let reason = `${behind} ${untaken} messages wait in the journal.`;
  if (waiting > 0) {
    const whose = `${senders} ${senders === 1 ? "sensor" : "sensors"} that sent more than their share`;
    reason = `${behind} ${waiting} readings of ${whose} wait. ${others}`;
  } else if (senders > 0) {
    const whose = `${senders} ${senders === 1 ? "sender" : "senders"}`;
    reason = `${behind} what waited of ${whose} when the service stopped is read from the journal again. ${others}`;
  }
  return { part, state: "degraded", ready: true, reason };
}

/** Of the alerts themselves. `problem`: why the records do not take them. */
export function healthOfAlerts(
  problem: string | undefined,
  unsaid: number,
  broken: readonly { readonly rule: string; readonly failure: string }[],
): Health {
  const part = "alerts";
  if (problem !== undefined) {
    const reason = `Alerts cannot be kept (${problem}); ${unsaid} wait. Check the disk of the data directory.`;
    return { part, state: "failed", ready: false, reason };
  }
  if (broken.length === 0) return { part, state: "ok", ready: true };
  const names = broken.map(({ rule, failure }) => `${rule} (${failure})`).join(", ");
  const reason = `Rules out of use after an error: ${names}. Restart to try again.`;
  return { part, state: "degraded", ready: true, reason };
}
