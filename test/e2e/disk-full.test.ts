import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import {
  addLoadGateway,
  type Login,
  reckon,
  type Sender,
  startHttpSender,
  startMqttSender,
} from "../helpers/senders.ts";
import { mountSmallDisk } from "../helpers/small-disk.ts";

const MIB = 1024 * 1024;
const disk = mountSmallDisk(160);

/**
 * A full disk is a state, not an accident: nothing is acknowledged that cannot be kept, questions are still answered, and
 * with room again everything goes on by itself.
 */
describe.runIf(disk !== undefined)("a full disk", () => {
  afterAll(() => disk!.remove());

  const readiness = async (city: City) => {
    const response = await city.call("/readyz");
    const { parts } = (await response.json()) as { parts: { part: string; state: string; reason?: string }[] };
    return { status: response.status, parts };
  };

  const isFull = ({ parts }: Awaited<ReturnType<typeof readiness>>) =>
    parts.some(({ part, state }) => part === "journal" && state === "failed");

  async function startFlow(city: City, login: Login, first: number): Promise<Sender[]> {
    const senders = [
      await startMqttSender(city, login, { sensorId: "mqtt-1", first }),
      startHttpSender(city, login, { sensorId: "http-1", first }),
    ];
    await Promise.all(senders.map((sender) => sender.ackedAtLeast(200)));
    return senders;
  }

  let users = 0;
  const addUser = (city: City) => {
    users += 1;
    const headers = { "content-type": "application/json" };
    return city.call("/api/v1/users", { method: "POST", headers, body: `{"name":"user-${users}","role":"viewer"}` });
  };

  const logIn = (city: City, name: string) =>
    mqtt.connectAsync(city.mqtt, { clientId: name, username: name, password: "a guess", reconnectPeriod: 0 });

  it("stops the acknowledgements before the last byte is gone, says so, and goes on when there is room", async () => {
    let city = await startCity(
      { env: { LAMPPOST_DISK_FREE_MIN_MIB: "64" } },
      mkdtempSync(join(disk!.folder, "margin-")),
    );
    onTestFinished(() => city.remove());
    onTestFinished(() => disk!.free());
    const login = await addLoadGateway(city);
    const before = await startFlow(city, login, 0);
    // Far below the margin: what a database gives back at a checkpoint does not end it.
    disk!.fill(40 * MIB);
    // The connection is closed without a PUBACK, the POST refused: devices keep what they have.
    await Promise.all(before.map((sender) => sender.ended));

    const full = await until(() => readiness(city), isFull);
    expect(full.status).toBe(503);
    expect(full.parts.find(({ part }) => part === "journal")).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/disk is full.*free space/is),
    });
    const reading = { sensorId: "http-1", kind: "air", district: "load", pm25: 1 };
    const headers = { "content-type": "application/json" };
    const refused = await city.call("/api/v1/readings", { method: "POST", headers, body: JSON.stringify(reading) });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(await refused.json()).toMatchObject({ status: 503, detail: expect.stringContaining("disk is full") });
    const device = await startMqttSender(city, login, { sensorId: "refused-1" });
    await device.ended;
    expect(device.acked.size).toBe(0);

    // Questions are answered, and people may go on working.
    expect((await city.call("/livez")).status).toBe(200);
    const { lost } = await reckon(city, before);
    expect(lost).toBe(0);
    expect((await city.api("/alerts")).items).toEqual([]);
    expect((await addUser(city)).status).toBe(201);

    // A restart does not help, and does not harm.
    expect(await city.stop()).toBe(0);
    city = await city.restart();
    expect((await reckon(city, before)).lost).toBe(0);
    const again = startHttpSender(city, login, { sensorId: "refused-2" });
    await again.ended;
    expect(again.acked.size).toBe(0);
    await until(() => readiness(city), isFull);

    disk!.free();
    await until(
      () => readiness(city),
      ({ status }) => status === 200,
    );
    const after = await startFlow(city, login, 100_000);
    await Promise.all(after.map((sender) => sender.stop()));
    const books = await reckon(city, [...before, ...after]);
    expect({ lost: books.lost, doubled: books.doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(books.ledger).toMatchObject({ stored: books.rows, duplicate: 0, quarantined: 0, balanced: true });
    expect(city.said().stdout.trim().split("\n")).toHaveLength(1);
    expect(await city.stop()).toBe(0);
  });

  it("is not made full by one device: with its share of what is left it waits, and nobody else does", {
    tags: ["long"],
  }, async () => {
    const city = await startCity(
      { env: { LAMPPOST_DISK_FREE_MIN_MIB: "40" } },
      mkdtempSync(join(disk!.folder, "share-")),
    );
    onTestFinished(() => city.remove());
    onTestFinished(() => disk!.free());
    const login = await city.api("/devices", { sensorId: "flood-1", kind: "air", district: "load" });
    const honest = await startMqttSender(city, await addLoadGateway(city), { sensorId: "honest-1", inFlight: 1 });
    disk!.fill(60 * MIB); // 20 are left, of which nobody gets more than 2
    await honest.ackedAtLeast(20);
    const flooder = await mqtt.connectAsync(city.mqtt, { clientId: "flood-1", ...login, reconnectPeriod: 0 });
    onTestFinished(() => void flooder.end(true));
    flooder.on("error", () => {});
    let measuredAt = Date.now() - 20 * 3_600_000;
    let acked = 0;
    const lane = async () => {
      for (;;) {
        // What no store can make small: every reading of its own moment, and random numbers.
        const one = () => ({ measuredAt: measuredAt++, pm25: Math.random(), no2: Math.random() });
        await flooder.publishAsync("city/load/air/flood-1", JSON.stringify(Array.from({ length: 100 }, one)), {
          qos: 1,
        });
        acked += 1;
      }
    };
    void Promise.all(Array.from({ length: 20 }, lane)).catch(() => {}); // ended by the end of the test
    const held = await until(
      () => readiness(city),
      ({ parts }) => parts.some(({ part, reason }) => part === "journal" && reason?.includes("device flood-1")),
      90_000,
    );
    expect(held.status).toBe(200);
    const before = acked;
    await honest.ackedAtLeast(honest.acked.size + 200);
    // What was under way when it was held is all that still came.
    expect(acked - before).toBeLessThanOrEqual(20);
    expect(isFull(await readiness(city))).toBe(false);
    disk!.free();
    await until(
      () => Promise.resolve(acked),
      (count) => count > before + 40,
      60_000,
    );
    await honest.stop();
    const books = await reckon(city, [honest]);
    expect({ lost: books.lost, doubled: books.doubled }).toEqual({ lost: 0, doubled: 0 });
  });

  it("survives the last byte: databases that cannot write wait, and nothing acknowledged is lost", {
    tags: ["long"],
  }, async () => {
    // With the smallest margin the databases are at the end of the disk before the journal is.
    let city = await startCity({ env: { LAMPPOST_DISK_FREE_MIN_MIB: "1" } }, mkdtempSync(join(disk!.folder, "last-")));
    onTestFinished(() => city.remove());
    onTestFinished(() => disk!.free());
    const login = await addLoadGateway(city);
    const before = await startFlow(city, login, 0);
    disk!.fill(0);
    await Promise.all(before.map((sender) => sender.ended));
    const full = await until(() => readiness(city), isFull);
    expect(full.status).toBe(503);
    process.stdout.write(`on a disk without a byte: ${JSON.stringify(full.parts)}\n`);
    await until(
      () => addUser(city),
      ({ status }) => status === 503,
    );
    // What the broker refuses goes into the audit log, which has no room either.
    for (const name of ["eve", "mallory", "trudy"])
      await expect(logIn(city, name)).rejects.toThrow(/not authorized|password/i);
    expect((await city.call("/livez")).status).toBe(200);

    disk!.free();
    await until(
      () => readiness(city),
      ({ status }) => status === 200,
      40_000,
    );
    const after = await startFlow(city, login, 100_000);
    await Promise.all(after.map((sender) => sender.stop()));
    const all = [...before, ...after];
    const books = await reckon(city, all);
    expect({ lost: books.lost, doubled: books.doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(books.ledger).toMatchObject({ stored: books.rows, duplicate: 0, quarantined: 0, balanced: true });
    expect(await city.stop()).toBe(0);
    city = await city.restart();
    expect(await reckon(city, all)).toMatchObject({ lost: 0, doubled: 0, rows: books.rows });
  });
});
