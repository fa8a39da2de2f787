/** @module-tag long */
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it, type TestContext } from "vitest";
import type { Health } from "../../model/health.ts";
import { type City, startCity, until } from "../helpers/city.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import {
  addLoadGateway,
  reckon,
  type Sender,
  settledBooks,
  startHttpSender,
  startMqttSender,
} from "../helpers/senders.ts";
import { mountSmallDisk } from "../helpers/small-disk.ts";

const envFor = (influx: InfluxServer, database: string) => ({
  LAMPPOST_STORE: "influxdb",
  INFLUX_URL: influx.url,
  INFLUX_DATABASE: database,
});

async function partsOf(city: City): Promise<readonly Health[]> {
  const { parts } = (await (await city.call("/readyz")).json()) as { parts: Health[] };
  return parts;
}

const reasonOf = async (city: City, part: string) =>
  (await partsOf(city)).find((one) => one.part === part && one.state !== "ok")?.reason ?? "";

/** What the server itself has of the senders' sensors. */
async function timesIn(influx: InfluxServer, database: string, sensorId: string): Promise<Set<number>> {
  const rows = await influx.ask(`SELECT pm25 FROM air WHERE "sensorId" = '${sensorId}'`, database);
  return new Set(rows.map(([time]) => time as number));
}

async function missingIn(influx: InfluxServer, database: string, senders: readonly Sender[]): Promise<number> {
  let missing = 0;
  for (const [sensorId, all] of Map.groupBy(senders, (sender) => sender.sensorId)) {
    const there = await timesIn(influx, database, sensorId);
    for (const { acked } of all) for (const time of acked) if (!there.has(time)) missing += 1;
  }
  return missing;
}

const disk = needs("influxd") ? mountSmallDisk(64) : undefined;

async function settledSome(city: City): Promise<boolean> {
  return (await city.api("/ledger")).stored > 0;
}

