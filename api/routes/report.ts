import type { FastifyReply } from "fastify";
import { z } from "zod";
import { viewAlert } from "../../contract/alert.ts";
import { viewHandover } from "../../contract/handover.ts";
import { ReportBody, type ReportLineView, ReportQuery, type ReportView, type TookView } from "../../contract/report.ts";
import type { Alert, Severity, TimelineEntry } from "../../model/alert.ts";
import { median, percentile } from "../../model/statistics.ts";
import { DAY_MS } from "../../model/time.ts";
import { UTC } from "../../model/zone.ts";
import type { Api, Parts } from "../api.ts";
import { type Cell, type CsvStyle, csvLine, styleOf } from "../csv.ts";
import { answers, media } from "../problems.ts";
import { parseRange, parseZone, timeWriter } from "../time-range.ts";
import { viewAnnotation } from "./annotations.ts";

/** What is counted of the alerts in a shift. */
type Report = Pick<ReportView, "total" | "byDistrict" | "byRule">;

const SPAN_MAX_MS = 31 * DAY_MS;
const ALERTS_MAX = 2_000;
const NOTES_MAX = 200;

const schema = {
  tags: ["alerts"],
  summary: "What happened in a shift: per district and rule, how long it took, which sensors said nothing",
  description: "The last 24 hours unless from and to say otherwise; at most 31 days. format=csv lists the alerts.",
  querystring: ReportQuery,
  response: answers({ 200: media("The report", { "application/json": ReportBody, "text/csv": z.string() }) }, 503),
};

