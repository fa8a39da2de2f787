import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import {
  addLoadGateway,
  BASE,
  reckon,
  type Sender,
  seededRandom,
  settledBooks,
  startHttpSender,
  startMqttSender,
} from "../helpers/senders.ts";

/** The whole service on a real InfluxDB: nothing that was acknowledged is lost or doubled, whoever of the two goes away. */
describe.runIf(needs("influxd"))("the service on InfluxDB 1.x", () => {
  let influx: InfluxServer;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx.stop());

  const envFor = (database: string) => ({
    LAMPPOST_STORE: "influxdb",
    INFLUX_URL: influx.url,
    INFLUX_DATABASE: database,
  });

  /** What the server itself says it has. */
  async function countIn(database: string): Promise<number> {
    const ask = new URLSearchParams({ db: database, q: "SELECT count(/^receipt_/) FROM air" });
    const answer = (await (await fetch(`${influx.url}/query?${ask}`)).json()) as {
      results: { series?: { values: number[][] }[] }[];
    };
    return answer.results[0]?.series?.[0]?.values[0]?.[1] ?? 0;
  }

  describe("readings", () => {
    let city: City;
    const start = Math.floor(BASE / 300_000) * 300_000;
    const at = (second: number) => new Date(start + second * 1_000).toISOString();
    const range = `from=${at(0)}&to=${at(600)}`;
    beforeAll(async () => {
      city = await startCity({ env: envFor("readings") });
    });
    afterAll(() => city.remove());

    async function send(...readings: object[]): Promise<void> {
      const body = readings.map((reading) => ({ sensorId: "air-1", kind: "air", district: "centre", ...reading }));
      expect(await city.api("/readings", body)).toEqual({ accepted: readings.length, rejected: [] });
    }

    it("go in by MQTT and HTTP and come out raw, in steps, as the latest and as CSV", async () => {
      const login = await city.api("/devices", { sensorId: "air-1", kind: "air", district: "centre" });
      const device = await mqtt.connectAsync(city.mqtt, { clientId: "air-1", ...login });
      await device.publishAsync(
        "city/centre/air/air-1",
        JSON.stringify([
          { measuredAt: at(0), pm25: 10, no2: 30 },
          { measuredAt: at(60), pm25: 20 },
        ]),
        { qos: 1 },
      );
      await device.endAsync();
      await send({ measuredAt: at(300), pm25: 7, no2: 41.5 });
      const books = await until(
        () => settledBooks(city),
        (one) => one.stored === 3,
      );
      expect(books).toMatchObject({ received: 3, duplicate: 0, quarantined: 0, balanced: true });
      expect(await countIn("readings")).toBe(3);

      const raw = await city.api(`/sensors/air-1/readings?${range}`);
      expect(raw.items.map((one: { measuredAt: string; values: object }) => [one.measuredAt, one.values])).toEqual([
        [at(0), { pm25: 10, no2: 30 }],
        [at(60), { pm25: 20 }],
        [at(300), { pm25: 7, no2: 41.5 }],
      ]);
      const steps = await city.api(`/sensors/air-1/readings?${range}&every=5m&metrics=pm25`);
      expect(steps.items).toEqual([
        { start: at(0), values: { pm25: { mean: 15, min: 10, max: 20, count: 2 } } },
        { start: at(300), values: { pm25: { mean: 7, min: 7, max: 7, count: 1 } } },
      ]);
      const csv = await (await city.call(`/api/v1/sensors/air-1/readings?${range}&format=csv&metrics=pm25,no2`)).text();
      expect(csv.split("\r\n").map((line) => line.split(",").toSpliced(4, 1).join(","))).toEqual([
        "sensorId,kind,district,measuredAt,pm25,no2,suspect,late",
        `air-1,air,centre,${at(0)},10,30,,late`,
        `air-1,air,centre,${at(60)},20,,,late`,
        `air-1,air,centre,${at(300)},7,41.5,,late`,
        "",
      ]);
    });

    it("are all there after a restart; a duplicate and a conflict of the life before are told", async () => {
      const before = await settledBooks(city);
      const raw = await city.api(`/sensors/air-1/readings?${range}`);
      expect(await city.stop()).toBe(0);
      city = await city.restart();
      expect(await city.api(`/sensors/air-1/readings?${range}`)).toEqual(raw);
      expect((await city.api("/readings/latest")).items).toMatchObject([{ sensorId: "air-1", values: { pm25: 7 } }]);

      await send(
        { measuredAt: at(60), pm25: 20 }, // the same again
        { measuredAt: at(0), pm25: 11, no2: 30 }, // another value for a moment that is taken
        { measuredAt: at(300), pm25: 7, no2: 41.5 }, // the newest again
        { measuredAt: at(30), pm25: 12 }, // new, though not the newest
      );
      const after = await until(
        () => settledBooks(city),
        (books) => books.received === before.received + 4,
      );
      expect(after).toMatchObject({
        stored: before.stored + 1,
        duplicate: before.duplicate + 2,
        quarantined: before.quarantined + 1,
        reasons: { conflict: 1 },
        balanced: true,
      });
      expect(await countIn("readings")).toBe(4);
      expect((await city.api(`/sensors/air-1/readings?${range}&limit=1`)).items[0].values).toEqual({
        pm25: 10,
        no2: 30,
      });
    });
  });

  it("goes on acknowledging while InfluxDB is away, and catches up to the last reading", async () => {
    const city = await startCity({ env: envFor("outage") });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const storePart = async () => {
      const response = await city.call("/readyz");
      const { parts } = (await response.json()) as { parts: { part: string; state: string; reason?: string }[] };
      return { status: response.status, store: parts.find(({ part }) => part === "store") };
    };
    const sender = await startMqttSender(city, login, { sensorId: "outage-1" });
    await sender.ackedAtLeast(300);
    await influx.halt();
    const before = sender.acked.size;
    await sender.ackedAtLeast(before + 1_000);
    const down = await until(storePart, ({ store }) => store?.state === "degraded");
    expect(down.status).toBe(200);
    expect(down.store?.reason).toMatch(/influxdb does not answer/i);
    const waiting = await city.api("/ledger");
    expect(waiting.inJournal).toBeGreaterThan(0);
    expect(waiting.received).toBe(waiting.stored + waiting.duplicate + waiting.quarantined + waiting.inJournal);
    await sender.stop();
    await influx.resume();

    const { ledger, lost, doubled, rows } = await reckon(city, [sender]);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger).toMatchObject({ stored: sender.acked.size, duplicate: 0, quarantined: 0, balanced: true });
    expect(rows).toBe(sender.acked.size);
    expect(await countIn("outage")).toBe(sender.acked.size);
    expect(await storePart()).toMatchObject({ status: 200, store: { state: "ok" } });
  });

  it("takes over a folder and a database of an earlier version: every reading is there, a duplicate is one", {
    tags: ["long"],
  }, async () => {
    const env = envFor("earlier");
    let city = await startCity({ env });
    onTestFinished(() => city.remove());
    const one = (n: number, pm25: number) => {
      const measuredAt = new Date(BASE + n * 1_000).toISOString();
      return { sensorId: "air-1", kind: "air", district: "centre", measuredAt, pm25 };
    };
    await city.api("/devices", { sensorId: "air-1", kind: "air", district: "centre" });
    await city.api("/readings", [one(0, 5), one(1, 700), one(2, 7)]);
    await until(
      () => settledBooks(city),
      ({ stored }) => stored === 3,
    );
    const day = (offset: number) => new Date(BASE + offset * 86_400_000).toISOString();
    const path = `/sensors/air-1/readings?from=${day(-1)}&to=${day(1)}`;
    const before = await city.api(path);
    expect(before.items).toHaveLength(3);
    expect(await city.stop()).toBe(0);

    // As an earlier version would have left it.
    const records = new DatabaseSync(join(city.dataDir, "records.db"));
    records.exec("DELETE FROM store_state; DELETE FROM offsets WHERE consumer = 'installation'");
    records.close();
    // influxd sends the headers before it does anything: a statement is done when its answer has been read.
    const ask = async (q: string) => {
      const asked = await fetch(`${influx.url}/query`, {
        method: "POST",
        body: new URLSearchParams({ db: "earlier", q }),
      });
      return (await asked.json()) as { results: { series: { values: string[][] }[] }[] };
    };
    const found = await ask('SELECT /^receipt_/ FROM "air"');
    const receipts = found.results[0]!.series[0]!.values.map(([, receipt]) => receipt!.split(" ").map(Number));
    await ask('DROP MEASUREMENT "air"');
    await ask("DROP SERIES FROM /^lamppost_mark/");
    const lines = ["pm25=5", "pm25=700,pm25Suspect=1", "pm25=7"].map((fields, n) => {
      const [seq, receivedAt] = receipts[n]!;
      return `air,district=centre,sensorId=air-1 ${fields},receivedAt=${receivedAt},journalSeq=${seq} ${BASE + n * 1_000}`;
    });
    const written = await fetch(`${influx.url}/write?db=earlier&precision=ms`, {
      method: "POST",
      body: lines.join("\n"),
    });
    expect(written.status).toBe(204);

    city = await city.restart();
    await city.api("/readings", [one(1, 700), one(3, 9)]);
    const books = await until(
      () => settledBooks(city),
      ({ stored, duplicate }) => stored === 4 && duplicate === 1,
    );
    expect(books).toMatchObject({ quarantined: 0, balanced: true });
    expect((await city.api(path)).items.slice(0, 3)).toEqual(before.items);
    expect(await countIn("earlier")).toBe(4);
    expect((await city.call("/readyz")).status).toBe(200);
  });

  it("starts while InfluxDB is away, takes readings, and catches up later", async () => {
    await influx.halt();
    const city = await startCity({ env: envFor("late-start") });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const sender = startHttpSender(city, login, { sensorId: "late-1" });
    await sender.ackedAtLeast(200);
    await sender.stop();
    expect((await city.call("/readyz")).status).toBe(200);
    const answer = await city.call("/api/v1/sensors/late-1/readings");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    await answer.text();
    await influx.resume();
    const { ledger, lost, doubled } = await reckon(city, [sender]);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger).toMatchObject({ stored: sender.acked.size, balanced: true });
    expect(await countIn("late-start")).toBe(sender.acked.size);
  });

  it("is killed in the middle of a burst, again and again: nothing lost, nothing counted twice", {
    tags: ["long"],
    timeout: 240_000,
  }, async () => {
    const random = seededRandom("kill on InfluxDB");
    const rounds = (max: number) => Math.floor(random() * max);
    let city = await startCity({ env: envFor("kills") });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    expect(await city.stop()).toBe(0);
    const senders: Sender[] = [];
    for (const point of ["", "before-write", "after-write", "after-booking"]) {
      const fault: Record<string, string> = point === "" ? {} : { LAMPPOST_FAULT_AT: `${point}@${1 + rounds(4)}` };
      city = await city.restart({ env: { ...envFor("kills"), ...fault } });
      // Each life sends the last readings of the one before again, as devices do that saw no PUBACK.
      const first = Math.max(0, Math.max(BASE, ...senders.flatMap(({ acked }) => [...acked])) - BASE - 50);
      const sender = await startMqttSender(city, login, { sensorId: "kill-1", first, inFlight: 100 });
      senders.push(sender);
      if (point === "") {
        await sender.ackedAtLeast(200 + rounds(800));
        await city.kill();
      }
      await city.ended;
      await sender.ended;
    }
    city = await city.restart({ env: envFor("kills") });
    const { ledger, lost, doubled, rows } = await reckon(city, senders);
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(ledger).toMatchObject({ quarantined: 0, balanced: true });
    expect(ledger.duplicate).toBeGreaterThan(0);
    expect([ledger.stored, rows]).toEqual([await countIn("kills"), ledger.stored]);
  });
});
