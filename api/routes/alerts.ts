import {
  ALERT_ACTIONS,
  type AlertAction,
  type AlertActionAsk,
  AlertActionBody,
  AlertBody,
  AlertPath,
  AlertsQuery,
  viewAlert,
} from "../../contract/alert.ts";
import { pageOf } from "../../contract/common.ts";
import { type Alert, type Handling, type Review, returnedIn } from "../../model/alert.ts";
import type { Account } from "../../model/people.ts";
import { formerIds } from "../../model/rule.ts";
import type { Api, Parts } from "../api.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";
import { isWorker } from "./crews.ts";

const SUMMARIES: Readonly<Record<AlertAction, string>> = {
  acknowledge: "I have seen it",
  assign: "Give it to someone (assignee)",
  comment: "Write something down (note)",
  start: "Begin the work; without an assignee it is yours",
  close: "The work is done, or there is none (note, parts, photos)",
  return: "I cannot do it, because (note): it is open again and nobody's, and no crew's, until somebody takes it up",
  reopen: "It was not done after all",
  review: "Was this alert right? (verdict; and note, the reason, unless it was right). The newest review counts",
};

const tags = ["alerts"];
const list = {
  tags,
  summary: "Alerts, newest start first",
  description:
    "Pending ones are left out unless asked for with state=pending. The header x-last-event-id is where GET /events should begin to miss nothing.",
  querystring: AlertsQuery,
  response: answers({ 200: pageOf(AlertBody) }),
};

const one = {
  tags,
  summary: "One alert: what it rests on and what was done",
  params: AlertPath,
  response: answers({ 200: AlertBody }, 404),
};

