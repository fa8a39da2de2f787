import { describe, expect, it } from "vitest";
import { type FlatlineParams, flatline } from "../../../alerts/conditions/flatline.ts";
import { type Note, play } from "./play.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const twelveHours: FlatlineParams = {
  afterMs: 12 * HOUR,
  samples: 6,
  tolerance: 0,
  needsGood: false,
  zeroByNight: false,
};

const hours = (from: number, values: readonly number[]): Note[] => values.map((value, i) => [(from + i) * 60, value]);
const same = (value: number, count: number) => Array<number>(count).fill(value);
const run = (change: Partial<FlatlineParams>, notes: readonly Note[], everyMs = HOUR) =>
  play(flatline, { ...twelveHours, ...change }, notes, everyMs);
const letters = (change: Partial<FlatlineParams>, notes: readonly Note[], everyMs = HOUR) =>
  run(change, notes, everyMs).letters;
/** Days of a sensor that goes from 2 at night to 40.5 by day. */
const past = (days: number): Note[] =>
  Array.from({ length: days * 24 }, (_, hour): Note => [hour * 60, hour % 24 === 3 ? 2 : 10.5 + (hour % 24) * 1.25]);
const next = (notes: readonly Note[]) => (notes.at(-1)?.[0] ?? 0) / 60 + 1;

