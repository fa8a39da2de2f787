/** @module-tag long */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import {
  addLoadGateway,
  type Login,
  reckon,
  type Sender,
  settledBooks,
  startHttpSender,
  startMqttSender,
} from "../helpers/senders.ts";

/** A backup of the data folder, and a database that has gone on, or back, since it was made. */
describe.runIf(needs("influxd"))("backup and restore with InfluxDB", () => {
  let influx: InfluxServer;
  let folder: string;
  beforeAll(async () => {
    influx = await startInfluxd();
    folder = mkdtempSync(join(tmpdir(), "lamppost-influx-backup-"));
  });
  afterAll(async () => {
    await influx.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(database: string, dataDir?: string, server = influx): Promise<City> {
    const env = { LAMPPOST_STORE: "influxdb", INFLUX_URL: server.url, INFLUX_DATABASE: database };
    const city = await startCity({ env }, dataDir);
    onTestFinished(() => city.remove());
    return city;
  }

  async function restored(database: string, backup: string, name: string, city: City, server = influx): Promise<City> {
    const into = join(folder, name);
    const { code, stdout } = await city.cli("restore", backup, "--into", into, "--take-over");
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("taken into its books") });
    return start(database, into, server);
  }

  async function send(city: City, login: Login, sensorId: string, count: number, first = 0): Promise<Sender> {
    const sender = startHttpSender(city, login, { sensorId, first });
    await sender.ackedAtLeast(count);
    await sender.stop();
    return sender;
  }

  const ready = (city: City) =>
    until(
      async () => (await city.call("/readyz")).json() as Promise<{ status: string; parts: { state: string }[] }>,
      ({ parts }) => parts.every(({ state }) => state === "ok"),
      60_000,
    );
  const audited = async (city: City, what: string) =>
    (await city.api("/audit?limit=200")).items.filter((one: { what: string }) => one.what === what);
  const receipts = async (database: string) =>
    new Map(
      (await influx.ask("SELECT /^receipt_/ FROM air", database)).map(([time, receipt]) => [time, String(receipt)]),
    );

  it("a database that lived on: its readings are taken into the books, once, and life goes on", {
    timeout: 240_000,
  }, async () => {
    const city = await start("lived_on");
    const login = await addLoadGateway(city);
    const load = await startMqttSender(city, login, { sensorId: "live-1", inFlight: 30 });
    await load.ackedAtLeast(300);
    const tar = join(folder, "lived-on.tar");
    const { stdout } = await city.cli("backup", tar);
    process.stdout.write(stdout);
    expect(stdout).toMatch(
      /books are as of message \d+.*influxd backup -portable -host 127\.0\.0\.1:8088 -database lived_on/s,
    );
    await load.ackedAtLeast(load.acked.size + 300);
    await load.stop();
    // A sensor that the backup has never heard of, and history measured long before it was received.
    const later = await send(city, login, "live-2", 100);
    const old = { sensorId: "live-2", kind: "air", district: "load", pm25: 3 };
    await city.api("/readings", [{ ...old, measuredAt: Date.now() - 3 * 86_400_000 }]);
    const end = await settledBooks(city);
    await city.stop();

    const first = await restored("lived_on", tar, "first", city);
    const { ledger, lost, doubled, rows } = await reckon(first, [load, later], 90_000);
    await ready(first);
    expect({ lost, doubled, stored: (await first.api("/ledger")).stored }).toEqual({
      lost: 0,
      doubled: 0,
      stored: end.stored,
    });
    expect(ledger).toMatchObject({ balanced: true, lost: 0 });
    const [adopted] = await audited(first, "store.adopted");
    process.stdout.write(`${adopted.detail}\n`);
    expect(adopted.detail).toMatch(/^\d+ readings received after the backup of 2.*Z were found there and taken into/);
    expect(await audited(first, "store.refilled")).toEqual([]);
    expect(await first.cli("ledger", "--verify")).toMatchObject({ code: 0 });

    // New messages have the numbers that the adopted ones had.
    const again = await send(first, login, "live-1", 200, load.next());
    const more = await reckon(first, [load, later, again], 60_000);
    expect(more).toMatchObject({ lost: 0, doubled: 0, rows: rows + again.acked.size });
    expect(await first.cli("ledger", "--verify")).toMatchObject({ code: 0 });
    await first.stop();

    // The same backup once more: what the first restore had taken over is as unknown to it as what came after.
    const second = await restored("lived_on", tar, "second", first);
    await ready(second);
    const last = await reckon(second, [load, later, again], 90_000);
    expect(last).toMatchObject({ lost: 0, doubled: 0, rows: more.rows, ledger: { balanced: true, lost: 0 } });
    expect(last.ledger.stored).toBe(more.ledger.stored);
    expect(await second.cli("ledger", "--verify")).toMatchObject({ code: 0 });
  });

  it("a database where nothing happened: the restored folder changes nothing", async () => {
    const city = await start("same");
    const login = await addLoadGateway(city);
    const sender = await send(city, login, "same-1", 200);
    await settledBooks(city);
    const target = join(folder, "same");
    const { code } = await city.cli("backup", target);
    expect(code).toBe(0);
    const manifest = JSON.parse(readFileSync(join(target, "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({
      place: `influxdb ${influx.url} same`,
      installation: expect.stringMatching(/^[0-9a-f]{8}$/),
      position: expect.any(Number),
      copyReadings: expect.stringContaining("-database same"),
    });
    await city.stop();
    const before = await receipts("same");
    const again = await restored("same", target, "same-again", city);
    await ready(again);
    expect(await reckon(again, [sender])).toMatchObject({ lost: 0, doubled: 0, rows: sender.acked.size });
    expect(await again.cli("ledger", "--verify")).toMatchObject({ code: 0 });
    expect([...(await audited(again, "store.adopted")), ...(await audited(again, "store.refilled"))]).toEqual([]);
    expect(await receipts("same")).toEqual(before);
  });

  it("a database that is older than the backup is filled up from its journal", async () => {
    const own = await startInfluxd();
    onTestFinished(() => own.stop());
    const city = await start("older", undefined, own);
    const login = await addLoadGateway(city);
    const early = await send(city, login, "older-1", 200);
    await settledBooks(city);
    await own.halt();
    const copy = `${own.folder}.copy`;
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    cpSync(own.folder, copy, { recursive: true });
    await own.resume();
    const late = await send(city, login, "older-2", 200);
    await settledBooks(city, 60_000);
    const tar = join(folder, "older.tar");
    expect(await city.cli("backup", tar)).toMatchObject({ code: 0 });
    await city.stop();
    await own.halt();
    for (const name of ["data", "wal", "meta"]) {
      rmSync(join(own.folder, name), { recursive: true, force: true });
      cpSync(join(copy, name), join(own.folder, name), { recursive: true });
    }
    await own.resume();
    const again = await restored("older", tar, "older-again", city, own);
    await until(
      () => audited(again, "store.refilled"),
      (rows) => rows.length > 0,
      90_000,
    );
    await until(
      () => again.cli("ledger", "--verify"),
      ({ code }) => code === 0,
      60_000,
    );
    expect(await reckon(again, [early, late])).toMatchObject({
      lost: 0,
      doubled: 0,
      ledger: { lost: 0, balanced: true },
    });
  });
});
