import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import { createEngine } from "../../../alerts/engine/engine.ts";
import { aReading, aRule, aSensor, MINUTE, T0 } from "../builders.ts";

const rules = [
  aRule({ id: "high", metric: "no2", condition: { type: "threshold", above: 100 } }),
  aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "90m" } }),
];

describe("a save", () => {
  it("that fails is part of the next one, with what has come since", () => {
    const { observe, states } = createDetector({ rules, sensor: (id) => aSensor({ id }) });
    observe([aReading(T0, { no2: 20 }, { sensorId: "s-1" })]);
    const failed = states.snapshot();
    expect(failed.length).toBeGreaterThan(0);
    observe([aReading(T0 + MINUTE, { no2: 30 }, { sensorId: "s-2" })]);
    const rows = states.snapshot();
    expect(rows.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(
      expect.arrayContaining(failed.map(({ rule, subject }) => `${rule} ${subject}`)),
    );
    expect(rows.some(({ rule, subject }) => rule === "~base" && subject === "s-2")).toBe(true);
    states.saved();
    expect(states.snapshot()).toEqual([]);
  });

  it("is worth it for many sensors that are new to it, not for those that send all the time", () => {
    const { observe, states } = createEngine({ rules, sensor: (id) => aSensor({ id }) });
    const hear = (ids: readonly number[], minute: number) =>
      observe(ids.map((id) => aReading(T0 + minute * MINUTE, { no2: 20 }, { sensorId: `s-${id}` })));
    hear([0, 1, 2], 0);
    expect(states.isManyNew(4)).toBe(false);
    hear([0, 3], 1);
    expect(states.isManyNew(4)).toBe(true);
    states.snapshot(false);
    hear([0, 1, 2, 3, 4], 2);
    expect(states.isManyNew(1)).toBe(false);
    hear([5, 6], 3);
    expect(states.isManyNew(3)).toBe(false);
    states.snapshot();
    hear([0, 1, 2, 3], 4);
    expect(states.isManyNew(4)).toBe(true);
  });
});
