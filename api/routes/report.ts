import type { FastifyReply } from "fastify";
import { z } from "zod";
import { viewAlert } from "../../contract/alert.ts";
import { ReportBody, ReportQuery } from "../../contract/report.ts";
import type { Alert } from "../../model/alert.ts";
import { DAY_MS } from "../../model/time.ts";
import { answers, media } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { csvLine } from "../csv.ts";
import { makeReport, type Range, when } from "../report/report.ts";
import { parseRange } from "../time-range.ts";

const SPAN_MAX_MS = 31 * DAY_MS;
const ALERTS_MAX = 2_000;

const schema = {
  tags: ["alerts"],
  summary: "What happened in a shift: per district and rule, how long it took, which sensors said nothing",
  description: "The last 24 hours unless from and to say otherwise; at most 31 days. format=csv lists the alerts.",
  querystring: ReportQuery,
  response: answers({ 200: media("The report", { "application/json": ReportBody, "text/csv": z.string() }) }, 503),
};

export function addReport(app: Api, { records, latest, queries, now }: Parts): void {
  app.get("/report", { schema }, async (request, reply) => {
    const range = parseRange(request.query, now(), SPAN_MAX_MS);
    return queries(request, reply).ask((signal) => report(range, request.query.format, reply, signal));
  });

  async function report(range: Range, format: "json" | "csv", reply: FastifyReply, signal: AbortSignal) {
    const found = records.alerts.touched(range, ALERTS_MAX + 1);
    const alerts = found.slice(0, ALERTS_MAX).filter(({ mode }) => mode !== "shadow");
    if (format === "csv") {
      return reply.type("text/csv; charset=utf-8").send(`${csvLine(HEADER)}${alerts.map(csvOf).join("")}`);
    }
    const sensorsWithoutData = await silentSince(range);
    signal.throwIfAborted();
    return reply.send({
      from: iso(range.from),
      to: iso(range.to),
      ...makeReport(alerts, range),
      alerts: alerts.map(viewAlert),
      truncated: found.length > ALERTS_MAX,
      sensorsWithoutData,
    });
  }

  async function silentSince({ from }: Range) {
    const newest = new Map<string, number>();
    for (const { sensorId, measuredAt } of await latest.list({})) {
      newest.set(sensorId, Math.max(measuredAt, newest.get(sensorId) ?? measuredAt));
    }
    return records.sensors.list().flatMap(({ id: sensorId, district, kind }) => {
      const at = newest.get(sensorId);
      if (at !== undefined && at >= from) return [];
      return [{ sensorId, district, kind, ...(at === undefined ? {} : { lastReadingAt: iso(at) }) }];
    });
  }
}

const iso = (time: number) => new Date(time).toISOString();

const HEADER = [
  "id",
  "rule",
  "title",
  "severity",
  "audience",
  "district",
  "sensor",
  "state",
  "handling",
  "assignee",
  "startedAt",
  "resolvedAt",
  "acknowledgedAt",
  "suppressedBy",
  "review",
  "explanation",
];

function csvOf(alert: Alert): string {
  const { id, rule, severity, audience, subject, state, handling, assignee, startedAt, resolvedAt } = alert;
  const acknowledgedAt = when(alert, "acknowledged", "started", "closed");
  const times = [startedAt, resolvedAt, acknowledgedAt].map((time) => (time === undefined ? undefined : iso(time)));
  const who = [subject.district, subject.sensorId, state, handling, assignee];
  const end = [alert.suppressedBy, alert.review?.is, alert.explanation];
  return csvLine([id, rule.id, rule.title, severity, audience, ...who, ...times, ...end]);
}
