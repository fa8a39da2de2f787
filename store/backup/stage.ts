import { createHash } from "node:crypto";
import { closeSync, constants, createReadStream, openSync, rmSync } from "node:fs";
import { copyFile, link, mkdir, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import type { Log } from "../../model/log.ts";
import { knownInstallation } from "../influx/lines.ts";
import type { ReadingStore } from "../reading-store.ts";
import type { Records } from "../records.ts";
import {
  BACKUP_FORMAT,
  isBackupFile,
  JOURNAL,
  MANIFEST,
  MAP,
  type Manifest,
  PHOTOS,
  READINGS,
  RECORDS,
} from "./manifest.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar.ts";

type BackupOptions = {
  readonly dataDir: string;
  readonly store: Pick<ReadingStore, "name" | "copyTo" | "copyCommand" | "place">;
  readonly records: Pick<Records, "storeState">;
  /** Version of the service. */
  readonly version: string;
  readonly diskFreeBytesMin: number;
  /** Resolves when a removal of old readings that is under way has ended; none begins while `mayRemove` is false. */
  readonly settled: () => Promise<unknown>;
  readonly now: () => number;
  readonly log: Log;
};

/** A tar archive, or why there is none now. */
export type Backup = { readonly archive: Readable } | { readonly refused: string };

type Backups = {
  /** False while a backup copies: then no segment of the journal may be deleted, and nothing be removed for its age. */
  mayRemove(): boolean;
  /** Rejects with the signal's reason where it is aborted before the copies are made; there is nothing left of them. */
  start(signal?: AbortSignal): Promise<Backup>;
};

const STAGING = "backup.staging";

/**
 * Copies of everything, made while the service works, that together are one moment of it:
 *
 * 1. The records, as one snapshot. They say up to which message the readings are booked.
 * 2. The readings, later. So they hold all that is booked, and maybe more: readings of messages that the copied records
 *    take for unbooked. After a restore those messages are opened again, and a reading found with the number of its own
 *    message counts as stored and is not written twice, exactly as after a crash.
 * 3. The journal, last. So it holds every message that is not booked, the ones of step 2 and everything acknowledged
 *    before it was copied. From before step 1 on no segment is deleted. A record cut in the middle at its end was not
 *    acknowledged yet and is dropped when the journal is opened.
 *
 * Where the readings are on a server with its own tools, step 2 is left to a person (`copyReadings` in the manifest). What
 * that copy has beyond the records is settled at the first start after a restore (`ingest/adoption.ts`).
 *
 * Any other order loses something: journal before records, what was booked and released in between is in neither;
 * readings before records, what was written and booked in between is in neither.
 */
export function createBackups(options: BackupOptions): Backups {
  const { dataDir, log } = options;
  const staging = join(dataDir, STAGING);
  // What a process left that ended in the middle.
  rmSync(staging, { recursive: true, force: true });
  let isStaging = false;
  let isBusy = false;

  async function start(signal?: AbortSignal): Promise<Backup> {
    if (isBusy) return { refused: "A backup is being made already." };
    // Its books would be right at one moment and its database at another.
    if (options.records.storeState.get("restored") !== undefined)
      return {
        refused: "This folder was restored, and what its store got after the backup is still taken into its books.",
      };
    isBusy = true;
    try {
      const short = await bytesShort(options);
      if (short > 0) return refuse(`The disk is ${Math.ceil(short / 1024 / 1024)} MiB too full to make copies on it.`);
      isStaging = true;
      await options.settled();
      const manifest = await stage(options, staging, signal);
      isStaging = false;
      log.info({ files: manifest.files.length }, "a backup is copied");
      // Also where it is never read, or not to its end.
      return {
        archive: Readable.from(archiveOf(manifest, staging), { objectMode: false }).once("close", () => void end()),
      };
    } catch (error) {
      isStaging = false;
      await end();
      throw error;
    }
  }

  function refuse(why: string): Backup {
    isBusy = false;
    return { refused: why };
  }

  async function end(): Promise<void> {
    try {
      await rm(staging, { recursive: true, force: true });
    } catch (error) {
      // Nobody waits for this; the next backup, or the next start, removes it first.
      log.warn({ err: error }, "the copies of a backup could not be removed");
    }
    isBusy = false;
  }
  return { mayRemove: () => !isStaging, start };
}

/** Copies are made beside the originals first, so that the journal need not wait for a slow reader of the archive. */
async function bytesShort({ dataDir, diskFreeBytesMin }: BackupOptions): Promise<number> {
  const names = [RECORDS, READINGS, `${RECORDS}-wal`, `${READINGS}.wal`, ...(await journalFiles(dataDir))];
  const sizes = await Promise.all(names.map((name) => sizeOf(join(dataDir, name))));
  const { bavail, bsize } = await statfs(dataDir);
  return sizes.reduce((sum, bytes) => sum + bytes, diskFreeBytesMin) - bavail * bsize;
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function journalFiles(dir: string): Promise<string[]> {
  return filesIn(dir, JOURNAL);
}

async function filesIn(dir: string, folder: string): Promise<string[]> {
  const names = (await readdir(join(dir, folder))).map((name) => `${folder}/${name}`);
  return names.filter(isBackupFile).sort();
}

/** Whoever has taken no photo, or sent no map, has no folder of them. */
const filesIfAny = (dir: string, folder: typeof PHOTOS | typeof MAP) =>
  filesIn(dir, folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });

type Staged = Omit<Manifest, "files"> & {
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
};

async function stage(
  { dataDir, store, version, now }: BackupOptions,
  staging: string,
  signal?: AbortSignal,
): Promise<Staged> {
  await mkdir(join(staging, JOURNAL), { recursive: true, mode: 0o700 });
  const createdAt = new Date(now()).toISOString();
  const copied = await copyRecords(join(dataDir, RECORDS), join(staging, RECORDS));
  const names = [RECORDS];
  const hasReadings = await store.copyTo(join(staging, READINGS), signal);
  if (hasReadings) names.push(READINGS);
  for (const name of await journalFiles(dataDir)) {
    signal?.throwIfAborted();
    await copyFile(join(dataDir, name), join(staging, name), constants.COPYFILE_FICLONE);
    names.push(name);
  }
  for (const folder of [PHOTOS, MAP] as const) names.push(...(await linkFiles(folder, dataDir, staging, signal)));
  const files = await Promise.all(names.map(async (name) => ({ name, bytes: (await stat(join(staging, name))).size })));
  return {
    format: BACKUP_FORMAT,
    service: version,
    recordsSchema: copied.schema,
    createdAt,
    store: store.name,
    place: store.place,
    installation: knownInstallation(copied.offsets),
    position: copied.offsets.get("store") ?? 1,
    ...(!hasReadings && store.copyCommand && { copyReadings: store.copyCommand() }),
    files,
  };
}

/** Their content never changes under a name, so that a second name is as good as a copy, and needs no room; after the records, so that none is missing. */
async function linkFiles(
  folder: typeof PHOTOS | typeof MAP,
  dataDir: string,
  staging: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const names = await filesIfAny(dataDir, folder);
  if (names.length > 0) await mkdir(join(staging, folder), { mode: 0o700 });
  for (const name of names) {
    signal?.throwIfAborted();
    const [from, to] = [join(dataDir, name), join(staging, name)];
    await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE));
  }
  return names;
}

