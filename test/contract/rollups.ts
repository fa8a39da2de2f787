import { expect, it } from "vitest";
import { createTouchedHours } from "../../ingest/books.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import type { Aggregate, Bucket, ReadingStore } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { withRollups } from "../../store/resolutions.ts";
import { startStorageLimits } from "../../store/retention.ts";
import { aBackground } from "../helpers/background.ts";
import { aReading, collect } from "../helpers/readings.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2025, 0, 1);
const SENSORS = ["air-1", "air-2", "air-3"];
const RAW_DAYS = 30;
const HOURLY_DAYS = 120;

/** The store with its books and limits on a clock of our own; `truth` is everything that was ever taken in. */
function startYear(store: ReadingStore) {
  let time = START;
  const now = () => time;
  const records = openRecords({ path: ":memory:", now, log: SILENT });
  const days = { rawDays: RAW_DAYS, hourlyDays: HOURLY_DAYS, dailyDays: 0 };
  const start = () =>
    startStorageLimits({
      store,
      records,
      ...days,
      held: () => false,
      background: aBackground(),
      now,
      uptime: now,
      log: SILENT,
    });
  const truth: Reading[] = [];
  let limits = start();
  let seq = 0;

  /** What the store writer does with a batch: the write, then the booking. */
  async function take(readings: readonly Reading[]): Promise<void> {
    const numbered = readings.map((reading) => ({ ...reading, journalSeq: ++seq }));
    await store.write(numbered);
    const touched = createTouchedHours();
    for (const reading of numbered) touched.note(reading);
    records.transaction(() => records.rollups.touch(touched.parts()));
    truth.push(...numbered);
  }

  return {
    records,
    truth,
    take,
    view: withRollups(store, records.rollups, now),
    limits: () => limits,
    /** Time passes; then what is due is done. */
    async goTo(later: number): Promise<void> {
      time = later;
      await limits.retention.run();
      await limits.rollups.run();
    },
    async restart(): Promise<void> {
      await limits.stop();
      limits = start();
    },
    async close(): Promise<void> {
      await limits.stop();
      records.close();
    },
  };
}

/** A reading of each sensor every so many minutes; a moment and a sensor always have the same value. */
function readingsEvery(minutes: number, from: number, to: number, receivedAt?: number): Reading[] {
  const readings: Reading[] = [];
  for (let measuredAt = from; measuredAt < to; measuredAt += minutes * MINUTE_MS) {
    for (const [index, sensorId] of SENSORS.entries()) {
      const pm25 = ((measuredAt / MINUTE_MS) * 7919 + index * 13) % 997;
      const values = measuredAt % HOUR_MS === 0 ? { pm25, no2: pm25 / 3 - 40 } : { pm25 };
      readings.push(aReading({ sensorId, measuredAt, receivedAt: receivedAt ?? measuredAt + 250, values }));
    }
  }
  return readings;
}

function truthOf(readings: readonly Reading[], sensorId: string, everyMs: number): Map<number, Bucket["values"]> {
  const own = readings.filter((reading) => reading.sensorId === sensorId);
  const buckets = Map.groupBy(own, ({ measuredAt }) => Math.floor(measuredAt / everyMs) * everyMs);
  return new Map(
    [...buckets].map(([start, ofBucket]) => {
      const all = (name: "pm25" | "no2") => ofBucket.flatMap(({ values }) => values[name] ?? []);
      const [pm25, no2] = [all("pm25"), all("no2")];
      return [start, { pm25: sumUp(pm25), ...(no2.length > 0 ? { no2: sumUp(no2) } : {}) }];
    }),
  );
}

function sumUp(numbers: readonly number[]): Aggregate {
  const sum = numbers.reduce((a, b) => a + b, 0);
  return { mean: sum / numbers.length, min: Math.min(...numbers), max: Math.max(...numbers), count: numbers.length };
}

/** Means may differ in the last bits, by the order of the additions. */
function expectTruth(buckets: readonly Bucket[], truth: ReadonlyMap<number, Bucket["values"]>): void {
  expect(buckets.map(({ start }) => start)).toEqual([...truth.keys()].sort((a, b) => a - b));
  const rounded = (values: Bucket["values"]) =>
    Object.fromEntries(Object.entries(values).map(([name, one]) => [name, { ...one, mean: one.mean.toFixed(6) }]));
  for (const { start, values } of buckets) expect(rounded(values)).toEqual(rounded(truth.get(start)!));
}

