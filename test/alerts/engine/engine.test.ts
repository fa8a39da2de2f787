import { describe, expect, it } from "vitest";
import { alertId } from "../../../alerts/alert-id.ts";
import type { WatchedSensor } from "../../../alerts/conditions/condition.ts";
import { CONDITIONS, type ConditionTable } from "../../../alerts/conditions/registry.ts";
import { createEngine } from "../../../alerts/engine/engine.ts";
import { compileRule } from "../../../alerts/engine/plan.ts";
import { ID_PATTERN } from "../../../model/ids.ts";
import type { Reading } from "../../../model/reading.ts";
import type { Rule } from "../../../model/rule.ts";
import { say } from "../../../model/sentence.ts";
import { aReading, aRule, aSensor, DAY, HOUR, line, MINUTE, T0 } from "../builders.ts";

const hot = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 40, clear: 38 } });
const silent = aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } });
const no2 = aRule({
  id: "no2-alert",
  metric: "no2",
  severity: "critical",
  condition: { type: "consecutive", above: 200, count: 3, window: "1h" },
});

const engineOf = (rules: Rule[], sensor: WatchedSensor | undefined = aSensor(), conditions?: ConditionTable) =>
  createEngine({ rules, sensor: (id) => (sensor && id === sensor.id ? sensor : undefined), conditions });

