import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { openDatabase } from "../../store/duckdb/instance.ts";
import { packSlices } from "../../store/duckdb/ranges.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import { createLatestReadings } from "../../store/latest-readings.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";

const HOUR_MS = 3_600_000;

const SETTINGS = { memoryLimit: "1GB", threads: 2, checkpointThreshold: "16MB", log: SILENT };
const ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b";

describe("a query that nobody waits for", () => {
  it("is interrupted, whatever it does, and its connection does the next", async () => {
    const dir = await mkdtemp(join(tmpdir(), "lamppost-duckdb-"));
    const path = join(dir, "a.duckdb");
    const database = await openDatabase({ path, ...SETTINGS }, 1);
    const leaving = new AbortController();
    const { writer } = database;
    const abandoned = writer.use((connection) => connection.run(ENDLESS), leaving.signal);
    const waiting = writer.use((connection) => connection.run(ENDLESS), leaving.signal);
    const kept = writer.use(async (connection) => (await connection.run("SELECT 42")).getRows());
    setTimeout(() => leaving.abort(new Error("gone")), 100);
    await expect(abandoned).rejects.toThrow("gone");
    await expect(waiting).rejects.toThrow("gone");
    expect(await kept).toEqual([[42]]);
    await database.close();
    await rm(dir, { recursive: true });
  });
});

describe("the readers of the file", () => {
  it("are as many as LAMPPOST_QUERIES_MAX lets people ask, and one more: the service waits behind nobody", async () => {
    const dir = await mkdtemp(join(tmpdir(), "lamppost-duckdb-"));
    // Each that runs holds a thread of the pool, of which a test has four.
    const queriesMax = 3;
    const database = await openDatabase({ path: join(dir, "a.duckdb"), ...SETTINGS }, queriesMax + 1);
    const leaving = new AbortController();
    const asked = Array.from({ length: queriesMax }, () =>
      database.reader().use((connection) => connection.run(ENDLESS), leaving.signal),
    );
    const own = database.reader();
    expect(own.waiting()).toBe(0);
    expect(await own.use(async (connection) => (await connection.run("SELECT 42")).getRows())).toEqual([[42]]);
    leaving.abort(new Error("gone"));
    for (const one of asked) await expect(one).rejects.toThrow("gone");
    await database.close();
    await rm(dir, { recursive: true });
  });
});

describe("slices of a stream", () => {
  it("join quiet hours and cut busy ones", () => {
    expect(
      packSlices([
        [0, 150_000],
        [HOUR_MS, 50_000],
        [9 * HOUR_MS, 1],
        [10 * HOUR_MS, 400_001],
      ]),
    ).toEqual([
      { from: 0, to: 2 * HOUR_MS },
      { from: 9 * HOUR_MS, to: 10 * HOUR_MS },
      { from: 10 * HOUR_MS, to: 10 * HOUR_MS + 1_200_000 },
      { from: 10 * HOUR_MS + 1_200_000, to: 10 * HOUR_MS + 2_400_000 },
      { from: 10 * HOUR_MS + 2_400_000, to: 11 * HOUR_MS },
    ]);
  });

  it("cover every hour once, in order, without overlap", () => {
    const hours = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 30 });
    fc.assert(
      fc.property(hours, fc.infiniteStream(fc.integer({ min: 1, max: 900_000 })), (starts, rows) => {
        const counted = starts.sort((a, b) => a - b).map((hour) => [hour * HOUR_MS, rows.next().value!] as const);
        const slices = packSlices(counted);
        slices.forEach((slice, n) => {
          expect(slice.from).toBeLessThan(slice.to);
          if (n > 0) expect(slice.from).toBeGreaterThanOrEqual(slices[n - 1]!.to);
        });
        for (const [start] of counted) {
          const covered = slices
            .map(({ from, to }) => Math.max(0, Math.min(to, start + HOUR_MS) - Math.max(from, start)))
            .reduce((sum, ms) => sum + ms, 0);
          expect(covered).toBe(HOUR_MS);
        }
      }),
    );
  });

  it("give every reading once, also before 1970 and above the rows of one slice", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lamppost-slices-"));
    const store = await openDuckDbStore({ path: join(folder, "readings.duckdb"), log: SILENT });
    const early = [-HOUR_MS - 1, -HOUR_MS, -1, 0, 1].map((measuredAt) => aReading({ measuredAt }));
    const busy = Array.from({ length: 250_000 }, (_, n) => aReading({ measuredAt: T0 + n * 10, journalSeq: n }));
    await store.write([...busy, ...early]);
    const all = await collect(store, { from: Number.NEGATIVE_INFINITY });
    expect(all.map((reading) => reading.measuredAt)).toEqual([...early, ...busy].map((reading) => reading.measuredAt));
    const range = { kind: "air", sensorId: "air-1", from: -HOUR_MS - 1, to: 2 } as const;
    const buckets = await store.aggregate({ ...range, everyMs: HOUR_MS });
    expect(buckets.map(({ start, values }) => [start, values.pm25?.count])).toEqual([
      [-2 * HOUR_MS, 1],
      [-HOUR_MS, 2],
      [0, 2],
    ]);
    await store.close();
    await rm(folder, { recursive: true });
  });
});

