import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Log } from "../../model/log.ts";

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const PATHS_SHOWN = 10;

/** Another process works on the data directory. */
export class DataDirInUse extends Error {
  override readonly name = "DataDirInUse";
}

/**
 * The handles of the locks this process has. The lock lives as long as its handle: one that nobody refers to is closed by
 * the garbage collector, and the lock is gone with it.
 */
const held = new Set<DatabaseSync>();

/**
 * Takes the data directory for this process until `release()`; makes it (0700) if missing. Throws `DataDirInUse` if
 * another process, or this one, has it.
 *
 * The lock is SQLite's own on `lock.db`, which the kernel takes back when the process dies, even by kill -9: a file with
 * a pid in it would have to be judged stale. No one may open `lock.db` in this process by other means: closing any
 * handle on the file would drop the lock (POSIX).
 */
export function lockDataDir(dir: string): { release(): void } {
  makeFolder(dir);
  const path = join(dir, "lock.db");
  const db = openLock(path);
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    const { errcode } = error as { errcode?: number };
    if (errcode === SQLITE_BUSY)
      throw new DataDirInUse(`The data directory ${dir} is in use by another lamppost process.`, { cause: error });
    if (errcode === SQLITE_NOTADB || errcode === SQLITE_CORRUPT)
      throw new Error(`${path} is damaged. Nothing is kept in it: remove it and start again.`, { cause: error });
    throw error;
  }
  held.add(db);
  return {
    release() {
      held.delete(db);
      if (db.isOpen) db.close();
    },
  };
}

/** One level at a time: the recursive mkdir of Node never returns where the system lets nobody make any, as below /proc. */
function makeFolder(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(dir) !== dir) makeFolder(dirname(dir));
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    // A second process may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !statSync(dir).isDirectory()) throw error;
  }
}

/**
 * Takes from the group and from others all they may do with the folder and what is in it: older versions, copies and unpacked
 * archives left some of it readable. What belongs to another user stays as it is, with a warning. Changes modes by path and
 * opens nothing, because of the lock.
 */
export function closeToOthers(dir: string, log: Pick<Log, "info" | "warn">): void {
  const left: string[] = [];
  let closed = 0;
  const inside = readdirSync(dir, { recursive: true, withFileTypes: true });
  const paths = inside.filter((one) => one.isFile() || one.isDirectory()).map((one) => join(one.parentPath, one.name));
  for (const path of [dir, ...paths]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found || (found.mode & 0o077) === 0) continue;
    try {
      if (process.getuid && found.uid !== process.getuid()) throw new Error("somebody else's");
      chmodSync(path, found.mode & 0o700);
      closed += 1;
    } catch {
      left.push(path);
    }
  }
  if (closed > 0)
    log.info({ dir, closed }, "files of the data folder were open to other users of this machine; closed");
  if (left.length === 0) return;
  const shown = { dir, paths: left.slice(0, PATHS_SHOWN), count: left.length };
  log.warn(shown, "files of the data folder are open to other users of this machine and not ours to close");
}

/** Whether the folder has readings or a journal: then it has records, too, or has lost them. */
export function isInUse(dir: string): boolean {
  const names = readdirSync(dir, { recursive: true }) as string[];
  return names.some((name) => /^readings\.duckdb|^journal\b.*\.journal$/.test(name));
}

function openLock(path: string): DatabaseSync {
  try {
    // "wx": only a file that was not there is opened and closed here, so no lock of this process can be lost.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return new DatabaseSync(path, { timeout: 0 });
}
