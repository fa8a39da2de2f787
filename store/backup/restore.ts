import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../model/log.ts";
import { openDuckDbStore } from "../duckdb/store.ts";
import { ensureAdminToken } from "../records/accounts.ts";
import { lockDataDir } from "../records/data-dir.ts";
import { openRecords } from "../records.ts";
import { JOURNAL, type Manifest, READINGS, RECORDS } from "./manifest.ts";
import { openBackup, syncFolder, takeBackup } from "./unpack.ts";

type RestoreOptions = {
  /** A tar archive, or a folder with what was in one. */
  readonly backup: string;
  readonly into: string;
  /** Also into a folder that is not empty: what is there is moved into a folder inside it. */
  readonly force: boolean;
  /** Version of this service. */
  readonly version: string;
  readonly now: number;
  readonly log: Log;
};

export type Restored = {
  readonly manifest: Manifest;
  /** Undefined where the readings are in InfluxDB. */
  readonly readings: number | undefined;
  /** Where what was there before is now. */
  readonly movedTo: string | undefined;
};

/** The folder has something in it, and nobody said that this is meant. */
class RestoreRefused extends Error {
  override readonly name = "RestoreRefused";
}

const STAGING = "restore.staging";

/**
 * Unpacks and checks everything first, beside its place; only then does anything move. The records come last: without
 * them a service does not start on such a folder. A new admin token is made, so that whoever holds a backup does not hold
 * the keys. Throws `RestoreRefused`, `BackupDamaged`, `BackupTooNew` or `DataDirInUse`.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { backup, into, force, version, now, log } = options;
  const entries = await openBackup(backup);
  const before = await namesIn(into);
  if (before.length > 0 && !force)
    throw new RestoreRefused(`${into} is not empty; --force moves what is there aside and restores into it`);
  const lock = lockDataDir(into);
  const staging = join(into, STAGING);
  try {
    await rm(staging, { recursive: true, force: true });
    const manifest = await takeBackup(entries, version, staging);
    const readings = await check(staging, manifest, log);
    const movedTo = await moveAside(into, before, now);
    settleRecords(join(staging, RECORDS), join(into, "admin-token"), manifest, now, log);
    await rename(join(staging, JOURNAL), join(into, JOURNAL));
    if (readings !== undefined) await rename(join(staging, READINGS), join(into, READINGS));
    await rename(join(staging, RECORDS), join(into, RECORDS));
    await syncFolder(into);
    return { manifest, readings, movedTo };
  } finally {
    await rm(staging, { recursive: true, force: true });
    lock.release();
  }
}

/** What a refused restore left does not count. */
async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => name !== STAGING && name !== "lock.db");
}

/** Opens what a start would open: a file can be as it was written and still be none that we can read. */
async function check(staging: string, manifest: Manifest, log: Log): Promise<number | undefined> {
  openRecords({ path: join(staging, RECORDS), now: () => 0, log }).close();
  if (!manifest.files.some(({ name }) => name === READINGS)) return undefined;
  const store = await openDuckDbStore({ path: join(staging, READINGS), log });
  try {
    return await store.count();
  } finally {
    await store.close();
  }
}

/** Nothing is deleted to make room. Inside the folder, because that may be a mounted volume. */
async function moveAside(into: string, names: readonly string[], now: number): Promise<string | undefined> {
  if (names.length === 0) return undefined;
  const aside = join(into, `replaced-${new Date(now).toISOString().replaceAll(":", "-")}`);
  await mkdir(aside, { mode: 0o700 });
  for (const name of names) await rename(join(into, name), join(aside, name));
  return aside;
}

/** A new admin token; and for a database that lived on the word that it has to be taken into the books (`adoption.ts`). */
function settleRecords(path: string, file: string, manifest: Manifest, now: number, log: Log): void {
  const { credentials, storeState, close } = openRecords({ path, now: () => now, log });
  try {
    credentials.remove("admin");
    ensureAdminToken(credentials, { file, now });
    if (manifest.store === "influxdb") storeState.set("restored", { backupAt: Date.parse(manifest.createdAt) });
  } finally {
    close();
  }
}