export function addAlerts(app: Api, parts: Pick<Parts, "records" | "rules" | "auth" | "now">): void {
  const { records } = parts;

  app.get("/alerts", { schema: list }, async (request, reply) => {
    // Read before the list: a stream that begins here misses nothing, and may say something twice.
    reply.header("x-last-event-id", records.events.newestId());
    const { limit, cursor, state, handling, severity, suppressed, mode, rule, ...rest } = request.query;
    const lists = { state: splitList(state), handling: splitList(handling), severity: splitList(severity) };
    const modes = { mode: mode === undefined ? (["live", "history"] as const) : [mode] };
    const flag = suppressed === undefined ? {} : { suppressed: suppressed === "true" };
    const named = rule === undefined ? {} : { rule: [rule, ...heirsOf(rule)] };
    const page = records.alerts.list({ ...rest, ...lists, ...modes, ...flag, ...named } as never, limit, cursor);
    return { ...page, items: page.items.map(viewAlert) };
  });

  /** Who asks for a rule that has become a level of another hears of that one, too. */
  const heirsOf = (id: string) => parts.rules().flatMap((rule) => (formerIds(rule).includes(id) ? [rule.id] : []));

  app.get("/alerts/:id", { schema: one }, async (request) => {
    const alert = records.alerts.get(request.params.id);
    if (!alert) throw notFound("alert", request.params.id);
    return viewAlert(alert);
  });

  for (const action of ALERT_ACTIONS) {
    const response = answers({ 200: AlertBody }, 404, 409, 413, 415);
    const schema = { tags, summary: SUMMARIES[action], params: AlertPath, body: AlertActionBody, response };
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
  const crews = records.crews.of(by.name);
  return records.transaction(() => {
    const alert = records.alerts.get(id);
    if (!alert) throw notFound("alert", id);
    const decision = decide(action, alert, by, ask, crews);
    if ("missing" in decision) throw invalid(`/${decision.missing}`, `${action} needs ${decision.missing}.`);
    if ("conflict" in decision) throw new ProblemError("conflict", decision.conflict);
    if ("done" in decision) return alert;
    const at = now();
    const { change, what, note } = decision;
    const entry = {
      at,
      knownAt: at,
      what,
      by: by.name,
      ...(note ? { note } : {}),
      ...workOf(records, action, id, ask),
    };
    const review = change.review && { ...change.review, by: by.name, at };
    const handled = records.alerts.handle(id, { ...change, review }, entry);
    if (!handled) throw notFound("alert", id);
    records.audit.add({ at, by: by.name, what: `alert.${action}`, target: id, ...(note ? { detail: note } : {}) });
    return handled;
  });
}

const WITH_WORK: readonly AlertAction[] = ["close", "return", "comment"];

/** What was put in and the photos, where they are said with something that was done. */
function workOf(
  { photos }: Parts["records"],
  action: AlertAction,
  alert: string,
  { parts, photos: ids }: AlertActionAsk,
) {
  if (parts === undefined && ids === undefined) return {};
  if (!WITH_WORK.includes(action))
    throw invalid(parts ? "/parts" : "/photos", `${action} takes neither parts nor photos.`);
  for (const id of ids ?? []) {
    if (!photos.get(alert, id)) throw invalid("/photos", `This alert has no photo "${id}".`);
    photos.use(id);
  }
  return { ...(parts ? { parts } : {}), ...(ids?.length ? { photos: [...new Set(ids)] } : {}) };
}

/** A typing mistake would give the work to nobody. */
export function checkAssignee(records: Parts["records"], name: string): void {
  if (isWorker(records.credentials, name) || records.crews.get(name)) return;
  throw invalid("/assignee", `There is no crew, operator or admin called "${name}".`);
}

/** What `listOf` let in. */
export function splitList<T extends string>(text: string | undefined): T[] | undefined {
  return text === undefined ? undefined : (text.split(",") as T[]);
}

/** `review`: who said it and when is added where it is written down. */
type Change = { handling?: Handling; assignee?: string | null; review?: Pick<Review, "is" | "note"> };

/** What to write down, that it was so already, or why not (the sentence names who was first). */
type Decision =
  | { readonly change: Change; readonly what: string; readonly note?: string }
  | { readonly done: true }
  | { readonly conflict: string }
  | { readonly missing: keyof AlertActionAsk };

/** What a person's action does to an alert. Pure; the alert is as it is now. `crews`: those that the person belongs to. */
export function decide(
  action: AlertAction,
  alert: Alert,
  by: Account,
  ask: AlertActionAsk,
  crews: readonly string[] = [],
): Decision {
  if (action === "comment") return ask.note ? { change: {}, what: "commented", note: ask.note } : { missing: "note" };
  if (action === "review") return review(ask);
  if (action === "reopen") {
    if (alert.handling !== "closed") return { conflict: `The alert is not closed, it is ${alert.handling}.` };
    return { change: { handling: "open" }, what: "reopened", ...noteOf(ask) };
  }
  if (action === "close" && isClosedSo(alert, by, ask)) return { done: true };
  if (alert.handling === "closed") return { conflict: `The alert was closed${whoDid(alert, "closed")}.` };
  if (action === "close") return { change: { handling: "closed" }, what: "closed", ...noteOf(ask) };
  if (action === "acknowledge") return acknowledge(alert, by, ask);
  if (action === "return") return giveBack(alert, by, ask, crews);
  return action === "start" ? start(alert, by, ask, crews) : assign(alert, by, ask, crews);
}

function review(ask: AlertActionAsk): Decision {
  if (!ask.verdict) return { missing: "verdict" };
  const is = ask.verdict === "unsure" ? "unclear" : ask.verdict;
  // What to make better about a rule is in the reason, not in the word.
  if (is !== "right" && !ask.note) return { missing: "note" };
  const note = ask.note ? `${is}: ${ask.note}` : is;
  return { change: { review: { is, note: ask.note ?? "" } }, what: "reviewed", note };
}

function acknowledge(alert: Alert, by: Account, ask: AlertActionAsk): Decision {
  if (alert.handling === "open") return { change: { handling: "acknowledged" }, what: "acknowledged", ...noteOf(ask) };
  const what = alert.handling === "in-progress" ? "started" : "acknowledged";
  if (lastBy(alert, what) === by.name) return { done: true };
  return { conflict: `The alert is ${alert.handling} already${whoDid(alert, what)}.` };
}

function start(alert: Alert, by: Account, ask: AlertActionAsk, crews: readonly string[]): Decision {
  if (alert.handling === "in-progress") {
    if (lastBy(alert, "started") === by.name) return { done: true };
    return { conflict: `The work was started already${whoDid(alert, "started")}.` };
  }
  if (isTaken(alert, by, crews)) return { conflict: `The alert is assigned to ${alert.assignee}.` };
  // Of a crew, the one who begins has it.
  const isOurs = alert.assignee !== undefined && crews.includes(alert.assignee);
  return {
    change: { handling: "in-progress", assignee: isOurs ? by.name : (alert.assignee ?? by.name) },
    what: "started",
    ...noteOf(ask),
  };
}

function assign(alert: Alert, by: Account, ask: AlertActionAsk, crews: readonly string[]): Decision {
  if (!ask.assignee) return { missing: "assignee" };
  if (alert.assignee === ask.assignee) return { done: true };
  if (isTaken(alert, by, crews)) return { conflict: `The alert is assigned to ${alert.assignee}.` };
  const note = ask.note ? `to ${ask.assignee}: ${ask.note}` : `to ${ask.assignee}`;
  return { change: { assignee: ask.assignee }, what: "assigned", note };
}

/** Who cannot do it says why: whoever gives the work has to decide anew. */
function giveBack(alert: Alert, by: Account, ask: AlertActionAsk, crews: readonly string[]): Decision {
  if (!ask.note) return { missing: "note" };
  const before = returnedIn(alert.timeline);
  if (before?.by === by.name && before.note === ask.note) return { done: true };
  if (isTaken(alert, by, crews)) return { conflict: `The alert is assigned to ${alert.assignee}.` };
  return { change: { handling: "open", assignee: null }, what: "returned", note: ask.note };
}

/** Crews do not take work from each other; an operator may hand it on. */
function isTaken({ assignee }: Alert, by: Account, crews: readonly string[]): boolean {
  return by.role === "crew" && assignee !== undefined && assignee !== by.name && !crews.includes(assignee);
}

/** A phone with a bad connection says it again when no answer came. */
function isClosedSo(alert: Alert, by: Account, ask: AlertActionAsk): boolean {
  const entry = alert.timeline.findLast(({ what }) => what === "closed");
  return alert.handling === "closed" && entry?.by === by.name && entry.note === ask.note;
}

const noteOf = (ask: AlertActionAsk) => (ask.note ? { note: ask.note } : {});
const lastBy = (alert: Alert, what: string) => alert.timeline.findLast((entry) => entry.what === what)?.by;

function whoDid(alert: Alert, what: string): string {
  const entry = alert.timeline.findLast((candidate) => candidate.what === what);
  return entry?.by ? ` by ${entry.by} at ${new Date(entry.at).toISOString()}` : "";
}
