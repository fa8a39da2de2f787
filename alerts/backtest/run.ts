import type { BacktestAlert, BacktestResult, RuleFigures, SubjectFigures } from "../../contract/backtest.ts";
import type { FiguresView } from "../../contract/rule.ts";
import type { Transition } from "../../model/alert.ts";
import type { Span } from "../../model/backtest.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { DAY_MS, MINUTE_MS } from "../../model/time.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { createDetector } from "../detector.ts";
import { type City, cityRules } from "../rules/zoned.ts";

type Backtest = {
  observe(readings: readonly Reading[]): void;
  readings(): number;
  /** `reported`: only the alerts of these rules, for those that count the alerts of another; without it of all. */
  finish(span: Span, reported?: readonly string[]): BacktestResult;
};

/**
 * Runs rules over history with the same detector that runs live. Shadow rules speak as if they were live. Readings must
 * come in the order of `measuredAt`; those before the span warm the rules up: what was over before it is not counted.
 */
export function createBacktest(
  rules: readonly Rule[],
  sensor: (id: string) => WatchedSensor | undefined,
  city: City = {},
): Backtest {
  const live = cityRules(rules, city).map((rule) => ({ ...rule, mode: "live" as const }));
  const detector = createDetector({ rules: live, sensor });
  const timeline = createTimeline();
  let readings = 0;

  return {
    observe(batch) {
      readings += batch.length;
      const said = detector.observe(batch);
      for (let i = 0; i < said.length; i++) timeline.take(said[i]!);
    },
    readings: () => readings,
    finish(span, reported = rules.map(({ id }) => id)) {
      // What the clock would have said by then. It says nothing of imported history, here as in the service.
      for (const transition of detector.tick(span.to)) timeline.take(transition);
      const shown = new Set(reported);
      const alerts = timeline.alerts().filter((alert) => shown.has(alert.rule.id) && isWithin(alert, span));
      return {
        ...span,
        readings,
        figures: figuresOf(alerts, span),
        byRule: figuresByRule(alerts, reported, span),
        bySubject: figuresBySubject(alerts, span),
        alerts,
        dropped: timeline.dropped(),
        failures: detector.failures(),
        ...notTried(rules.filter(({ id }) => shown.has(id))),
      };
    },
  };
}

/** The store has readings: what was refused is in the quarantine, which keeps it for a shorter time. */
function notTried(rules: readonly Rule[]): Pick<BacktestResult, "notTried"> {
  const about = rules.filter(({ condition }) => condition.type === "rejections");
  const why = "it watches what was refused, and the stored history holds readings only: test it with a rule test";
  return about.length > 0 ? { notTried: about.map(({ id: rule }) => ({ rule, why })) } : {};
}

const isWithin = ({ firedAt, startedAt, resolvedAt }: BacktestAlert, { from, to }: Span) =>
  (firedAt ?? startedAt) < to && (resolvedAt === undefined || resolvedAt >= from);

/** Alerts that are kept whole; figures count all. */
const ALERTS_KEPT_MAX = 20_000;

type Kept = { alert: Transition["alert"]; timeline: { at: number; what: string; note?: string }[] };

/**
 * Folds transitions into alerts as the records do: the newest verdict counts, a repeated entry changes nothing, and a
 * pending alert that never fired is none.
 */
function createTimeline() {
  const kept = new Map<string, Kept>();
  let dropped = 0;

  function take(transition: Transition): void {
    const { alert, entry } = transition;
    const known = kept.get(alert.id);
    if (!known && kept.size >= ALERTS_KEPT_MAX) {
      if (entry.what === "firing") dropped += 1;
      return;
    }
    const { at, what, note } = entry;
    if (known?.timeline.some((one) => one.at === at && one.what === what)) return;
    const line = note === undefined ? { at, what } : { at, what, note };
    if (known) {
      known.alert = alert;
      known.timeline.push(line);
    } else kept.set(alert.id, { alert, timeline: [line] });
  }

  return {
    take,
    /** How many more there were than are kept. */
    dropped: () => dropped,
    /** Those that fired, by start, rule and id. */
    alerts: (): BacktestAlert[] =>
      [...kept.values()]
        .filter(({ alert, timeline }) => alert.firedAt !== undefined || timeline.some(({ what }) => what === "firing"))
        .map(({ alert: { mode: _, ...alert }, timeline }) => ({ ...alert, timeline: [...timeline].sort(byTime) }))
        .sort(byStart),
  };
}

const ORDER = ["pending", "firing", "verdict", "late-confirmed", "corrected", "resolved", "retracted"];
type Line = { readonly at: number; readonly what: string };
const byTime = (a: Line, b: Line) => a.at - b.at || ORDER.indexOf(a.what) - ORDER.indexOf(b.what);

const byStart = (a: BacktestAlert, b: BacktestAlert) =>
  a.startedAt - b.startedAt || compareText(a.rule.id, b.rule.id) || compareText(a.id, b.id);
const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function figuresOf(alerts: readonly BacktestAlert[], span: Span): FiguresView {
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
function figuresByRule(alerts: readonly BacktestAlert[], rules: readonly string[], span: Span): RuleFigures[] {
  const groups = Map.groupBy(alerts, ({ rule }) => rule.id);
  return rules.map((rule) => ({ rule, ...figuresOf(groups.get(rule) ?? [], span) }));
}

/** For each rule and what it watched, the noisiest first. */
function figuresBySubject(alerts: readonly BacktestAlert[], span: Span): SubjectFigures[] {
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
