import { describe, expect, it } from "vitest";
import { CONDITIONS, type ConditionTable } from "../../../alerts/conditions/registry.ts";
import type { Derive } from "../../../alerts/engine/derive.ts";
import { createEngine } from "../../../alerts/engine/engine.ts";
import type { StateRow } from "../../../alerts/engine/states.ts";
import type { Rule } from "../../../model/rule.ts";
import { aReading, aRule, aSensor, HOUR, line, MINUTE, T0 } from "../builders.ts";

const hot = aRule({
  id: "hot",
  metric: "temperature",
  condition: { type: "threshold", above: 40, clear: 38, for: "10m" },
});
const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
const everyMinute = aSensor({ intervalS: 60 });
const engineOf = (rules: Rule[], sensor = everyMinute, conditions: ConditionTable = CONDITIONS) =>
  createEngine({ rules, sensor: () => sensor, conditions });

/** Measured at one minute, received at another. */
const at = (minute: number, temperature: number, received = minute) =>
  aReading(T0 + minute * MINUTE, { temperature }, { receivedAt: T0 + received * MINUTE });

describe("a late reading", () => {
  it("takes back what is not so, and says which reading showed it", () => {
    const engine = engineOf([hot]);
    expect(engine.observe([at(0, 41), at(5, 41), at(10, 41)]).map(line)).toEqual([
      "pending hot s-1 2026-11-21T00:00",
      "firing hot s-1 2026-11-21T00:10",
    ]);
    // It was below for a moment: the first span did not last, and the second has not lasted yet.
    const said = engine.observe([at(4, 30, 12)]);
    expect(said.map(line)).toEqual([
      "corrected hot s-1 2026-11-21T00:04",
      "pending hot s-1 2026-11-21T00:05",
      "late-confirmed hot s-1 2026-11-21T00:04",
    ]);
    expect(said.map(({ alert }) => alert.state)).toEqual(["resolved", "pending", "pending"]);
    // And one that began earlier than was said is another alert.
    const earlier = engineOf([hot]).observe([at(5, 41), at(16, 41), at(4, 41, 17)]);
    expect(earlier.map(({ alert, entry }) => [entry.what, (alert.startedAt - T0) / MINUTE])).toEqual([
      ["pending", 5],
      ["firing", 5],
      ["retracted", 5],
      ["pending", 4],
      ["firing", 4],
      ["late-confirmed", 4],
    ]);
  });

  it("confirms what was missed", () => {
    const engine = engineOf([
      aRule({ id: "peak", metric: "temperature", condition: { type: "threshold", above: 40 } }),
    ]);
    engine.observe([at(0, 30), at(10, 30)]);
    const said = engine.observe([at(5, 50, 11)]);
    expect(said.map(line)).toEqual([
      "firing peak s-1 2026-11-21T00:05",
      "resolved peak s-1 2026-11-21T00:10",
      "late-confirmed peak s-1 2026-11-21T00:05",
    ]);
    const correctedBy = { sensorId: "s-1", measuredAt: T0 + 5 * MINUTE, receivedAt: T0 + 11 * MINUTE };
    for (const { alert } of said) expect(alert.correctedBy).toEqual(correctedBy);
    expect(said.at(-1)!.alert.state).toBe("resolved");
  });

  it("corrects an end, and the alert remembers that until it is over", () => {
    const engine = engineOf([
      aRule({ id: "peak", metric: "temperature", condition: { type: "threshold", above: 40 } }),
    ]);
    engine.observe([at(0, 50), at(10, 30)]);
    expect(
      engine.observe([at(5, 30, 11)]).map(({ alert, entry }) => [entry.what, alert.state, alert.resolvedAt]),
    ).toEqual([["corrected", "resolved", T0 + 5 * MINUTE]]);
    engine.observe([at(20, 50), at(22, 50)]);
    engine.observe([at(21, 60, 23), at(19, 50, 24)]);
    const [resolved] = engine.observe([at(30, 30)]);
    expect(resolved!.alert).toMatchObject({ startedAt: T0 + 19 * MINUTE, state: "resolved" });
    expect(resolved!.alert.correctedBy?.measuredAt).toBe(T0 + 19 * MINUTE);
  });

  it("half an hour late decides nothing", () => {
    const engine = engineOf([hot]);
    expect(engine.observe([at(0, 30), at(60, 30), at(30, 99, 61)])).toEqual([]);
    expect(engine.counts()).toMatchObject({ tooLate: 1, late: 0 });
    engine.observe([at(31, 30, 61)]);
    expect(engine.counts()).toMatchObject({ tooLate: 1, late: 1 });
  });

  it("counts once, however often it comes", () => {
    const mean = aRule({
      id: "mean",
      metric: "temperature",
      condition: { type: "threshold", above: 40, window: "5m" },
    });
    const engine = engineOf([mean]);
    const minutes = [0, 1, 2, 4].map((minute) => at(minute, 40));
    const late = at(3, 45, 5);
    engine.observe([...minutes, late, late, at(3, 45, 6)]);
    expect(engine.observe([at(5, 0)])).toMatchObject([{ alert: { value: 41 } }]);
    expect(engine.counts()).toMatchObject({ late: 1, duplicate: 2 });
  });
});

