import { createHash } from "node:crypto";
import { SERVICE_RULES, saidOf, type Transition } from "../model/alert.ts";
import type { Health } from "../model/health.ts";
import { asText, say } from "../model/sentence.ts";
import type { Records } from "../store/records.ts";
import { noted, sayAlso } from "./says.ts";

type HealthWatchOptions = {
  readonly records: { readonly alerts: Pick<Records["alerts"], "list"> };
  /** All parts of the service. */
  health(): readonly Health[];
  /** Keeps what is said. Throws when it cannot: then it is said at the next tick. */
  apply(transitions: readonly Transition[]): void;
  readonly now: () => number;
};

export const [SERVICE_RULE] = SERVICE_RULES;
/** How often `tick` should be called. */
export const HEALTH_TICK_MS = 5_000;
/** A part that recovers by itself within this time calls nobody. */
const PATIENCE_MS = 30_000;
/** Looks after itself, and stays an alert until everything was counted. */
const OWN_ALERT = new Set(["ledger"]);

type Open = Transition["alert"];
type Trouble = { readonly since: number; readonly reason: string; readonly ready: boolean };

/**
 * The service watches itself as it watches sensors: a part that is degraded or has failed for 30 seconds is an alert,
 * which ends when the part is well. Several troubles of one part are one alert.
 */
export function createHealthWatch({ records, health, apply, now }: HealthWatchOptions) {
  const open = new Map<string, Open>();
  let troubles = new Map<string, Trouble>();
  for (const alert of openAlerts(records)) open.set(partOf(alert), alert);

  function tick(): void {
    const at = now();
    troubles = troublesNow(health(), troubles, at);
    for (const [part, trouble] of troubles) {
      if (!open.has(part) && at - trouble.since >= PATIENCE_MS) begin(part, trouble, at);
    }
    for (const [part, alert] of open) if (!troubles.has(part)) end(part, alert, at);
  }

  function begin(part: string, trouble: Trouble, at: number): void {
    const alert = alertOf(part, trouble, at);
    apply([{ alert, entry: { at, knownAt: at, what: "firing", note: trouble.reason } }]);
    open.set(part, alert);
  }

  function end(part: string, alert: Open, time: number): void {
    const at = Math.max(time, alert.startedAt);
    const ended = { ...sayAlso(alert, WELL), state: "resolved" as const, resolvedAt: at };
    apply([{ alert: ended, entry: { at, knownAt: time, what: "resolved", ...noted(WELL) } }]);
    open.delete(part);
  }

  return { tick };
}

function troublesNow(health: readonly Health[], former: ReadonlyMap<string, Trouble>, at: number) {
  const troubles = new Map<string, Trouble>();
  for (const { part, state, ready, reason = `${part} is ${state}.` } of health) {
    if (state === "ok" || OWN_ALERT.has(part)) continue;
    const other = troubles.get(part);
    const since = other?.since ?? former.get(part)?.since ?? at;
    troubles.set(part, {
      since,
      reason: other ? `${other.reason} ${reason}` : reason,
      ready: ready && (other?.ready ?? true),
    });
  }
  return troubles;
}

function alertOf(part: string, { since, reason, ready }: Trouble, at: number): Open {
  return {
    id: `al-${createHash("sha256").update(`${SERVICE_RULE}\n${part}\n${since}`).digest("hex").slice(0, 16)}`,
    rule: { id: SERVICE_RULE, version: "1", title: TITLE + part, source: "Lamppost watches itself" },
    subject: {},
    kind: "service",
    severity: ready ? "warning" : "critical",
    audience: "operators",
    state: "firing",
    startedAt: since,
    firedAt: at,
    explanation: reason,
    says: { title: say("service.trouble", { part }), explanation: [say("text", { text: asText(reason) })] },
    evidence: [],
  };
}

const WELL = say("service.well", {});
const TITLE = "Trouble in the service: ";
const partOf = ({ rule }: Open) => rule.title.slice(TITLE.length);

function openAlerts(records: HealthWatchOptions["records"]): Open[] {
  return records.alerts.list({ rule: SERVICE_RULE, state: ["firing"] }, 100).items.map(saidOf);
}
