import { createHash } from "node:crypto";
import type { FastifyReply } from "fastify";
import {
  CityBody,
  type CityView,
  CrewListBody,
  type CrewListView,
  type CrewWarningView,
  viewAlert,
} from "../../contract/alert.ts";
import { type Alert, returnedIn, SEVERITIES, type Severity } from "../../model/alert.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import type { Api, Parts } from "../api.ts";
import { answers, ProblemError } from "../problems.ts";

const PAGE = 1_000;
const ALERTS_MAX = 10_000;
/** The worst so many are sent: nobody drives to more in a day, and a phone has to keep them. */
const WARNINGS_MAX = 300;
const CITY_ALERTS_MAX = 100;
/** Anyone may ask for the city, so the records are asked at most so often. */
const CITY_AGE_MS = 10_000;

const crew = {
  tags: ["alerts"],
  summary: "The crews' list in one answer: open warnings, where their sensors are, what to do",
  description:
    "The worst first. Without those that are suppressed: what an outage of a gateway explains is not told one by one; with what is assigned to who asks or to one of their crews, whoever else is told of it; without what a crew gave back to the operators. With If-None-Match the answer is 304 while nothing has changed.",
  response: answers({ 200: CrewListBody }),
};
const city = {
  tags: ["city"],
  summary: "What anyone may see of the city, where that is switched on (LAMPPOST_PUBLIC_PAGE)",
  description: "Districts and the alerts about the city itself: no people, no crews' warnings, nothing suppressed.",
  response: answers({ 200: CityBody }, 404),
};

/** What is going on now, in one answer each: for a crew's phone, and for anyone. */
export function addOpenAlerts(app: Api, parts: Pick<Parts, "records" | "ruleBook" | "options" | "now" | "auth">): void {
  const { records, options, now, auth } = parts;
  app.get("/crew", { schema: crew }, async (request, reply) => {
    const list = crewList(parts, auth.account(request).name);
    const etag = `"${createHash("sha256").update(JSON.stringify(list)).digest("base64url").slice(0, 22)}"`;
    reply.header("etag", etag);
    if (request.headers["if-none-match"] === etag) return notModified(reply);
    return list;
  });

  let shown: CityView | undefined;
  let shownAt = Number.NEGATIVE_INFINITY;
  app.get("/city", { schema: city }, async (_request, reply) => {
    if (!options.page.isPublic) throw new ProblemError("not-found", "This city shows no public page.");
    if (!shown || Math.abs(now() - shownAt) >= CITY_AGE_MS) {
      shownAt = now();
      shown = cityNow(records, shownAt);
    }
    return reply.header("cache-control", `public, max-age=${CITY_AGE_MS / 1_000}`).send(shown);
  });
}

/** The schema knows no answer without a body. */
const notModified = (reply: FastifyReply) => reply.code(304).send() as never;

/** Firing, told, and not closed; the newest start first. */
function openAlerts({ alerts }: Parts["records"], audience: Alert["audience"], fits: (alert: Alert) => boolean) {
  const found: Alert[] = [];
  let cursor: string | undefined;
  do {
    const page = alerts.list({ state: ["firing"], audience, suppressed: false }, PAGE, cursor);
    found.push(...page.items.filter((alert) => alert.handling !== "closed" && fits(alert)));
    cursor = page.next;
  } while (cursor !== undefined && found.length < ALERTS_MAX);
  return found;
}

/** The worst first; otherwise as they come. */
const bySeverity = (a: Alert, b: Alert) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);

/** With what was given to this person or one of their crews, whoever it was told to. */
function crewList({ records, ruleBook }: Pick<Parts, "records" | "ruleBook">, me: string): CrewListView {
  const crews = records.crews.of(me);
  const given = records.alerts.assigned([me, ...crews], WARNINGS_MAX).sort(bySeverity);
  const own = new Set(given.map(({ id }) => id));
  const others = openAlerts(records, "crews", ({ id, timeline }) => !own.has(id) && !returnedIn(timeline)).sort(
    bySeverity,
  );
  const open = [...given, ...others];
  const shown = open.slice(0, WARNINGS_MAX).sort(bySeverity);
  const sensors = new Set(shown.flatMap(({ subject }) => subject.sensorId ?? []));
  const rules = new Set(shown.map(({ rule }) => rule.id));
  return {
    alerts: shown.map(viewWarning),
    left: open.length - shown.length,
    ...(crews.length > 0 && { crews }),
    sensors: [...sensors].flatMap((id) => viewPlace(records.sensors.get(id)) ?? []),
    advice: Object.fromEntries(
      [...rules].flatMap((id) => {
        const advice = ruleBook.entry(id)?.rule.advice;
        return advice === undefined ? [] : [[id, advice] as const];
      }),
    ),
  };
}

function viewWarning(alert: Alert): CrewWarningView {
  const { id, rule, subject, severity, handling, assignee, startedAt, explanation, says, verdict, expected, timeline } =
    viewAlert(alert);
  return {
    id,
    rule: { id: rule.id, title: rule.title },
    subject,
    severity,
    handling,
    startedAt,
    explanation,
    ...(says === undefined ? {} : { says }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(expected === undefined ? {} : { expected }),
    ...(alert.incident === undefined ? {} : { incident: alert.incident }),
    ...(alert.children?.length ? { counted: alert.children.length } : {}),
    people: timeline.flatMap(({ at, what, by, note }) =>
      by === undefined ? [] : [{ at, what, by, ...(note === undefined ? {} : { note }) }],
    ),
  };
}

function viewPlace(sensor: Sensor | undefined): CrewListView["sensors"][number] | undefined {
  if (!sensor) return undefined;
  const { id, name, lat, lon } = sensor;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(lat === undefined || lon === undefined ? {} : { lat, lon }),
  };
}

function cityNow(records: Parts["records"], at: number): CityView {
  const alerts = openAlerts(records, "operators", isAboutCity);
  const worst = alerts.toSorted(bySeverity);
  const districts = records.sensors.districts().map(({ district, sensors }) => ({
    district,
    sensors,
    alerts: countBySeverity(alerts.filter(({ subject }) => subject.district === district)),
  }));
  return { at: new Date(at).toISOString(), districts, alerts: worst.slice(0, CITY_ALERTS_MAX).map(viewPublic) };
}

/** Neither about Lamppost itself, nor tried out, nor taken for a fault of the sensor. */
function isAboutCity({ kind, mode, verdict }: Alert): boolean {
  return kind !== "service" && !mode && verdict?.is !== "sensor-fault";
}

function countBySeverity(alerts: readonly Alert[]): Record<Severity, number> {
  const counts = { info: 0, warning: 0, critical: 0 };
  for (const { severity } of alerts) counts[severity] += 1;
  return counts;
}

function viewPublic(alert: Alert): CityView["alerts"][number] {
  const { rule, severity, kind, subject, startedAt, explanation, says } = alert;
  return {
    title: rule.title,
    source: rule.source,
    severity,
    explanation,
    ...(says ? { says } : {}),
    startedAt: new Date(startedAt).toISOString(),
    kind: kind as CityView["alerts"][number]["kind"],
    ...(subject.district ? { district: subject.district } : {}),
  };
}
