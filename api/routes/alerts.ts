import { z } from "zod";
import {
  ALERT_ACTIONS,
  type AlertAction,
  type AlertActionAsk,
  AlertActionBody,
  AlertBody,
  AlertsQuery,
  viewAlert,
} from "../../contract/alert.ts";
import { pageOf } from "../../contract/common.ts";
import type { Account } from "../../model/people.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { decide } from "../handling.ts";
import { invalid, notFound, ProblemError } from "../problems.ts";

const tags = ["alerts"];
const list = {
  tags,
  summary: "Alerts, newest start first",
  description:
    "Pending ones are left out unless asked for with state=pending. The header x-last-event-id is where GET /events should begin to miss nothing.",
  querystring: AlertsQuery,
  response: answers({ 200: pageOf(AlertBody) }),
};

const byAlertId = z.object({ id: z.string().min(1).max(100) });
const one = {
  tags,
  summary: "One alert: what it rests on and what was done",
  params: byAlertId,
  response: answers({ 200: AlertBody }, 404),
};

const SUMMARIES: Readonly<Record<AlertAction, string>> = {
  acknowledge: "I have seen it",
  assign: "Give it to someone (assignee)",
  comment: "Write something down (note)",
  start: "Begin the work; without an assignee it is yours",
  close: "The work is done, or there is none",
  reopen: "It was not done after all",
  review: "Was this alert right? (verdict; and note, the reason, unless it was right). The newest review counts",
};

export function addAlerts(app: Api, parts: Pick<Parts, "records" | "auth" | "now">): void {
  const { records } = parts;

  app.get("/alerts", { schema: list }, async (request, reply) => {
    // Read before the list: a stream that begins here misses nothing, and may say something twice.
    reply.header("x-last-event-id", records.events.newestId());
    const { limit, cursor, state, handling, severity, suppressed, ...rest } = request.query;
    const lists = { state: splitList(state), handling: splitList(handling), severity: splitList(severity) };
    const flag = suppressed === undefined ? {} : { suppressed: suppressed === "true" };
    const page = records.alerts.list({ ...rest, ...lists, ...flag } as never, limit, cursor);
    return { ...page, items: page.items.map(viewAlert) };
  });

  app.get("/alerts/:id", { schema: one }, async (request) => {
    const alert = records.alerts.get(request.params.id);
    if (!alert) throw notFound("alert", request.params.id);
    return viewAlert(alert);
  });

  for (const action of ALERT_ACTIONS) {
    const response = answers({ 200: AlertBody }, 404, 409, 413, 415);
    const schema = { tags, summary: SUMMARIES[action], params: byAlertId, body: AlertActionBody, response };
    app.post(`/alerts/:id/${action}`, { schema }, async (request) =>
      viewAlert(act(parts, action, request.params.id, parts.auth.account(request), request.body ?? {})),
    );
  }
}

/** Looks, decides and writes in one transaction: of two people who press at once, one gets the 409. */
function act(
  { records, now }: Pick<Parts, "records" | "now">,
  action: AlertAction,
  id: string,
  by: Account,
  ask: AlertActionAsk,
) {
  if (ask.assignee !== undefined) checkAssignee(records, ask.assignee);
  return records.transaction(() => {
    const alert = records.alerts.get(id);
    if (!alert) throw notFound("alert", id);
    const decision = decide(action, alert, by, ask);
    if ("missing" in decision) throw invalid(`/${decision.missing}`, `${action} needs ${decision.missing}.`);
    if ("conflict" in decision) throw new ProblemError("conflict", decision.conflict);
    if ("done" in decision) return alert;
    const at = now();
    const { change, what, note } = decision;
    const entry = { at, knownAt: at, what, by: by.name, ...(note ? { note } : {}) };
    const review = change.review && { ...change.review, by: by.name, at };
    const handled = records.alerts.handle(id, { ...change, review }, entry);
    if (!handled) throw notFound("alert", id);
    records.audit.add({ at, by: by.name, what: `alert.${action}`, target: id, ...(note ? { detail: note } : {}) });
    return handled;
  });
}

/** A typing mistake would give the work to nobody. */
function checkAssignee(records: Parts["records"], name: string): void {
  const role = records.credentials.byName(name)?.account.role;
  if (role === "crew" || role === "operator" || role === "admin") return;
  throw invalid("/assignee", `There is no crew, operator or admin called "${name}".`);
}

/** What `listOf` let in. */
function splitList<T extends string>(text: string | undefined): T[] | undefined {
  return text === undefined ? undefined : (text.split(",") as T[]);
}
