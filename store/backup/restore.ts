import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Log } from "../../model/log.ts";
import { openDuckDbStore } from "../duckdb/store.ts";
import { ensureAdminToken } from "../records/accounts.ts";
import { lockDataDir } from "../records/data-dir.ts";
import { VERSION } from "../records/migrations.ts";
import { MUTED } from "../records/store-state.ts";
import { openRecords } from "../records.ts";
import {
  BackupDamaged,
  checkFiles,
  isBackupFile,
  JOURNAL,
  MANIFEST,
  MAP,
  type Manifest,
  PHOTOS,
  parseManifest,
  READINGS,
  RECORDS,
} from "./manifest.ts";
import { readTar, type TarEntry } from "./tar.ts";

type RestoreOptions = {
  /** A tar archive, or a folder with what was in one. */
  readonly backup: string;
  readonly into: string;
  /** Also into a folder that is not empty: what is there is moved into a folder inside it. */
  readonly force: boolean;
  /** It is the real one from now on: it tells people of alerts. */
  readonly takeOver?: boolean;
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
  const { backup, into, force, takeOver, version, now, log } = options;
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
    settleRecords(join(staging, RECORDS), join(into, "admin-token"), manifest, { takeOver, now, log });
    await rename(join(staging, JOURNAL), join(into, JOURNAL));
    for (const folder of [PHOTOS, MAP]) await rename(join(staging, folder), join(into, folder));
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

/**
 * A new admin token; the word that nobody is to be told of alerts yet; and for a database that lived on, that it has to be
 * taken into the books (`adoption.ts`).
 */
function settleRecords(
  path: string,
  file: string,
  manifest: Manifest,
  { takeOver = false, now, log }: Pick<RestoreOptions, "takeOver" | "now" | "log">,
): void {
  const { credentials, storeState, close } = openRecords({ path, now: () => now, log });
  try {
    credentials.remove("admin");
    ensureAdminToken(credentials, { file, now });
    const backupAt = Date.parse(manifest.createdAt);
    storeState.set(MUTED, takeOver ? undefined : { why: "restored", backupAt });
    if (manifest.store === "influxdb") storeState.set("restored", { backupAt });
  } finally {
    close();
  }
}

/** The files of a backup: a tar archive, or a folder with what was in one. */
async function openBackup(path: string): Promise<AsyncIterable<TarEntry>> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    throw new BackupDamaged("there is no such file or folder");
  });
  if (found.isDirectory()) return filesOf(path);
  return readTar(createReadStream(path, { highWaterMark: 1024 * 1024 }));
}

async function* filesOf(folder: string): AsyncGenerator<TarEntry> {
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll("\\", "/"));
  for (const name of names.sort()) {
    const path = join(folder, name);
    const found = await stat(path);
    if (!found.isDirectory()) yield { name, bytes: found.size, body: createReadStream(path) };
  }
}

/**
 * Reads a backup to its end and checks that each file is as it was written. With `folder` the files are put there, on
 * disk when it resolves. Throws `BackupDamaged` or `BackupTooNew`.
 */
export async function takeBackup(
  entries: AsyncIterable<TarEntry>,
  version: string,
  folder?: string,
): Promise<Manifest> {
  const folders = folder ? [JOURNAL, PHOTOS, MAP].map((name) => join(folder, name)) : [];
  for (const path of folders) await mkdir(path, { recursive: true, mode: 0o700 });
  const found = new Map<string, { bytes: number; sha256: string }>();
  let text: string | undefined;
  for await (const { name, body } of entries) {
    if (name === MANIFEST) text = Buffer.concat(await Array.fromAsync(body)).toString("utf8");
    else if (isBackupFile(name)) found.set(name, await takeFile(body, folder && join(folder, name)));
    else throw new BackupDamaged(`it holds ${JSON.stringify(name.slice(0, 100))}, which is nothing of ours`);
  }
  if (text === undefined) throw new BackupDamaged("it has no manifest: it is no backup, or not all of one");
  const manifest = parseManifest(text, { service: version, recordsSchema: VERSION });
  checkFiles(manifest, found);
  if (!folder) return manifest;
  await writeFile(join(folder, MANIFEST), text, { mode: 0o600, flush: true });
  for (const path of [...folders, folder]) await syncFolder(path);
  return manifest;
}

async function takeFile(body: AsyncIterable<Buffer>, path?: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const meter = new Transform({
    transform(part: Buffer, _encoding, done) {
      hash.update(part);
      bytes += part.length;
      done(undefined, part);
    },
  });
  const nowhere = () => new Writable({ write: (_part, _encoding, done) => done() });
  const target = path ? createWriteStream(path, { mode: 0o600, flags: "wx", flush: true }) : nowhere();
  await pipeline(Readable.from(body, { objectMode: false }), meter, target);
  return { bytes, sha256: hash.digest("hex") };
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder as a file.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