describe("memory", () => {
  it("is bounded per sensor, and what is given up early is counted", () => {
    const remember = { perSensor: 100, total: 1_000 };
    const engine = createEngine({ rules: [hot], sensor: () => everyMinute, remember });
    for (let i = 0; i < 5_000; i++) engine.observe([aReading(T0 + i * 1_000, { temperature: 20 })]);
    const { remembered, forgotten } = engine.counts();
    expect(remembered).toBeLessThanOrEqual(200);
    expect(remembered + forgotten).toBeGreaterThan(4_000);
    expect(engine.observe([aReading(T0 + 4_000_500, { temperature: 20 })])).toEqual([]);
    expect(engine.counts().tooLate).toBe(1);
  });

  it("of sensors that report every few minutes nothing is given up", () => {
    const engine = engineOf([hot]);
    for (let i = 0; i < 1_000; i++) engine.observe([at(i * 5, 20)]);
    expect(engine.counts()).toMatchObject({ forgotten: 0 });
    expect(engine.counts().remembered).toBeLessThan(30);
  });
});

describe("the clock's verdicts are confirmed or taken back by the readings", () => {
  it("a gap that is filled within half an hour was no silence", () => {
    const engine = engineOf([silent]);
    engine.observe([at(0, 20)]);
    expect(engine.tick(T0 + 16 * MINUTE).map(line)).toEqual(["firing silent s-1 2026-11-21T00:15"]);
    expect(engine.observe([at(10, 20, 18)]).map(({ alert }) => alert.state)).toEqual(["retracted"]);
    expect(engine.observe([at(20, 20)])).toEqual([]);
  });

  it("one that is filled later was one, and is over", () => {
    const engine = engineOf([silent]);
    engine.observe([at(0, 20)]);
    engine.tick(T0 + 16 * MINUTE);
    expect(engine.observe([at(10, 20, 60)]).map(({ alert }) => alert.state)).toEqual(["resolved"]);
  });

  it("a window that was closed too early is judged again when its readings come", () => {
    const rule = aRule({
      id: "mean",
      metric: "temperature",
      condition: { type: "threshold", above: 40, window: "1h" },
    });
    const engine = engineOf([rule], aSensor({ intervalS: 900 }));
    engine.observe([at(0, 50), at(15, 50), at(30, 50)]);
    expect(engine.tick(T0 + 90 * MINUTE).map(line)).toEqual(["firing mean s-1 2026-11-21T01:00"]);
    expect(engine.observe([at(45, 0, 91)]).map(({ entry }) => entry.what)).toEqual(["retracted"]);
    expect(engine.observe([at(59, 99, 92)]).map(({ entry }) => entry.what)).toEqual(["firing", "late-confirmed"]);
    expect(engine.observe([at(61, 0)])).toEqual([]);
  });
});

describe("other rules", () => {
  const limit = (id: string, above: number, rest: object = {}) =>
    aRule({ id, metric: "temperature", condition: { type: "threshold", above }, ...rest });

  it("resolve what fired under those that are gone or changed, and leave the others", () => {
    const engine = engineOf([limit("a", 30), limit("b", 30), limit("c", 30)]);
    engine.observe([at(0, 35)]);
    const said = engine.replaceRules([limit("a", 30, { title: "Another title" }), limit("b", 34)], T0 + HOUR);
    expect(said.map(({ alert, entry }) => [alert.rule.id, entry.what, entry.note])).toEqual([
      ["b", "resolved", "The rule was changed."],
      ["c", "resolved", "The rule was deleted."],
    ]);
    expect(engine.observe([at(61, 35)]).map(line)).toEqual(["firing b s-1 2026-11-21T01:01"]);
    expect(engine.observe([at(62, 0)]).map(({ alert }) => [alert.rule.id, alert.rule.title])).toEqual([
      ["a", "Another title"],
      ["b", "A rule"],
    ]);
  });

  it("end a silence that only the clock had seen, and the changed rule may find it again, as another alert", () => {
    const engine = engineOf([silent]);
    engine.observe([at(0, 20)]);
    const [fired] = engine.tick(T0 + HOUR);
    const live = { ...silent, audience: "operators" as const };
    expect(engine.replaceRules([live], T0 + HOUR)).toMatchObject([
      { alert: { id: fired!.alert.id, state: "resolved" } },
    ]);
    const [again] = engine.tick(T0 + HOUR);
    expect(again!.alert.startedAt).toBe(fired!.alert.startedAt);
    expect(again!.alert.id).not.toBe(fired!.alert.id);
  });

  it("do not speak of what came before them, nor let late readings change it", () => {
    const engine = engineOf([limit("a", 30)]);
    engine.observe([at(0, 35), at(1, 0)]);
    expect(engine.replaceRules([limit("a", 30), limit("n", 20)], T0 + 2 * MINUTE)).toEqual([]);
    expect(engine.observe([at(0.5, 0, 3)])).toEqual([]);
    expect(engine.observe([at(4, 25)]).map(line)).toEqual(["firing n s-1 2026-11-21T00:04"]);
  });

  it("come to the same across a restart", () => {
    const before = engineOf([limit("a", 30), limit("b", 30), limit("c", 30)]);
    before.observe([at(0, 0), at(1, 35), at(2, 36)]);
    const after = engineOf([limit("a", 30), limit("b", 34)]);
    after.states.load(before.states.snapshot());
    expect(before.held()).toHaveLength(3);
    expect(after.held()).toEqual(before.held().slice(0, 1));
    expect(after.observe([at(3, 35)]).map(line)).toEqual(["firing b s-1 2026-11-21T00:03"]);
    expect(after.observe([at(4, 0)]).map(line)).toHaveLength(2);
    expect(after.states.snapshot().filter(({ rule, state }) => rule === "c" && state === "")).toHaveLength(1);
  });
});

