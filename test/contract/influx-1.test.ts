import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import type { ReadingStore, StoreError } from "../../store/reading-store.ts";
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
    const open = () =>
      openInfluxStore({ url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 10_000, log: SILENT });
    const params = new URLSearchParams({ db: flavour.database, precision: "ms" });
    async function writeForeign(lines: readonly string[]): Promise<void> {
      const answer = await fetch(`${server.url}/write?${params}`, { method: "POST", body: lines.join("\n") });
      expect([answer.status, await answer.text()]).toEqual([204, ""]);
    }
    async function countForeign(): Promise<number> {
      const form = new URLSearchParams({ db: flavour.database, q: 'SELECT count("foreign") FROM /.*/' });
      const answer = await (await fetch(`${server.url}/query`, { method: "POST", body: form })).json();
      const { results } = answer as { results: { series?: { values: [number, number][] }[] }[] };
      return (results[0]!.series ?? []).reduce((sum, { values }) => sum + values[0]![1], 0);
    }
    const remove = () => runQuery(`DROP DATABASE "city ${databases} \\"quoted\\""`);
    return { open, remove, writeForeign, countForeign };
  }

  async function runQuery(q: string): Promise<void> {
    const answer = await fetch(`${server.url}/query`, { method: "POST", body: new URLSearchParams({ q }) });
    expect(await answer.text()).not.toContain("error");
  }

  async function withStore(
    work: (store: ReadingStore, place: Awaited<ReturnType<typeof influxPlace>>) => Promise<void>,
  ): Promise<void> {
    const place = await influxPlace();
    const store = await place.open();
    await work(store, place);
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

  it("names the metric that somebody else has made an integer or a text of, and takes the rest without it", () =>
    withStore(async (store, place) => {
      await place.writeForeign([`air,sensorId=x pm25=7i,foreign=1 ${T0}`, `air,sensorId=x o3="much",foreign=1 ${T0}`]);
      const reading = aReading({ values: { pm25: 1, o3: 2, no2: 3 }, quality: { no2: "suspect" } });
      const refused = { kind: "misconfigured", reason: "field_type" };
      const first = await store.write([reading]).catch((error: StoreError) => error);
      expect(first).toMatchObject(refused);
      const { metrics } = first as StoreError;
      expect(metrics).toHaveLength(1);
      const second = await store.write([reading], { without: new Set(metrics) }).catch((error: StoreError) => error);
      expect(second).toMatchObject(refused);
      const without = new Set([...metrics, ...(second as StoreError).metrics]);
      expect(without).toEqual(new Set(["air.pm25", "air.o3"]));
      await store.write([reading], { without });
      expect(await collect(store)).toEqual([{ ...reading, values: { no2: 3 } }]);
    }));

  it("says so when the database is gone, and makes it again for the next call", async () => {
    const place = await influxPlace();
    const store = await place.open();
    await place.remove();
    await expect(store.write([aReading()])).rejects.toMatchObject({
      kind: "misconfigured",
      reason: "database_missing",
    });
    await store.write([aReading()]);
    expect(await collect(store)).toEqual([aReading()]);
    await place.remove();
    await expect(collect(store)).rejects.toMatchObject({ kind: "misconfigured", reason: "database_missing" });
    await store.ping();
    await store.close();
    await place.remove();
  });
});
