import fs from "node:fs";
import { copyFile, mkdir, readdir, rename, stat, statfs, unlink } from "node:fs/promises";
import type { JournalFile, JournalFs } from "./fs.ts";

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
