import { setImmediate as immediate } from "node:timers/promises";
import { z } from "zod";
import type { AlertAction } from "../../contract/alert.ts";
import { viewAlert } from "../../contract/alert.ts";
import { pageOf } from "../../contract/common.ts";
import {
  INCIDENT_ACTIONS,
  type IncidentAction,
  type IncidentActionAsk,
  IncidentActionBody,
  IncidentBody,
  IncidentDetailBody,
  type IncidentDetailView,
  IncidentsQuery,
  viewIncident,
} from "../../contract/incident.ts";
import type { Incident } from "../../model/incident.ts";
import type { Account } from "../../model/people.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { Api, Parts } from "../api.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";
import { checkAssignee, decide, splitList } from "./alerts.ts";

/** Alerts shown with an incident, and lines of what people did. */
const MEMBERS_SHOWN = 100;
const NOTES_SHOWN = 500;
/** Alerts that one action reaches: more than a district has. */
const MEMBERS_MAX = 20_000;
/** Handled in one piece, a few milliseconds long; then others have their turn. */
const HANDLED_AT_ONCE = 50;
/** Incidents of one gateway are of one cause where they began within the time a gateway's outage counts (15 min). */
const ACROSS_MS = 15 * MINUTE_MS;
const ACROSS = "~gateway:";

const SUMMARIES: Readonly<Record<IncidentAction, string>> = {
  acknowledge: "I have seen it: all of its alerts",
  assign: "Give all of it to someone (assignee)",
  comment: "Write something down about all of it (note)",
  start: "Begin the work on all of it; without an assignee it is yours",
  close: "The work is done, or there is none: closes all of its alerts",
  reopen: "It was not done after all: all of its alerts are open again",
};

const tags = ["incidents"];
const list = {
  tags,
  summary: "Incidents: alerts of one cause in one district, newest start first",
  querystring: IncidentsQuery,
  response: answers({ 200: pageOf(IncidentBody) }),
};
const byIncidentId = z.object({ id: z.string().min(1).max(100) });
const one = {
  tags,
  summary: "One incident with its alerts, what was done, and those of the same gateway in other districts",
  params: byIncidentId,
  response: answers({ 200: IncidentDetailBody }, 404),
};

export function addIncidents(app: Api, parts: Pick<Parts, "records" | "auth" | "now">): void {
  const { incidents } = parts.records;

  app.get("/incidents", { schema: list }, async (request) => {
    const { limit, cursor, state, handling, severity, ...rest } = request.query;
    const lists = { state: splitList(state), handling: splitList(handling), severity: splitList(severity) };
    const page = incidents.list({ ...rest, ...lists } as never, limit, cursor);
    return { ...page, items: page.items.map(viewIncident) };
  });

  app.get("/incidents/:id", { schema: one }, async (request) => detail(parts, found(parts, request.params.id)));

  for (const action of INCIDENT_ACTIONS) {
    const response = answers({ 200: IncidentDetailBody }, 404, 409, 413, 415);
    const schema = { tags, summary: SUMMARIES[action], params: byIncidentId, body: IncidentActionBody, response };
    app.post(`/incidents/:id/${action}`, { schema }, async (request) => {
      const by = parts.auth.account(request);
      return detail(parts, await act(parts, action, request.params.id, by, request.body ?? {}));
    });
  }
}

function found({ records }: Pick<Parts, "records">, id: string): Incident {
  const incident = records.incidents.get(id);
  if (!incident) throw notFound("incident", id);
  return incident;
}

function detail({ records }: Pick<Parts, "records">, incident: Incident): IncidentDetailView {
  const { incidents, alerts } = records;
  const { id } = incident;
  return {
    ...viewIncident(incident),
    members: incidents.alertsOf(id, MEMBERS_SHOWN).flatMap((one) => viewOf(alerts.get(one))),
    timeline: incidents.notes(id, NOTES_SHOWN).map(({ at, what, by, note }) => {
      return { at: new Date(at).toISOString(), what, ...(by ? { by } : {}), ...(note ? { note } : {}) };
    }),
    linked: incidents.linked(id, ACROSS, ACROSS_MS).flatMap((other) => {
      const there = incidents.get(other);
      return there ? [viewIncident(there)] : [];
    }),
  };
}

const viewOf = (alert: Parameters<typeof viewAlert>[0] | undefined) => (alert ? [viewAlert(alert)] : []);

/**
 * Does it to each alert of the incident that it makes sense for, piece by piece. A 409 where it does for none: somebody was
 * first. What is written down about the whole, and in the audit, is one line.
 */
async function act(
  parts: Pick<Parts, "records" | "now">,
  action: IncidentAction,
  asked: string,
  by: Account,
  ask: IncidentActionAsk,
): Promise<Incident> {
  const { records, now } = parts;
  const { incidents, audit } = records;
  if (ask.assignee !== undefined) checkAssignee(records, ask.assignee);
  if (action === "comment" && !ask.note) throw invalid("/note", "comment needs note.");
  if (action === "assign" && !ask.assignee) throw invalid("/assignee", "assign needs assignee.");
  const { id } = found(parts, asked);
  const members = action === "comment" ? [] : incidents.alertsOf(id, MEMBERS_MAX);
  let done = 0;
  let refusal: string | undefined;
  for (let from = 0; from < members.length; from += HANDLED_AT_ONCE) {
    if (from > 0) await immediate();
    records.transaction(() => {
      for (const alert of members.slice(from, from + HANDLED_AT_ONCE)) {
        const answer = handle(parts, action, alert, by, ask, id);
        if (answer === "done") done += 1;
        else refusal ??= answer;
      }
    });
  }
  if (members.length > 0 && done === 0) throw new ProblemError("conflict", refusal ?? "There is nothing to do.");
  return records.transaction(() => {
    const at = now();
    // It may have become part of another meanwhile.
    const current = found(parts, asked).id;
    const who = ask.assignee ? `to ${ask.assignee}` : undefined;
    const note = [who, ask.note].filter((text) => text !== undefined).join(": ");
    incidents.note(current, { at, what: WHAT[action], by: by.name, ...(note ? { note } : {}) });
    audit.add({ at, by: by.name, what: `incident.${action}`, target: current, ...(note ? { detail: note } : {}) });
    incidents.refresh(current, at, "handled");
    return found(parts, current);
  });
}

const WHAT: Readonly<Record<IncidentAction, string>> = {
  acknowledge: "acknowledged",
  assign: "assigned",
  comment: "commented",
  start: "started",
  close: "closed",
  reopen: "reopened",
};

/** "done", also where it was so already; else why not. */
function handle(
  { records, now }: Pick<Parts, "records" | "now">,
  action: IncidentAction & AlertAction,
  id: string,
  by: Account,
  ask: IncidentActionAsk,
  incident: string,
): string {
  const alert = records.alerts.get(id);
  if (!alert) return `There is no alert ${id}.`;
  const decision = decide(action, alert, by, ask, records.crews.of(by.name));
  if ("conflict" in decision) return decision.conflict;
  if ("missing" in decision) return `${action} needs ${decision.missing}.`;
  if ("done" in decision) return "done";
  const { change, what, note } = decision;
  const at = now();
  const words = [note, `with incident ${incident}`].filter((text) => text).join("; ");
  records.alerts.handle(id, change as never, { at, knownAt: at, what, by: by.name, note: words }, false);
  return "done";
}
