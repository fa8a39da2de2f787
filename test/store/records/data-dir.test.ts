import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../../model/log.ts";
import { closeToOthers, DataDirInUse, lockDataDir } from "../../../store/records/data-dir.ts";

describe("the lock on the data directory", () => {
  let root: string;
  let dir: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "lamppost-lock-"));
    dir = join(root, "some", "data");
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    rmSync(root, { recursive: true });
  });

  /** A second process that tries the lock, says how it went, and stays. */
  async function another(): Promise<{ answer: string; child: ChildProcess }> {
    const child = spawn(process.execPath, ["--expose-gc", join(import.meta.dirname, "lock-child.ts"), dir]);
    children.push(child);
    const [chunk] = await once(child.stdout!, "data");
    return { answer: String(chunk).trimEnd(), child };
  }

  it("makes the folder for its owner only", () => {
    lockDataDir(dir).release();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, "lock.db")).mode & 0o777).toBe(0o600);
  });

  it("closes an older folder to others, and keeps what is to be run and the lock", async () => {
    const lock = lockDataDir(dir);
    mkdirSync(join(dir, "journal"));
    for (const name of ["records.db", "journal/1.journal", "script.sh"]) writeFileSync(join(dir, name), "x");
    const elsewhere = join(root, "elsewhere");
    writeFileSync(elsewhere, "x");
    symlinkSync(elsewhere, join(dir, "link"));
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    chmodSync(dir, 0o755);
    chmodSync(join(dir, "journal"), 0o775);
    chmodSync(join(dir, "records.db"), 0o644);
    chmodSync(join(dir, "journal/1.journal"), 0o666);
    chmodSync(join(dir, "script.sh"), 0o755);
    chmodSync(elsewhere, 0o644);
    const said: unknown[] = [];
    const log = { ...SILENT, info: (fields: object) => void said.push(fields) };
    closeToOthers(dir, log);
    const inside = ["", "journal", "records.db", "journal/1.journal", "script.sh", "lock.db"];
    expect(inside.map((name) => modeOf(join(dir, name)))).toEqual(["700", "700", "600", "600", "700", "600"]);
    expect(modeOf(elsewhere)).toBe("644");
    closeToOthers(dir, log);
    expect(said).toEqual([{ dir, closed: 5 }]);
    expect((await another()).answer).toContain("DataDirInUse");
    lock.release();
  });

  it("keeps a second process out, in one line that names the folder, until it is released", async () => {
    const lock = lockDataDir(dir);
    const refused = await another();
    expect(refused.answer).toBe(`DataDirInUse: The data directory ${dir} is in use by another lamppost process.`);
    lock.release();
    expect((await another()).answer).toBe("locked");
    expect(() => lockDataDir(dir)).toThrow(DataDirInUse);
  });

  it("is gone after kill -9", async () => {
    const { answer, child } = await another();
    expect(answer).toBe("locked");
    expect(() => lockDataDir(dir)).toThrow(DataDirInUse);
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = lockDataDir(dir);
    lock.release();
    expect(() => lock.release()).not.toThrow();
  });

  it("is not given twice within one process", () => {
    const lock = lockDataDir(dir);
    expect(() => lockDataDir(dir)).toThrow(DataDirInUse);
    lock.release();
    lockDataDir(dir).release();
  });

  it("says of a damaged lock that it may be removed", () => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "lock.db"), "no database, but long enough to be looked at\n".repeat(40));
    expect(() => lockDataDir(dir)).toThrow(`${join(dir, "lock.db")} is damaged. Nothing is kept in it: remove it`);
    rmSync(join(dir, "lock.db"));
    lockDataDir(dir).release();
  });

  it("says what is wrong where the folder cannot be made", () => {
    writeFileSync(join(root, "some"), "a file");
    expect(() => lockDataDir(dir)).toThrow(/ENOTDIR|EEXIST/);
  });

  it.runIf(process.platform === "linux")("says so, too, where the system lets nobody make one, and returns", () => {
    // In a process of its own: what never returns could not be timed out here.
    const home = JSON.stringify(join(import.meta.dirname, "../../../store/records/data-dir.ts"));
    const script = `import { lockDataDir } from ${home}; lockDataDir("/proc/lamppost/data");`;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
    expect([child.signal, child.stderr.toString()]).toEqual([null, expect.stringContaining("ENOENT")]);
  });
});
