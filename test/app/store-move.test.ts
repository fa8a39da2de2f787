/** @module-tag long */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Config, loadConfig } from "../../app/config.ts";
import { moveStore } from "../../app/store-move.ts";
import { openReadingStore, rowsBooked } from "../../app/store-start.ts";
import { createTouchedHours } from "../../ingest/books.ts";
import { SILENT } from "../../model/log.ts";
import type { Reading } from "../../model/reading.ts";
import { dateOf } from "../../model/time.ts";
import { openDuckDbStore } from "../../store/duckdb/store.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { withRollups } from "../../store/resolutions.ts";
import { startStorageLimits } from "../../store/retention.ts";
import { aBackground } from "../helpers/background.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { type FaultyProxy, startProxy } from "../helpers/proxy.ts";
import { aReading } from "../helpers/readings.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.now();
const TODAY = NOW - (NOW % DAY_MS);
const SENSORS = ["air-1", "air-2"];
const RAW_DAYS = 90;

/** Days that are over for readings, the last of them with some received on the day after, days that are not, and history. */
function readings(): Reading[] {
  const found: Reading[] = [];
  const add = (measuredAt: number, receivedAt: number) => {
    for (const [n, sensorId] of SENSORS.entries()) {
      const pm25 = ((measuredAt / MINUTE_MS) * 7919 + n * 13) % 499;
      const values = measuredAt % HOUR_MS === 0 ? { pm25, no2: pm25 / 3 } : { pm25 };
      found.push(aReading({ sensorId, measuredAt, receivedAt, journalSeq: found.length + 1, values }));
    }
  };
  for (const day of [-120, -92, -91, -2, -1]) {
    for (let at = TODAY + day * DAY_MS; at < TODAY + (day + 1) * DAY_MS; at += 20 * MINUTE_MS) {
      const isLate = at % HOUR_MS === 40 * MINUTE_MS;
      add(at, isLate ? at + 12 * HOUR_MS : at + 1_000);
    }
  }
  // Received long ago, like what is removed, and lately: that stays.
  for (const received of [-110, -3])
    for (let h = 0; h < 30; h += 1) add(TODAY - 400 * DAY_MS + h * HOUR_MS + received, TODAY + received * DAY_MS);
  for (let h = 0; h < 24; h += 1) add(TODAY - 92 * DAY_MS + h * HOUR_MS + 5 * MINUTE_MS, TODAY - 3 * DAY_MS);
  return found;
}

const limitsOf = (store: ReadingStore, records: Records) =>
  startStorageLimits({
    store,
    records,
    rawDays: RAW_DAYS,
    hourlyDays: 730,
    dailyDays: 0,
    held: () => false,
    background: aBackground(),
    now: () => NOW,
    uptime: () => NOW,
    log: SILENT,
  });

const recordsIn = (dir: string) => openRecords({ path: join(dir, "records.db"), now: () => NOW, log: SILENT });

const openAs = (config: Config, records: Records): Promise<ReadingStore> =>
  config.store.kind === "duckdb"
    ? openDuckDbStore({ path: join(config.dataDir, "readings.duckdb"), log: SILENT })
    : openReadingStore(config.store, records, SILENT);

describe.runIf(needs("influxd"))("lamppost store move takes what is left of readings past their time", () => {
  let influx: InfluxServer;
  let proxy: FaultyProxy;
  beforeAll(async () => {
    influx = await startInfluxd();
    proxy = await startProxy(influx.url);
  });
  afterAll(async () => {
    await proxy.stop();
    await influx.stop();
  });

  /** What somebody sees who asks for it, when the service has run there for a while. */
  async function look(config: Config): Promise<unknown> {
    const records = recordsIn(config.dataDir);
    const store = await openAs(config, records);
    const limits = limitsOf(store, records);
    await limits.retention.run();
    await limits.rollups.run();
    expect(await store.count()).toBe(rowsBooked(records));
    const view = withRollups(store, records.rollups, () => NOW);
    const range = { kind: "air", from: TODAY - 500 * DAY_MS, to: TODAY } as const;
    const seen: unknown[] = [];
    for (const sensorId of SENSORS) {
      for (const everyMs of [HOUR_MS, DAY_MS]) {
        for (const { start, values } of await view.aggregate({ ...range, sensorId, everyMs })) {
          const rounded = Object.entries(values).map(([metric, { mean, min, max, count }]) => {
            return [metric, mean.toFixed(6), min, max, count];
          });
          seen.push([sensorId, everyMs / HOUR_MS, new Date(start).toISOString(), rounded]);
        }
      }
    }
    await limits.stop();
    await store.close();
    records.close();
    return seen;
  }

  async function aFolder(): Promise<{ dir: string; config: Config }> {
    const dir = mkdtempSync(join(tmpdir(), "lamppost-move-"));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const config = loadConfig({ LAMPPOST_DATA_DIR: dir });
    const records = recordsIn(dir);
    const store = await openAs(config, records);
    const all = readings();
    await store.write(all);
    const touched = createTouchedHours();
    for (const reading of all) touched.note(reading);
    records.transaction(() => {
      records.rollups.touch(touched.parts());
      for (const { sensorId, receivedAt } of all) {
        const row = { day: dateOf(receivedAt), sensorId, count: 1 };
        records.ledger.add([
          { ...row, outcome: "received" },
          { ...row, outcome: "stored" },
        ]);
      }
      records.offsets.set("store", all.length + 1);
      records.storeState.set("place", "duckdb readings.duckdb");
    });
    const limits = limitsOf(store, records);
    await limits.retention.run();
    expect(records.rollups.cut("air", "raw")).toEqual({ at: TODAY - RAW_DAYS * DAY_MS, pending: false });
    expect(await store.count()).toBeLessThan(all.length);
    await limits.stop();
    await store.close();
    records.close();
    return { dir, config };
  }

  const move = (config: Config, from?: Config) =>
    moveStore({ config, ...(from && { from: from.store }), onProgress: () => {}, now: () => NOW, log: SILENT });

  it("from DuckDB to InfluxDB, broken off and gone on with, and back: every hour and day is as it was", async () => {
    const { dir, config } = await aFolder();
    const before = await look(config);
    expect(JSON.stringify(before)).toContain(new Date(TODAY - 120 * DAY_MS).toISOString());
    const there = loadConfig({
      LAMPPOST_DATA_DIR: dir,
      LAMPPOST_STORE: "influxdb",
      INFLUX_URL: proxy.url,
      INFLUX_DATABASE: "past",
    });
    const written = (measurement: string) => proxy.seen.filter((text) => text.includes(` ${measurement},`)).length;
    proxy.rules = [{ on: / air_daily,/, does: { status: 403 } }];
    await expect(move(there)).rejects.toThrow(/403/);
    expect(written("air_hourly")).toBeGreaterThan(0);
    proxy.rules = [];
    proxy.seen.length = 0;
    await move(there);
    expect([written("air_hourly"), written("air")]).toEqual([0, 0]);
    expect(written("air_daily")).toBeGreaterThan(0);
    expect(await look(there)).toEqual(before);
    await move(config, there);
    expect(await look(config)).toEqual(before);
  });
});
