import type { Alert, Severity, TimelineEntry } from "../../model/alert.ts";
import type { Report, ReportLine, Took } from "../../model/report.ts";
import { median, percentile } from "../../model/statistics.ts";

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

const byRaised = (a: ReportLine, b: ReportLine) => b.raised - a.raised;

function lineOf(alerts: readonly Alert[], range: Range): ReportLine {
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
    toResolve: tookOf(raised, range, ["resolved"]),
  };
}

function tookOf(raised: readonly Alert[], range: Range, what: readonly string[]): Took | undefined {
  const spans = raised.flatMap((alert) => {
    const end = when(alert, ...what);
    // Imported history fires and ends in one moment of ours: its own times say how long it took.
    return isIn(range, end) ? [Math.max(0, end! - when(alert, "firing")!)] : [];
  });
  if (spans.length === 0) return undefined;
  return { count: spans.length, medianMs: median(spans), p90Ms: percentile(spans, 0.9) };
}

/** When the service first knew of it. */
export function when({ timeline }: Pick<Alert, "timeline">, ...what: readonly string[]): number | undefined {
  return timeline.find((entry: TimelineEntry) => what.includes(entry.what))?.knownAt;
}

function isOpenAt(alert: Alert, time: number): boolean {
  const fired = when(alert, "firing");
  const ended = when(alert, "resolved", "retracted");
  return fired !== undefined && fired < time && (ended === undefined || ended >= time);
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
