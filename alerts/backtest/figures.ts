import type { BacktestAlert, Figures, RuleFigures, Span, SubjectFigures } from "../../model/backtest.ts";
import { DAY_MS, MINUTE_MS } from "../../model/time.ts";

export function figuresOf(alerts: readonly BacktestAlert[], span: Span): Figures {
  const days = Math.max((span.to - span.from) / DAY_MS, 1 / 1_440);
  const minutes = alerts.reduce((sum, alert) => sum + firingMs(alert, span), 0) / MINUTE_MS;
  return {
    alerts: alerts.length,
    alertsPerDay: round(alerts.length / days, 3),
    minutesFiring: round(minutes, 1),
    retracted: alerts.filter(({ state }) => state === "retracted").length,
  };
}

/** For each rule, also one that said nothing; in the order of the rules. */
export function figuresByRule(alerts: readonly BacktestAlert[], rules: readonly string[], span: Span): RuleFigures[] {
  const groups = Map.groupBy(alerts, ({ rule }) => rule.id);
  return rules.map((rule) => ({ rule, ...figuresOf(groups.get(rule) ?? [], span) }));
}

/** For each rule and what it watched, the noisiest first. */
export function figuresBySubject(alerts: readonly BacktestAlert[], span: Span): SubjectFigures[] {
  const groups = Map.groupBy(alerts, (alert) => `${alert.rule.id}\n${subjectOf(alert)}`);
  const rows = [...groups].map(([key, own]) => {
    const [rule = "", subject = ""] = key.split("\n");
    return { rule, subject, ...figuresOf(own, span) };
  });
  return rows.sort(
    (a, b) => b.alerts - a.alerts || b.minutesFiring - a.minutesFiring || (a.subject < b.subject ? -1 : 1),
  );
}

export function subjectOf({ subject }: Pick<BacktestAlert, "subject">): string {
  const { sensorId, gateway, tag, district } = subject;
  return sensorId ?? gateway ?? (tag ? `${tag.name}=${tag.value}` : undefined) ?? district ?? "-";
}

/** An alert that is not over yet fires until the end of the span. */
function firingMs({ firedAt, startedAt, resolvedAt, state }: BacktestAlert, { from, to }: Span): number {
  if (state === "retracted") return 0;
  return Math.max(0, Math.min(resolvedAt ?? to, to) - Math.max(firedAt ?? startedAt, from));
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));
