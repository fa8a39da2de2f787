import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, cityEnv, HOME, runCli, startCity } from "../helpers/city.ts";
import { look } from "./look.ts";

/** What supported versions have left on disk starts under this one, with everything that was in it. */
const archives = globSync(join(import.meta.dirname, "*.tar.gz"));

describe.each(archives.map((path) => [basename(path, ".tar.gz"), path]))("the folder of %s", (_, archive) => {
  const dir = mkdtempSync(join(tmpdir(), "lamppost-upgrade-"));
  let expected: Awaited<ReturnType<typeof look>>;
  let env: Record<string, string>;

  beforeAll(() => {
    execFileSync("tar", ["-xzf", archive, "-C", dir]);
    expected = JSON.parse(readFileSync(join(dir, "expected.json"), "utf8"));
    // Minutes after it was made: nothing is old enough to be removed.
    writeFileSync(join(dir, "clock"), `${expected.made + 300_000 - Date.now()} 0`);
    env = {
      LAMPPOST_RULES_DIR: join(dir, "rules"),
      LAMPPOST_NOTIFY_ALLOW: "127.0.0.1",
      NODE_OPTIONS: `--import ${join(HOME, "test/helpers/set-clock.ts")}`,
      CLOCK_FILE: join(dir, "clock"),
    };
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  async function inCity(dataDir: string, work: (city: City) => Promise<void>): Promise<void> {
    const city = await startCity({ env }, dataDir);
    try {
      await work(city);
    } finally {
      await city.stop();
    }
  }

  it("is small", () => {
    expect(statSync(archive).size).toBeLessThan(300_000);
  });

  it("starts, with all readings, alerts, people, rules and balanced books, and goes on", async () => {
    await inCity(join(dir, "data"), async (city) => {
      const found = await look(city, expected.made);
      expect(found).toEqual({ ...expected, audit: { entries: expect.any(Number), intact: true } });
      const reading = { sensorId: "air-1", kind: "air", district: "north", temperature: 22 };
      await city.api("/readings", { ...reading, measuredAt: expected.made });
      await expect
        .poll(() => city.api("/ledger"), { timeout: 30_000 })
        .toMatchObject({ stored: expected.ledger.stored + 1, inJournal: 0, balanced: true });
      // To the reading, and not by the sums alone.
      expect(JSON.parse((await city.cli("ledger", "--verify", "--json")).stdout)).toMatchObject({ balanced: true });
    });
  });

  it("has a backup that is restored", async () => {
    const into = join(dir, "restored");
    const restored = await runCli(["restore", join(dir, "backup.tar"), "--into", into], cityEnv(into));
    expect(restored).toMatchObject({ code: 0, stderr: "" });
    await inCity(into, async (city) => {
      const { sensors, alerts, users, rules, silences, quarantine, ledger } = await look(city, expected.made);
      expect({ sensors, alerts, users, rules, silences, quarantine }).toEqual({
        sensors: expected.sensors,
        alerts: expected.alerts,
        users: expected.users,
        rules: expected.rules,
        silences: expected.silences,
        quarantine: expected.quarantine,
      });
      // The newest reading came after it.
      expect(ledger).toMatchObject({ stored: expected.ledger.stored - 1, inJournal: 0, balanced: true });
    });
  });
});

it("there is at least that of the first supported version", () => {
  expect(archives.map((path) => basename(path))).toContain("ec38955.tar.gz");
});
