import fs from "node:fs";
import { copyFile, mkdir, readdir, rename, stat, statfs, unlink } from "node:fs/promises";

/** What the journal needs of a file system: small, so that tests can put one between that fails, tears and forgets. */
export type JournalFs = {
  /** "read" and "change" need the file to exist, "replace" empties or creates it. */
  open(path: string, mode: "read" | "change" | "replace"): Promise<JournalFile>;
  /** With its parents; no error if it is there. */
  makeDir(path: string): Promise<void>;
  /** Names, in no order. */
  list(dir: string): Promise<readonly string[]>;
  /** Replaces the target. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Replaces the target. */
  copy(from: string, to: string): Promise<void>;
  /** Makes created, renamed and deleted names durable. */
  syncDir(dir: string): Promise<void>;
  freeBytes(dir: string): Promise<number>;
  /** When the file was last written, epoch milliseconds. Without it a file counts as written when it was found. */
  modifiedAt?(path: string): Promise<number>;
};

export type JournalFile = {
  /** Writes `bytes[from … to - 1]` at `position`; may write less, returns how much. */
  write(bytes: Uint8Array, from: number, to: number, position: number): Promise<number>;
  /** Fills `bytes[from … to - 1]` from `position`; may read less, 0 at the end of the file. */
  read(bytes: Uint8Array, from: number, to: number, position: number): Promise<number>;
  datasync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
};

/** The `code` of a system error: "ENOSPC", "EIO", …; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Writes all of it, however short the single writes are. */
export async function writeFully(file: JournalFile, bytes: Uint8Array, to: number, position: number): Promise<void> {
  let done = 0;
  while (done < to) {
    const written = await file.write(bytes, done, to, position + done);
    if (written <= 0) throw Object.assign(new Error("the disk took nothing of a write"), { code: "EIO" });
    done += written;
  }
}

/** Reads until `bytes` is full or the file ends; returns how much was read. */
export async function readFully(file: JournalFile, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const read = await file.read(bytes, done, bytes.length, position + done);
    if (read <= 0) break;
    done += read;
  }
  return done;
}

const FLAGS = { read: "r", change: "r+", replace: "w+" } as const;

/** The real disk. Files are for the service alone: payloads may turn out to hold personal data. */
export const nodeFs: JournalFs = {
  open: async (path, mode) => openFile(await call<number>((done) => fs.open(path, FLAGS[mode], 0o600, done))),
  makeDir: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: (dir) => readdir(dir),
  rename,
  unlink,
  copy: copyFile,
  syncDir,
  freeBytes: async (dir) => {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  },
  modifiedAt: async (path) => (await stat(path)).mtimeMs,
};

function openFile(fd: number): JournalFile {
  // Plain descriptors: the FileHandle of fs/promises costs several times more for each small call.
  return {
    write: (bytes, from, to, position) => call((done) => fs.write(fd, bytes, from, to - from, position, done)),
    read: (bytes, from, to, position) => call((done) => fs.read(fd, bytes, from, to - from, position, done)),
    datasync: () => call((done) => fs.fdatasync(fd, done)),
    truncate: (bytes) => call((done) => fs.ftruncate(fd, bytes, done)),
    size: async () => (await call<fs.Stats>((done) => fs.fstat(fd, done))).size,
    close: () => call((done) => fs.close(fd, done)),
  };
}

async function syncDir(dir: string): Promise<void> {
  // Windows cannot open a folder as a file; NTFS keeps its names in a log of its own.
  if (process.platform === "win32") return;
  const fd = await call<number>((done) => fs.open(dir, "r", done));
  try {
    await call<void>((done) => fs.fsync(fd, done));
  } finally {
    await call<void>((done) => fs.close(fd, done));
  }
}

function call<T>(start: (done: (error: Error | null | undefined, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}
