import { describe, expect, it } from "vitest";
import { type AqiState, classOf, europeanAqi } from "../../../alerts/derived/european-aqi.ts";
import type { Derive, DerivedSample } from "../../../alerts/engine/derive.ts";
import { createEngine } from "../../../alerts/engine/engine.ts";
import type { MetricName } from "../../../model/metrics.ts";
import { aReading, aRule, aSensor } from "../builders.ts";

const HOUR = 3_600_000;
type Values = Partial<Record<MetricName, number>>;
type Told = { at: number; values: Values; suspect?: MetricName[] };

const rule = aRule({ id: "index", metric: "europeanAqi", condition: { type: "threshold", above: 5 } });

/** What the engine works out of these readings. The state goes through JSON after every hour, as it does on disk. */
function fold(told: readonly Told[]): { samples: DerivedSample[]; state: AqiState } {
  let last = europeanAqi.quiet;
  const samples: DerivedSample[] = [];
  const watched: Derive<AqiState> = {
    ...europeanAqi,
    step(state, hour, means) {
      const [next, sample] = europeanAqi.step(state, hour, means);
      if (sample) samples.push(sample);
      last = JSON.parse(JSON.stringify(next));
      return [last, sample];
    },
  };
  const engine = createEngine({ rules: [rule], sensor: () => aSensor(), derives: [watched as Derive] });
  for (const { at, values, suspect = [] } of told) {
    const quality = Object.fromEntries(suspect.map((metric) => [metric, "suspect" as const]));
    engine.observe([aReading(at, values, { quality })]);
  }
  return { samples, state: last };
}

/** One reading per hour; the first hour only shows how often they come, the last only closes the one before. */
const hourly = (...hours: Values[]): Told[] => {
  const all = [{ no2: 5, pm25: 2, o3: 20 }, ...hours, { no2: 5 }];
  return all.map((values, hour) => ({ at: hour * HOUR + 60_000, values }));
};
const clean = { no2: 5, pm25: 2, o3: 20 };
const classes = (told: readonly Told[]) => fold(told).samples.map(({ value }) => value);

describe("the European air quality index of 2025", () => {
  it("a mean equal to a limit is in the better class, anything above it in the next", () => {
    const bands = {
      pm25: [5, 15, 50, 90, 140],
      pm10: [15, 45, 120, 195, 270],
      no2: [10, 25, 60, 100, 150],
      o3: [60, 100, 120, 160, 180],
      so2: [20, 40, 125, 190, 275],
    } as const;
    for (const [pollutant, limits] of Object.entries(bands)) {
      const name = pollutant as keyof typeof bands;
      expect(limits.map((limit) => classOf(name, limit))).toEqual([1, 2, 3, 4, 5]);
      expect(limits.map((limit) => classOf(name, limit + 0.01))).toEqual([2, 3, 4, 5, 6]);
      expect(classOf(name, -1)).toBe(1);
    }
  });

  it("is the worst pollutant of the hour, told at its end", () => {
    const { samples } = fold(hourly(clean, { ...clean, no2: 61 }, { ...clean, so2: 300, pm25: 200 }));
    expect(samples).toMatchObject([
      { at: 2 * HOUR, value: 1, good: true },
      { at: 3 * HOUR, value: 4, good: true, because: { params: { metric: "no2", value: { value: 61 } } } },
      { at: 4 * HOUR, value: 6, good: true, because: { params: { metric: "pm25", value: { value: 200 } } } },
    ]);
  });

  it("counts a pollutant from its second hour on", () => {
    expect(classes(hourly(clean, { ...clean, so2: 300 }, { ...clean, so2: 300 }))).toEqual([1, 1, 6]);
  });

  it("goes by the mean of the hour", () => {
    const minutes = (hour: number, values: number[]): Told[] =>
      values.map((no2, i) => ({ at: hour * HOUR + (i * HOUR) / values.length, values: { ...clean, no2 } }));
    expect(classes([...minutes(0, [5, 5, 5, 5]), ...minutes(1, [0, 120, 120, 0]), ...minutes(2, [5])])).toEqual([1, 3]);
    const tenths = Array<number>(30).fill(0.1).concat(Array<number>(30).fill(19.9));
    expect(classes([...minutes(0, tenths), ...minutes(1, tenths), ...minutes(2, [5])])).toEqual([1, 1]);
  });

  const minutes = (hour: number, count: number, no2 = 5): Told[] =>
    Array.from({ length: count }, (_, i) => ({ at: hour * HOUR + i * 60_000, values: { ...clean, no2 } }));

  it("an hour with data for less than 45 minutes is none", () => {
    const usual = [...minutes(0, 60), ...minutes(1, 60), ...minutes(2, 60)];
    expect(classes([...usual, ...minutes(3, 45), ...minutes(4, 1)])).toHaveLength(4);
    expect(classes([...usual, ...minutes(3, 44), ...minutes(4, 1)])).toHaveLength(3);
  });

  it("a sensor that sends more often when it matters, and less often after it, has its classes all the time", () => {
    const seldom = (hour: number, no2 = 5): Told[] =>
      [0, 10, 20, 30, 40, 50].map((minute) => ({ at: hour * HOUR + minute * 60_000, values: { ...clean, no2 } }));
    const told = [
      ...seldom(0),
      ...seldom(1),
      ...minutes(2, 60, 160),
      ...minutes(3, 60, 160),
      ...seldom(4),
      ...seldom(5),
    ];
    expect(classes([...told, ...seldom(6)])).toEqual([1, 1, 6, 6, 1, 1]);
  });

  it("is silent rather than green without NO2, particles or ozone", () => {
    expect(classes(hourly({ pm25: 2, o3: 20 }, { no2: 5, o3: 20 }, { no2: 5, pm25: 2 }, clean))).toEqual([1]);
    expect(classes(hourly({ no2: 5, o3: 20, pm10: 3 }, { no2: 5, o3: 20, pm10: 100 }))).toEqual([3]);
  });

  it("a sensor that sends no ozone for a week is a traffic station, which needs none", () => {
    const traffic = Array.from({ length: 4 }, (_, hour): Told => ({ at: hour * HOUR, values: { no2: 30, pm10: 5 } }));
    expect(classes(traffic)).toEqual([3, 3]);
    const broken = Array.from({ length: 200 }, (_, i): Told => ({ at: (i + 1) * HOUR, values: { no2: 30, pm25: 5 } }));
    const found = fold([{ at: 0, values: clean }, ...broken]).samples;
    expect(found[0]!.at).toBe((7 * 24 + 1) * HOUR);
  });

  it("is suspect where all values that decide are", () => {
    const told = hourly(clean, { ...clean, no2: 200 }).map((one, i) =>
      i === 2 ? { ...one, suspect: ["no2" as const] } : one,
    );
    expect(fold(told).samples.map(({ good }) => good)).toEqual([true, false]);
    expect(fold(told.map((one) => ({ ...one, suspect: ["o3" as const] }))).samples.map(({ good }) => good)).toEqual([
      true,
      true,
    ]);
  });

  it("a gap of hours gives no classes for them", () => {
    const told = [...hourly(clean, clean, clean), { at: 30 * HOUR, values: clean }, { at: 31 * HOUR, values: clean }];
    expect(fold(told).samples.map(({ at }) => at / HOUR)).toEqual([2, 3, 4, 31]);
  });

  it("is bounded", () => {
    const year = Array.from(
      { length: 9_000 },
      (_, hour): Told => ({ at: hour * HOUR, values: { ...clean, so2: 1, pm10: 4 } }),
    );
    expect(JSON.stringify(fold(year).state).length).toBeLessThan(800);
  });
});
