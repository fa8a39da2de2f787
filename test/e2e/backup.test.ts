import { execFile } from "node:child_process";
import { cp, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { restoreBackup } from "../../store/backup/restore.ts";
import { type City, runCli, startCity, until } from "../helpers/city.ts";
import { addLoadGateway, reckon, type Sender, startHttpSender, startMqttSender } from "../helpers/senders.ts";

const run = promisify(execFile);

/**
 * A backup is taken while four senders go on at full speed, then the whole is restored elsewhere: what was acknowledged
 * before the backup began is there, once, and the books balance.
 */
describe("backup and restore", () => {
  let city: City;
  let folder: string;
  let senders: Sender[];
  /** What each sender had the word for when the backup began. */
  let before: Sender[];
  let gateway: { username: string; password: string };
  const tar = () => join(folder, "city.tar");
  const env = () => ({ PATH: process.env.PATH, LAMPPOST_DATA_DIR: join(folder, "nowhere") });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "lamppost-backup-"));
    city = await startCity();
    gateway = await addLoadGateway(city);
    await city.api("/users", { name: "mia", role: "crew" });
    await city.api("/devices", { sensorId: "air-1", kind: "air", district: "centre" });
    const lamp = { sensorId: "air-1", kind: "air", district: "centre" };
    const at = (minutesAgo: number) => Date.now() - minutesAgo * 60_000;
    await city.api("/readings", [
      { ...lamp, measuredAt: at(9), battery: 80 },
      { ...lamp, measuredAt: at(8), battery: 12 },
    ]);
    await until(
      () => city.api("/alerts"),
      ({ items }) => items.length > 0,
    );
    senders = [
      await startMqttSender(city, gateway, { sensorId: "load-1", inFlight: 50 }),
      await startMqttSender(city, gateway, { sensorId: "load-2", inFlight: 50 }),
      startHttpSender(city, gateway, { sensorId: "load-3" }),
    ];
    for (const sender of senders) await sender.ackedAtLeast(400);
    before = senders.map((sender) => ({ ...sender, acked: new Set(sender.acked) }));
    const made = await city.cli("backup", tar(), "--json");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    for (const [n, sender] of senders.entries()) await sender.ackedAtLeast(before[n]!.acked.size + 200);
    for (const sender of senders) await sender.stop();
  });
  afterAll(async () => {
    await city.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const restore = (...args: string[]) => runCli(["restore", ...args], env());
  async function mutedBecause(one: City): Promise<string | undefined> {
    const { parts } = (await (await one.call("/readyz")).json()) as { parts: { part: string; reason?: string }[] };
    return parts.find(({ part }) => part === "muted")?.reason;
  }

  it("restores everything acknowledged before it began, once, with balanced books, alerts and users", async () => {
    const into = join(folder, "restored");
    expect(await restore(tar(), "--into", into)).toMatchObject({ code: 0, stderr: "" });
    const restored = await startCity({}, into);
    try {
      const { ledger, lost, doubled, rows } = await reckon(restored, before);
      expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
      expect(ledger).toMatchObject({ balanced: true, duplicate: 0, quarantined: 0, stored: rows + 2 });
      expect(rows).toBeGreaterThanOrEqual(1_200);
      const ids = async (of: City) => (await of.api("/alerts")).items.map(({ id }: { id: string }) => id);
      expect(await ids(restored)).toEqual(await ids(city));
      expect((await restored.api("/users")).items.map((one: { username: string }) => one.username)).toContain("mia");
      expect(restored.token).not.toBe(city.token);
      // The service it was made of may still run: this one tells nobody until somebody says that it is the real one.
      expect(await mutedBecause(restored)).toMatch(/restored from the backup of .*--take-over/);
      const refused = await restored.call("/api/v1/sensors", { headers: { authorization: `Bearer ${city.token}` } });
      expect(refused.status).toBe(401);
      await refused.text();
      // Life goes on: the gateway logs in with its old secret, and what it sends again is a duplicate.
      const again = startHttpSender(restored, gateway, { sensorId: "load-3" });
      await again.ackedAtLeast(100);
      await again.stop();
      const after = await reckon(restored, [...before, again]);
      expect(after).toMatchObject({ lost: 0, doubled: 0, rows, ledger: { balanced: true, stored: ledger.stored } });
      expect(after.ledger.duplicate).toBe(again.acked.size);
      expect(await restored.api("/audit/verify")).toMatchObject({ intact: true });
    } finally {
      await restored.stop();
    }
  });

  it("is an archive that tar can read, and holds no secret", async () => {
    const { stdout } = await run("tar", ["tvf", tar()]);
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/).at(-1)!);
    expect(names[0]).toBe("records.db");
    expect(names.at(-1)).toBe("manifest.json");
    expect(names.filter((name) => !name.startsWith("journal/"))).toEqual([
      "records.db",
      "readings.duckdb",
      "manifest.json",
    ]);
    expect((await stat(tar())).mode & 0o777).toBe(0o600);
    const bytes = await readFile(tar());
    expect(bytes.includes(city.token)).toBe(false);
    expect(bytes.includes(gateway.password)).toBe(false);
    // The search would find one: this stands in the archive.
    expect(bytes.includes(gateway.username)).toBe(true);
    expect(await readdir(city.dataDir)).not.toContain("backup.staging");
  });

  it("can be a folder, too, which restores as well", async () => {
    const [target, into] = [join(folder, "as-folder"), join(folder, "from-folder")];
    expect(await city.cli("backup", target)).toMatchObject({ code: 0 });
    expect(await city.cli("backup", target)).toMatchObject({ code: 1, stderr: expect.stringContaining("exists") });
    const { stdout, code } = await restore(target, "--into", into, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).readings).toBeGreaterThan(1_200);
    const again = await restore(target, "--into", into, "--force", "--take-over");
    expect(again.stdout).not.toContain("--take-over");
    const real = await startCity({}, into);
    expect(await mutedBecause(real)).toBeUndefined();
    await real.stop();
  });

  it("refuses a damaged backup, wherever the damage is, and leaves the directory empty", async () => {
    const { size } = await stat(tar());
    for (const damage of [100, 5_000, Math.floor(size / 2), size - 3_000]) {
      const broken = join(folder, "broken.tar");
      await cp(tar(), broken);
      const file = await open(broken, "r+");
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, damage);
      await file.write(Buffer.from([buffer[0]! ^ 0x40]), 0, 1, damage);
      await file.close();
      await expectRefused(broken, /./);
    }
    const short = join(folder, "short.tar");
    for (const bytes of [0, 700, Math.floor(size / 2), size - 1_024 - 600]) {
      await cp(tar(), short);
      await truncate(short, bytes);
      await expectRefused(short, /./);
    }
    await writeFile(short, "no archive at all");
    await expectRefused(short, /breaks off/);
    expect(await restore(join(folder, "nowhere.tar"), "--into", join(folder, "untouched"))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lamppost: .*nowhere\.tar cannot be restored: there is no such file or folder\n$/),
    });
    const said = await restore(short, "--into", join(folder, "untouched"));
    expect(said).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lamppost: .*short\.tar cannot be restored: it breaks off\n$/),
    });
  });

  it("refuses a file of a foreign name, so that nothing is written outside", async () => {
    const evil = join(folder, "evil");
    await cp(join(folder, "as-folder"), evil, { recursive: true });
    await writeFile(join(evil, "passwd"), "x");
    await expectRefused(evil, /passwd.*nothing of ours/);
    await run("tar", [
      "cf",
      join(folder, "evil.tar"),
      "-C",
      folder,
      "--transform",
      "s,evil/passwd,../passwd,",
      "-P",
      "evil/passwd",
    ]);
    await expectRefused(join(folder, "evil.tar"), /nothing of ours/);
  });

  it("refuses the backup of a newer service and names both versions", async () => {
    const newer = join(folder, "newer");
    await cp(join(folder, "as-folder"), newer, { recursive: true });
    const path = join(newer, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...manifest, service: "9.8.7", recordsSchema: 99 }));
    await expectRefused(newer, /schema version 99 \(lamppost 9\.8\.7\).*\(\d+\.\d+\.\d+\) knows versions up to \d+/);
    await writeFile(path, JSON.stringify({ ...manifest, format: 2 }));
    await expectRefused(newer, /format 2.*up to 1/);
  });

  it("refuses a directory that is not empty, or in use; --force moves what is there aside", {
    tags: ["long"],
  }, async () => {
    const into = join(folder, "from-folder");
    await writeFile(join(into, "notes.txt"), "mine");
    const refused = await restore(tar(), "--into", into);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("not empty") });
    expect(await readFile(join(into, "notes.txt"), "utf8")).toBe("mine");
    const { code, stdout } = await restore(tar(), "--into", into, "--force", "--json");
    expect(code).toBe(0);
    const { movedTo } = JSON.parse(stdout);
    expect(await readdir(movedTo)).toEqual(expect.arrayContaining(["notes.txt", "records.db", "readings.duckdb"]));
    expect((await readdir(into)).sort()).toEqual(
      [
        "admin-token",
        "journal",
        "lock.db",
        "map",
        "photos",
        "readings.duckdb",
        "records.db",
        movedTo.split("/").at(-1),
      ].sort(),
    );
    const used = await restore(tar(), "--into", city.dataDir, "--force");
    expect(used).toMatchObject({ code: 1, stderr: expect.stringContaining("in use") });
    expect((await city.api("/ledger")).balanced).toBe(true);
  });

  async function expectRefused(backup: string, why: RegExp): Promise<void> {
    const into = join(folder, "untouched");
    const options = { backup, into, force: false, version: "0.1.0", now: Date.now(), log: SILENT };
    await expect(restoreBackup(options)).rejects.toMatchObject({
      name: expect.stringMatching(/^Backup(Damaged|TooNew)$/),
      message: expect.stringMatching(why),
    });
    expect((await readdir(into)).filter((name) => name !== "lock.db")).toEqual([]);
  }
});