describe("a rule that fails", () => {
  const failing = (from: number): ConditionTable => ({
    ...CONDITIONS,
    threshold: {
      ...CONDITIONS.threshold,
      step(params, state, sample) {
        if (sample.at >= from) throw new Error("divided by a duck");
        return CONDITIONS.threshold.step(params, state, sample);
      },
    },
  });
  const limit = aRule({ id: "limit", metric: "temperature", condition: { type: "threshold", above: 30 } });

  it("resolves what it had fired, with a note, and begins anew after the next start", () => {
    const engine = engineOf([limit], everyMinute, failing(T0 + 2 * MINUTE));
    const said = engine.observe([at(0, 35), at(1, 36), at(2, 37), at(3, 38)]);
    expect(said.map(line)).toEqual(["firing limit s-1 2026-11-21T00:00", "resolved limit s-1 2026-11-21T00:02"]);
    expect(said[1]!.entry.note).toBe("The rule failed: divided by a duck.");
    const mended = engineOf([limit]);
    mended.states.load(engine.states.snapshot());
    expect(mended.held()).toEqual([]);
    expect(mended.failures()).toEqual([]);
    expect(mended.observe([at(4, 35)]).map(line)).toEqual(["firing limit s-1 2026-11-21T00:04"]);
  });

  it("stays out of use until it is another rule", () => {
    const engine = engineOf([limit], everyMinute, failing(T0 + 2 * MINUTE));
    engine.observe([at(2, 37)]);
    engine.replaceRules([limit], T0 + HOUR);
    expect(engine.failures()).toHaveLength(1);
    engine.replaceRules(
      [aRule({ id: "limit", metric: "temperature", condition: { type: "threshold", above: 31 } })],
      T0 + HOUR,
    );
    expect(engine.failures()).toEqual([]);
  });
});

describe("a derived metric", () => {
  type Hours = { readonly worst: number };
  /** The worst hourly mean so far. */
  const worst: Derive<Hours> = {
    metric: "europeanAqi",
    from: ["pm25", "no2"],
    capture: 0.01,
    quiet: { worst: 0 },
    step(state, hour, { pm25, no2 }) {
      const value = Math.max(state.worst, pm25?.value ?? 0, no2?.value ?? 0);
      return [{ worst: value }, { at: hour + HOUR, value, good: true }];
    },
  };
  const rule = aRule({ id: "index", metric: "europeanAqi", condition: { type: "threshold", above: 3 } });
  const create = () => createEngine({ rules: [rule], sensor: () => everyMinute, derives: [worst as Derive] });
  const air = (minute: number, values: object, rest: object = {}) => aReading(T0 + minute * MINUTE, values, rest);

  it("is watched like any other, late readings and restarts included", () => {
    const engine = create();
    expect(engine.observe([air(50, { pm25: 2, no2: 5 }), air(62, { temperature: 9 })])).toEqual([]);
    const rows: StateRow[] = engine.states.snapshot();
    const restarted = create();
    restarted.states.load(rows);
    const [fired] = restarted.observe([air(63, { pm25: 1 })]);
    expect(fired!.alert).toMatchObject({ metric: "europeanAqi", value: 5, startedAt: T0 + HOUR });
    const said = restarted.observe([air(55, { no2: 0 })]);
    expect(said.map(({ alert, entry }) => [entry.what, alert.startedAt])).toEqual([["retracted", T0 + HOUR]]);
  });
});
