import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anomaly } from "../../alerts/conditions/anomaly.ts";
import type { WatchedSensor } from "../../alerts/conditions/condition.ts";
import { CONDITIONS } from "../../alerts/conditions/registry.ts";
import { createDetector } from "../../alerts/detector.ts";
import { createWorks } from "../../alerts/works.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import type { Silence } from "../../model/silence.ts";
import { WEEKDAYS } from "../../model/time.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aReading, aRule, aSensor, DAY, HOUR, MINUTE, random, T0 } from "./builders.ts";

let records: Records;
beforeEach(() => {
  records = openRecords({ path: ":memory:", now: () => T0, log: SILENT });
});
afterEach(() => records.close());

const work = (fields: Partial<Silence>) =>
  records.silences.add({
    kind: "maintenance",
    matchers: { sensor: "m-1" },
    startsAt: T0,
    reason: "a new transformer",
    createdAt: T0,
    createdBy: "anna",
    ...fields,
  });
const meter = aSensor({ id: "m-1", kind: "energy", intervalS: 3_600 });
const unusual = aRule({
  id: "unusual",
  kind: "energy",
  metric: "activePower",
  condition: { type: "anomaly", sigmas: 6, window: "1h", season: "day", count: 2, atLeast: 1 },
});

/** What the rules said while these values came, hour by hour. */
function firedAt(rules: Rule[], hours: number, of: (hour: number) => Reading["values"], sensor = meter): number[] {
  const worksOn = createWorks(records.silences);
  const detector = createDetector({ rules, sensor: () => sensor, worksOn });
  const { id: sensorId, kind } = sensor;
  const readings = Array.from({ length: hours }, (_, hour) =>
    aReading(T0 + hour * HOUR, of(hour), { sensorId, kind, district: "north" }),
  );
  const said = detector.observe(readings).filter(({ entry }) => entry.what === "firing");
  return said.flatMap(({ alert, entry }) => (alert.rule.id === rules[0]!.id ? [(entry.at - T0) / HOUR] : []));
}
const chance = random(3);
const usual = Array.from({ length: 24 * 60 }, () => 100 + 4 * chance());

