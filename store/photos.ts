import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { PHOTOS_PER_ALERT_MAX, type Photo, photoFile } from "../model/photo.ts";
import { DAY_MS } from "../model/time.ts";
import type { Records } from "./records.ts";

type PhotosOptions = {
  /** `photos/` of the data folder. */
  readonly dir: string;
  readonly records: Pick<Records, "photos">;
  /** All of them together. */
  readonly bytesMax: number;
  readonly diskFreeBytesMin: number;
  readonly now: () => number;
};

/** `many`: of this alert. `full`: there is no room for more. */
export type PhotoAdded = Photo | "many" | "full";

/** What was sent and never said with a deed goes after so long: whoever has no connection may come back to it. */
const UNUSED_MS = 7 * DAY_MS;
const REMOVED_AT_ONCE = 200;

/**
 * The photos of alerts, a file each. A file is on disk before its row is, and goes after it: a row without a file there is
 * not, and a file without a row, left by a crash, is removed with what is old.
 */
export function createPhotos({ dir, records: { photos }, bytesMax, diskFreeBytesMin, now }: PhotosOptions) {
  const pathOf = (photo: Photo) => join(dir, photoFile(photo));

  /** The same photo of the same alert is kept once. */
  async function add(about: Pick<Photo, "alert" | "type" | "by">, content: Uint8Array): Promise<PhotoAdded> {
    const digest = createHash("sha256").update(`${about.alert}\n`).update(content).digest("hex");
    const photo: Photo = { ...about, id: digest.slice(0, 32), bytes: content.byteLength, at: now() };
    const known = photos.get(photo.alert, photo.id);
    if (known) return known;
    if (photos.countOf(photo.alert) >= PHOTOS_PER_ALERT_MAX) return "many";
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (photos.bytes() + photo.bytes > bytesMax || (await freeBytes()) < diskFreeBytesMin + photo.bytes) return "full";
    await write(pathOf(photo), content);
    photos.add(photo);
    return photo;
  }

  async function freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  }

  async function write(path: string, content: Uint8Array): Promise<void> {
    const started = `${path}.new`;
    const file = await open(started, "w", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(started, path);
    await syncFolder(dir);
  }

  /** Removes those taken before `before`, and what nobody has need of; says how many rows went. */
  async function removeBefore(before: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const old = photos.old(before, now() - UNUSED_MS, REMOVED_AT_ONCE);
      for (const photo of old) {
        photos.remove(photo.id);
        await rm(pathOf(photo), { force: true });
      }
      removed += old.length;
      if (old.length < REMOVED_AT_ONCE) break;
    }
    await removeStrays();
    return removed;
  }

  async function removeStrays(): Promise<void> {
    const names = await readdir(dir).catch(() => []);
    for (const name of names) {
      const path = join(dir, name);
      // What is younger may be on its way.
      const isOld = await stat(path).then(
        ({ mtimeMs }) => Math.abs(now() - mtimeMs) > DAY_MS,
        () => false,
      );
      if (isOld && !photos.has(name.slice(0, 32))) await rm(path, { force: true });
    }
  }

  return {
    add,
    /** Rejects where the file cannot be read. */
    read: (photo: Photo): Promise<Buffer> => readFile(pathOf(photo)),
    removeBefore,
  };
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