/** Weeks, the one without readings, the one when the import of January begins, and how far apart readings are. */
const SPANS = [
  { weeks: 24, off: 8, imports: 18, minutes: 30, tags: [] },
  { weeks: 52, off: 20, imports: 40, minutes: 15, tags: ["long"] },
];

/** The part of the contract about rollups: whatever happens in a year, each bucket is what its readings say. */
export function rollupContract(current: () => ReadingStore): void {
  for (const { weeks, off, imports, minutes, tags } of SPANS) {
    const name = `answers for ${weeks} weeks of readings, hours and days, whatever came late, twice, or not at all for a week`;
    const readingsOf = readingsEvery.bind(undefined, minutes);
    it(name, { tags }, () => answersAll(current(), weeks, off, imports, readingsOf));
  }

  async function answersAll(
    store: ReadingStore,
    weeks: number,
    off: number,
    imports: number,
    readingsOf: (from: number, to: number, receivedAt?: number) => Reading[],
  ): Promise<void> {
    const year = startYear(store);
    for (let week = 0; week < weeks; week += 1) {
      const [from, to] = [START + week * 7 * DAY_MS, START + (week + 1) * 7 * DAY_MS];
      // Off for a week: the devices kept what they measured and send all of it a week late.
      if (week === off) continue;
      if (week === off + 1) await year.restart();
      if (week === off + 1) await year.take(readingsOf(from - 7 * DAY_MS, from, to - DAY_MS));
      // In every fourth week the last sensor is on a bad line: a tenth of its readings comes three days late.
      const isLate = (reading: Reading, n: number) => week % 4 === 0 && reading.sensorId === "air-3" && n % 10 === 0;
      const [late, inTime] = split(readingsOf(from, to), isLate);
      await year.take(inTime);
      if (late.length > 0) await year.goTo(to);
      await year.take(late.map((reading) => ({ ...reading, receivedAt: reading.receivedAt + 3 * DAY_MS })));
      await year.goTo(to + 3 * DAY_MS);
      // History of January, imported in two parts when its hours are gone: the second must not push out the first.
      if (week === imports || week === imports + 1)
        await year.take(
          readingsOf(START + DAY_MS, START + 2 * DAY_MS, to)
            .filter(({ sensorId }) => sensorId === "air-2")
            .map((one) => ({ ...one, measuredAt: one.measuredAt + (week - imports + 1) * MINUTE_MS, imported: true })),
        );
    }
    const end = START + (weeks * 7 + 3) * DAY_MS;
    const rawFrom = end - RAW_DAYS * DAY_MS;
    const hourlyFrom = end - HOURLY_DAYS * DAY_MS;
    const [from, to] = [START, START + weeks * 7 * DAY_MS];
    const answers = async () => {
      const days = SENSORS.map((sensorId) =>
        year.view.aggregate({ kind: "air", sensorId, from, to, everyMs: DAY_MS, metrics: ["pm25", "no2"] }),
      );
      return Promise.all(days);
    };
    const before = await answers();
    for (const [index, sensorId] of SENSORS.entries()) {
      expectTruth(before[index]!, truthOf(year.truth, sensorId, DAY_MS));
      const used = before[index]!.map(({ start, resolution }) => [start < rawFrom, resolution ?? "raw"]);
      expect(new Set(used.map(String))).toEqual(new Set(["true,daily", "false,raw"]));

      const recent = year.truth.filter(({ measuredAt }) => measuredAt >= hourlyFrom);
      const range = { kind: "air", sensorId, from: hourlyFrom, to } as const;
      const hours = await year.view.aggregate({ ...range, everyMs: HOUR_MS });
      expectTruth(hours, truthOf(recent, sensorId, HOUR_MS));
      expect(
        hours.every(({ start, resolution }) => (resolution ?? "raw") === (start < rawFrom ? "hourly" : "raw")),
      ).toBe(true);
      expectTruth(
        await year.view.aggregate({ ...range, everyMs: 6 * HOUR_MS }),
        truthOf(recent, sensorId, 6 * HOUR_MS),
      );
    }
    // Nothing is due any more; computing all of it again changes nothing.
    expect([...year.records.rollups.due("hourly", end, 9), ...year.records.rollups.due("daily", end, 9)]).toEqual([]);
    year.records.rollups.touch(await store.rollups.parts("air"));
    await year.goTo(end);
    for (const [index, days] of (await answers()).entries())
      expectTruth(days, truthOf(year.truth, SENSORS[index]!, DAY_MS));
    // The edges of what was removed.
    const raw = await collect(store, { from: 0, to: end, sensorId: "air-1" });
    expect(raw.map(({ measuredAt }) => measuredAt)).toEqual(
      year.truth.filter((one) => one.sensorId === "air-1" && one.measuredAt >= rawFrom).map((one) => one.measuredAt),
    );
    const everyHour = { kind: "air", sensorId: "air-1", from: 0, to: end, everyMs: HOUR_MS } as const;
    const kept = await store.rollups.aggregate(everyHour, "hourly");
    expect([kept[0]!.start, kept.at(-1)!.start]).toEqual([hourlyFrom, to - HOUR_MS]);
    await year.close();
  }

  it("adds to hours whose readings are removed, never replaces them, and tells an old buffer from new history", async () => {
    const year = startYear(current());
    const [from, to] = [START + 5 * HOUR_MS, START + 8 * HOUR_MS];
    const first = readingsEvery(10, from, to);
    await year.take(first);
    const counts = async (everyMs: number, sensorId: string) => {
      const range = { kind: "air", sensorId, from: START, to: START + DAY_MS, everyMs, metrics: ["pm25"] } as const;
      return (await year.view.aggregate(range)).map(({ values }) => values.pm25!.count);
    };
    const all = async (everyMs: number) => Promise.all(SENSORS.map((sensorId) => counts(everyMs, sensorId)));
    // The run under way began before.
    const goTo = async (later: number) => {
      for (let i = 0; i < 2; i += 1) await year.goTo(later);
    };
    let time = START + 40 * DAY_MS;
    await goTo(time);
    expect(await current().count()).toBe(0);
    expect(await all(HOUR_MS)).toEqual([[6, 6, 6], [6, 6, 6], [6, 6, 6]]); // biome-ignore format: a table
    // Driven again out of quarantine, with the day it was received on; another one when that one's reading is gone, too.
    const again = (minute: number) => aReading({ measuredAt: from + minute * MINUTE_MS, values: { pm25: 4_000 } });
    await year.take([again(1)]);
    await goTo(time);
    expect(await all(HOUR_MS)).toEqual([[7, 6, 6], [6, 6, 6], [6, 6, 6]]); // biome-ignore format: a table
    await year.take([again(2)]);
    await goTo(time);
    expect(await all(HOUR_MS)).toEqual([[8, 6, 6], [6, 6, 6], [6, 6, 6]]); // biome-ignore format: a table
    time += 3 * DAY_MS;
    await goTo(time);
    await year.take([again(3)]);
    await goTo(time);
    expect(await all(HOUR_MS)).toEqual([[9, 6, 6], [6, 6, 6], [6, 6, 6]]); // biome-ignore format: a table
    // Computing it once more changes nothing.
    year.records.rollups.touch(await current().rollups.parts("air"));
    await goTo(time);
    expect(await all(HOUR_MS)).toEqual([[9, 6, 6], [6, 6, 6], [6, 6, 6]]); // biome-ignore format: a table
    // An old buffer sent again, and with it an hour that nobody had.
    const buffer = readingsEvery(10, from, to + HOUR_MS, time).filter(({ sensorId }) => sensorId === "air-2");
    await year.take(buffer.map((one) => ({ ...one, imported: true })));
    await goTo(time + DAY_MS);
    expect(await all(HOUR_MS)).toEqual([[9, 6, 6], [6, 6, 6, 6], [6, 6, 6]]); // biome-ignore format: a table
    expect(await all(DAY_MS)).toEqual([[21], [24], [18]]);
    await year.close();
  });

  it("counts of an old buffer that is sent again with values more only those", async () => {
    const year = startYear(current());
    const hour = START + 5 * HOUR_MS;
    const reading = (sensorId: string, minute: number, pm25: number) =>
      aReading({ sensorId, measuredAt: hour + minute * MINUTE_MS, values: { pm25 } });
    const known = [10, 20.1, 30.2, 40.3, 50.4];
    const SENT = ["air-1", "air-2", "air-3"];
    await year.take(SENT.flatMap((sensorId) => known.map((value, n) => reading(sensorId, 10 * n, value))));
    let time = START + 40 * DAY_MS;
    for (let i = 0; i < 2; i += 1) await year.goTo(time);
    expect(await current().count()).toBe(0);
    // One that lies within, one beyond, and several.
    const more = { "air-1": [25], "air-2": [400], "air-3": [400, 45, 33] };
    const again = Object.entries(more).flatMap(([sensorId, values]) =>
      [...known, ...values].map((value, n) => ({
        ...reading(sensorId, n < known.length ? 10 * n : 50 + n - known.length, value),
        receivedAt: time,
        imported: true,
      })),
    );
    await year.take(again);
    time += DAY_MS;
    for (let i = 0; i < 2; i += 1) await year.goTo(time);
    for (const everyMs of [HOUR_MS, DAY_MS]) {
      for (const [sensorId, values] of Object.entries(more)) {
        const range = { kind: "air", sensorId, from: START, to: START + DAY_MS, everyMs, metrics: ["pm25"] } as const;
        const [found] = await year.view.aggregate(range);
        const true_ = [...known, ...values];
        const { count, mean, min, max } = found!.values.pm25!;
        expect({ count, min, max }).toEqual({ count: true_.length, min: Math.min(...true_), max: Math.max(...true_) });
        expect(mean).toBeCloseTo(true_.reduce((sum, one) => sum + one, 0) / true_.length, 9);
      }
    }
    await year.close();
  });

  it("computes an hour again for each late reading, and only when it is over", async () => {
    const year = startYear(current());
    const hour = START + 5 * HOUR_MS;
    const at = (minute: number, pm25: number, receivedAt: number) =>
      aReading({ measuredAt: hour + minute * MINUTE_MS, receivedAt, values: { pm25 } });
    const hours = async () => {
      const range = { kind: "air", sensorId: "air-1", from: START, to: START + DAY_MS, everyMs: HOUR_MS } as const;
      return (await current().rollups.aggregate(range, "hourly")).map(({ values }) => values.pm25);
    };
    await year.take([at(0, 4, hour)]);
    await year.goTo(hour + HOUR_MS - 1);
    expect(await hours()).toEqual([]);
    await year.goTo(hour + HOUR_MS);
    expect(await hours()).toEqual([{ mean: 4, min: 4, max: 4, count: 1 }]);
    await year.take([at(30, 8, hour + 2 * HOUR_MS)]);
    await year.goTo(hour + 2 * HOUR_MS);
    expect(await hours()).toEqual([{ mean: 6, min: 4, max: 8, count: 2 }]);
    // Received the next day: another part of the same hour.
    await year.take([at(59, 0, START + DAY_MS + 1)]);
    await year.goTo(START + DAY_MS + 2);
    expect(await hours()).toEqual([{ mean: 4, min: 0, max: 8, count: 3 }]);
    await year.close();
  });

  it("finds the hours of readings that were stored before anyone wrote down what is due", async () => {
    await current().write(readingsEvery(15, START, START + 2 * DAY_MS));
    const year = startYear(current());
    await year.goTo(START + 3 * DAY_MS);
    const range = { kind: "air", sensorId: "air-1", from: START, to: START + 9 * DAY_MS, everyMs: DAY_MS } as const;
    const days = await current().rollups.aggregate(range, "daily");
    expect(days.map(({ values }) => values.pm25?.count)).toEqual([96, 96]);
    await year.close();
  });

  it("removes no reading whose rollups are not computed, and none at all while the store refuses them", async () => {
    const store = current();
    let fails = true;
    const compute: ReadingStore["rollups"]["compute"] = (...args) =>
      fails ? Promise.reject(new Error("no")) : store.rollups.compute(...args);
    const year = startYear({ ...store, rollups: { ...store.rollups, compute } });
    await year.take(readingsEvery(15, START, START + 2 * DAY_MS));
    const later = START + (RAW_DAYS + 1) * DAY_MS;
    await year.goTo(later);
    expect(await store.count()).toBe(2 * 96 * 3);
    fails = false;
    await year.goTo(later);
    expect(await store.count()).toBe(96 * 3);
    const range = { kind: "air", sensorId: "air-1", from: START, to: later, everyMs: DAY_MS } as const;
    expectTruth(await year.view.aggregate(range), truthOf(year.truth, "air-1", DAY_MS));
    await year.close();
  });
}

function split<T>(items: readonly T[], isFirst: (item: T, place: number) => boolean): [T[], T[]] {
  const first = new Set(items.filter(isFirst));
  return [[...first], items.filter((item) => !first.has(item))];
}
