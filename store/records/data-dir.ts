import { closeSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataDirInUse } from "./errors.ts";

const SQLITE_BUSY = 5;

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
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, "lock.db");
  const db = openLock(path);
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new DataDirInUse(`The data directory ${dir} is in use by another lamppost process.`, { cause: error });
  }
  held.add(db);
  return {
    release() {
      held.delete(db);
      if (db.isOpen) db.close();
    },
  };
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
