import { describe, expect, it } from "vitest";
import { CONDITIONS, type ConditionTable } from "../../../alerts/conditions/registry.ts";
import { createDetector } from "../../../alerts/detector.ts";
import { createEngine } from "../../../alerts/engine/engine.ts";
import type { StateRow } from "../../../alerts/engine/states.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import { aReading, aRule, aSensor, HOUR, MINUTE, random, T0 } from "../builders.ts";
import { finalTimeline } from "./late-feed.ts";

const threshold = (id: string, fields: object) =>
  aRule({ id, metric: "temperature", condition: { type: "threshold", ...fields } });
const RULES = [
  threshold("plain", { above: 40, clear: 35 }),
  threshold("held", { above: 30, clear: 25, for: "1m", keepFor: "30s" }),
  threshold("mean", { above: 24, window: "5m" }),
];
/** What it costs is counted at the rule that is asked for every value. */
const COUNTED = [RULES[0]!];
const SPAN = 25 * MINUTE;

/** So many readings of one sensor in 25 minutes, all within the lateness of each other, with a few hot spells. */
function backlogOf(n: number): Reading[] {
  const chance = random(n);
  const readings: Reading[] = [];
  let level = 20;
  for (let i = 0; i < n; i++) {
    level += (chance() - 0.5) * 8 + (20 - level) * 0.02;
    readings.push(
      aReading(T0 + Math.floor((i * SPAN) / n), { temperature: Math.round(level) }, { receivedAt: T0 + SPAN }),
    );
  }
  return readings;
}

function shuffle(readings: readonly Reading[], seed: number): Reading[] {
  const chance = random(seed);
  const order = readings.map((reading) => ({ reading, at: chance() }));
  return order.sort((a, b) => a.at - b.at).map(({ reading }) => reading);
}

/** A device that sends what is new and, beside it, what it kept, twelve minutes behind. */
function lanes(readings: readonly Reading[]): Reading[] {
  const half = readings.length >> 1;
  return readings.slice(half).flatMap((fresh, i) => [fresh, readings[i]!]);
}

const ORDERS: Record<string, (readings: Reading[]) => Reading[]> = {
  ascending: (readings) => readings,
  descending: (readings) => readings.toReversed(),
  shuffled: (readings) => shuffle(readings, 7),
  "two lanes": lanes,
};
const everyFiveSeconds = aSensor({ intervalS: 5 });

/** Plays it in batches; answers what was said and how often a condition was asked. */
function play(readings: readonly Reading[], batch: number, rules = RULES) {
  let steps = 0;
  const { step } = CONDITIONS.threshold;
  const conditions: ConditionTable = {
    ...CONDITIONS,
    threshold: {
      ...CONDITIONS.threshold,
      step: (...args) => {
        steps += 1;
        return step(...args);
      },
    },
  };
  const engine = createEngine({ rules, sensor: () => everyFiveSeconds, conditions });
  const said: Transition[] = [];
  for (let i = 0; i < readings.length; i += batch) said.push(...engine.observe(readings.slice(i, i + batch)));
  const waiting = engine.backlog().readings;
  said.push(...engine.tick(T0 + SPAN + 1_000));
  return { said, steps, waiting, counts: engine.counts() };
}

const N = 3_000;
const STRAIGHT = finalTimeline(play(backlogOf(N), 1).said);

describe("a moment that comes in several messages", () => {
  const rules = [
    ...RULES,
    aRule({ id: "no2", metric: "no2", condition: { type: "threshold", above: 35, clear: 30, for: "1m" } }),
  ];
  const whole = backlogOf(300).map((reading) => ({
    ...reading,
    values: { ...reading.values, no2: 60 - reading.values.temperature! },
  }));
  const messages = whole.flatMap((reading) =>
    (["temperature", "no2"] as const).map((metric) => ({ ...reading, values: { [metric]: reading.values[metric]! } })),
  );
  const straight = finalTimeline(play(whole, 1, rules).said);

  it.each([
    ["as they were measured", messages],
    ["the second ones after all the first", [0, 1].flatMap((half) => messages.filter((_, i) => i % 2 === half))],
    ["newest first", messages.toReversed()],
    ["shuffled, seed 1", shuffle(messages, 1)],
    ["shuffled, seed 2", shuffle(messages, 2)],
  ])("comes to the same alerts, and counts what comes twice: %s", (_, sent) => {
    expect(JSON.stringify(straight)).toContain('"no2');
    for (const batch of [1, 20, 600]) {
      const { said, counts } = play([...sent, ...sent], batch, rules);
      expect(finalTimeline(said)).toEqual(straight);
      expect(counts).toMatchObject({ duplicate: messages.length, tooLate: 0 });
    }
  });
});

