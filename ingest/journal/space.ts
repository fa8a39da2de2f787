import type { JournalFs } from "./fs.ts";

const CHECK_EVERY_MS = 1_000;
const CHECK_EVERY_BYTES = 16 * 1024 * 1024;

/**
 * Says whether a write leaves `freeBytesMin` free, so that the journal stops while databases and logs still have room to
 * say so; with 0 nothing is asked. Asks the disk at most once a second or every 16 MiB: others fill it too, but not between two writes.
 */
export function createSpaceWatch(fs: JournalFs, dir: string, freeBytesMin: number, now: () => number) {
  let checkedAt = Number.NEGATIVE_INFINITY;
  let allowance = 0;

  async function hasRoom(bytes: number): Promise<boolean> {
    if (freeBytesMin <= 0) return true;
    if (bytes > allowance || Math.abs(now() - checkedAt) >= CHECK_EVERY_MS) {
      const room = (await fs.freeBytes(dir)) - freeBytesMin;
      checkedAt = now();
      allowance = Math.max(0, Math.min(room, Math.max(bytes, CHECK_EVERY_BYTES)));
    }
    if (bytes > allowance) return false;
    allowance -= bytes;
    return true;
  }

  /** The next question goes to the disk. */
  function forget(): void {
    allowance = 0;
  }

  return { hasRoom, forget };
}
