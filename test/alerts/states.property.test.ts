import { describe, expect, it } from "vitest";
import { createDetector } from "../../alerts/detector.ts";
import { createEngine } from "../../alerts/engine/engine.ts";
import type { StateRow } from "../../alerts/engine/states.ts";
import type { Reading } from "../../model/reading.ts";
import { aReading, aRule, aSensor, HOUR, MINUTE, random, T0 } from "./builders.ts";

const highAbove = (above: number) => aRule({ id: "high", metric: "no2", condition: { type: "threshold", above } });
const rules = [
  highAbove(100),
  aRule({ id: "held", metric: "no2", condition: { type: "threshold", above: 90, for: "10m" } }),
  aRule({ id: "mean", metric: "no2", condition: { type: "threshold", above: 70, window: "1h" } }),
  aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "90m" } }),
  aRule({
    id: "drift",
    metric: "no2",
    condition: { type: "drift", ratio: 0.2, for: "2d", neighbours: 3, correlation: 0, radiusKm: 50 },
  }),
  aRule({ id: "many", condition: { type: "quorum", rule: "high", by: "district", count: 2, share: 0.3 } }),
];
const others = [...rules.slice(1), highAbove(80)];

/** The first four of them stay what they are. */
const SENSORS = 7;
const STEADY = 4;
const DAYS = 8;

/** Every sensor every 20 minutes, some of them late, and much of it high. */
function feedOf(seed: number): Reading[] {
  const chance = random(seed);
  const readings = Array.from({ length: DAYS * 72 * SENSORS }, (_, i) => {
    const measuredAt = T0 + Math.floor(i / SENSORS) * 20 * MINUTE + Math.floor(chance() * MINUTE);
    const receivedAt = measuredAt + (chance() < 0.2 ? Math.floor(chance() * 28 * MINUTE) : 0);
    const day = Math.floor(i / SENSORS / 72);
    const no2 = Math.round(30 + 8 * ((day * 7) % 5) + 50 * chance());
    return aReading(
      measuredAt,
      { no2: i % SENSORS === 0 && day > 4 ? 2 * no2 : no2 },
      { sensorId: `s-${i % SENSORS}`, receivedAt },
    );
  });
  return readings.sort((a, b) => a.receivedAt - b.receivedAt);
}

function cityOf() {
  const sensors = new Map(Array.from({ length: SENSORS }, (_, i) => [`s-${i}`, aSensor({ id: `s-${i}` })]));
  const detector = createDetector({ rules, sensor: (id) => sensors.get(id), settlesLater: true });
  return { sensors, detector };
}

/** One thing that happens to a city: of two that had the same before, both come to the same. */
function happening(chance: () => number, feed: readonly Reading[], at: number) {
  const [what, pick] = [chance(), Math.floor(chance() * SENSORS)];
  const now = feed.at(Math.min(at, feed.length - 1))!.receivedAt;
  return ({ sensors, detector }: ReturnType<typeof cityOf>): void => {
    const id = `s-${pick}`;
    if (what < 0.6) detector.observe(feed.slice(at, at + 1), true);
    else if (what < 0.8) detector.settleOf(id, 40);
    else if (what < 0.9) detector.tick(now);
    else if (what < 0.93) detector.tick(now + 3 * HOUR);
    else if (pick >= STEADY && what < 0.95)
      sensors.set(id, aSensor({ id, district: what < 0.94 ? "north" : "harbour" }));
    else if (pick >= STEADY && what < 0.97) sensors.delete(id);
    else if (what < 0.985) detector.replaceRules(pick % 2 ? others : rules, now);
    else detector.listen(now);
  };
}

const asText = (rows: readonly StateRow[]) => rows.map((row) => `${row.rule} ${row.subject} ${row.state}`).sort();

describe("a save in portions", () => {
  it("is what it was when it began, whatever happens meanwhile (6 seeds)", () => {
    const kinds = new Map<string, number>();
    for (let seed = 1; seed <= 6; seed++) {
      const chance = random(seed);
      const feed = feedOf(seed);
      const [atOnce, inPortions] = [cityOf(), cityOf()];
      for (let at = 0; at < feed.length; ) {
        for (let i = Math.floor(chance() * 200); i >= 0; i--, at++) {
          const happens = happening(chance, feed, at);
          for (const city of [atOnce, inPortions]) happens(city);
        }
        const whole = atOnce.detector.states.snapshot();
        atOnce.detector.states.saved();
        const { states } = inPortions.detector;
        states.begin();
        do {
          for (let i = Math.floor(chance() * 5); i > 0; i--, at++) {
            const happens = happening(chance, feed, at);
            for (const city of [atOnce, inPortions]) happens(city);
          }
        } while (states.collect(1));
        expect(asText(states.rows()), `seed ${seed}`).toEqual(asText(whole));
        states.saved();
        for (const { rule, state } of whole) if (state !== "") kinds.set(rule, (kinds.get(rule) ?? 0) + 1);
      }
    }
    const names = ["~base", "~rows", "~late", "~plan", "~listening", "~quorum", "~watched", "~recent", "~verdict"];
    for (const name of [...names, "~recent-since", "~daily", "~drift", "high", "silent"]) {
      expect(kinds.get(name) ?? 0, name).toBeGreaterThan(3);
    }
  });

  it("that fails is part of the next one, with what has come since", () => {
    const { detector } = cityOf();
    const [first, second] = feedOf(1);
    detector.observe([first!]);
    const failed = detector.states.snapshot();
    detector.observe([second!]);
    const rows = detector.states.snapshot();
    expect(rows.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(
      expect.arrayContaining(failed.map(({ rule, subject }) => `${rule} ${subject}`)),
    );
    expect(rows.some(({ rule, subject }) => rule === "~base" && subject === second!.sensorId)).toBe(true);
    detector.states.saved();
    expect(detector.states.snapshot()).toEqual([]);
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