describe.each(Object.entries(ORDERS))("readings in %s order", (_, order) => {
  it.each([1, 20, 500, N])("in batches of %i cost each no more when there are twice as many", (batch) => {
    const one = play(order(backlogOf(N)), batch, COUNTED);
    const two = play(order(backlogOf(2 * N)), batch, COUNTED);
    expect(one.counts.readings).toBe(N);
    expect(one.counts.tooLate).toBe(0);
    // Thirty-two rows are folded for each reading, more for the first few and what the clock folds in the end.
    expect(one.steps / N).toBeLessThan(64);
    expect(two.steps / one.steps).toBeLessThan(2.5);
  });

  it.each([1, 20, 500, N])("in batches of %i come to the same alerts", (batch) => {
    const { said, waiting } = play(order(backlogOf(N)), batch);
    expect(finalTimeline(said)).toEqual(STRAIGHT);
    expect(STRAIGHT.length).toBeGreaterThan(20);
    // What comes in one batch is told with it.
    if (batch >= 500) expect(waiting).toBe(0);
  });

  it("come to the same alerts across restarts anywhere, with what waits", () => {
    const readings = order(backlogOf(N));
    let waited = 0;
    for (let seed = 1; seed <= 5; seed++) {
      const chance = random(seed);
      const rows = new Map<string, StateRow>();
      const start = () => createEngine({ rules: RULES, sensor: () => everyFiveSeconds, settlesLater: true });
      let engine = start();
      const said: Transition[] = [];
      for (let i = 0; i < readings.length; ) {
        const size = 1 + Math.floor(chance() * 300);
        said.push(...engine.observe(readings.slice(i, i + size)));
        i += size;
        // A fold is cut off anywhere.
        said.push(...engine.settle(Math.floor(chance() * 1_500)));
        for (const row of engine.states.snapshot()) {
          if (row.state === "") rows.delete(`${row.rule} ${row.subject}`);
          else rows.set(`${row.rule} ${row.subject}`, row);
        }
        engine.states.saved();
        if (chance() < 0.5) continue;
        waited += engine.backlog().readings;
        const held = engine.held();
        engine = start();
        engine.states.load([...rows.values()]);
        expect(engine.held()).toEqual(held);
      }
      said.push(...engine.settle(Number.POSITIVE_INFINITY));
      expect(engine.backlog()).toEqual({ sensors: 0, readings: 0, since: undefined });
      expect(finalTimeline(said), `seed ${seed}`).toEqual(STRAIGHT);
    }
    if (order !== ORDERS.ascending) expect(waited).toBeGreaterThan(0);
  });
});