describe("appending by the chunk", () => {
  it("leaves nothing of one batch in the next", async () => {
    const place = await mkdtemp(join(tmpdir(), "lamppost-duckdb-"));
    const store = await openDuckDbStore({ path: join(place, "readings.duckdb"), log: SILENT });
    const metrics = METRICS_OF.air;
    const batches = [5_000, 2_048, 4_097].map((rows, batch) =>
      Array.from({ length: rows }, (_, n) =>
        aReading({
          sensorId: `air-${n % 7}`,
          measuredAt: T0 + batch * 10_000 + n,
          journalSeq: batch * 10_000 + n,
          values: { [metrics[(n * 3 + batch) % metrics.length]!]: n / 8, [metrics[(n + batch) % metrics.length]!]: -n },
          ...(n % 5 === batch ? { quality: { pm25: "suspect" as const } } : {}),
          ...(n % 4 === batch ? { imported: true } : {}),
        }),
      ),
    );
    for (const batch of batches) await store.write(batch);
    expect(await collect(store)).toEqual(batches.flat());
    await store.close();
    await rm(place, { recursive: true });
  });
});

describe("retention", () => {
  it("keeps history that was imported a short while ago", async () => {
    const place = await mkdtemp(join(tmpdir(), "lamppost-duckdb-"));
    const store = await openDuckDbStore({ path: join(place, "readings.duckdb"), log: SILENT });
    const history = aReading({ measuredAt: T0 - 1_000, receivedAt: T0 + 1_000, imported: true });
    await store.write([history, aReading({ sensorId: "air-2", measuredAt: T0 - 1_000, receivedAt: T0 - 900 })]);
    expect(await store.deleteBefore("air", T0)).toBe(1);
    expect(await store.latest()).toEqual([history]);
    expect(await store.deleteBefore("air", T0 + 2_000)).toBe(1);
    await store.close();
    await rm(place, { recursive: true });
  });
});

describe("latest readings", () => {
  const ofNewest = (newest: () => Promise<Reading[]>) =>
    createLatestReadings({ newest, lastTimes: async () => [], find: async () => [] });
  it("join what was stored and what was written while loading", async () => {
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof aReading>[]>();
    const latest = ofNewest(() => promise);
    const asked = latest.newest();
    latest.note([aReading({ measuredAt: T0 + 5 }), aReading({ sensorId: "air-2", measuredAt: T0 })]);
    resolve([aReading({ measuredAt: T0 }), aReading({ sensorId: "air-2", measuredAt: T0 + 9 })]);
    expect(await asked).toEqual(new Map(Object.entries({ "air-1": T0 + 5, "air-2": T0 + 9 })));
  });

  it("load again after a failure", async () => {
    let loads = 0;
    const latest = ofNewest(async () => {
      loads += 1;
      if (loads === 1) throw new Error("away");
      return [aReading()];
    });
    await expect(latest.newest()).rejects.toThrow("away");
    expect(await latest.latest()).toEqual([aReading()]);
    await latest.newest();
    expect(loads).toBe(2);
  });
});