describe("the engine", () => {
  it("makes an alert that explains itself", () => {
    const engine = engineOf([no2], aSensor({ name: "Aotizhongxin", intervalS: 3600 }));
    const values = [210, 220.25, 230, 100];
    const [fired] = engine.observe(values.map((value, hour) => aReading(T0 + hour * HOUR, { no2: value })));
    expect(fired!.alert).toEqual({
      id: alertId("no2-alert", "s-1", T0, compileRule(no2).fit),
      rule: { id: "no2-alert", version: no2.version, title: "A rule", source: "a test" },
      subject: { sensorId: "s-1", district: "north" },
      kind: "air",
      severity: "critical",
      audience: "operators",
      state: "firing",
      startedAt: T0,
      firedAt: T0 + 3 * HOUR,
      resolvedAt: undefined,
      metric: "no2",
      value: 230,
      limit: 200,
      unit: "µg/m³",
      explanation:
        "Nitrogen dioxide at Aotizhongxin averaged 230 µg/m³ over the hour to 2026-11-21 03:00 UTC, the third hour in a row above 200 µg/m³.",
      says: {
        title: say("text", { text: fired!.alert.rule.title }),
        explanation: [
          say("consecutive", {
            metric: "no2",
            where: "Aotizhongxin",
            value: { value: 230, of: "no2" },
            at: T0 + 3 * HOUR,
            window: HOUR,
            limit: { value: 200, of: "no2" },
            count: 3,
          }),
        ],
      },
      evidence: [1, 2, 3].map((hour) => ({
        measuredAt: T0 + hour * HOUR,
        metric: "no2",
        value: values[hour - 1],
        window: { from: T0 + (hour - 1) * HOUR, samples: 1, expected: 1 },
      })),
    });
    expect(fired!.entry).toEqual({ what: "firing", at: T0 + 3 * HOUR, knownAt: T0 + 3 * HOUR + 500 });
  });

  it("tells the whole story when it ends, under the same id", () => {
    const engine = engineOf([hot]);
    const [fired, resolved] = engine.observe([
      aReading(T0, { temperature: 41 }),
      aReading(T0 + MINUTE, { temperature: 39 }),
      aReading(T0 + 2 * MINUTE, { temperature: 38 }),
    ]);
    expect(resolved!.alert).toMatchObject({ id: fired!.alert.id, state: "resolved", value: 41, firedAt: T0 });
    expect(resolved!.alert.evidence).toEqual(fired!.alert.evidence);
    expect(resolved!.alert.explanation).toBe(
      "Air temperature at s-1 was 41 °C at 2026-11-21 00:00 UTC, above 40 °C. It ended at 2026-11-21 00:02 UTC with 38 °C.",
    );
  });

  it("gives alerts ids that fit into topics, and a second alert another one", () => {
    const engine = engineOf([hot]);
    const values = [41, 30, 41];
    const said = engine.observe(values.map((temperature, i) => aReading(T0 + i * MINUTE, { temperature })));
    expect(said.map(line)).toHaveLength(3);
    expect(said[0]!.alert.id).toMatch(ID_PATTERN);
    expect(said[0]!.alert.id).toMatch(/^al-[0-9a-f]{16}$/);
    expect(said[2]!.alert.id).not.toBe(said[0]!.alert.id);
  });

  it("ignores duplicates and what is later than half an hour, and counts them", () => {
    const engine = engineOf([hot]);
    const first = aReading(T0 + HOUR, { temperature: 30 });
    const late = [aReading(T0 + HOUR / 2, { temperature: 50 }), aReading(T0, { temperature: 50 })];
    expect(engine.observe([first, first, ...late])).toEqual([]);
    expect(engine.counts()).toMatchObject({ readings: 4, inOrder: 1, duplicate: 1, tooLate: 2, late: 0 });
  });

  it("lets a late reading into the open window, once", () => {
    const rule = aRule({ metric: "temperature", condition: { type: "threshold", above: 40, window: "10m" } });
    const engine = engineOf([rule], aSensor({ intervalS: 300 }));
    const late = aReading(T0 + MINUTE, { temperature: 61 });
    engine.observe([aReading(T0, { temperature: 30 }), aReading(T0 + 5 * MINUTE, { temperature: 30 }), late, late]);
    const [fired] = engine.observe([aReading(T0 + 10 * MINUTE, { temperature: 0 })]);
    expect(fired!.alert.value).toBeCloseTo(121 / 3, 5);
    expect(engine.counts()).toMatchObject({ late: 1, duplicate: 1 });
  });

  it("keeps each metric's own time: an analyser that comes minutes behind is not late for ever", () => {
    const rule = aRule({ id: "no2-high", metric: "no2", condition: { type: "threshold", above: 200 } });
    const engine = engineOf([hot, rule]);
    engine.observe([aReading(T0 + HOUR, { temperature: 20 })]);
    expect(engine.observe([aReading(T0, { no2: 250 })]).map(line)).toEqual(["firing no2-high s-1 2026-11-21T00:00"]);
  });

  it("hears every metric of a moment that comes in several messages, and none of them twice", () => {
    const high = aRule({ id: "no2-high", metric: "no2", condition: { type: "threshold", above: 200 } });
    const engine = engineOf([hot, high]);
    const parts = [aReading(T0, { temperature: 50 }), aReading(T0, { no2: 250 }), aReading(T0, { no2: 250 })];
    expect(engine.observe(parts).map(line)).toEqual([
      "firing hot s-1 2026-11-21T00:00",
      "firing no2-high s-1 2026-11-21T00:00",
    ]);
    expect(engine.counts()).toMatchObject({ readings: 3, inOrder: 2, duplicate: 1 });
    const next = aReading(T0 + MINUTE, { temperature: 20, no2: 10 });
    expect(engine.observe([next]).map(line)).toHaveLength(2);
  });

  it("watches only the sensors a rule selects", () => {
    const select = { district: ["south", "north"], tag: { road: "main" } };
    const rule = aRule({ metric: "temperature", select, condition: { type: "threshold", above: 40 } });
    const reading = aReading(T0, { temperature: 50 });
    const raised = (sensor: WatchedSensor) => engineOf([rule], sensor).observe([reading]).length;
    expect(raised(aSensor({ tags: { road: "main" } }))).toBe(1);
    expect(raised(aSensor({ tags: { road: "side" } }))).toBe(0);
    expect(raised(aSensor({ tags: { road: "main" }, district: "west" }))).toBe(0);
    expect(raised(aSensor({ tags: { road: "main" }, kind: "energy" }))).toBe(0);
  });

  it("takes a limit from the sensor's tag and skips sensors without one", () => {
    const condition = { type: "threshold", above: { tag: "ratedCurrent", times: 0.8 } };
    const rule = aRule({ id: "load", kind: "energy", metric: "current", condition });
    const reading = aReading(T0, { current: 450 }, { kind: "energy" });
    const raise = (tags: Record<string, string>) =>
      engineOf([rule], aSensor({ kind: "energy", tags })).observe([reading]);
    const [fired] = raise({ ratedCurrent: "500" });
    expect(fired!.alert.limit).toBe(400);
    expect(fired!.alert.explanation).toContain("above 400 A (80 % of its rated current)");
    for (const tags of [{}, { ratedCurrent: "" }, { ratedCurrent: "big" }, { ratedCurrent: "600" }]) {
      expect(raise(tags as Record<string, string>)).toEqual([]);
    }
  });

  it("follows the registry: another tag, another limit; and what is no longer watched is ended", () => {
    const condition = { type: "threshold", above: { tag: "max", times: 1 } };
    const rule = aRule({ id: "own-limit", metric: "temperature", condition });
    let sensor = aSensor({ tags: { max: "30" } });
    const engine = createEngine({ rules: [rule], sensor: () => sensor });
    const feel = (minute: number) => engine.observe([aReading(T0 + minute * MINUTE, { temperature: 35 })]).map(line);
    expect(feel(0)).toEqual(["firing own-limit s-1 2026-11-21T00:00"]);
    sensor = aSensor({ tags: { max: "40" } });
    expect(feel(1)).toEqual(["resolved own-limit s-1 2026-11-21T00:01"]);
    sensor = aSensor({ tags: { max: "30" } });
    expect(feel(2)).toEqual(["firing own-limit s-1 2026-11-21T00:02"]);
    sensor = aSensor();
    expect(feel(3)).toEqual(["resolved own-limit s-1 2026-11-21T00:03"]);
    expect(feel(4)).toEqual([]);
  });

  it("marks what shadow rules say", () => {
    const shadow = aRule({ metric: "temperature", mode: "shadow", condition: { type: "threshold", above: 40 } });
    const engine = engineOf([shadow]);
    expect(engine.observe([aReading(T0, { temperature: 50 })])).toMatchObject([{ alert: { mode: "shadow" } }]);
    expect(engine.counts()).toMatchObject({ shadow: 1, firing: 0 });
  });

  it("puts a rule whose condition throws out of use; the others go on", () => {
    const broken = {
      ...CONDITIONS.consecutive,
      step: () => {
        throw new Error("divided by a duck");
      },
    };
    const engine = engineOf([no2, hot], aSensor(), { ...CONDITIONS, consecutive: broken });
    const said = engine.observe([aReading(T0, { temperature: 50, no2: 1 }), aReading(T0 + MINUTE, { no2: 1 })]);
    expect(said.map(line)).toEqual(["firing hot s-1 2026-11-21T00:00"]);
    expect(engine.failures()).toEqual([{ rule: "no2-alert", failure: "divided by a duck" }]);
  });
});

