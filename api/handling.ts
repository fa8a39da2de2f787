import type { AlertAction, AlertActionAsk } from "../contract/alert.ts";
import type { Alert, Handling, Review } from "../model/alert.ts";
import type { Account } from "../model/people.ts";

/** `review`: who said it and when is added where it is written down. */
type Change = { handling?: Handling; assignee?: string; review?: Pick<Review, "is" | "note"> };

/** What to write down, that it was so already, or why not (the sentence names who was first). */
type Decision =
  | { readonly change: Change; readonly what: string; readonly note?: string }
  | { readonly done: true }
  | { readonly conflict: string }
  | { readonly missing: keyof AlertActionAsk };

/** What a person's action does to an alert. Pure; the alert is as it is now. */
export function decide(action: AlertAction, alert: Alert, by: Account, ask: AlertActionAsk): Decision {
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
  return action === "start" ? start(alert, by, ask) : assign(alert, by, ask);
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

function start(alert: Alert, by: Account, ask: AlertActionAsk): Decision {
  if (alert.handling === "in-progress") {
    if (lastBy(alert, "started") === by.name) return { done: true };
    return { conflict: `The work was started already${whoDid(alert, "started")}.` };
  }
  if (isTaken(alert, by)) return { conflict: `The alert is assigned to ${alert.assignee}.` };
  return {
    change: { handling: "in-progress", assignee: alert.assignee ?? by.name },
    what: "started",
    ...noteOf(ask),
  };
}

function assign(alert: Alert, by: Account, ask: AlertActionAsk): Decision {
  if (!ask.assignee) return { missing: "assignee" };
  if (alert.assignee === ask.assignee) return { done: true };
  if (isTaken(alert, by)) return { conflict: `The alert is assigned to ${alert.assignee}.` };
  const note = ask.note ? `to ${ask.assignee}: ${ask.note}` : `to ${ask.assignee}`;
  return { change: { assignee: ask.assignee }, what: "assigned", note };
}

/** Crews do not take work from each other; an operator may hand it on. */
function isTaken(alert: Alert, by: Account): boolean {
  return by.role === "crew" && alert.assignee !== undefined && alert.assignee !== by.name;
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
