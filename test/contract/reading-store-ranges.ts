import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import type { Reading } from "../../model/reading.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Each would do harm or match everything if it ever stood in the text of a query. */
export const INJECTIONS = [
  "' OR '1'='1",
  `" OR 1=1 --`,
  "air-1'; DROP TABLE air; --",
  `air-1'; DROP MEASUREMENT "air"; SELECT * FROM "air" WHERE "sensorId" = 'air-1`,
  "') |> drop()",
  "$from",
  "\\",
  "\\'",
  "a\nb\u0000c",
  "/.*/",
  "__proto__",
];

/** The part of the contract about ranges: streams and aggregates. */
export function rangeContract(current: () => ReadingStore, server: { readonly sharesOurMemory?: boolean }): void {
  it("streams in ascending time, from inclusive, to exclusive", async () => {
    const store = current();
    const times = [T0 + 3, T0 - 1, T0 + 1, T0, T0 + 2];
    await store.write(times.map((measuredAt) => aReading({ measuredAt })));
    const range = await collect(store, { from: T0, to: T0 + 3 });
    expect(range.map((reading) => reading.measuredAt - T0)).toEqual([0, 1, 2]);
    expect(await collect(store, { from: T0 + 3, to: T0 })).toEqual([]);
    const ever = await collect(store, { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY });
    expect(ever).toHaveLength(5);
  });

  it("streams one sensor, one district, and only some metrics", async () => {
    const store = current();
    const one = aReading({ values: { pm25: 1, no2: 2 }, quality: { no2: "suspect" } });
    const two = aReading({ sensorId: "air-2", district: "south", measuredAt: T0 + 1, values: { no2: 3 } });
    const three = aReading({ sensorId: "air-3", district: "south", measuredAt: T0 + 2, values: { o3: 4 } });
    await store.write([one, two, three]);
    expect(await collect(store, { sensorId: "air-1" })).toEqual([one]);
    expect(await collect(store, { district: "south" })).toEqual([two, three]);
    expect(await collect(store, { sensorId: "air-1", district: "south" })).toEqual([]);
    expect(await collect(store, { metrics: ["no2"] })).toEqual([{ ...one, values: { no2: 2 } }, two]);
    expect(await collect(store, { metrics: ["pm25"] })).toEqual([aReading({ values: { pm25: 1 } })]);
    expect(await collect(store, { metrics: ["flow"] })).toEqual([]);
  });

  it("takes what looks like a query for a name that nobody has", async () => {
    const store = current();
    const reading = aReading({ sensorId: "air-1" });
    await store.write([reading]);
    for (const name of INJECTIONS) {
      const range = { kind: "air", sensorId: name, from: T0, to: T0 + 1 } as const;
      expect(await collect(store, { sensorId: name })).toEqual([]);
      expect(await collect(store, { district: name })).toEqual([]);
      expect(await store.aggregate({ ...range, everyMs: 1_000 })).toEqual([]);
      expect(await store.find("air", [{ sensorId: name, measuredAt: T0 }])).toEqual([undefined]);
      expect(await store.count({ sensorId: name })).toBe(0);
      expect(await store.latest({ sensorId: name })).toEqual([]);
    }
    expect(await collect(store)).toEqual([reading]);
  });

  it("aggregates into buckets aligned to the epoch and leaves empty ones out", async () => {
    const store = current();
    const at = (minute: number, values: Reading["values"]) => aReading({ measuredAt: T0 + minute * 60_000, values });
    await store.write([
      at(-1, { pm25: 99 }),
      at(1, { pm25: 10 }),
      at(2, { pm25: -4, no2: 7 }),
      at(4.999, { pm25: 3 }),
      at(15, { no2: 5 }),
      at(20, { pm25: 99 }),
      aReading({ sensorId: "air-2", measuredAt: T0 + 60_000, values: { pm25: 500 } }),
    ]);
    const range = { kind: "air", sensorId: "air-1", from: T0 + 60_000, to: T0 + 20 * 60_000 } as const;
    const no2 = (value: number) => ({ mean: value, min: value, max: value, count: 1 });
    expect(await store.aggregate({ ...range, everyMs: 300_000 })).toEqual([
      { start: T0, values: { pm25: { mean: 3, min: -4, max: 10, count: 3 }, no2: no2(7) } },
      { start: T0 + 900_000, values: { no2: no2(5) } },
    ]);
    expect(await store.aggregate({ ...range, everyMs: 300_000, metrics: ["pm25"] })).toEqual([
      { start: T0, values: { pm25: { mean: 3, min: -4, max: 10, count: 3 } } },
    ]);
    // 7 minutes do not divide the hour: the start says that buckets count from the epoch, not from the range.
    const odd = await store.aggregate({ ...range, everyMs: 420_000, metrics: ["no2"] });
    expect(odd.map((bucket) => bucket.start)).toEqual([2, 15].map((minute) => align(T0 + minute * 60_000, 420_000)));
  });

  it("leaves suspect values out of what it sums up, of readings and of rollups, and keeps them in the readings", async () => {
    const store = current();
    const flagged = aReading({ measuredAt: T0 + 1, values: { pm25: 700, no2: 3 }, quality: { pm25: "suspect" } });
    const alone = aReading({ measuredAt: T0 + 2 * HOUR_MS, values: { pm25: 900 }, quality: { pm25: "suspect" } });
    await store.write([aReading({ values: { pm25: 10 } }), flagged, alone]);
    const one = (value: number) => ({ mean: value, min: value, max: value, count: 1 });
    const expected = { start: T0, values: { pm25: one(10), no2: one(3) } };
    const range = { kind: "air", sensorId: "air-1", from: T0, to: T0 + 3 * HOUR_MS, everyMs: HOUR_MS } as const;
    expect(await store.aggregate(range)).toEqual([expected]);
    expect(await store.aggregate({ ...range, metrics: ["pm25"] })).toEqual([{ start: T0, values: { pm25: one(10) } }]);
    const day = T0 - (T0 % (24 * HOUR_MS));
    const span = { kind: "air", receivedDay: day, from: day, to: day + 24 * HOUR_MS } as const;
    await store.rollups.compute({ ...span, resolution: "hourly" });
    expect(await store.rollups.aggregate(range, "hourly")).toEqual([{ ...expected, resolution: "hourly" }]);
    expect(await collect(store, { metrics: ["pm25"] })).toHaveLength(3);
    expect(await collect(store, { from: T0 + 1, to: T0 + 2 })).toEqual([flagged]);
  });

  it.runIf(!server.sharesOurMemory)(
    "streams 100,000 readings in flat memory and chunks of at most 5,000, while others write and read",
    { tags: ["long"] },
    async () => {
      const store = current();
      const [batches, size] = [20, 5_000];
      for (let batch = 0; batch < batches; batch += 1) await store.write(manyReadings(batch * size, size));
      let [seen, heapAtFirst, last] = [0, 0, 0];
      let growth = 0;
      const busy: Promise<unknown>[] = [];
      for await (const chunk of store.stream({ kind: "air", from: T0 - HOUR_MS, to: T0 + 24 * HOUR_MS })) {
        expect(chunk.length).toBeLessThanOrEqual(5_000);
        const times = chunk.map((reading) => reading.measuredAt);
        expect(times.every((time, n) => time >= (n === 0 ? last : times[n - 1]!))).toBe(true);
        last = times.at(-1)!;
        if (seen === 0) {
          heapAtFirst = usedBytes();
          busy.push(store.write(manyReadings(500_000, 500)), store.find("air", chunk.slice(0, 10)), store.count());
        }
        seen += chunk.length;
        growth = Math.max(growth, usedBytes() - heapAtFirst);
      }
      await Promise.all(busy);
      expect(seen).toBeGreaterThanOrEqual(batches * size);
      expect(growth / MIB).toBeLessThan(16);
    },
  );

  it("lets writes, streams, finds and aggregates run at the same time", async () => {
    const store = current();
    await store.write(manyReadings(0, 1_000));
    const range = { kind: "air", sensorId: "s-7", from: T0, to: T0 + HOUR_MS, everyMs: 60_000 } as const;
    const work = Array.from({ length: 12 }, (_, n) => [
      store.write(manyReadings(1_000 * (n + 1), 1_000)),
      collect(store).then((readings) => expect(readings.length).toBeGreaterThanOrEqual(1_000)),
      store.find("air", manyReadings(0, 50)).then((found) => expect(found.every(Boolean)).toBe(true)),
      store.aggregate(range).then((buckets) => expect(buckets.length).toBeGreaterThan(0)),
      store.latest(),
    ]);
    await Promise.all(work.flat());
    expect(await store.count()).toBe(13_000);
    expect(await collect(store)).toHaveLength(13_000);
  });

  it("lets a reader leave a stream early", async () => {
    const store = current();
    await store.write(manyReadings(0, 12_000));
    for (let round = 0; round < 12; round += 1) {
      for await (const chunk of store.stream({ kind: "air", from: T0, to: T0 + HOUR_MS })) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    }
    expect(await store.count()).toBe(12_000);
  });

  it("ends what nobody waits for any more, with the reason, and goes on with the rest", async () => {
    const store = current();
    await store.write(manyReadings(0, 12_000));
    const range = { kind: "air", sensorId: "s-7", from: T0, to: T0 + HOUR_MS, everyMs: 60_000 } as const;
    const gone = new Error("gone");
    const leaving = new AbortController();
    const { signal } = leaving;
    const chunks = store.stream({ ...range, signal })[Symbol.asyncIterator]();
    expect((await chunks.next()).done).toBe(false);
    const abandoned = Array.from({ length: 30 }, () => store.aggregate({ ...range, signal }));
    const kept = store.aggregate(range);
    leaving.abort(gone);
    const ends = await Promise.allSettled(abandoned);
    expect(ends.filter((end) => end.status === "rejected").length).toBeGreaterThan(0);
    for (const end of ends) if (end.status === "rejected") expect(end.reason).toBe(gone);
    expect((await kept).length).toBeGreaterThan(0);
    await expect(store.aggregate({ ...range, signal })).rejects.toBe(gone);
    await expect(store.rollups.aggregate({ ...range, signal }, "hourly")).rejects.toBe(gone);
    await expect(collect(store, { signal })).rejects.toBe(gone);
    await expect(Array.fromAsync(store.scan({ kinds: ["air"], from: T0, to: T0 + 1, signal }))).rejects.toBe(gone);
    await chunks.return?.();
  });
}

const align = (time: number, everyMs: number) => time - (time % everyMs);

/** Readings `first` … of 100 sensors, 10 ms apart. */
function manyReadings(first: number, count: number): Reading[] {
  return Array.from({ length: count }, (_, index) => {
    const n = first + index;
    return aReading({ sensorId: `s-${n % 100}`, measuredAt: T0 + n * 10, values: { pm25: n % 50 }, journalSeq: n + 1 });
  });
}

setFlagsFromString("--expose_gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What the process holds in JavaScript after a collection. */
function usedBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
