import { describe, expect, it } from "vitest";
import { createBacktest } from "../../alerts/backtest/run.ts";
import { createDetector } from "../../alerts/detector.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import { inFull } from "../helpers/in-full.ts";
import { aReading, aSensor, DAY, HOUR, MINUTE, random } from "./builders.ts";

/** A Monday, midnight UTC. */
const START = Date.UTC(2026, 0, 5);
const WEEKS = 5;
const rules = loadRules().filter(({ kind }) => kind === "air" || kind === "any");
const sensors = new Map(
  Array.from({ length: 6 }, (_, i) => {
    const id = `s-${i}`;
    return [id, aSensor({ id, intervalS: 900, lat: 48.2 + i / 200, lon: 16.3 })] as const;
  }),
);

/**
 * Six stations that move together, every quarter of an hour for five weeks: one drifts from the second week on, all see an episode of NO2,
 * one alone goes far off for some hours, one stands still for a day and one says nothing for two.
 */
function city(seed: number): Reading[] {
  const next = random(seed);
  const [episode, alone, stuck] = [8, 15, 20].map((day) => START + day * DAY + Math.floor(next() * 20) * HOUR);
  const readings: Reading[] = [];
  for (let at = START; at < START + WEEKS * 7 * DAY; at += 15 * MINUTE) {
    const daily =
      20 + 12 * Math.sin((2 * Math.PI * (at - START)) / DAY) + 6 * Math.sin((2 * Math.PI * (at - START)) / (9 * DAY));
    const level = daily + (at >= episode! && at < episode! + 6 * HOUR ? 260 : 0);
    for (let i = 0; i < 6; i++) {
      if (i === 4 && at > START + 25 * DAY && at < START + 27 * DAY) continue;
      let no2 = level * (0.9 + i / 40) + next() * 4;
      if (i === 1 && at > START + 9 * DAY) no2 *= 1.8;
      if (i === 2 && at >= alone! && at < alone! + 5 * HOUR) no2 = 380 + next();
      if (i === 3 && at >= stuck! && at < stuck! + DAY) no2 = 41.5;
      // Each has its own minute.
      const measuredAt = at + i * 2 * MINUTE;
      const values = {
        no2: Math.round(no2 * 10) / 10,
        pm25: Math.round(level * 4) / 10 + Math.round(next() * 20) / 10,
      };
      readings.push(aReading(measuredAt, values, { sensorId: `s-${i}`, receivedAt: measuredAt + 1_000 }));
    }
  }
  return readings;
}

/** What of each alert people are left with. */
function outcome(said: readonly Transition[]): string[] {
  const last = new Map<string, Transition["alert"]>();
  for (const { alert } of said) last.set(alert.id, alert);
  return [...last.values()]
    .filter(({ firedAt, state }) => firedAt !== undefined && state !== "retracted")
    .map(({ rule, subject, state, startedAt, resolvedAt, verdict, audience }) =>
      [rule.id, subject.sensorId ?? subject.district, state, startedAt, resolvedAt, verdict?.is, audience].join(" "),
    )
    .sort();
}

function play(readings: readonly Reading[], cut: number): string[] {
  const detector = createDetector({ rules, sensor: (id) => sensors.get(id) });
  const said: Transition[] = [];
  for (let i = 0; i < readings.length; i += cut) said.push(...detector.observe(readings.slice(i, i + cut)));
  return outcome([...said, ...detector.tick(START)]);
}

/** As live: each when it is received, the clock looking in between. */
function playLive(readings: readonly Reading[]): string[] {
  const detector = createDetector({ rules, sensor: (id) => sensors.get(id) });
  const said: Transition[] = [];
  let now = START;
  detector.listen(START - HOUR);
  for (const reading of readings) {
    for (; now + 20 * MINUTE < reading.receivedAt; now += 20 * MINUTE) said.push(...detector.tick(now + 20 * MINUTE));
    said.push(...detector.observe([reading]));
  }
  return outcome(said);
}

/** Each up to a little less than half an hour late, in the order in which they come. */
function late(readings: readonly Reading[], seed: number): Reading[] {
  const next = random(seed);
  return readings
    .map((one) => ({ ...one, receivedAt: one.measuredAt + Math.floor(next() * 28 * MINUTE) }))
    .sort((a, b) => a.receivedAt - b.receivedAt);
}

function backtest(readings: readonly Reading[]): string[] {
  const test = createBacktest(rules, (id) => sensors.get(id));
  for (let i = 0; i < readings.length; i += 1_000) test.observe(readings.slice(i, i + 1_000));
  const { alerts } = test.finish({ from: START, to: START + WEEKS * 7 * DAY });
  return outcome(alerts.map((alert) => ({ alert }) as unknown as Transition));
}

describe("several sensors over weeks", () => {
  it("come to the same alerts, verdicts and drifts in order, in pieces, late, live, imported and in a backtest", {
    timeout: 120_000,
  }, () => {
    for (let seed = 1; seed <= inFull(3); seed++) {
      const readings = city(seed);
      const expected = play(readings, readings.length);
      // Otherwise nothing was looked at.
      expect(expected.some((one) => one.startsWith("drift-no2 s-1"))).toBe(true);
      expect(expected.filter((one) => one.startsWith("eu-no2 ")).length).toBeGreaterThan(5);
      expect(new Set(expected.map((one) => one.split(" ")[5])).size).toBeGreaterThan(2);
      expect(play(readings, 1), `seed ${seed}: one by one`).toEqual(expected);
      expect(play(readings, 500), `seed ${seed}: at full speed`).toEqual(expected);
      expect(
        play(
          readings.map((one) => ({ ...one, imported: true })),
          500,
        ),
        `seed ${seed}: imported`,
      ).toEqual(expected);
      expect(play(late(readings, seed), 50), `seed ${seed}: late`).toEqual(expected);
      expect(playLive(readings), `seed ${seed}: live`).toEqual(expected);
      expect(backtest(readings), `seed ${seed}: backtest`).toEqual(expected);
    }
  });
});
