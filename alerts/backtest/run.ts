import type { BacktestAlert, BacktestResult, Span } from "../../model/backtest.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { createDetector } from "../detector.ts";
import { figuresByRule, figuresBySubject, figuresOf } from "./figures.ts";
import { createTimeline } from "./timeline.ts";

export type Backtest = {
  observe(readings: readonly Reading[]): void;
  readings(): number;
  /** `reported`: only the alerts of these rules, for those that count the alerts of another; without it of all. */
  finish(span: Span, reported?: readonly string[]): BacktestResult;
};

/**
 * Runs rules over history with the same detector that runs live. Shadow rules speak as if they were live. Readings must
 * come in the order of `measuredAt`; those before the span warm the rules up: what was over before it is not counted.
 */
export function createBacktest(rules: readonly Rule[], sensor: (id: string) => WatchedSensor | undefined): Backtest {
  const detector = createDetector({ rules: rules.map((rule) => ({ ...rule, mode: "live" as const })), sensor });
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
      };
    },
  };
}

const isWithin = ({ firedAt, startedAt, resolvedAt }: BacktestAlert, { from, to }: Span) =>
  (firedAt ?? startedAt) < to && (resolvedAt === undefined || resolvedAt >= from);
