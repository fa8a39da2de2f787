import { z } from "zod";
import { AlertBody } from "../../contract/alert.ts";
import { Id } from "../../contract/common.ts";
import { viewAlert } from "../../model/alert-view.ts";
import type { Account } from "../../model/people.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { ACTIONS, type Action, type Ask, decide, VERDICTS } from "../handling.ts";
import { invalid, notFound, ProblemError } from "../problems.ts";
import { byAlertId } from "./alerts.ts";

const SUMMARIES: Readonly<Record<Action, string>> = {
  acknowledge: "I have seen it",
  assign: "Give it to someone (assignee)",
  comment: "Write something down (note)",
  start: "Begin the work; without an assignee it is yours",
  close: "The work is done, or there is none",
  reopen: "It was not done after all",
  review: "Was this alert right? (verdict; and note, the reason, unless it was right). The newest review counts",
};

const Body = z
  .strictObject({
    note: z.string().trim().min(1).max(2_000).optional(),
    assignee: Id.optional(),
    verdict: z.enum(VERDICTS).optional(),
  })
  .nullish();

export function addAlertHandling(app: Api, parts: Pick<Parts, "records" | "auth" | "now">): void {
  for (const action of ACTIONS) {
    const response = answers({ 200: AlertBody }, 404, 409, 413, 415);
    const schema = { tags: ["alerts"], summary: SUMMARIES[action], params: byAlertId, body: Body, response };
    app.post(`/alerts/:id/${action}`, { schema }, async (request) =>
      viewAlert(act(parts, action, request.params.id, parts.auth.account(request), request.body ?? {})),
    );
  }
}

/** Looks, decides and writes in one transaction: of two people who press at once, one gets the 409. */
function act({ records, now }: Pick<Parts, "records" | "now">, action: Action, id: string, by: Account, ask: Ask) {
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
