import { describe, expect, it } from "vitest";
import { createBacktest } from "../../../alerts/backtest/run.ts";
import { aReading, aRule, aSensor, DAY, HOUR, MINUTE, T0 } from "../builders.ts";

const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40 } });
const shadow = {
  ...aRule({ id: "cold", metric: "temperature", condition: { type: "threshold", below: 0 } }),
  mode: "shadow" as const,
};
const silent = aRule({ id: "silent", kind: "any", condition: { type: "silence", after: "30m" } });
const sensor = (id: string) => (id === "s-1" ? aSensor({ intervalS: 600 }) : undefined);
const span = { from: T0, to: T0 + DAY };

/** One value every ten minutes. */
const feed = (values: readonly number[], from = T0, rest = {}) =>
  values.map((temperature, i) => aReading(from + i * 10 * MINUTE, { temperature }, rest));

function run(rules: Parameters<typeof createBacktest>[0], readings: ReturnType<typeof feed>, at = span) {
  const backtest = createBacktest(rules, sensor);
  backtest.observe(readings);
  return backtest.finish(at);
}

describe("a backtest", () => {
  it("counts alerts, alerts per day and the minutes they were firing", () => {
    const result = run([hot], feed([20, 50, 50, 20, 20, 50, 20]), { from: T0, to: T0 + 2 * DAY });
    expect(result.readings).toBe(7);
    expect(result.figures).toEqual({ alerts: 2, alertsPerDay: 1, minutesFiring: 30, retracted: 0 });
    expect(result.bySubject).toEqual([{ rule: "hot", subject: "s-1", ...result.figures }]);
    expect(result.alerts.map(({ timeline }) => timeline.map(({ what }) => what))).toEqual([
      ["firing", "resolved"],
      ["firing", "resolved"],
    ]);
  });

  it("lets shadow rules speak, and names rules that said nothing", () => {
    const { byRule, alerts } = run([hot, shadow], feed([20, -5, 20]));
    expect(byRule.map(({ rule, alerts }) => [rule, alerts])).toEqual([
      ["hot", 0],
      ["cold", 1],
    ]);
    expect(alerts[0]).not.toHaveProperty("mode");
  });

  it("counts only what reaches into the span; what came before warms up", () => {
    const before = feed([50, 20, 20, 50], T0 - 40 * MINUTE);
    const { alerts, figures } = run([hot], [...before, ...feed([50, 20])]);
    expect(alerts.map(({ startedAt }) => startedAt)).toEqual([T0 - 10 * MINUTE]);
    expect(figures.minutesFiring).toBe(10);
    const later = run([hot], feed([20, 50, 20], T0 + DAY));
    expect(later.alerts).toEqual([]);
  });

  it("an alert that does not end fires until the end of the span", () => {
    const { figures } = run([hot], feed([50]), { from: T0, to: T0 + HOUR });
    expect(figures.minutesFiring).toBe(60);
  });

  it("a sensor that stops is silent at the end, unless it is imported history", () => {
    const ids = ({ alerts }: ReturnType<typeof run>) => alerts.map(({ rule }) => rule.id);
    expect(ids(run([silent], feed([20, 20])))).toEqual(["silent"]);
    expect(ids(run([silent], feed([20, 20], T0, { imported: true })))).toEqual([]);
  });

  it("says which rules were wanted", () => {
    const backtest = createBacktest([hot, shadow], sensor);
    backtest.observe(feed([50, -5, 20]));
    const result = backtest.finish(span, ["cold"]);
    expect(result.alerts.map(({ rule }) => rule.id)).toEqual(["cold"]);
    expect(result.byRule.map(({ rule }) => rule)).toEqual(["cold"]);
  });
});
