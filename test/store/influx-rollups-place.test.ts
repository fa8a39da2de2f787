import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openInfluxStore } from "../../store/influx/store.ts";
import type { ReadingStore, StoreError } from "../../store/reading-store.ts";
import { startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { aReading, T0 } from "../helpers/readings.ts";
import { type Influx2, startInflux2 } from "../helpers/scripted-influx2.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAY = T0 - (T0 % DAY_MS);
const READINGS = Array.from({ length: 60 }, (_, n) =>
  aReading({ sensorId: `air-${n % 3}`, measuredAt: DAY + n * HOUR_MS, receivedAt: DAY + n * HOUR_MS + 9 }),
);
const KEEP = { raw: 90, hourly: 730, daily: Number.POSITIVE_INFINITY };

/** What a service remembers between its starts. */
function aMemory() {
  let apart = false;
  let losses = 0;
  return {
    isApart: () => apart,
    setApart() {
      apart = true;
    },
    lost() {
      losses += 1;
    },
    losses: () => losses,
  };
}

async function computeAll(store: ReadingStore): Promise<void> {
  for (const receivedDay of [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS])
    for (const resolution of ["hourly", "daily"] as const) {
      const span = { kind: "air", receivedDay, from: receivedDay, to: receivedDay + DAY_MS } as const;
      await store.rollups.compute({ ...span, resolution });
    }
}

async function answers(store: ReadingStore) {
  const range = { kind: "air", from: DAY, to: DAY + 3 * DAY_MS } as const;
  const all = [];
  for (const sensorId of ["air-0", "air-1", "air-2"]) {
    all.push(await store.rollups.aggregate({ ...range, sensorId, everyMs: HOUR_MS }, "hourly"));
    all.push(await store.rollups.aggregate({ ...range, sensorId, everyMs: DAY_MS }, "daily"));
  }
  return all;
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail("this should have failed"),
    (error: StoreError) => error,
  );

describe("the place of rollups on InfluxDB 2.x", () => {
  let server: Influx2;
  let raw: ReturnType<Influx2["addBucket"]>;
  const open: ReadingStore[] = [];
  beforeEach(async () => {
    server = await startInflux2();
    server.addOrg("city");
    raw = server.addBucket("city", "readings");
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
    await server.stop();
  });

  async function openStore(rollups = aMemory()): Promise<ReadingStore> {
    const flavour = { token: "t", org: "city", bucket: "readings" };
    const options = { url: server.url, flavour, installation: "1a2b3c4d", rollups, timeoutMs: 60_000, log: SILENT };
    const store = await openInfluxStore(options);
    open.push(store);
    return store;
  }
  const mayUse = (...buckets: { id: string }[]) => {
    const ids = buckets.map(({ id }) => id);
    server.addToken({ text: "t", org: "city", read: ids, write: ids });
  };
  const rollupsBucket = () => server.buckets.find(({ name }) => name === "readings_rollups")!;
  const foreign = [`air_hourly,sensorId=air-0,district=north pm25Sum=1,pm25Count=1,foreign=1 ${DAY}`];
  async function writeForeign(bucket: string): Promise<void> {
    server.addToken({ text: "stranger", org: "city", operator: true });
    const address = `${server.url}/api/v2/write?${new URLSearchParams({ org: "city", bucket, precision: "ms" })}`;
    const headers = { authorization: "Token stranger" };
    expect((await fetch(address, { method: "POST", headers, body: foreign.join("\n") })).status).toBe(204);
  }

  it("is a bucket of their own, kept for ever, made where the token may", async () => {
    server.addToken({ text: "t", org: "city", operator: true });
    const store = await openStore();
    await store.write(READINGS);
    await computeAll(store);
    expect(rollupsBucket()).toMatchObject({ retentionMs: 0, orgID: raw.orgID });
    expect([server.count(raw, "pm25Sum"), server.count(rollupsBucket(), "pm25Sum")]).toEqual([0, 60 + 3 * 3]);
    expect(store.limits!.known()).toMatchObject({ rollups: { keepsMs: undefined } });
    expect(store.copyCommand!()).toMatch(/--bucket readings influxdb-backup && .*--bucket readings_rollups /);
    const before = await answers(store);
    expect(before.flat().length).toBe(60 + 9);
    expect(await answers(await openStore())).toEqual(before);
    // Removal goes there, and takes what is ours.
    await writeForeign("readings_rollups");
    await store.rollups.deleteBefore("air", "hourly", DAY + 4 * DAY_MS);
    expect([server.count(rollupsBucket(), "pm25Min"), server.count(rollupsBucket(), "foreign")]).toEqual([9, 1]);
  });

  it("is a bucket that somebody made, for a token that may use both and nothing else", async () => {
    mayUse(raw, server.addBucket("city", "readings_rollups"));
    const store = await openStore();
    await store.write(READINGS);
    await computeAll(store);
    expect([server.count(raw, "pm25Sum"), server.count(rollupsBucket(), "pm25Sum")]).toEqual([0, 69]);
    expect(server.requests.filter(({ method, path }) => method === "POST" && path === "/api/v2/buckets")).toEqual([]);
    expect((await store.examine!(KEEP)).findings.find(({ check }) => check === "rollups")).toEqual({
      check: "rollups",
      ok: true,
      found: "in bucket readings_rollups",
    });
  });

  it("is that of the readings where there is no other, and says what that means and how to mend it", async () => {
    mayUse(raw);
    const store = await openStore();
    await store.write(READINGS);
    await computeAll(store);
    expect(server.count(raw, "pm25Sum")).toBe(69);
    expect((await answers(store)).flat()).toHaveLength(69);
    expect(store.limits!.known()!.rollups).toEqual({
      keepsMs: undefined,
      shared: expect.stringContaining('bucket "readings_rollups" not found'),
    });
    expect(store.copyCommand!()).not.toContain("rollups");
    // Looked for once in ten minutes, not with every question.
    const before = server.requests.length;
    await answers(store);
    expect(server.requests.length).toBe(before + 6);
  });

  it("is not a bucket that forgets sooner than that of the readings, or where removal was not shown to work", async () => {
    mayUse(raw, server.addBucket("city", "readings_rollups", 30 * DAY_MS));
    const store = await openStore();
    await store.write(READINGS);
    await computeAll(store);
    expect(server.count(rollupsBucket(), "pm25Sum")).toBe(0);
    expect(store.limits!.known()!.rollups!.shared).toMatch(/shorter time/);
  });

  it("is left for a bucket that appears later: everything moves, read meanwhile where it was, foreign points stay", async () => {
    mayUse(raw);
    const memory = aMemory();
    const store = await openStore(memory);
    await store.write(READINGS);
    await computeAll(store);
    const before = await answers(store);
    await writeForeign("readings");
    mayUse(raw, server.addBucket("city", "readings_rollups"));
    const later = await openStore(memory);
    expect([await answers(later), memory.isApart()]).toEqual([before, false]);
    await later.rollups.compute({ kind: "air", resolution: "hourly", receivedDay: DAY, from: DAY, to: DAY + 1 });
    expect([await answers(later), memory.isApart()]).toEqual([before, true]);
    expect([server.count(raw, "pm25Min"), server.count(raw, "foreign")]).toEqual([0, 1]);
    expect(server.count(rollupsBucket(), "pm25Min")).toBe(69);
  });

  it("goes on moving after every break, overwrites nothing newer, and answers the same all the time", async () => {
    mayUse(raw);
    const memory = aMemory();
    const first = await openStore(memory);
    await first.write(READINGS);
    await computeAll(first);
    const before = await answers(first);
    const own = server.addBucket("city", "readings_rollups");
    mayUse(raw, own);
    const nothing = { kind: "traffic", resolution: "hourly", receivedDay: DAY, from: DAY, to: DAY + 1 } as const;
    let breaks = 0;
    for (let after = 1; ; after += 1) {
      const store = await openStore(memory);
      await answers(store);
      // The first so many requests of the move are answered, the next one is not.
      server.cutAfter(after);
      const error = await store.rollups.compute(nothing).catch((one: StoreError) => one);
      server.cutAfter(undefined);
      expect(await answers(await openStore(memory))).toEqual(before);
      if (!error) break;
      expect(error).toMatchObject({ kind: "unavailable" });
      breaks += 1;
    }
    expect(breaks).toBeGreaterThan(10);
    expect([server.count(raw, "pm25Sum"), server.count(own, "pm25Sum")]).toEqual([0, 69]);
    // An old copy of the database came back: what was computed since is the better one.
    const line = `air_hourly,district=north,installation=1a2b3c4d,sensorId=air-0 pm25Sum=1,pm25Min=1,pm25Max=1,pm25Count=1`;
    server.addToken({ text: "stranger", org: "city", operator: true });
    const body = `${line} ${DAY}\n${line} ${DAY - DAY_MS}`;
    const address = `${server.url}/api/v2/write?org=city&bucket=readings&precision=ms`;
    await fetch(address, { method: "POST", headers: { authorization: "Token stranger" }, body });
    const store = await openStore(memory);
    await store.rollups.compute(nothing);
    expect(await answers(store)).toEqual(before);
    expect([server.count(raw, "pm25Sum"), server.count(own, "pm25Sum")]).toEqual([0, 70]);
  });

  it("is not left again: when it is gone, that is said, and nothing is answered from elsewhere", async () => {
    const own = server.addBucket("city", "readings_rollups");
    mayUse(raw, own);
    const memory = aMemory();
    const store = await openStore(memory);
    await store.write(READINGS);
    await computeAll(store);
    server.dropBucket(own);
    const again = await openStore(memory);
    for (const work of [answers(again), computeAll(again)])
      expect(await failure(work)).toMatchObject({ kind: "misconfigured", reason: "bucket_missing" });
    expect(server.count(raw, "pm25Sum")).toBe(0);
    expect(again.limits!.known()!.rollups!.broken).toContain('bucket "readings_rollups" not found');
    expect((await again.examine!(KEEP)).findings.find(({ check }) => check === "rollups")).toMatchObject({ ok: false });
    expect(await again.count()).toBe(60);
    // Made again, it is empty: what there are readings for is computed anew.
    server.addToken({ text: "t", org: "city", operator: true });
    expect(memory.losses()).toBe(0);
    const day = { kind: "air", resolution: "hourly", receivedDay: DAY, from: DAY, to: DAY + DAY_MS } as const;
    expect(await failure(store.rollups.compute(day))).toMatchObject({ reason: "bucket_missing" });
    await store.rollups.compute(day);
    expect([memory.losses(), server.count(rollupsBucket(), "pm25Sum")]).toEqual([1, 24]);
    expect(store.limits!.known()!.rollups!.broken).toBeUndefined();
  });
});

describe.runIf(needs("influxd"))("the place of rollups on InfluxDB 1.x", () => {
  it("is a database of their own, to which those among the readings move; foreign points stay", async () => {
    const server = await startInfluxd();
    const flavour = { database: "city" };
    const options = { url: server.url, flavour, installation: "1a2b3c4d", timeoutMs: 60_000, log: SILENT };
    const sum = async (field: string, database: string) => {
      const rows = await server.ask(`SELECT count("${field}") FROM "air_hourly"`, database);
      return rows.length === 0 ? 0 : rows[0]![1];
    };
    const memory = aMemory();
    const store = await openInfluxStore({ ...options, rollups: memory });
    await store.write(READINGS);
    await computeAll(store);
    expect([await sum("pm25Sum", "city"), await sum("pm25Sum", "city_rollups")]).toEqual([0, 60]);
    const before = await answers(store);
    await store.close();

    // As an earlier version left it.
    await server.ask('SELECT * INTO "city"."autogen".:MEASUREMENT FROM "city_rollups"."autogen"./^air_/ GROUP BY *');
    await server.ask('DROP DATABASE "city_rollups"');
    const line = `air_hourly,sensorId=x,district=y pm25Sum=1,foreign=1 ${DAY}`;
    await fetch(`${server.url}/write?db=city&precision=ms`, { method: "POST", body: line });
    const later = await openInfluxStore({ ...options, rollups: aMemory() });
    expect(await answers(later)).toEqual(before);
    await later.rollups.compute({ kind: "air", resolution: "hourly", receivedDay: DAY, from: DAY, to: DAY + 1 });
    expect(await answers(later)).toEqual(before);
    expect([await sum("pm25Min", "city"), await sum("pm25Min", "city_rollups")]).toEqual([0, 60]);
    expect(await sum("foreign", "city")).toBe(1);
    expect(await server.ask('SHOW RETENTION POLICIES ON "city_rollups"')).toMatchObject([
      ["autogen", "0s", expect.any(String), 1, true],
    ]);
    await later.close();
    await server.stop();
  });
});