export function addReport(app: Api, { records, latest, queries, now, zone = UTC }: Parts): void {
  app.get("/report", { schema }, async (request, reply) => {
    const { format, locale } = request.query;
    const range = parseRange(request.query, now(), SPAN_MAX_MS, zone.name);
    const csv = { style: styleOf(locale), write: timeWriter(parseZone(request.query.zone)) };
    return queries(request, reply).ask((signal) => report(range, format === "csv" ? csv : undefined, reply, signal));
  });

  async function report(range: Range, csv: CsvFormat | undefined, reply: FastifyReply, signal: AbortSignal) {
    const found = records.alerts.touched(range, ALERTS_MAX + 1);
    const alerts = found.slice(0, ALERTS_MAX).filter(({ mode }) => mode === undefined);
    if (csv) {
      const { style } = csv;
      const lines = alerts.map((alert) => csvLine(cellsOf(alert, csv), style));
      return reply.type("text/csv; charset=utf-8").send(`${style.mark}${csvLine(HEADER, style)}${lines.join("")}`);
    }
    const sensorsWithoutData = await silentSince(range);
    signal.throwIfAborted();
    return reply.send({
      from: iso(range.from),
      to: iso(range.to),
      zone: zone.name,
      ...makeReport(alerts, range),
      alerts: alerts.map(viewAlert),
      history: records.alerts.countHistory(range),
      handover: records.handover.between(range.from, range.to, NOTES_MAX).map(viewHandover),
      annotations: records.annotations.between(range.from, range.to, NOTES_MAX).map(viewAnnotation),
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

type CsvFormat = { readonly style: CsvStyle; readonly write: (at: number) => string };

function cellsOf(alert: Alert, { write }: CsvFormat): Cell[] {
  const { id, rule, severity, audience, subject, state, handling, assignee, startedAt, resolvedAt } = alert;
  const acknowledgedAt = when(alert, "acknowledged", "started", "closed");
  const times = [startedAt, resolvedAt, acknowledgedAt].map((time) => (time === undefined ? undefined : write(time)));
  const who = [subject.district, subject.sensorId, state, handling, assignee];
  const end = [alert.suppressedBy, alert.review?.is, alert.explanation];
  return [id, rule.id, rule.title, severity, audience, ...who, ...times, ...end];
}

export type Range = { readonly from: number; readonly to: number };

/**
 * What happened in a time range, from the alerts that something happened to. The times are those at which the service
 * knew: a shift is judged by what it could see.
 */
export function makeReport(alerts: readonly Alert[], range: Range): Report {
  const fired = alerts.filter((alert) => alert.firedAt !== undefined);
  const districts = groupBy(fired, ({ subject }) => subject.district ?? "");
  const rules = groupBy(fired, ({ rule }) => rule.id);
  return {
    total: { ...lineOf(fired, range), openAtEnd: fired.filter((alert) => isOpenAt(alert, range.to)).length },
    byDistrict: [...districts].map(([district, group]) => ({ district, ...lineOf(group, range) })).sort(byRaised),
    byRule: [...rules]
      .map(([rule, group]) => ({ rule, title: group.at(-1)!.rule.title, ...lineOf(group, range) }))
      .sort(byRaised),
  };
}

const byRaised = (a: ReportLineView, b: ReportLineView) => b.raised - a.raised;

function lineOf(alerts: readonly Alert[], range: Range): ReportLineView {
  const raised = alerts.filter((alert) => isIn(range, when(alert, "firing")));
  const severity = (name: Severity) => raised.filter((alert) => alert.severity === name).length;
  const review = (is: "right" | "wrong" | "unclear") => raised.filter((alert) => alert.review?.is === is).length;
  return {
    raised: raised.length,
    bySeverity: { info: severity("info"), warning: severity("warning"), critical: severity("critical") },
    resolved: alerts.filter((alert) => isIn(range, when(alert, "resolved"))).length,
    retracted: alerts.filter((alert) => isIn(range, when(alert, "retracted"))).length,
    suppressed: raised.filter(({ suppressedBy }) => suppressedBy !== undefined).length,
    reviewed: { right: review("right"), wrong: review("wrong"), unclear: review("unclear") },
    toAcknowledge: tookOf(raised, range, ["acknowledged", "started", "closed"]),
    toResolve: lastedOf(raised, range),
  };
}

function tookOf(raised: readonly Alert[], range: Range, what: readonly string[]): TookView | undefined {
  const spans = raised.flatMap((alert) => {
    const end = when(alert, ...what);
    return isIn(range, end) ? [Math.max(0, end! - when(alert, "firing")!)] : [];
  });
  return summed(spans);
}

/** By its own times: of what came late both its beginning and its end are known in one moment of ours. */
function lastedOf(raised: readonly Alert[], range: Range): TookView | undefined {
  return summed(
    raised.flatMap(({ timeline, startedAt, firedAt = startedAt, resolvedAt }) => {
      const end = when({ timeline }, "resolved");
      return isIn(range, end) && resolvedAt !== undefined ? [Math.max(0, resolvedAt - firedAt)] : [];
    }),
  );
}

function summed(spans: readonly number[]): TookView | undefined {
  if (spans.length === 0) return undefined;
  return { count: spans.length, medianMs: median(spans), p90Ms: percentile(spans, 0.9) };
}

/** When the service first knew of it. */
export function when({ timeline }: Pick<Alert, "timeline">, ...what: readonly string[]): number | undefined {
  return timeline.find((entry: TimelineEntry) => what.includes(entry.what))?.knownAt;
}

/** What the desk showed then: it fired, nobody had closed it, and no other alert explains it. */
function isOpenAt(alert: Alert, time: number): boolean {
  const { timeline, suppressedBy } = alert;
  const fired = when(alert, "firing");
  const ended = when(alert, "resolved", "retracted");
  if (fired === undefined || fired >= time || (ended !== undefined && ended < time)) return false;
  if (suppressedBy !== undefined && !/^(silence|maintenance):/.test(suppressedBy)) return false;
  const handled = timeline.findLast(
    ({ what, knownAt }) => (what === "closed" || what === "reopened") && knownAt < time,
  );
  return handled?.what !== "closed";
}

const isIn = ({ from, to }: Range, time: number | undefined) => time !== undefined && time >= from && time < to;

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
