/** @module-tag long */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { FROM_RECEIPTS, type MigrationStep } from "../../store/influx/migration.ts";
import { type InfluxStore, openInfluxStore } from "../../store/influx/store.ts";
import type { StoreError } from "../../store/reading-store.ts";
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
      openInfluxStore({ url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT });
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
    return { open, remove, writeForeign, countForeign, params };
  }

  async function runQuery(q: string): Promise<void> {
    const answer = await fetch(`${server.url}/query`, { method: "POST", body: new URLSearchParams({ q }) });
    expect(await answer.text()).not.toContain("error");
  }

  async function withStore(
    work: (store: InfluxStore, place: Awaited<ReturnType<typeof influxPlace>>) => Promise<void>,
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

  it("reads its own texts although others have numbers of that name, in another shard", () =>
    withStore(async (store, place) => {
      const readings = (["air", "traffic", "energy"] as const).map((kind) =>
        aReading({ kind, sensorId: `${kind}-1`, values: { battery: 80 }, quality: { battery: "suspect" } }),
      );
      await store.write(readings);
      await store.sentinel!.write({ life: "mine", booked: 7 });
      const wide = { from: T0 - 60 * 86_400_000, to: T0 + 86_400_000 };
      const hour = {
        kind: "air",
        resolution: "hourly",
        receivedDay: T0 - (T0 % 86_400_000),
        from: T0,
        to: T0 + 1,
      } as const;
      await store.rollups.compute(hour);
      const answers = async () => {
        const fresh = await place.open();
        const all = [
          await fresh.count(),
          await fresh.countBySensor({ seqBefore: 5 }),
          await fresh.countBySensor({ past: { kind: "air", time: T0 + 1 } }),
          await fresh.countByDay("air", wide.from, wide.to),
          await fresh.latest(),
          await collect(fresh, wide),
          await fresh.find("traffic", [readings[1]!]),
          await fresh.rollups.parts("air"),
          await fresh.sentinel!.read(),
        ];
        await fresh.close();
        return all;
      };
      const before = await answers();
      expect(before[0]).toBe(3);
      const month = T0 - 30 * 86_400_000;
      await place.writeForeign([
        `air,who=other receipt=5i,battery=7i,foreign=1 ${month}`,
        `traffic,who=other receipt=true,foreign=1 ${month}`,
        `energy,who=other receipt=5,battery_suspect="x",foreign=1 ${month}`,
        `lamppost_mark,who=other life=3i,booked="x",foreign=1 ${month}`,
        `lamppost_probe,who=other value=9i,foreign=1 ${month}`,
      ]);
      expect(await answers()).toEqual(before);
    }));

  it("leaves out of rollups the one metric that others have given another type there, and nothing else", () =>
    withStore(async (store, place) => {
      await store.write([aReading({ values: { pm25: 1, no2: 2 } })]);
      const { params } = place;
      const lines = [
        `air_hourly,who=other pm25Sum=7i,foreign=1 ${T0}`,
        `air_daily,who=other no2Max="x",foreign=1 ${T0}`,
      ];
      const day = T0 - (T0 % 86_400_000);
      const compute = async (resolution: "hourly" | "daily") =>
        store.rollups.compute({ kind: "air", resolution, receivedDay: day, from: day, to: day + 86_400_000 });
      params.set("db", `${params.get("db")}_rollups`);
      await compute("daily");
      await place.writeForeign(lines);
      await compute("hourly");
      await compute("daily");
      const range = { kind: "air", sensorId: "air-1", from: day, to: day + 86_400_000, everyMs: 86_400_000 } as const;
      const values = async (resolution: "hourly" | "daily") =>
        (await store.rollups.aggregate(range, resolution)).map((one) => Object.keys(one.values));
      expect([await values("hourly"), await values("daily")]).toEqual([[["no2"]], []]);
    }));

  it("takes over what was written when bookkeeping had no id in its name; once, and nobody else's", () =>
    withStore(async (store, place) => {
      const receipt = (seq: number, rest = "") => `receipt="${String(seq).padStart(16, "0")} ${T0 + 250}${rest}"`;
      const tags = "district=north,installation=1a2b3c4d,sensorId=air-1";
      const old = T0 - 2 * 86_400_000;
      await place.writeForeign([
        `air,${tags} pm25=10,no2=2,${receipt(7)} ${T0}`,
        `air,${tags} pm25_suspect=700,${receipt(8, " imported")} ${T0 + 1}`,
        `air,${tags.replace("1a2b3c4d", "1a2b3c4d.20261121")} pm25=3,${receipt(9)} ${old}`,
        `air,${tags.replace("1a2b3c4d", "ffffffff")} pm25=98,${receipt(1)} ${T0 + 5}`,
        `air,who=other receipt=5i,foreign=1 ${T0 - 30 * 86_400_000}`,
      ]);
      // Written since with a number of its own: what was there under the former name is out of date.
      await store.write([aReading({ journalSeq: 0, values: { pm25: 10, no2: 2 }, receivedAt: T0 + 250 })]);
      const steps: MigrationStep[] = [FROM_RECEIPTS];
      const { signal } = new AbortController();
      for (const at of steps.slice()) {
        const counts = await store.migrate({ at, save: (step) => void steps.push(step) }, signal);
        expect(counts).toEqual({ copied: 2, refused: 0 });
      }
      const expected = [
        aReading({ measuredAt: old, receivedAt: T0 + 250, journalSeq: 9, values: { pm25: 3 } }),
        aReading({ journalSeq: 0, receivedAt: T0 + 250, values: { pm25: 10, no2: 2 } }),
        aReading({
          measuredAt: T0 + 1,
          receivedAt: T0 + 250,
          journalSeq: 8,
          imported: true,
          values: { pm25: 700 },
          quality: { pm25: "suspect" },
        }),
      ];
      const all = async () => [await collect(store, { from: old, to: T0 + 10 }), await store.count()];
      expect(await all()).toEqual([expected, 3]);
      for (const at of steps) await store.migrate({ at, save: () => {} }, signal);
      expect(await all()).toEqual([expected, 3]);
    }));

  it("knows the sentinel of an earlier version, until there is one of its own", () =>
    withStore(async (store, place) => {
      const hour = Date.now() - (Date.now() % 3_600_000);
      await place.writeForeign([
        `lamppost_mark,installation=1a2b3c4d life="old",booked=5,foreign=1 ${hour}`,
        `lamppost_mark,installation=ffffffff life="other",booked=6,foreign=1 ${hour}`,
      ]);
      expect(await store.sentinel!.read()).toEqual({ life: "old", booked: 5 });
      await store.sentinel!.write({ life: "new", booked: 7 });
      expect(await store.sentinel!.read()).toEqual({ life: "new", booked: 7 });
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

  it("copies what earlier versions wrote, rollups and all, and nothing of anyone else's; twice is once", () =>
    withStore(async (store, place) => {
      const tags = "district=north,sensorId=air-1";
      const own = `receivedAt=${T0 + 250},journalSeq=`;
      const rollup = "pm25Sum=30,pm25Min=10,pm25Max=20,pm25Count=2";
      await place.writeForeign([
        `air,${tags} pm25=10,no2=2,${own}7 ${T0}`,
        `air,${tags} pm25=700,pm25Suspect=1,${own}8,imported=1 ${T0 + 1}`,
        `traffic,district=south,sensorId=t-1 flow=3,${own}9 ${T0}`,
        `air_hourly,${tags} ${rollup} ${T0}`,
        `air_hourly,${tags} ${rollup} ${T0 + 3}`,
        `air_daily,${tags} ${rollup} ${T0 - (T0 % 86_400_000)}`,
        `air,sensorId=S\\ BAD,district=north pm25=5,${own}1 ${T0 + 2}`,
        `air,${tags} pm25=99 ${T0 + 4}`,
        `air,installation=ffffffff,${tags} pm25=98,${own}1 ${T0 + 5}`,
      ]);
      expect(await store.count()).toBe(0);
      expect(await store.latest()).toEqual([]);
      const steps: MigrationStep[] = [];
      const migration = (at?: MigrationStep) => ({ at, save: (step: MigrationStep) => void steps.push(step) });
      const { signal } = new AbortController();
      expect(await store.migrate(migration(), signal)).toEqual({ copied: 6, refused: 0 });
      const aReadingOf = { receivedAt: T0 + 250 };
      const first = aReading({ ...aReadingOf, values: { pm25: 10, no2: 2 }, journalSeq: 7 });
      const quality = { pm25: "suspect" } as const;
      const flagged = { measuredAt: T0 + 1, values: { pm25: 700 }, quality, journalSeq: 8, imported: true };
      expect(await collect(store)).toEqual([first, aReading({ ...aReadingOf, ...flagged })]);
      expect(await store.latest({ sensorId: "t-1" })).toHaveLength(1);
      const hour = { kind: "air", sensorId: "air-1", from: T0, to: T0 + 3_600_000, everyMs: 3_600_000 } as const;
      const expected = { start: T0, values: { pm25: { mean: 15, min: 10, max: 20, count: 4 } }, resolution: "hourly" };
      expect(await store.rollups.aggregate(hour, "hourly")).toEqual([expected]);
      // Broken off after any step and taken up again, it ends the same.
      for (const step of [undefined, ...steps]) await store.migrate(migration(step), signal);
      expect([await store.count(), await store.rollups.aggregate(hour, "hourly")]).toEqual([3, [expected]]);
    }));
});
