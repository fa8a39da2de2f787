import { describe, expect, it } from "vitest";
import { createDetector } from "../../alerts/detector.ts";
import type { StateRow } from "../../alerts/engine/states.ts";
import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import { inFull } from "../helpers/in-full.ts";
import { aReading, aRule, aSensor, MINUTE, random, T0 } from "./builders.ts";

const rules = [
  aRule({ id: "high", metric: "no2", condition: { type: "threshold", above: 100, clear: 80 } }),
  aRule({ id: "held", metric: "no2", condition: { type: "threshold", above: 90, for: "10m", keepFor: "5m" } }),
  aRule({ id: "mean", metric: "no2", condition: { type: "threshold", above: 70, window: "15m" } }),
  aRule({
    id: "stuck",
    metric: "no2",
    audience: "crews",
    mode: "shadow",
    condition: { type: "flatline", after: "30m", samples: 6 },
  }),
  aRule({
    id: "many",
    condition: { type: "quorum", rule: "high", by: "district", count: 3, share: 0.5, within: "20m" },
  }),
  aRule({
    id: "fault",
    audience: "crews",
    condition: { type: "quorum", rule: "stuck", by: "district", count: 3, share: 0.5 },
  }),
];

const SENSORS = 6;
const MINUTES = 300;

/** A city in which sensors rise together, alone, stand still together and fall out, in event-time order. */
function aDay(seed: number): Reading[] {
  const chance = random(seed);
  const readings: Reading[] = [];
  const plumes = Array.from({ length: 4 }, () => ({
    at: 40 + chance() * 220,
    wide: 1 + Math.floor(chance() * SENSORS),
  }));
  const standstill = { from: 60 + chance() * 100, wide: 2 + Math.floor(chance() * 5) };
  for (let minute = 0; minute < MINUTES; minute += 2) {
    for (let i = 0; i < SENSORS; i++) {
      if (chance() < 0.05) continue;
      const near = plumes.filter(({ at, wide }) => i < wide && minute >= at && minute < at + 25).length;
      const stands = i < standstill.wide && minute >= standstill.from && minute < standstill.from + 50;
      const no2 = stands ? 42 : Math.round(40 + 20 * chance() + near * 60);
      const measuredAt = T0 + minute * MINUTE + Math.floor(chance() * 60_000);
      readings.push(aReading(measuredAt, { no2 }, { sensorId: `s-${i}` }));
    }
  }
  // Everything is in, for sure, and every alert is judged for good.
  for (let i = 0; i < SENSORS; i++) {
    readings.push(aReading(T0 + (MINUTES + 100) * MINUTE + i, { no2: 30 + i }, { sensorId: `s-${i}` }));
    readings.push(aReading(T0 + (MINUTES + 200) * MINUTE + i, { no2: 31 + i }, { sensorId: `s-${i}` }));
  }
  return readings.sort((a, b) => a.measuredAt - b.measuredAt);
}

/** Each reading arrives up to `delayMs` after it was measured. */
function delayed(readings: readonly Reading[], seed: number, delayMs: number): Reading[] {
  const chance = random(seed);
  const arrived = readings.map((one) => ({ ...one, receivedAt: one.measuredAt + Math.floor(chance() * delayMs) }));
  return arrived.sort((a, b) => a.receivedAt - b.receivedAt);
}

/** What stands in the end: what people would find, without when it was known. */
function final(transitions: readonly Transition[]): unknown[] {
  const alerts = new Map<string, Transition["alert"]>();
  for (const { alert } of transitions) alerts.set(alert.id, alert);
  return [...alerts.values()]
    .filter(({ state, firedAt }) => state !== "retracted" && firedAt !== undefined)
    .map(({ correctedBy: _, ...rest }) => JSON.stringify(rest))
    .sort();
}

const play = (readings: readonly Reading[]) => createDetector({ rules, sensor: () => undefined }).observe(readings);

describe("whatever the restarts", () => {
  it("a detector that goes on from its rows says what one says that was never stopped ", () => {
    const sensors = new Map(Array.from({ length: SENSORS }, (_, i) => [`s-${i}`, aSensor({ id: `s-${i}` })]));
    const fresh = () => createDetector({ rules, sensor: (id) => sensors.get(id) });
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const feed = delayed(aDay(seed), seed, 20 * MINUTE);
      const chance = random(seed);
      const rows = new Map<string, StateRow>();
      const said: Transition[] = [];
      let detector = fresh();
      for (let from = 0; from < feed.length; ) {
        const to = from + 1 + Math.floor(chance() * 200);
        said.push(...detector.observe(feed.slice(from, to)));
        for (const row of detector.states.snapshot()) {
          const key = `${row.rule} ${row.subject}`;
          if (row.state === "") rows.delete(key);
          else rows.set(key, row);
        }
        detector.states.saved();
        from = to;
        if (chance() < 0.5) continue;
        const held = detector.held();
        detector = fresh();
        detector.states.load([...rows.values()]);
        expect(detector.held(), `seed ${seed}`).toEqual(held);
      }
      expect(said, `seed ${seed}`).toEqual(fresh().observe(feed));
      for (const { rule } of rows.values()) kinds.add(rule);
    }
    expect([...kinds]).toEqual(expect.arrayContaining(["~quorum", "~watched", "~recent", "~recent-since", "~verdict"]));
  });
});

describe("in whatever order the readings come", () => {
  it("within the lateness, the same alerts, quorums and verdicts stand in the end ", () => {
    const seen = new Map<string, number>();
    const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
    for (let seed = 1; seed <= inFull(100); seed++) {
      const day = aDay(seed % 10);
      const straight = play(day);
      // The last moment of the five minutes counts for a verdict, and the allowed lateness is 30 minutes.
      const shuffled = play(delayed(day, seed, 29 * MINUTE));
      expect(final(shuffled), `seed ${seed}`).toEqual(final(straight));
      for (const { entry, alert } of shuffled) {
        count(entry.what);
        if (alert.rule.id === "many" || alert.rule.id === "fault") count(`quorum ${entry.what}`);
        if (alert.verdict) count(alert.verdict.is);
      }
    }
    for (const what of [
      "retracted",
      "late-confirmed",
      "verdict",
      "quorum firing",
      "quorum retracted",
      "event",
      "unclear",
    ]) {
      expect(seen.get(what), what).toBeGreaterThan(20);
    }
  });
});
