import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { createZone } from "../../model/zone.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { withRollups } from "../../store/resolutions.ts";
import { startStorageLimits } from "../../store/retention.ts";
import { aBackground } from "../helpers/background.ts";
import { aReading } from "../helpers/readings.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FROM = Date.UTC(2025, 2, 1);
const NOW = Date.UTC(2026, 0, 10, 12);

/** By hand: when the day begins (UTC), and how many hours it has. */
const PARIS = [
  ["2025-03-29", "2025-03-28T23:00:00.000Z", 24],
  ["2025-03-30", "2025-03-29T23:00:00.000Z", 23],
  ["2025-03-31", "2025-03-30T22:00:00.000Z", 24],
  ["2025-10-25", "2025-10-24T22:00:00.000Z", 24],
  ["2025-10-26", "2025-10-25T22:00:00.000Z", 25],
  ["2025-10-27", "2025-10-26T23:00:00.000Z", 24],
] as const;

describe("days of the city", () => {
  let store: ReadingStore;
  const records = openRecords({ path: ":memory:", now: () => NOW, log: SILENT });
  const range = { kind: "air", sensorId: "air-1", from: FROM, to: NOW, everyMs: DAY_MS } as const;
  const daysIn = (zone: string, more = {}) =>
    withRollups(store, records.rollups, () => NOW, createZone(zone)).aggregate({ ...range, ...more });

  /** A reading an hour; its value is the hour's number, so that a mean says which hours are in it. */
  beforeAll(async () => {
    store = await openDuckDbStore({ path: ":memory:", memoryLimit: "512MB", log: SILENT });
    const readings = Array.from({ length: (NOW - FROM) / HOUR_MS }, (_, hour) =>
      aReading({ measuredAt: FROM + hour * HOUR_MS, values: { pm25: hour }, journalSeq: hour + 1 }),
    );
    await store.write(readings);
    records.rollups.touch(await store.rollups.parts("air"));
    const days = { rawDays: 30, hourlyDays: 300, dailyDays: 0 };
    const now = () => NOW;
    const limits = startStorageLimits({
      ...{ store, records, ...days, held: () => false, background: aBackground(), now, uptime: now, log: SILENT },
    });
    for (let i = 0; i < 2; i += 1) await limits.retention.run();
    await limits.rollups.run();
    await limits.stop();
  });
  afterAll(async () => {
    await store.close();
    records.close();
  });

  it("have 23, 24 or 25 hours, from hours and from readings, by a table made by hand", async () => {
    const days = new Map((await daysIn("Europe/Paris")).map((day) => [new Date(day.start).toISOString(), day]));
    for (const [date, start, hours] of PARIS) {
      const first = (Date.parse(start) - FROM) / HOUR_MS;
      const pm25 = { mean: first + (hours - 1) / 2, min: first, max: first + hours - 1, count: hours };
      expect(days.get(start), date).toEqual({ start: Date.parse(start), values: { pm25 }, resolution: "hourly" });
    }
    const today = days.get("2026-01-09T23:00:00.000Z");
    expect(today).toMatchObject({ values: { pm25: { count: 13 } } });
    expect(today).not.toHaveProperty("resolution");
  });

  it("are those of UTC, and say so, where the hours are gone; no reading is in two of them or in none", async () => {
    const days = await daysIn("Europe/Paris");
    const seam = Date.UTC(2026, 0, 10) - 300 * DAY_MS;
    expect(days.filter((day) => day.days === "UTC").map(({ start }) => start)).toEqual(
      Array.from({ length: (seam - FROM) / DAY_MS }, (_, n) => FROM + n * DAY_MS),
    );
    expect(days.reduce((sum, { values }) => sum + values.pm25!.count, 0)).toBe((NOW - FROM) / HOUR_MS);
    expect(days.map(({ start }) => start)).toEqual(days.map(({ start }) => start).toSorted((a, b) => a - b));
  });

  it("are those of UTC where a zone is whole hours from it only at both ends of what is asked", async () => {
    const summers = { from: Date.UTC(2025, 2, 10), to: Date.UTC(2025, 11, 1) };
    const days = await daysIn("Australia/Lord_Howe", summers);
    expect(new Set(days.map((day) => day.days))).toEqual(new Set(["UTC"]));
    const summer = await daysIn("Australia/Lord_Howe", { from: Date.UTC(2025, 10, 1), to: Date.UTC(2025, 11, 1) });
    expect(summer.some((day) => day.days === "UTC")).toBe(false);
  });

  it("are those of UTC in a zone that is no whole hours from it, and as they were without a zone", async () => {
    const utc = await daysIn("UTC");
    expect(utc.some(({ days }) => days !== undefined)).toBe(false);
    expect(await daysIn("Asia/Kolkata")).toEqual(utc.map((day) => ({ ...day, days: "UTC" })));
    expect(await daysIn("Europe/Paris", { everyMs: HOUR_MS })).toEqual(await daysIn("UTC", { everyMs: HOUR_MS }));
  });

  it.each([
    ["Europe/Paris", ["2025-10-19T22:00:00.000Z", "2025-10-26T23:00:00.000Z", "2025-11-02T23:00:00.000Z"], [169, 168]],
    ["UTC", ["2025-10-20T00:00:00.000Z", "2025-10-27T00:00:00.000Z", "2025-11-03T00:00:00.000Z"], [168, 168]],
    ["Asia/Kolkata", ["2025-10-20T00:00:00.000Z", "2025-10-27T00:00:00.000Z", "2025-11-03T00:00:00.000Z"], [168, 168]],
  ])("make weeks that begin on Mondays, also where the clocks change: %s", async (zone, starts, hours) => {
    const span = { from: Date.parse(starts[0]!), to: Date.parse(starts[2]!) + DAY_MS, everyMs: 7 * DAY_MS };
    const weeks = await daysIn(zone, span);
    expect(weeks.map(({ start }) => new Date(start).toISOString())).toEqual(starts);
    expect(weeks.map(({ values }) => values.pm25!.count)).toEqual([...hours, 24]);
    const [first] = weeks;
    const from = (Date.parse(starts[0]!) - FROM) / HOUR_MS;
    expect(first!.values.pm25).toMatchObject({ min: from, max: from + hours[0]! - 1 });
    expect(first!.days).toBe(zone === "Asia/Kolkata" ? "UTC" : undefined);
    // A week of which only the end is asked for begins on its Monday, too.
    const [cut] = await daysIn(zone, { ...span, from: span.from + 3 * DAY_MS });
    expect(new Date(cut!.start).toISOString()).toBe(starts[0]);
  });

  it("are counted from 1970 on in steps of several days that are no weeks; no reading is in two or in none", async () => {
    const sums = (all: Awaited<ReturnType<typeof daysIn>>) =>
      all.reduce((sum, { values }) => sum + values.pm25!.count, 0);
    for (const zone of ["Europe/Paris", "UTC"]) {
      for (const days of [2, 7, 10, 30]) {
        const steps = await daysIn(zone, { everyMs: days * DAY_MS });
        expect(sums(steps)).toBe((NOW - FROM) / HOUR_MS);
        expect(new Set(steps.map(({ start }) => start)).size).toBe(steps.length);
      }
    }
    const [first] = await daysIn("UTC", { everyMs: 10 * DAY_MS });
    expect(first!.start % (10 * DAY_MS)).toBe(0);
  });
});
