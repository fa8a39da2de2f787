import { z } from "zod";
import { AUDIENCES, HANDLINGS, SEVERITIES } from "../model/alert.ts";
import { INCIDENT_STATES, type Incident, type IncidentNews, THINGS } from "../model/incident.ts";
import type { RuleMetric } from "../model/metrics.ts";
import { AlertBody } from "./alert.ts";
import { Id, listOf, type Mirrors, type Provided, paging, Time, type View } from "./common.ts";

/** For the document it is any text: metrics are added. */
const Metric = z.string() as unknown as z.ZodType<RuleMetric>;

const ImpactBody = z.object({
  things: z
    .array(z.object({ thing: z.enum(THINGS), count: z.number().int() }))
    .readonly()
    .describe("What is concerned, the most first: 3 feeders, 1 transformer"),
  measures: z
    .array(
      z.object({
        metric: Metric,
        value: z.number(),
        unit: z.string().optional(),
        of: z.enum(["sum", "worst"]).describe("sum: over all of them; worst: the value furthest from its limit"),
      }),
    )
    .readonly(),
  since: Time,
});

export const IncidentBody = z
  .object({
    id: z.string(),
    district: z.string(),
    lead: z
      .object({ alert: z.string(), rule: z.string(), title: z.string() })
      .describe("The alert that says best what is wrong"),
    state: z.enum(INCIDENT_STATES),
    severity: z.enum(SEVERITIES),
    audiences: z.array(z.enum(AUDIENCES)).readonly(),
    handling: z.enum(HANDLINGS).describe("The least that was done about any of its alerts that fire"),
    assignee: z.string().optional(),
    startedAt: Time,
    resolvedAt: Time.optional(),
    alerts: z.number().int().describe("How many alerts"),
    firing: z.number().int().describe("How many of them fire"),
    impact: ImpactBody,
  })
  .meta({ id: "Incident" });
type Body = View<typeof IncidentBody>;
export type IncidentView = Provided<Body, Mirrors<Body, Incident, "startedAt" | "resolvedAt" | "since">>;

const Entry = z.object({ at: Time, what: z.string(), by: z.string().optional(), note: z.string().optional() });

/** `GET /incidents/{id}`. */
export const IncidentDetailBody = IncidentBody.extend({
  members: z.array(AlertBody).describe("Those that fire first; the first hundred"),
  timeline: z.array(Entry).describe("What people did to all of it; what happened to an alert is in its own timeline"),
  linked: z.array(IncidentBody).describe("Of the same gateway at the same time, in other districts"),
});
export type IncidentDetailView = View<typeof IncidentDetailBody>;

/** What the event `incident` says: as it is now, and which alerts joined or left. */
export const IncidentNewsBody = z.object({
  at: Time,
  what: z.string(),
  incident: IncidentBody,
  joined: z.array(z.string()),
  left: z.array(z.string()),
  absorbed: z.array(z.string()).describe("Incidents that are part of this one from now on"),
});

const iso = (time: number) => new Date(time).toISOString();

export function viewIncident(incident: Incident): IncidentView {
  const { id, district, lead, state, severity, audiences, handling, assignee, startedAt, resolvedAt } = incident;
  const { alerts, firing, impact } = incident;
  return {
    ...{ id, district, lead, state, severity, audiences, handling, alerts, firing },
    ...(assignee === undefined ? {} : { assignee }),
    startedAt: iso(startedAt),
    ...(resolvedAt === undefined ? {} : { resolvedAt: iso(resolvedAt) }),
    impact: { ...impact, since: iso(impact.since) },
  };
}

export function viewNews(at: number, what: string, news: IncidentNews): View<typeof IncidentNewsBody> {
  const { joined, left, absorbed } = news;
  return { at: iso(at), what, incident: viewIncident(news), joined, left, absorbed };
}

export const IncidentsQuery = z.strictObject({
  ...paging,
  state: listOf(INCIDENT_STATES),
  handling: listOf(HANDLINGS),
  severity: listOf(SEVERITIES),
  audience: z.enum(AUDIENCES).optional(),
  district: Id.optional(),
});

/** What people do to all alerts of an incident at once: `POST /incidents/{id}/{action}`. */
export const INCIDENT_ACTIONS = ["acknowledge", "assign", "comment", "start", "close", "reopen"] as const;
export type IncidentAction = (typeof INCIDENT_ACTIONS)[number];

export const IncidentActionBody = z
  .strictObject({ note: z.string().trim().min(1).max(2_000).optional(), assignee: Id.optional() })
  .nullish();
export type IncidentActionAsk = NonNullable<View<typeof IncidentActionBody>>;
