import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { aBatch, aWriter, memoryRecords } from "./helpers.ts";

/** A real 1.x server keeps the good lines of a batch it refuses; what it does not take must be found all the same. */
describe.runIf(needs("influxd"))("readings that InfluxDB 1.x refuses", () => {
  let influx: InfluxServer;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx.stop());

  async function setUp(database: string, retention: string) {
    const say = (q: string) => fetch(`${influx.url}/query?${new URLSearchParams({ q })}`, { method: "POST" });
    // The headers come first, the answer when it is done.
    await (await say(`CREATE DATABASE "${database}" WITH ${retention} NAME "raw"`)).text();
    const store = await openInfluxStore({
      url: influx.url,
      flavour: { database },
      installation: "1a2b3c4d",
      timeoutMs: 60_000,
      log: SILENT,
    });
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
    expect(records.kept.quarantine[0]!.detail).toMatch(/beyond retention policy.*give it a longer retention/);
    expect(await store.count()).toBe(4_000);
    expect(writes()).toBeLessThanOrEqual(516);
    await store.close();
  });
});