describe("silence in the engine", () => {
  const everyMinute = aSensor({ intervalS: 60 });
  const beats = (...minutes: number[]) => minutes.map((minute) => aReading(T0 + minute * MINUTE, { temperature: 20 }));

  it("tells of a gap in a feed, with the true start and end", () => {
    const said = engineOf([silent], everyMinute).observe(beats(0, 1, 100));
    expect(said.map(line)).toEqual(["firing silent s-1 2026-11-21T00:16", "resolved silent s-1 2026-11-21T01:40"]);
    expect(said[1]!.alert).toMatchObject({ limit: 15, unit: "min", metric: undefined });
    expect(said[1]!.alert.explanation).toBe(
      "No reading from s-1 since 2026-11-21 00:01 UTC; it counts as silent after 15 min. A reading came again at 2026-11-21 01:40 UTC.",
    );
  });

  it("the clock and the gap tell of the same alert", () => {
    const byGap = engineOf([silent], everyMinute).observe(beats(0, 1, 100));
    const engine = engineOf([silent], everyMinute);
    engine.observe(beats(0, 1));
    expect(engine.tick(T0 + 16 * MINUTE)).toEqual([]);
    const byClock = engine.tick(T0 + 17 * MINUTE);
    expect(engine.tick(T0 + 18 * MINUTE)).toEqual([]);
    const then = engine.observe(beats(100));
    const essence = [...byClock, ...then].map(({ alert, entry }) => [alert, entry.at]);
    expect(essence).toEqual(byGap.map(({ alert, entry }) => [alert, entry.at]));
  });

  it("does not run the clock on imported history", () => {
    const engine = engineOf([silent], everyMinute);
    engine.observe(beats(0, 1).map((reading) => ({ ...reading, imported: true as const })));
    expect(engine.tick(T0 + DAY)).toEqual([]);
    engine.observe(beats(2));
    expect(engine.tick(T0 + DAY)).toHaveLength(1);
  });

  it("history that is imported for a live sensor neither ends nor hides its silence", () => {
    const engine = engineOf([silent], everyMinute);
    engine.observe(beats(0, 1));
    const history = aReading(T0 - DAY, { temperature: 1 }, { imported: true });
    expect(engine.observe([history])).toEqual([]);
    expect(engine.tick(T0 + HOUR).map(line)).toEqual(["firing silent s-1 2026-11-21T00:16"]);
    expect(engine.observe([{ ...history, measuredAt: T0 - HOUR }])).toEqual([]);
  });

  it("an old reading that arrives now ends what only the clock had seen", () => {
    const engine = engineOf([silent], everyMinute);
    engine.observe(beats(0, 1));
    engine.tick(T0 + HOUR);
    expect(engine.observe([aReading(T0 + 0.5 * MINUTE, { temperature: 1 })]).map(line)).toEqual([
      "resolved silent s-1 2026-11-21T00:16",
    ]);
  });

  it("an outage of the service is not the sensors' silence", () => {
    const engine = engineOf([silent], everyMinute);
    engine.observe(beats(0, 1));
    engine.listen(T0 + 300 * MINUTE);
    expect(engine.tick(T0 + 310 * MINUTE)).toEqual([]);
    expect(engine.observe(beats(311))).toEqual([]);
    expect(engine.tick(T0 + 312 * MINUTE)).toEqual([]);
    expect(engine.tick(T0 + 327 * MINUTE)).toHaveLength(1);
  });

  it("a sensor that was removed takes its alerts and its states along", () => {
    let registered = true;
    const engine = createEngine({ rules: [silent, hot], sensor: () => (registered ? everyMinute : undefined) });
    engine.observe([aReading(T0, { temperature: 50 })]);
    const rows = engine.states.snapshot().filter(({ rule }) => rule !== "~plan");
    engine.states.saved();
    registered = false;
    const said = engine.tick(T0 + HOUR);
    expect(said.map(line)).toEqual(["resolved hot s-1 2026-11-21T01:00"]);
    const left = engine.states.snapshot().filter(({ state }) => state === "");
    expect(rows.every((row) => left.some(({ rule, subject }) => rule === row.rule && subject === row.subject))).toBe(
      true,
    );
  });

  it("what changed on the register counts by the clock, before the sensor sends anything", () => {
    let sensor: ReturnType<typeof aSensor> = { ...everyMinute, district: "north" };
    const north = { ...hot, id: "hot-north", select: { district: ["north"] } };
    const engine = createEngine({ rules: [silent, north], sensor: () => sensor });
    engine.observe([aReading(T0, { temperature: 50 }), aReading(T0 + MINUTE, { temperature: 50 })]);
    sensor = { ...everyMinute, district: "south", intervalS: 7_200 };
    expect(engine.tick(T0 + HOUR).map(line)).toEqual(["resolved hot-north s-1 2026-11-21T01:00"]);
    expect(engine.tick(T0 + 5 * HOUR)).toEqual([]);
    expect(engine.tick(T0 + 7 * HOUR)[0]!.alert.subject).toEqual({ sensorId: "s-1", district: "south" });
  });

  it("time closes a window half an hour after its end, for live sensors", () => {
    const engine = engineOf([no2], aSensor({ intervalS: 3600 }));
    const feed = [210, 220, 230].map((value, hour) => aReading(T0 + hour * HOUR, { no2: value }));
    engine.observe(feed);
    expect(engine.tick(T0 + 3 * HOUR + 29 * MINUTE)).toEqual([]);
    expect(engine.tick(T0 + 3 * HOUR + 30 * MINUTE).map(line)).toEqual(["firing no2-alert s-1 2026-11-21T03:00"]);
  });
});

