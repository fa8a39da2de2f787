import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { aBatch, at, aWriter, memoryRecords, T0 } from "./helpers.ts";

/** A real 1.x server keeps the good lines of a batch it refuses; what it does not take must be found all the same. */
describe.runIf(needs("influxd"))("readings that InfluxDB 1.x refuses", () => {
  let influx: InfluxServer;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx.stop());

  async function setUp(database: string, retention: string) {
    const say = (q: string) => fetch(`${influx.url}/query?${new URLSearchParams({ q })}`, { method: "POST" });
    await say(`CREATE DATABASE "${database}" WITH ${retention} NAME "raw"`);
    const store = await openInfluxStore({ url: influx.url, flavour: { database }, timeoutMs: 5_000, log: SILENT });
    let writes = 0;
    const counted = {
      ...store,
      write(readings: Parameters<typeof store.write>[0]) {
        writes += 1;
        return store.write(readings);
      },
    };
    const records = memoryRecords();
    const writer = aWriter(counted as never, records, { options: { writeReadingsMax: 5_000 } });
    return { store, records, writer, writes: () => writes };
  }

  const first = T0 - 3_600_000;

  it("one of another type among 5,000: 4,999 stored, one in quarantine with the server's words, few requests", async () => {
    const { store, records, writer, writes } = await setUp("types", "DURATION INF");
    // Somebody else has made a text of a field of ours.
    const lines = `air,sensorId=x,district=y o3="much" ${first}`;
    const answer = await fetch(`${influx.url}/write?db=types&precision=ms`, { method: "POST", body: lines });
    expect(answer.status).toBe(204);
    const payloads = Array.from({ length: 5_000 }, (_, i) => ({
      ...at(i / 1_000, 5),
      ...(i === 3_210 ? { o3: 40 } : {}),
    }));
    await writer.take(aBatch(payloads));
    expect(records.kept.quarantine.map(({ journalSeq, reason }) => [journalSeq, reason])).toEqual([
      [3_211, "store_refused"],
    ]);
    expect(records.kept.quarantine[0]!.detail).toMatch(/InfluxDB answered 400: .*field type conflict.*"o3"/);
    expect(Object.fromEntries(records.totals())).toEqual({ received: 5_000, stored: 4_999, store_refused: 1 });
    expect(await store.count({ sensorId: "air-1" })).toBe(4_999);
    expect(writes()).toBeLessThanOrEqual(27);
    await store.close();
  });

  it("thousands beyond its retention: the others stored, exactly those in quarantine, in a bounded number of requests", async () => {
    const { store, records, writer, writes } = await setUp("short", "DURATION 1h SHARD DURATION 1h");
    const now = Date.now();
    // Received now, every third of them measured two days ago.
    const payloads = Array.from({ length: 6_000 }, (_, i) => ({
      measuredAt: now - i - (i % 3 === 0 ? 2 * 86_400_000 : 0),
      pm25: 5,
    }));
    await writer.take(aBatch(payloads, 1, { receivedAt: now }));
    expect(Object.fromEntries(records.totals())).toEqual({ received: 6_000, stored: 4_000, store_refused: 2_000 });
    expect(records.kept.quarantine.every(({ journalSeq }) => (journalSeq - 1) % 3 === 0)).toBe(true);
    expect(records.kept.quarantine[0]!.detail).toContain("beyond retention policy");
    expect(await store.count()).toBe(4_000);
    expect(writes()).toBeLessThanOrEqual(516);
    await store.close();
  });
});