describe("what a sensor shows while somebody works on it", () => {
  const days = WEEKDAYS;
  /** From the tenth day on, at night, its test load; twelve nights. Once more on the 27th day, with nobody there. */
  const isTest = (hour: number) => (hour >= 240 && hour < 288 + 240) || hour >= 26 * 24;
  const values = (hour: number) => ({ activePower: isTest(hour) && hour % 24 < 4 ? 300 : usual[hour]! });
  const later = () => firedAt([unusual], 24 * 27, values).filter((hour) => hour >= 22 * 24);

  it("is no new level, nor is it usual that it is off: the same without anybody there is unusual", () => {
    work({ startsAt: T0 + 10 * DAY, endsAt: T0 + 22 * DAY, weekly: { days, from: "00:00", to: "04:00", zone: "UTC" } });
    expect(later()).toEqual([26 * 24 + 2]);
  });

  it("is one where nobody said so, and where the work was ended early", () => {
    expect(later()).toEqual([]);
    const { id } = work({ startsAt: T0 + 10 * DAY, endsAt: T0 + 22 * DAY });
    records.silences.end(id, T0 + 12 * DAY, "anna");
    expect(later()).toEqual([]);
  });

  it("teaches neither a floor nor a trend", () => {
    const stuck = aRule({
      id: "stuck",
      kind: "energy",
      metric: "activePower",
      audience: "crews",
      condition: { type: "flatline", after: "12h", samples: 6 },
    });
    // Zero for an hour on each of six days is the lowest it has shown; then it stands at zero for a day.
    const zero = (hour: number) => ({ activePower: (hour < 144 && hour % 24 === 2) || hour >= 144 ? 0 : usual[hour]! });
    expect(firedAt([stuck], 24 * 7, zero)).toEqual([]);
    work({ endsAt: T0 + 6 * DAY, weekly: { days, from: "02:00", to: "03:00", zone: "UTC" } });
    expect(firedAt([stuck], 24 * 7, zero)).toHaveLength(1);

    const empty = aRule({
      id: "empty",
      kind: "energy",
      metric: "battery",
      condition: { type: "forecast", below: 20, within: "20d", over: "14d" },
    });
    const falling = (hour: number) => ({ battery: 90 - hour / 9 + 2 * chance() });
    expect(firedAt([empty], 24 * 25, falling)).toHaveLength(1);
    work({ endsAt: T0 + 25 * DAY });
    expect(firedAt([empty], 24 * 25, falling)).toEqual([]);
  });

  it("is no rhythm of it, nor is the hole that it leaves", () => {
    const silent = aRule({
      id: "silent",
      kind: "any",
      audience: "crews",
      condition: { type: "silence", after: "30m" },
    });
    const undeclared: WatchedSensor = { ...meter, intervalS: undefined };
    const worksOn = createWorks(records.silences);
    const play = () => {
      const detector = createDetector({ rules: [silent], sensor: () => undeclared, worksOn });
      const say = (at: number) =>
        detector.observe([aReading(at, { activePower: 1 }, { sensorId: "m-1", kind: "energy", receivedAt: at })]);
      // Every ten minutes; then for two days every eight hours; then it dies.
      for (let at = T0; at < T0 + 8 * DAY; at += 10 * MINUTE) say(at);
      for (let at = T0 + 8 * DAY; at < T0 + 14 * DAY; at += 8 * HOUR) say(at);
      for (let at = T0 + 14 * DAY; at <= T0 + 14 * DAY + 12 * HOUR; at += 10 * MINUTE) say(at);
      const said = detector.tick(T0 + 14 * DAY + 20 * HOUR);
      return said.filter(({ entry }) => entry.what === "firing").length;
    };
    expect(play()).toBe(0);
    work({ startsAt: T0 + 8 * DAY, endsAt: T0 + 14 * DAY });
    expect(play()).toBe(1);
  });

  it("is none of its days beside its neighbours, so that no drift comes of it", () => {
    const drift = aRule({
      id: "drift",
      metric: "pm25",
      condition: { type: "drift", ratio: 0.3, for: "7d", radiusKm: 5 },
    });
    const air = new Map(
      Array.from({ length: 5 }, (_, i) => [`s-${i}`, aSensor({ id: `s-${i}`, lat: 48 + i / 1_000, lon: 11 })]),
    );
    const level = Array.from({ length: 30 }, () => 40 + 60 * chance());
    const play = () => {
      const detector = createDetector({
        rules: [drift],
        sensor: (id) => air.get(id),
        worksOn: createWorks(records.silences),
      });
      const readings = Array.from({ length: 30 * 24 * 5 }, (_, i) => {
        const [hour, place] = [Math.floor(i / 5), i % 5];
        const day = Math.floor(hour / 24);
        const pm25 = level[day]! * (place === 0 && day >= 10 && day < 18 ? 1.5 : 1) + place / 10;
        return aReading(T0 + hour * HOUR + place, { pm25 }, { sensorId: `s-${place}` });
      });
      return detector.observe(readings).filter(({ entry }) => entry.what === "firing").length;
    };
    expect(play()).toBe(1);
    work({ matchers: { sensor: "s-0" }, startsAt: T0 + 10 * DAY, endsAt: T0 + 18 * DAY });
    expect(play()).toBe(0);
  });
});

describe("what a sensor shows under an open alert of the same cause", () => {
  /** Whether what learns is told so, hour by hour, while an alert on another value fires in the second and third. */
  function alarmed(metric: string): boolean[] {
    const seen: boolean[] = [];
    const step: typeof anomaly.step = (params, state, sample) => {
      seen.push(sample.alarmed === true);
      return anomaly.step(params, state, sample);
    };
    const overload = aRule({ id: "overload", kind: "energy", metric, condition: { type: "threshold", above: 100 } });
    const conditions = { ...CONDITIONS, anomaly: { ...anomaly, step } };
    const detector = createDetector({ rules: [unusual, overload], sensor: () => meter, conditions });
    for (const [hour, other] of [20, 120, 120, 20, 20].entries()) {
      const values = { [metric]: other };
      for (const one of [values, { activePower: 100 }])
        detector.observe([aReading(T0 + hour * HOUR, one, { sensorId: "m-1", kind: "energy" })]);
    }
    return seen;
  }

  it("is nothing to learn from, also where the alert is on another value that goes with it", () => {
    expect(alarmed("current")).toEqual([false, true, true, false, false]);
  });

  it("is, where the other value has nothing to do with it", () => {
    expect(alarmed("oilTemperature")).toEqual([false, false, false, false, false]);
  });
});
