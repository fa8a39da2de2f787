import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import type { ReadingStore } from "../../store/reading-store.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { aReading, collect, T0 } from "../helpers/readings.ts";
import { readingStoreContract } from "./reading-store.ts";

describe.runIf(needs("influxd"))("InfluxDB 1.x", () => {
  let server: InfluxServer;
  let databases = 0;
  beforeAll(async () => {
    server = await startInfluxd();
  });
  afterAll(() => server.stop());

  async function influxPlace() {
    databases += 1;
    const flavour = { database: `city ${databases} "quoted"`, username: "anyone", password: "ignored:without auth" };
    const open = () => openInfluxStore({ url: server.url, flavour, timeoutMs: 10_000, log: SILENT });
    return { open, remove: () => runQuery(`DROP DATABASE "city ${databases} \\"quoted\\""`) };
  }

  async function runQuery(q: string): Promise<void> {
    const answer = await fetch(`${server.url}/query`, { method: "POST", body: new URLSearchParams({ q }) });
    expect(await answer.text()).not.toContain("error");
  }

  async function withStore(work: (store: ReadingStore) => Promise<void>): Promise<void> {
    const place = await influxPlace();
    const store = await place.open();
    await work(store);
    await store.close();
    await place.remove();
  }

  readingStoreContract("InfluxDB 1.6", influxPlace);

  it("changes nothing when the very same readings are written again", () =>
    withStore(async (store) => {
      const batch = [aReading(), aReading({ sensorId: "air-2" })];
      await store.write(batch);
      await store.write(batch);
      expect(await store.count()).toBe(2);
      expect(await collect(store)).toHaveLength(2);
    }));

  it("writes 12,000 readings in one call", () =>
    withStore(async (store) => {
      await store.write(Array.from({ length: 12_000 }, (_, n) => aReading({ measuredAt: T0 + n, journalSeq: n })));
      expect(await store.count({ sensorId: "air-1" })).toBe(12_000);
    }));

  it("says in the server's words why a batch is refused, and keeps its good lines", () =>
    withStore(async (store) => {
      const beforeTheServersTime = aReading({ measuredAt: -9_300_000_000_000, sensorId: "air-2" });
      await expect(store.write([aReading(), beforeTheServersTime])).rejects.toMatchObject({
        name: "StoreError",
        kind: "refused",
        message: expect.stringContaining("outside"),
      });
      expect(await store.find("air", [aReading()])).toEqual([aReading()]);
    }));

  it("holds when the database is gone", async () => {
    const place = await influxPlace();
    const store = await place.open();
    await place.remove();
    await expect(store.write([aReading()])).rejects.toMatchObject({ kind: "misconfigured" });
    await expect(store.ping()).rejects.toMatchObject({ kind: "misconfigured" });
    await expect(collect(store)).rejects.toMatchObject({ kind: "misconfigured" });
  });
});