// Side by side: each has a service and a database (or an influxd) of its own, and waits most of the time.
describe.runIf(needs("influxd"))("InfluxDB that lost what it had", () => {
  let influx: InfluxServer;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(async () => {
    await influx.stop();
    disk?.remove();
  });

  it.runIf(disk !== undefined)(
    "on a full disk: what it shows and could not log is not called stored; after restarts and a kill all is there",
    { concurrent: true },
    async ({ expect, onTestFinished }) => {
      const own = await startInfluxd(disk!.folder);
      onTestFinished(() => own.stop());
      const city = await startCity({ env: envFor(own, "full") });
      onTestFinished(() => city.remove());
      const login = await addLoadGateway(city);
      const sender = await startMqttSender(city, login, { sensorId: "full-1", inFlight: 50 });
      await sender.ackedAtLeast(500);
      await until(() => settledSome(city), Boolean);
      disk!.fill(0);
      const full = sender.acked.size;
      const reason = await until(
        () => reasonOf(city, "store"),
        (text) => text.includes("log"),
        60_000,
      );
      process.stdout.write(`on a full disk of InfluxDB: ${reason}\n`);
      expect(reason).toMatch(/could not write to its log.*restart/s);
      await sender.ackedAtLeast(full + 1_000);
      const books = await city.api("/ledger");
      // It shows more than it has: that is the trap.
      const shown = (await timesIn(own, "full", "full-1")).size;
      process.stdout.write(`shown ${shown}, booked as stored ${books.stored}\n`);
      await sender.stop();
      const alert = await until(
        () => city.api("/alerts?rule=service-health&state=firing"),
        ({ items }) => items.length > 0,
        60_000,
      );
      expect(alert.items[0].explanation).toMatch(/restart/);

      disk!.free();
      await own.halt("SIGKILL");
      const others = startHttpSender(city, login, { sensorId: "full-2" });
      await others.ackedAtLeast(200);
      await others.stop();
      await own.resume();
      const senders = [sender, others];
      const { ledger, lost, doubled } = await reckon(city, senders, 90_000);
      expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
      expect(ledger).toMatchObject({ quarantined: 0, lost: 0, balanced: true });
      // Its log may be torn, which shows only at the next restart: noticed at once by who writes meanwhile, else when asked.
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        await own.halt(signal);
        if (signal === "SIGKILL") {
          const more = startHttpSender(city, login, { sensorId: "full-3" });
          await more.ackedAtLeast(100);
          await more.stop();
          senders.push(more);
        }
        await own.resume();
        await until(
          () => missingIn(own, "full", senders),
          (missing) => missing === 0,
          60_000,
        );
      }
      expect((await city.cli("ledger", "--verify")).code).toBe(0);
    },
  );

  async function filled(
    { onTestFinished }: Pick<TestContext, "onTestFinished">,
    database: string,
    env: Record<string, string> = {},
  ) {
    const city = await startCity({ env: { ...envFor(influx, database), ...env } });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const sender = startHttpSender(city, login, { sensorId: "lost-1" });
    await sender.ackedAtLeast(400);
    await sender.stop();
    await settledBooks(city);
    return { city, login, sender };
  }

  const audited = (city: City, what: string) =>
    until(
      () => city.api("/audit?limit=100"),
      ({ items }) => items.some((one: { what: string }) => one.what === what),
      90_000,
    );

  it.concurrent.for([
    { what: "a dropped database", isMadeAgain: false },
    { what: "a database dropped and made again", isMadeAgain: true },
  ])("$what is noticed while the service runs, and is full again", async (row, context) => {
    const { what, isMadeAgain } = row;
    const { expect } = context;
    const database = what.replaceAll(" ", "_");
    const { city, login, sender } = await filled(context, database);
    await influx.ask(`DROP DATABASE "${database}"`);
    if (isMadeAgain) await influx.ask(`CREATE DATABASE "${database}"`);
    const more = startHttpSender(city, login, { sensorId: "lost-2" });
    await more.ackedAtLeast(100);
    await more.stop();
    await audited(city, "store.refilled");
    const { ledger } = await reckon(city, [sender, more], 60_000);
    expect(await missingIn(influx, database, [sender, more])).toBe(0);
    expect(ledger).toMatchObject({ lost: 0, quarantined: 0, duplicate: 0, balanced: true });
    expect((await city.cli("ledger", "--verify")).code).toBe(0);
  });

  it.concurrent("what the journal has no longer is booked as lost, and told with its time", {
    timeout: 180_000,
  }, async (context) => {
    const { expect, onTestFinished } = context;
    const { city, sender } = await filled(context, "gone", {
      LAMPPOST_JOURNAL_KEEP_MIB: "0",
      LAMPPOST_FAULT_SEGMENT_KIB: "16",
    });
    await until(
      async () => readdirSync(join(city.dataDir, "journal")),
      (names) => !names.includes(`${"1".padStart(20, "0")}.journal`),
    );
    await city.stop();
    await influx.ask('DROP DATABASE "gone"');
    const again = await city.restart();
    onTestFinished(() => again.remove());
    await audited(again, "store.refilled");
    const ledger = await again.api("/ledger");
    const there = (await timesIn(influx, "gone", "lost-1")).size;
    expect(ledger).toMatchObject({ stored: there, lost: sender.acked.size - there, balanced: true });
    expect(ledger.lost).toBeGreaterThan(0);
    expect(await reasonOf(again, "stored readings")).toMatch(
      /^\d+ readings measured between 2.*Z and 2.*Z are missing and booked as lost/,
    );
    expect((await again.cli("ledger", "--verify")).code).toBe(0);
  });

  it.concurrent("an older copy of it is noticed at its return, and filled up", {
    timeout: 180_000,
  }, async ({ expect, onTestFinished }) => {
    const own = await startInfluxd();
    onTestFinished(() => own.stop());
    const city = await startCity({ env: envFor(own, "older") });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const before = startHttpSender(city, login, { sensorId: "older-1" });
    await before.ackedAtLeast(200);
    await before.stop();
    await settledBooks(city);
    await own.halt();
    const copy = `${own.folder}.copy`;
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    cpSync(own.folder, copy, { recursive: true });
    await own.resume();
    const after = startHttpSender(city, login, { sensorId: "older-2" });
    await after.ackedAtLeast(200);
    await after.stop();
    await settledBooks(city, 60_000);
    await own.halt("SIGKILL");
    for (const name of ["data", "wal", "meta"]) {
      rmSync(join(own.folder, name), { recursive: true, force: true });
      cpSync(join(copy, name), join(own.folder, name), { recursive: true });
    }
    await own.resume();
    await until(
      () => missingIn(own, "older", [before, after]),
      (missing) => missing === 0,
      90_000,
    );
    expect(await settledBooks(city)).toMatchObject({ lost: 0, balanced: true });
  });

  it.concurrent("an integer of another writer first: the metric waits, all else is stored, and all is there after the repair", {
    timeout: 240_000,
  }, async ({ expect, onTestFinished }) => {
    await influx.ask('CREATE DATABASE "types"');
    const foreign = `air,sensorId=other,district=other pm25=7i ${Date.now()}`;
    await fetch(`${influx.url}/write?db=types&precision=ms`, { method: "POST", body: foreign });
    const city = await startCity({ env: envFor(influx, "types") });
    onTestFinished(() => city.remove());
    await city.api("/devices", { sensorId: "types-1", kind: "air", district: "load" });
    const now = Date.now();
    const readings = Array.from({ length: 200 }, (_, i) => ({
      sensorId: "types-1",
      kind: "air",
      district: "load",
      measuredAt: new Date(now - 60_000 + i).toISOString(),
      pm25: i,
      no2: 200 + i,
    }));
    await city.api("/readings", readings);
    expect(await settledBooks(city)).toMatchObject({ stored: 200, quarantined: 0, balanced: true });
    const column = async (name: string) =>
      (await influx.ask(`SELECT ${name} FROM air WHERE "sensorId" = 'types-1'`, "types")).map(([, value]) => value);
    expect(await column("no2")).toEqual(readings.map(({ no2 }) => no2));
    expect(await column("pm25")).toEqual([]);
    const reason = await reasonOf(city, "store: air.pm25");
    process.stdout.write(`a metric of another type: ${reason}\n`);
    expect(reason).toMatch(
      /does not take pm25 of air since.*Everything else is stored; its values wait in the journal/s,
    );
    // Devices send on and get their PUBACKs; what they send is stored without the metric.
    const login = await addLoadGateway(city);
    const sender = await startMqttSender(city, login, { sensorId: "types-2", inFlight: 10 });
    await sender.ackedAtLeast(300);
    await sender.stop();
    expect(await settledBooks(city)).toMatchObject({ stored: 200 + sender.acked.size, quarantined: 0, balanced: true });
    expect(await missingIn(influx, "types", [sender])).toBe(sender.acked.size);

    // The repair: what is ours goes with it, and is written again too.
    await influx.ask('DROP MEASUREMENT "air"', "types");
    await until(
      () => column("pm25"),
      (values) => values.length === 200,
      150_000,
    );
    expect(await column("no2")).toEqual(readings.map(({ no2 }) => no2));
    await until(
      () => missingIn(influx, "types", [sender]),
      (missing) => missing === 0,
    );
    await until(
      () => reasonOf(city, "store: air.pm25"),
      (text) => text === "",
    );
    expect((await city.cli("ledger", "--verify")).code).toBe(0);
  });
});