describe("states", () => {
  const feed: Reading[] = Array.from({ length: 400 }, (_, i) =>
    aReading(T0 + i * 10 * MINUTE + (i > 200 ? 5 * HOUR : 0), { temperature: 30 + (i % 30), no2: (i * 7) % 500 }),
  );

  it("go out and come back: a restart anywhere changes nothing that is said", () => {
    const rules = [hot, silent, no2];
    const whole = engineOf(rules).observe(feed);
    expect(whole.length).toBeGreaterThan(20);
    for (const cut of [1, 7, 100, 201, 399]) {
      const first = engineOf(rules);
      const before = first.observe(feed.slice(0, cut));
      const second = engineOf(rules);
      second.states.load(JSON.parse(JSON.stringify(first.states.snapshot())));
      expect(second.held()).toEqual(first.held());
      expect([...before, ...second.observe(feed.slice(cut))]).toEqual(whole);
    }
  });

  it("are given out once, again if they were not saved, and quiet thresholds not at all", () => {
    const engine = engineOf([hot]);
    engine.observe([aReading(T0, { temperature: 20 })]);
    expect(engine.states.snapshot().map(({ rule }) => rule)).toEqual(["~plan", "~base", "~rows"]);
    engine.observe([aReading(T0 + MINUTE, { temperature: 50 })]);
    expect(engine.states.snapshot().map(({ rule }) => rule)).toEqual(["~plan", "~base", "~rows", "hot"]);
    expect(engine.states.snapshot()).toHaveLength(4);
    engine.states.saved();
    expect(engine.states.snapshot()).toEqual([]);
    engine.observe([aReading(T0 + 2 * MINUTE, { temperature: 20 })]);
    expect(engine.states.snapshot()).toContainEqual({ rule: "hot", subject: "s-1", state: "" });
  });

  it("of a rule that has changed are not carried over, and nothing holds its alert any more", () => {
    const first = engineOf([hot]);
    first.observe([aReading(T0, { temperature: 50 })]);
    const stricter = aRule({ id: "hot", metric: "temperature", condition: { type: "threshold", above: 35 } });
    const second = engineOf([stricter]);
    second.states.load(first.states.snapshot());
    expect(second.held()).toEqual([]);
    const renamed = engineOf([{ ...hot, title: "Another title", version: "other" }]);
    renamed.states.load(first.states.snapshot());
    expect(renamed.held()).toEqual(first.held());
    expect(first.held()).toHaveLength(1);
  });
});