describe("flatline", () => {
  it("twelve equal hourly values are twelve hours, and it says since when and how many", () => {
    const { letters, outcomes } = run({}, hours(0, [3.5, ...same(8.5, 13), 9]));
    expect(letters).toBe("............F.R");
    expect(outcomes[0]).toMatchObject({ startedAt: HOUR, at: 12 * HOUR, value: 8.5 });
    expect(outcomes[0]!.evidence).toEqual([
      {
        measuredAt: 12 * HOUR,
        value: 8.5,
        window: { from: HOUR, samples: 12 },
        note: "12 equal values in a row",
        says: { key: "note.equal", params: { count: 12 } },
      },
    ]);
    expect(outcomes[1]).toMatchObject({ startedAt: HOUR, at: 14 * HOUR, value: 9, why: "cleared" });
  });

  it("needs `samples` values, however long they take", () => {
    const daily = (count: number): Note[] => Array.from({ length: count }, (_, day): Note => [day * 1440, 8.5]);
    expect(letters({}, daily(7), 24 * HOUR)).toBe(".....F.");
  });

  it("values within the tolerance of each other are equal; a slow drift is not", () => {
    expect(letters({ tolerance: 0.2, afterMs: 6 * HOUR }, hours(0, [8, 8.1, 8.2, 8, 8.1, 8.2, 8]))).toBe(".....F.");
    expect(
      letters({ tolerance: 0.25, afterMs: 6 * HOUR }, hours(0, [8, 8.1, 8.2, 8.3, 8.4, 8.5, 8.6, 8.7])),
    ).not.toContain("F");
  });

  it("a gap starts the count anew, but what is firing goes on until another value comes", () => {
    expect(letters({}, [...hours(0, same(8.5, 8)), ...hours(20, same(8.5, 8))])).not.toContain("F");
    expect(letters({}, [...hours(0, same(8.5, 12)), ...hours(40, same(8.5, 3)), ...hours(43, [1])])).toBe(
      "...........F...R",
    );
  });

  it("whole numbers need twice as many values, once nothing else has ever come", () => {
    expect(letters({ afterMs: 2 * HOUR }, hours(0, [7, ...same(8, 13)]))).toBe("............F.");
    expect(letters({ afterMs: 2 * HOUR }, hours(0, [7.5, ...same(8, 13)]))).toBe("......F.......");
  });

  it("a given floor and a given ceiling are normal", () => {
    expect(letters({ floor: 2 }, hours(0, same(2, 30)))).not.toContain("F");
    expect(letters({ floor: 2 }, hours(0, same(2.1, 30)))).toContain("F");
    expect(letters({ ceiling: 70 }, hours(0, same(70, 30)))).not.toContain("F");
    expect(letters({ ceiling: 70 }, hours(0, same(69.9, 30)))).toContain("F");
  });

  it("learns the floor from the past: 61 hours at the lowest value are no fault, at another they are", () => {
    const days = past(8);
    expect(letters({}, [...days, ...hours(next(days), same(2, 61))])).not.toContain("F");
    expect(letters({}, [...days, ...hours(next(days), same(17, 61))])).toContain("F");
  });

  it("the floor may move: the exact lowest value of many recent days is one, a common value higher up is not", () => {
    const day = (n: number, low: number) => [low, ...Array.from({ length: 23 }, (_, i) => 6.5 + ((n + i) % 7))];
    const values = Array.from({ length: 50 }, (_, n) => day(n, n < 10 ? 0.3 : 2.3)).flat();
    expect(letters({}, hours(0, [...values, ...same(2.3, 40)]))).not.toContain("F");
    expect(letters({}, hours(0, [...values, ...same(7.5, 40)]))).toContain("F");
    const coarse = Array.from({ length: 50 }, (_, n) => day(n, n < 10 ? 0.3 : 4 + (n % 3) / 2)).flat();
    expect(letters({}, hours(0, [...coarse, ...same(4, 40)]))).toContain("F");
  });

  it("a value far below everything shown before is no floor, nor is one before five days are known", () => {
    const days = past(8);
    expect(letters({}, [...days, ...hours(next(days), same(-5, 61))])).toContain("F");
    const few = past(3);
    expect(letters({}, [...few, ...hours(next(few), same(2, 61))])).toContain("F");
  });

  it("learns from what it called stuck for three nights: solar power is 0 in the dark", () => {
    const sun = Array.from(
      { length: 12 * 24 },
      (_, hour): Note => [hour * 60, Math.max(0, 5.5 - Math.abs((hour % 24) - 12))],
    );
    const nights = letters({ afterMs: 6 * HOUR }, sun);
    expect(nights.match(/F/g)!.length).toBeLessThan(6);
    expect(nights.slice(-6 * 24)).not.toContain("F");
  });

  it("what it calls stuck does not become the floor by lasting", () => {
    const days = past(8);
    const stuck = [...days, ...hours(next(days), same(-5, 24 * 30))];
    const again = [...stuck, ...hours(next(stuck), [12.5]), ...hours(next(stuck) + 1, same(-5, 20))];
    expect(letters({}, again).match(/F/g)).toHaveLength(2);
  });

  it("zeros of the night do not count where zero means that nothing passes; zeros of the day do", () => {
    const road = { zeroByNight: true, lon: 0, afterMs: 4 * HOUR };
    const zeros = (from: number, to: number) =>
      Array.from({ length: (to - from) * 6 }, (_, i): Note => [from * 60 + i * 10, 0]);
    expect(letters(road, [[22.4 * 60, 12.5], ...zeros(22.5, 29.5), [29.6 * 60, 9.5]], 10 * MINUTE)).not.toContain("F");
    expect(letters(road, [[7 * 60, 12.5], ...zeros(8, 13)], 10 * MINUTE)).toContain("F");
    const minneapolis = { ...road, lon: -93 };
    expect(letters(minneapolis, [[4 * 60, 12.5], ...zeros(5, 11), [11.1 * 60, 3.5]], 10 * MINUTE)).not.toContain("F");
  });

  it("zeros of every night are no floor for the zeros of the day", () => {
    const days = Array.from({ length: 8 * 24 }, (_, hour): Note => [hour * 60, hour % 24 < 6 ? 0 : 20.5 + (hour % 24)]);
    const dead = Array.from({ length: 8 }, (_, i): Note => [(8 * 24 + 8 + i) * 60, 0]);
    const noon: Note[] = [[(8 * 24 + 7) * 60, 25.5], ...dead];
    const road = { zeroByNight: true, lon: 0, afterMs: 4 * HOUR, samples: 4 };
    expect(letters(road, [...days, ...noon]).slice(-9)).toContain("F");
    expect(letters({ ...road, zeroByNight: false }, [...days, ...noon]).slice(-9)).not.toContain("F");
  });

  it("without a longitude zeros need a day", () => {
    const zeros = Array.from({ length: 40 }, (_, hour): Note => [hour * 60, 0]);
    const road = { zeroByNight: true, afterMs: 4 * HOUR };
    expect(letters(road, zeros).indexOf("F")).toBe(23);
  });

  it("for operators one of the values must not be suspect", () => {
    const suspect = same(8.5, 20).map((value, hour): Note => [hour * 60, value, "?"]);
    expect(letters({ needsGood: true }, suspect)).not.toContain("F");
    expect(letters({ needsGood: false }, suspect)).toContain("F");
  });

  it("keeps little, however long the feed", () => {
    expect(JSON.stringify(run({}, past(60)).state).length).toBeLessThan(600);
  });
});
