/** @module-tag long */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { addLoadGateway, reckon, startHttpSender, startMqttSender } from "../helpers/senders.ts";
import { mountSmallDisk } from "../helpers/small-disk.ts";

const disk = mountSmallDisk(96);
/** Longer than whatever is tried every minute, and than an alert of half a minute that is told after a minute. */
const FULL_FOR_MS = 95_000;
const ASK_EVERY_MS = 500;

/** In half a minute the service would like to write an alert about the full disk, onto the full disk. */
describe.runIf(disk !== undefined)("a disk that is full to the last byte for minutes", () => {
  afterAll(() => disk!.remove());

  it("ends nothing: questions are answered all the time, and with room everything goes on by itself", async () => {
    const env = { LAMPPOST_DISK_FREE_MIN_MIB: "1", LAMPPOST_LOG_LEVEL: "info" };
    const city = await startCity({ env, args: ["--simulate", "city"] }, mkdtempSync(join(disk!.folder, "minutes-")));
    onTestFinished(() => city.remove());
    onTestFinished(() => disk!.free());
    const login = await addLoadGateway(city);
    const before = [
      await startMqttSender(city, login, { sensorId: "mqtt-1" }),
      startHttpSender(city, login, { sensorId: "http-1" }),
    ];
    await Promise.all(before.map((sender) => sender.ackedAtLeast(200)));
    disk!.fill(0);
    await Promise.all(before.map((sender) => sender.ended));

    const untilFree = performance.now() + FULL_FOR_MS;
    const answers = new Map<string, number>();
    let users = 0;
    while (performance.now() < untilFree) {
      for (const path of ["/livez", "/readyz", "/api/v1/alerts", "/api/v1/readings/latest", "/api/v1/audit"])
        count(answers, path, await statusOf(city, path));
      users += 1;
      count(answers, "POST /users", await addUser(city, `user-${users}`));
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
    process.stdout.write(`a minute and a half without a byte: ${JSON.stringify(Object.fromEntries(answers))}\n`);
    const asked = answers.get("/livez 200")!;
    for (const path of ["/api/v1/alerts", "/api/v1/readings/latest", "/api/v1/audit"])
      expect(answers.get(`${path} 200`)).toBe(asked);
    // What cannot be written is refused with 503, never with 500.
    expect([...answers.keys()].filter((key) => / 5(?!03)\d\d$/.test(key))).toEqual([]);
    expect(answers.get("POST /users 503")).toBeGreaterThan(0);
    expect(answers.get("/readyz 503")).toBeGreaterThan(asked / 2);

    disk!.free();
    await until(
      () => statusOf(city, "/readyz"),
      (status) => status === 200,
      60_000,
    );
    const after = [
      await startMqttSender(city, login, { sensorId: "mqtt-1", first: 100_000 }),
      startHttpSender(city, login, { sensorId: "http-1", first: 100_000 }),
    ];
    await Promise.all(after.map((sender) => sender.ackedAtLeast(200)));
    await Promise.all(after.map((sender) => sender.stop()));
    const books = await reckon(city, [...before, ...after], 90_000);
    expect({ lost: books.lost, doubled: books.doubled }).toEqual({ lost: 0, doubled: 0 });
    expect(books.ledger.balanced).toBe(true);
    // The alert that could not be written is told now.
    const about = await until(
      () => city.api("/alerts?rule=service-health"),
      ({ items }) => items.length > 0,
    );
    expect(about.items.map(({ kind }: { kind: string }) => kind)).toContain("service");
    expect(await city.stop()).toBe(0);
  }, 360_000);
});

function count(answers: Map<string, number>, what: string, status: number): void {
  answers.set(`${what} ${status}`, (answers.get(`${what} ${status}`) ?? 0) + 1);
}

async function statusOf(city: City, path: string): Promise<number> {
  const response = await city.call(path);
  await response.arrayBuffer();
  return response.status;
}

async function addUser(city: City, name: string): Promise<number> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name, role: "viewer" });
  const response = await city.call("/api/v1/users", { method: "POST", headers, body });
  await response.arrayBuffer();
  return response.status;
}
