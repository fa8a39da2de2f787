import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, HOME, runCli, startCity, until } from "../helpers/city.ts";
import { needs } from "../helpers/needs.ts";

const run = promisify(execFile);

describe("a first own sensor, as the README tells it", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
  });
  afterAll(() => city.remove());

  it.runIf(needs("mosquitto_pub"))("is added, publishes and is read", async () => {
    const added = await city.cli("device", "add", "my-sensor", "--kind", "air", "--district", "centre", "--json");
    expect(added.code).toBe(0);
    const { username, password } = JSON.parse(added.stdout);
    const { hostname, port } = new URL(city.mqtt);
    const topic = "city/centre/air/my-sensor";
    const publish = [
      "-h",
      hostname,
      "-p",
      port,
      "-i",
      username,
      "-u",
      username,
      "-P",
      password,
      "-q",
      "1",
      "-t",
      topic,
    ];
    await run("mosquitto_pub", [...publish, "-m", '{"pm25":12.4,"no2":31}']);
    const { items } = await until(
      () => city.api("/sensors/my-sensor/readings"),
      (page) => page.items.length > 0,
    );
    expect(items[0]).toMatchObject({
      sensorId: "my-sensor",
      kind: "air",
      district: "centre",
      values: { pm25: 12.4, no2: 31 },
    });
    const ledger = await city.api("/ledger");
    expect(ledger).toMatchObject({
      received: 1,
      stored: 1,
      duplicate: 0,
      quarantined: 0,
      inJournal: 0,
      balanced: true,
    });
  });

  it("keeps everything over a restart", async () => {
    const before = await city.api("/ledger");
    expect(await city.stop()).toBe(0);
    city = await city.restart();
    const after = await city.api("/ledger");
    expect({ ...after, days: undefined }).toEqual({ ...before, days: undefined });
    expect((await city.api("/sensors/my-sensor")).district).toBe("centre");
    const { items } = await city.api("/sensors/my-sensor/readings");
    expect(items).toHaveLength(before.stored);
  });

  it("publishes with ./lamppost publish, which waits: what is asked for next is there, five times of five", async () => {
    const { password } = JSON.parse(
      (await city.cli("device", "add", "second", "--kind", "air", "--district", "centre", "--json")).stdout,
    );
    for (let i = 1; i <= 5; i += 1) {
      const sent = await city.cli("publish", "second", JSON.stringify({ pm25: i }), "--password", password);
      expect(sent).toMatchObject({ code: 0, stderr: "" });
      expect(sent.stdout).toContain(`{"pm25":${i}}`);
      expect((await city.api("/sensors/second/readings")).items).toHaveLength(i);
    }
    const wrong = await city.cli("publish", "second", '{"pm25":6}', "--password", "wrong");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("the broker refuses second");
  });

  it("refuses a second process on the same data folder with one line", async () => {
    const second = await runCli(["start"], {
      PATH: process.env.PATH,
      LAMPPOST_DATA_DIR: city.dataDir,
      LAMPPOST_HTTP_PORT: "0",
      LAMPPOST_MQTT_PORT: "0",
    });
    expect(second.code).toBe(1);
    expect(second.stderr.trim().split("\n")).toHaveLength(1);
    expect(second.stderr).toContain(city.dataDir);
  });
});

describe("the command line", () => {
  const env = { PATH: process.env.PATH };

  it("helps from any folder, through a symbolic link too", async () => {
    const direct = await runCli(["--help"], env, "/");
    expect(direct).toMatchObject({ code: 0, stderr: "" });
    const { stdout } = await run(
      "sh",
      ["-c", `d=$(mktemp -d) && ln -s "$0" "$d/lp" && "$d/lp" --help; rm -r "$d"`, `${HOME}/lamppost`],
      { cwd: tmpdir(), env },
    );
    expect(stdout).toBe(direct.stdout);
  });

  it("says every configuration mistake and exits with 78", async () => {
    const answer = await runCli(["start"], {
      ...env,
      LAMPPOST_HTTP_PORT: "x",
      LAMPPOST_STORE: "y",
      LAMPPOST_TYPO: "1",
    });
    expect(answer.code).toBe(78);
    for (const name of ["LAMPPOST_HTTP_PORT", "LAMPPOST_STORE", "LAMPPOST_TYPO"]) expect(answer.stderr).toContain(name);
  });

  it("exits with 2 on wrong usage", async () => {
    expect((await runCli(["strat"], env)).code).toBe(2);
    expect((await runCli(["replay", "--no-such-option"], env)).code).toBe(2);
  });
});
