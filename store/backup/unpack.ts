import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MIGRATIONS } from "../records/migrations.ts";
import {
  BackupDamaged,
  checkFiles,
  isBackupFile,
  JOURNAL,
  MANIFEST,
  type Manifest,
  parseManifest,
} from "./manifest.ts";
import { readTar, type TarEntry } from "./tar.ts";

/** The files of a backup: a tar archive, or a folder with what was in one. */
export async function openBackup(path: string): Promise<AsyncIterable<TarEntry>> {
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
  if (folder) await mkdir(join(folder, JOURNAL), { recursive: true, mode: 0o700 });
  const found = new Map<string, { bytes: number; sha256: string }>();
  let text: string | undefined;
  for await (const { name, body } of entries) {
    if (name === MANIFEST) text = Buffer.concat(await Array.fromAsync(body)).toString("utf8");
    else if (isBackupFile(name)) found.set(name, await takeFile(body, folder && join(folder, name)));
    else throw new BackupDamaged(`it holds ${JSON.stringify(name.slice(0, 100))}, which is nothing of ours`);
  }
  if (text === undefined) throw new BackupDamaged("it has no manifest: it is no backup, or not all of one");
  const manifest = parseManifest(text, { service: version, recordsSchema: MIGRATIONS.length });
  checkFiles(manifest, found);
  if (!folder) return manifest;
  await writeFile(join(folder, MANIFEST), text, { mode: 0o600, flush: true });
  await syncFolder(join(folder, JOURNAL));
  await syncFolder(folder);
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

export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder as a file.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
