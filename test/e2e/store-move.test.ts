/** @module-tag long */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { type City, HOME, runCli, startCity } from "../helpers/city.ts";
import { type InfluxServer, startInfluxd } from "../helpers/influxd.ts";
import { needs } from "../helpers/needs.ts";
import { settledBooks } from "../helpers/senders.ts";
import { kinds } from "../helpers/two-lives.ts";

const DAY_MS = 86_400_000;
type Test = Pick<TestContext, "onTestFinished">;
const DAYS = 5;
const PER_DAY = 60;

// Side by side: each has folders and databases of its own.
describe.runIf(needs("influxd"))("lamppost store move", () => {
  let influx: InfluxServer;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx.stop());

  const influxEnv = (database: string) => ({ INFLUX_URL: influx.url, INFLUX_DATABASE: database });
  const onInflux = (database: string) => ({ LAMPPOST_STORE: "influxdb", ...influxEnv(database) });
  const cliEnv = (dataDir: string, env: Record<string, string>) => ({
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LAMPPOST_DATA_DIR: dataDir,
    LAMPPOST_HTTP_PORT: "0",
    LAMPPOST_MQTT_PORT: "0",
    ...env,
  });

  /** Days of three sensors, a duplicate, a conflict and garbage; stopped again. */
  async function aFolder(test: Test, env: Record<string, string>): Promise<{ dir: string; before: Seen }> {
    const city = await startCity({ env });
    test.onTestFinished(() => rmSync(city.dataDir, { recursive: true, force: true }));
    for (const { kind } of kinds) await city.api("/devices", { sensorId: `${kind}-1`, kind, district: "centre" });
    const start = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAYS * DAY_MS;
    for (let day = 0; day < DAYS; day += 1) {
      const readings = kinds.flatMap(({ kind, metric }) =>
        Array.from({ length: PER_DAY }, (_, i) => ({
          sensorId: `${kind}-1`,
          kind,
          district: "centre",
          measuredAt: new Date(start + day * DAY_MS + i * 600_000).toISOString(),
          [metric]: day * 100 + i + 0.25,
        })),
      );
      await city.api("/readings", readings);
    }
    const again = { sensorId: "air-1", kind: "air", district: "centre", measuredAt: new Date(start).toISOString() };
    await city.api("/readings", [
      { ...again, pm25: 0.25 },
      { ...again, pm25: 9 },
    ]);
    await settledBooks(city);
    const before = await look(city);
    expect(await city.stop()).toBe(0);
    return { dir: city.dataDir, before };
  }

  type Seen = { readonly rows: readonly string[]; readonly ledger: object };
  async function look(city: City): Promise<Seen> {
    const rows: string[] = [];
    for (const { kind } of kinds) {
      const from = new Date(Date.now() - (DAYS + 2) * DAY_MS).toISOString();
      const csv = await (await city.call(`/api/v1/sensors/${kind}-1/readings?from=${from}&format=csv`)).text();
      rows.push(...csv.trim().split("\r\n"));
    }
    const { stored, duplicate, quarantined, lost, received, balanced } = await city.api("/ledger");
    return { rows, ledger: { stored, duplicate, quarantined, lost, received, balanced } };
  }

  async function started(test: Test, dir: string, env: Record<string, string>): Promise<City> {
    const city = await startCity({ env }, dir);
    test.onTestFinished(() => city.remove());
    return city;
  }

  it.concurrent("a changed store is refused with what to do; moved there and back, killed on the way, everything is the same", {
    timeout: 180_000,
  }, async (test) => {
    const { dir, before } = await aFolder(test, {});
    expect(before.ledger).toMatchObject({ stored: 3 * DAYS * PER_DAY, duplicate: 1, quarantined: 1, balanced: true });

    const refused = await runCli(["start"], cliEnv(dir, onInflux("moved")));
    expect(refused.code).toBe(78);
    expect(refused.stderr).toMatch(
      /the readings of .* are in duckdb readings\.duckdb, and the settings say influxdb http:.* moved: run "lamppost store move".*--start-empty/,
    );

    await killOnTheWay(["store", "move"], cliEnv(dir, onInflux("moved")));
    // Half moved is not moved: the service still starts where it was.
    let city = await started(test, dir, {});
    expect(await look(city)).toEqual(before);
    expect(await city.stop()).toBe(0);

    const there = await runCli(["store", "move", "--json"], cliEnv(dir, onInflux("moved")));
    expect(there).toMatchObject({ code: 0 });
    expect(JSON.parse(there.stdout)).toMatchObject({ readings: 900, booked: { before: 900, after: 900 } });
    expect(existsSync(join(dir, "readings.duckdb"))).toBe(false);
    expect(readdirSync(dir).filter((name) => name.startsWith("readings.duckdb.moved-"))).toHaveLength(1);
    expect((await runCli(["store", "move"], cliEnv(dir, onInflux("moved")))).stderr).toMatch(/nothing to move/);

    city = await started(test, dir, onInflux("moved"));
    expect(await look(city)).toEqual(before);
    expect(await city.cli("ledger", "--verify")).toMatchObject({ code: 0 });
    expect(await city.stop()).toBe(0);

    const back = { LAMPPOST_STORE: "duckdb", ...influxEnv("moved") };
    expect((await runCli(["start"], cliEnv(dir, back))).code).toBe(78);
    await killOnTheWay(["store", "move"], cliEnv(dir, back));
    expect(await runCli(["store", "move"], cliEnv(dir, back))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/900 readings were moved.*\n.*900 before and 900 after/),
    });
    city = await started(test, dir, back);
    expect(await look(city)).toEqual(before);
    expect(await city.cli("ledger", "--verify")).toMatchObject({ code: 0 });
  });

  it.concurrent("from one database to another, with the old settings in a file", async (test) => {
    const { dir, before } = await aFolder(test, onInflux("first"));
    const refused = await runCli(["store", "move"], cliEnv(dir, onInflux("second")));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/are in influxdb .* first.*--from/) });
    const folder = mkdtempSync(join(tmpdir(), "lamppost-old-"));
    test.onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "old.env");
    writeFileSync(file, `LAMPPOST_STORE=influxdb\nINFLUX_URL=${influx.url}\nINFLUX_DATABASE=first\n`);
    expect(await runCli(["store", "move", "--from", file], cliEnv(dir, onInflux("second")))).toMatchObject({ code: 0 });
    const city = await started(test, dir, onInflux("second"));
    expect(await look(city)).toEqual(before);
    expect(await city.cli("ledger", "--verify")).toMatchObject({ code: 0 });
  });

  it.concurrent("start --start-empty leaves them where they are, and the books agree", {
    timeout: 240_000,
  }, async (test) => {
    const { dir } = await aFolder(test, {});
    const city = await startCity({ env: onInflux("empty"), args: ["--start-empty"] }, dir);
    test.onTestFinished(() => city.remove());
    expect((await look(city)).rows).toHaveLength(3);
    expect(await city.cli("ledger", "--verify")).toMatchObject({ code: 0 });
    expect((await city.api("/audit?limit=10")).items).toContainEqual(
      expect.objectContaining({ what: "store.started_empty", detail: "900 readings stay in duckdb readings.duckdb" }),
    );
    expect(existsSync(join(dir, "readings.duckdb"))).toBe(true);
  });

  it.concurrent("while the service runs: refused", async (test) => {
    const city = await startCity();
    test.onTestFinished(() => city.remove());
    const { code, stderr } = await runCli(["store", "move"], cliEnv(city.dataDir, onInflux("running")));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/in use by another lamppost process/)]);
  });
});

/** SIGKILL with the first line of progress: some days are there, others are not. */
async function killOnTheWay(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(join(HOME, "lamppost"), args, { env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  let said = "";
  for await (const chunk of child.stderr) {
    said += chunk;
    if (said.includes("moved: ")) break;
  }
  child.kill("SIGKILL");
  const [code, signal] = await ended;
  expect([code, signal, said]).toEqual([null, "SIGKILL", expect.stringMatching(/^moved: 60 of 900/)]);
}