/** The manifest comes last: an archive without one is not whole. */
async function* archiveOf(staged: Staged, staging: string): AsyncGenerator<Buffer> {
  const time = Date.parse(staged.createdAt);
  const files: Manifest["files"] = [];
  for (const { name, bytes } of staged.files) {
    yield tarHeader(name, bytes, time);
    const hash = createHash("sha256");
    for await (const part of createReadStream(join(staging, name), { highWaterMark: 1024 * 1024 })) {
      hash.update(part);
      yield part;
    }
    yield tarPadding(bytes);
    files.push({ name, bytes, sha256: hash.digest("hex") });
  }
  const manifest = Buffer.from(`${JSON.stringify({ ...staged, files } satisfies Manifest, undefined, 2)}\n`);
  yield Buffer.concat([tarHeader(MANIFEST, manifest.length, time), manifest, tarPadding(manifest.length), TAR_END]);
}

/** All pages in one step: between two steps a commit would begin the copy again. */
const PAGES_PER_STEP = 0x7fff_ffff;

/**
 * Copies the records to a new file (0600) as of one moment, off this thread, while they are written. On a connection of
 * its own: the service's is not kept waiting. Answers the schema's version, and how far each consumer was at that moment.
 */
export async function copyRecords(
  source: string,
  target: string,
): Promise<{ readonly schema: number; readonly offsets: ReadonlyMap<string, number> }> {
  closeSync(openSync(target, "wx", 0o600));
  const db = new DatabaseSync(source, { readOnly: true, timeout: 5_000 });
  try {
    await backup(db, target, { rate: PAGES_PER_STEP });
  } finally {
    db.close();
  }
  const copy = new DatabaseSync(target);
  try {
    // One file that needs no log beside it.
    copy.exec("PRAGMA journal_mode = DELETE");
    const schema = Number(Object.values(copy.prepare("PRAGMA user_version").get() ?? {})[0]);
    const rows = copy.prepare("SELECT consumer, position FROM offsets").all() as {
      consumer: string;
      position: number;
    }[];
    return { schema, offsets: new Map(rows.map(({ consumer, position }) => [consumer, position])) };
  } finally {
    copy.close();
  }
}
