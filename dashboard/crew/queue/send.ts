import type { AlertView } from "../../api/alerts.ts";
import { ApiProblem } from "../../api/client.ts";
import { hasArrived, type Item, lastDeed, type Refusal } from "./item.ts";

export type SendPorts = {
  /** GET and POST on the alert; throw `ApiProblem`. */
  look(alertId: string): Promise<AlertView>;
  act(alertId: string, action: Item["action"], body: { note?: string }): Promise<AlertView>;
  /** Writes down that it is about to be sent, before it is: a reload in between must know. */
  beforeSending(item: Item): Promise<void>;
};

export type Sent =
  | { readonly done: AlertView }
  | { readonly refusal: Refusal; readonly alert?: AlertView }
  /** No connection, too many requests, nobody signed in: another time. */
  | { readonly later: ApiProblem };

/**
 * Brings one press to the service, once: what may have arrived before, or has waited, is looked at first. Never throws.
 */
export async function send(item: Item, ports: SendPorts, waited: boolean): Promise<Sent> {
  try {
    if (item.tries > 0 || waited) {
      const alert = await ports.look(item.alertId);
      if (hasArrived(item, alert.timeline)) return { done: alert };
      if (item.action === "start" && alert.state !== "firing") return { refusal: ended(alert), alert };
    }
    await ports.beforeSending(item);
    const body = item.note === undefined ? {} : { note: item.note };
    return { done: await ports.act(item.alertId, item.action, body) };
  } catch (error) {
    return refused(item, error, ports);
  }
}

async function refused(item: Item, error: unknown, ports: SendPorts): Promise<Sent> {
  const problem = error instanceof ApiProblem ? error : new ApiProblem(0, "");
  if (problem.status === 409) return conflict(item, problem, ports);
  const final = problem.status >= 400 && problem.status < 500 && ![401, 408, 425, 429].includes(problem.status);
  return final ? { refusal: { why: "refused", said: problem.message } } : { later: problem };
}

/** Who was first, and with what. The service's sentence serves where the alert cannot be looked at. */
async function conflict(item: Item, problem: ApiProblem, ports: SendPorts): Promise<Sent> {
  const alert = await ports.look(item.alertId).catch(() => undefined);
  if (alert && hasArrived(item, alert.timeline)) return { done: alert };
  const deed = alert && lastDeed(alert.timeline);
  const refusal = { why: "conflict", said: problem.message, ...(deed ? { deed } : {}) } as const;
  return { refusal, ...(alert ? { alert } : {}) };
}

function ended({ resolvedAt }: AlertView): Refusal {
  return { why: "ended", ...(resolvedAt === undefined ? {} : { at: resolvedAt }) };
}
