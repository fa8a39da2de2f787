import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import type { Reading } from "../../../model/reading.ts";
import type { Rule } from "../../../model/rule.ts";
import { aReading, aRule, aSensor, DAY, HOUR, line, MINUTE, random, T0 } from "../builders.ts";

const NO2 = aRule({ id: "no2", metric: "no2", condition: { type: "consecutive", above: 200, count: 3, window: "1h" } });
const PM10 = aRule({
  id: "pm10",
  metric: "pm10",
  condition: { type: "consecutive", above: 90, count: 1, window: "1d" },
});

const detect = (rule: Rule, readings: readonly Reading[], intervalS?: number) =>
  createDetector({ rules: [rule], sensor: () => aSensor(intervalS === undefined ? {} : { intervalS }) })
    .observe(readings)
    .map(line);

/** Times from `from` to `to`, in ms; `gapAt`: the minutes to the next one. */
function times(from: number, to: number, gapAt: (minute: number) => number): number[] {
  const all: number[] = [];
  for (let at = from; at < to; at += gapAt((at / MINUTE) % 60) * MINUTE) all.push(at);
  return all;
}

/** A calm day at its slow pace, then 14 hours of 450 at another one, then calm again. */
function episode(slow: number, gapAt: (minute: number) => number): Reading[] {
  const [from, to] = [T0 + DAY, T0 + DAY + 14 * HOUR];
  return [
    ...times(T0, from, () => slow).map((at) => aReading(at, { no2: 30 })),
    ...times(from, to, gapAt).map((at) => aReading(at, { no2: 450 })),
    ...times(to, to + 6 * HOUR, () => slow).map((at) => aReading(at, { no2: 30 })),
  ];
}

const IN_TIME = ["firing no2 s-1 2026-11-22T03:00", "resolved no2 s-1 2026-11-22T15:00"];

describe("a sensor that sends more often when it matters has measured all of the hour", () => {
  it.each<[string, number, (minute: number) => number]>([
    ["every minute in the last quarter of an hour, every 15 before", 15, (minute) => (minute >= 45 ? 1 : 15)],
    ["every minute in the first quarter", 15, (minute) => (minute < 15 ? 1 : 15)],
    ["every minute in half of the hour, every 5 in the other", 5, (minute) => (minute >= 30 ? 1 : 5)],
    ["every ten seconds for three minutes, every 10 minutes else", 10, (minute) => (minute < 3 ? 1 / 6 : 10)],
    ["every ten seconds from the half hour on", 10, (minute) => (minute >= 30 ? 1 / 6 : 10)],
    ["every minute all the time", 15, () => 1],
    ["as ever", 15, () => 15],
  ])("hours: %s", (_, slow, gapAt) => {
    expect(detect(NO2, episode(slow, gapAt))).toEqual(IN_TIME);
  });

  it("hours of a sensor that was never otherwise: as soon as its long gaps are seen to be a rhythm", () => {
    const readings = episode(15, (minute) => (minute >= 45 ? 1 : 15)).filter(
      ({ measuredAt }) => measuredAt >= T0 + DAY,
    );
    const [fired] = detect(NO2, readings);
    expect(fired).toMatch(/^firing no2 s-1 2026-11-22T0[3-6]:00/);
  });

  it("days: every minute in the evening, every 10 minutes else", () => {
    const readings = times(T0, T0 + 6 * DAY + HOUR, () => 1)
      .filter((at) => at % DAY >= 18 * HOUR || at % (10 * MINUTE) === 0)
      .map((at) => aReading(at, { pm10: at >= T0 + DAY && at < T0 + 5 * DAY ? 200 : 20 }));
    expect(detect(PM10, readings)).toEqual(["firing pm10 s-1 2026-11-23T00:00", "resolved pm10 s-1 2026-11-27T00:00"]);
  });

  it("one whose interval is declared, too, and random bursts", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const next = random(seed);
      const readings = episode(10, () => (next() < 0.8 ? 0.1 + next() : 10));
      expect(detect(NO2, readings, 600), `seed ${seed}`).toEqual(IN_TIME);
    }
  });
});

describe("an hour that was not measured does not count", () => {
  const regular = (everyMinutes: number, lost: (minute: number, hour: number) => boolean) =>
    times(T0, T0 + 36 * HOUR, () => everyMinutes)
      .filter((at) => at < T0 + DAY || !lost((at / MINUTE) % 60, Math.floor((at - T0) / HOUR)))
      .map((at) => aReading(at, { no2: at < T0 + DAY ? 30 : 450 }));

  it.each<[string, (minute: number, hour: number) => boolean, boolean]>([
    ["15 of 60 minutes are missing at once", (minute) => minute >= 20 && minute < 35, true],
    ["16 of 60 minutes are missing at once", (minute) => minute >= 20 && minute < 36, false],
    ["every fourth minute is missing", (minute) => minute % 4 === 3, true],
    ["every third minute is missing", (minute) => minute % 3 === 2, false],
    ["half an hour is missing", (minute) => minute < 30, false],
  ])("%s of a sensor that sends every minute", (_, lost, counts) => {
    for (const intervalS of [60, undefined]) {
      expect(detect(NO2, regular(1, lost), intervalS).length > 0, `interval ${intervalS}`).toBe(counts);
    }
  });

  it("an hourly analyser that drops every third hour has measured two thirds of the day, not all of it", () => {
    const hourly = (isThere: (hour: number) => boolean) =>
      Array.from({ length: 6 * 24 }, (_, hour) => hour)
        .filter((hour) => hour < 24 || isThere(hour))
        .map((hour) => aReading(T0 + hour * HOUR, { pm10: 200 }));
    expect(detect(PM10, hourly((hour) => hour % 3 > 0).slice(1))).toEqual([
      "firing pm10 s-1 2026-11-22T00:00",
      "resolved pm10 s-1 2026-11-25T00:00",
    ]);
    expect(
      detect(
        PM10,
        hourly((hour) => hour % 4 > 0),
      ),
    ).toHaveLength(1);
  });
});
