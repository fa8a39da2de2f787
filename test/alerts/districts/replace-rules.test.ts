import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import type { StateRow } from "../../../alerts/engine/states.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import type { Rule } from "../../../model/rule.ts";
import { aReading, aRule, aSensor, MINUTE, T0 } from "../builders.ts";

const HIGH = aRule({ id: "high", metric: "no2", condition: { type: "threshold", above: 100 } });
const manyOf = (count: number) =>
  aRule({ id: "many", condition: { type: "quorum", rule: "high", by: "district", count, share: 0 } });

/** From minute 10 on, `high` of five sensors are over the limit. */
function feed(from: number, to: number, high: number): Reading[] {
  return Array.from({ length: to - from }, (_, k) => from + k).flatMap((minute) =>
    Array.from({ length: 5 }, (_, i) => {
      const no2 = minute >= 10 && i < high ? 150 + i : 50 + i;
      return aReading(T0 + minute * MINUTE + i * 1_000, { no2 }, { sensorId: `s-${i}` });
    }),
  );
}

const registry = (id: string) => sensors.get(id);
const sensors = new Map(Array.from({ length: 5 }, (_, i) => [`s-${i}`, aSensor({ id: `s-${i}` })]));
const detectorOf = (rules: readonly Rule[]) => createDetector({ rules, sensor: registry });
const lines = (transitions: readonly Transition[]) =>
  transitions.map(({ alert, entry }) => `${entry.what} ${alert.rule.id}${entry.note ? ` (${entry.note})` : ""}`);
const at = T0 + 20 * MINUTE;

describe("other rules while the service runs", () => {
  it("a quorum that is as it was goes on", () => {
    const detector = detectorOf([HIGH, manyOf(3)]);
    const [started] = detector.observe(feed(0, 20, 3)).filter(({ alert }) => alert.rule.id === "many");
    expect(
      detector.replaceRules(
        [HIGH, manyOf(3), aRule({ id: "other", metric: "pm25", condition: { type: "threshold", above: 9 } })],
        at,
      ),
    ).toEqual([]);
    const ended = detector.observe(feed(20, 21, 0)).filter(({ alert }) => alert.rule.id === "many");
    expect(ended).toMatchObject([{ alert: { id: started!.alert.id, state: "resolved" } }]);
  });

  it("a changed one ends and is counted anew, as another alert", () => {
    const detector = detectorOf([HIGH, manyOf(3)]);
    const [started] = detector.observe(feed(0, 20, 4)).filter(({ alert }) => alert.rule.id === "many");
    const after = detector.replaceRules([HIGH, manyOf(4)], at);
    expect(lines(after)).toEqual(["resolved many (The rule was changed.)", "firing many"]);
    expect(after[1]!.alert.id).not.toBe(started!.alert.id);
    expect(after[1]!.alert.children).toHaveLength(4);
  });

  it("a deleted one ends; so does one whose counted rule is deleted", () => {
    const one = detectorOf([HIGH, manyOf(3)]);
    one.observe(feed(0, 20, 3));
    expect(lines(one.replaceRules([HIGH], at))).toEqual(["resolved many (The rule was deleted.)"]);
    const other = detectorOf([HIGH, manyOf(3)]);
    other.observe(feed(0, 20, 3));
    const said = other.replaceRules([manyOf(3)], at);
    expect(lines(said).filter((line) => line.includes("many"))).toEqual(["resolved many"]);
    expect(lines(said).filter((line) => line.includes("high"))).toHaveLength(3);
  });

  it("what is known of the neighbours goes on, and the same is there after a restart", () => {
    const detector = detectorOf([HIGH]);
    detector.observe(feed(0, 20, 0));
    detector.states.saved();
    const second = aRule({ id: "second", metric: "no2", condition: { type: "threshold", above: 120 } });
    detector.replaceRules([HIGH, second], at);
    const rows = new Map<string, StateRow>(
      detector.states.snapshot().map((row) => [`${row.rule} ${row.subject}`, row]),
    );
    const restarted = detectorOf([HIGH, second]);
    restarted.states.load([...rows.values()].filter(({ state }) => state !== ""));
    for (const one of [detector, restarted]) {
      const said = one.observe([aReading(at, { no2: 130 }, { sensorId: "s-0" })]);
      const verdict = said.find(({ alert }) => alert.rule.id === "second")!.alert.verdict!;
      expect(verdict.why).toContain("its 4 neighbours stayed near 5");
    }
  });
});