describe("while one sensor's backlog is folded", () => {
  const sensors = new Map(["s-1", "s-2", "s-3"].map((id) => [id, aSensor({ id, intervalS: 5 })]));
  const start = (rules = RULES) => createEngine({ rules, sensor: (id) => sensors.get(id), settlesLater: true });

  it("its own newer readings and those of others are judged at once", () => {
    const engine = start(COUNTED);
    engine.observe(backlogOf(N).toReversed());
    const { readings } = engine.backlog();
    expect(readings).toBeGreaterThan(N / 2);
    engine.settle(1_000);
    const at = T0 + SPAN + MINUTE;
    const news = ["s-1", "s-2"].map((sensorId) => aReading(at, { temperature: 60 }, { sensorId }));
    expect(engine.observe(news).map(({ alert }) => [alert.rule.id, alert.subject.sensorId, alert.state])).toEqual([
      ["plain", "s-1", "firing"],
      ["plain", "s-2", "firing"],
    ]);
    // Still what it was: nothing is taken back because older readings came to their place.
    const later = engine.settle(Number.POSITIVE_INFINITY);
    expect(later.filter(({ alert }) => alert.startedAt === at)).toEqual([]);
    const [resolved] = engine.observe([aReading(at + 5_000, { temperature: 0 })]);
    expect(resolved).toMatchObject({ alert: { startedAt: at, state: "resolved" } });
  });

  it("takes no more rows than it is given, and every sensor has its turn", () => {
    const engine = start();
    const ids = [...sensors.keys()];
    for (const { measuredAt, values } of backlogOf(2_000).toReversed())
      engine.observe(ids.map((sensorId) => aReading(measuredAt, values, { sensorId })));
    expect(engine.backlog().sensors).toBe(3);
    let rounds = 0;
    const done = new Map<string, number>();
    for (; engine.backlog().sensors > 0; rounds++) {
      for (const { alert } of engine.settle(512)) done.set(alert.subject.sensorId!, rounds);
    }
    // Nobody is done long before the others (who has much to tell takes smaller turns), and each settle is one turn: what
    // is folded is a few times what there is.
    expect(done.size).toBe(3);
    expect(Math.max(...done.values()) - Math.min(...done.values())).toBeLessThanOrEqual(6);
    expect(rounds).toBeGreaterThan(12);
    expect(rounds).toBeLessThan(60);
  });

  it("is bounded: a sensor that sends more late readings than there is room for loses the rest, which is counted", () => {
    const remember = { perSensor: 100, perLateSensor: 500, total: 10_000 };
    const engine = createEngine({ rules: RULES, sensor: () => everyFiveSeconds, remember, settlesLater: true });
    engine.observe(backlogOf(N).toReversed());
    expect(engine.counts()).toMatchObject({ remembered: 500, late: 499, forgotten: N - 500, tooLate: N - 500 });
    engine.settle(Number.POSITIVE_INFINITY);
    expect(engine.counts().remembered).toBeLessThanOrEqual(500);
  });

  it("other rules come into force when it is done, and a removed sensor leaves nothing behind", () => {
    const sensors = new Map([["s-1", everyFiveSeconds]]);
    const engine = createEngine({ rules: RULES, sensor: (id) => sensors.get(id), settlesLater: true });
    engine.observe(backlogOf(N).toReversed());
    expect(engine.backlog().sensors).toBe(1);
    engine.replaceRules(structuredClone(RULES), T0 + SPAN);
    expect(engine.backlog().sensors).toBe(0);
    engine.observe(
      backlogOf(N - 1)
        .toReversed()
        .filter(({ measuredAt }) => measuredAt % 2 === 1),
    );
    expect(engine.backlog().readings).toBeGreaterThan(0);
    engine.states.snapshot();
    engine.states.saved();
    sensors.clear();
    engine.tick(T0 + HOUR);
    expect(engine.counts().remembered).toBe(0);
    expect(engine.backlog().sensors).toBe(0);
    expect(engine.states.snapshot()).toContainEqual({ rule: "~late", subject: "s-1", state: "" });
  });
});

describe("what rests on several sensors", () => {
  const rules = [
    threshold("high", { above: 40, clear: 38 }),
    aRule({
      id: "many",
      condition: { type: "quorum", rule: "high", by: "district", count: 3, share: 0.5, within: "20m" },
    }),
  ];
  const IDS = ["s-1", "s-2", "s-3", "s-4"];
  /** Four sensors that get hot together, for a while. */
  const city = (n: number) =>
    IDS.flatMap((sensorId, i) =>
      backlogOf(n).map(({ measuredAt }, minute) => {
        const part = minute / n;
        const temperature = part > 0.3 && part < 0.5 ? 45 + i : 20 + ((minute * 7) % 5);
        return aReading(measuredAt + i, { temperature }, { sensorId, receivedAt: T0 + SPAN });
      }),
    ).sort((a, b) => a.measuredAt - b.measuredAt);
  const sensors = new Map(IDS.map((id) => [id, aSensor({ id, intervalS: 5 })]));

  it.each(Object.entries(ORDERS))("comes to the same, %s", (_, order) => {
    const straight = createDetector({ rules, sensor: (id) => sensors.get(id) });
    const detector = createDetector({ rules, sensor: (id) => sensors.get(id) });
    const end = IDS.map((sensorId) => aReading(T0 + 2 * HOUR, { temperature: 0 }, { sensorId }));
    const said = [...order(city(800)), ...end].flatMap((reading) => detector.observe([reading]));
    said.push(...detector.tick(T0 + 2 * HOUR));
    const expected = finalTimeline([...city(800), ...end].flatMap((reading) => straight.observe([reading])));
    expect(finalTimeline(said)).toEqual(expected);
    expect(expected.some((line) => line.includes('"rule":{"id":"many"'))).toBe(true);
  });
});
