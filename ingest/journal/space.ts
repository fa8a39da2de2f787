import { type Source, senderKey } from "../../model/message.ts";
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

  /** Bytes that can still be written; infinite where nothing is kept free. */
  async function room(): Promise<number> {
    return freeBytesMin <= 0 ? Number.POSITIVE_INFINITY : (await fs.freeBytes(dir)) - freeBytesMin;
  }

  return { hasRoom, forget, room };
}

/** Of the last stretch nobody gets more than this part; an external broker speaks for a whole city. */
const SHARE = 0.1;
const BROKER_SHARE = 0.5;
/** So many bytes of disk a byte of the journal may end in: journal, store, rollups and their logs. */
const SPREAD = 4;

/**
 * The last stretch before the journal stops is shared: `stretchBytes` of room, in which each sender may use up a tenth.
 * One that has had its share is held, and the others go on; all begin anew when there is more room again. A sender is
 * charged with its part, by bytes, of what is gone since the stretch began, and never with more than it can have caused:
 * where others fill the disk, or what was taken is removed again, nobody is held.
 */
export function createShares(stretchBytes: number) {
  const taken = new Map<string, number>();
  let total = 0;
  /** Room when the stretch began; infinite outside of it. */
  let begun = Number.POSITIVE_INFINITY;
  let held: ReadonlySet<string> = new Set();

  function took(source: Source, bytes: number): void {
    if (begun === Number.POSITIVE_INFINITY) return;
    const sender = senderKey(source);
    taken.set(sender, (taken.get(sender) ?? 0) + bytes);
    total += bytes;
  }

  /** Call it often with the room there is. */
  function look(room: number): void {
    if (room >= stretchBytes || room >= begun) {
      taken.clear();
      total = 0;
      begun = Number.POSITIVE_INFINITY;
      held = new Set();
    }
    if (room >= stretchBytes) return;
    if (begun === Number.POSITIVE_INFINITY) begun = Math.max(0, room);
    const gone = begun - Math.max(0, room);
    const now = new Set<string>();
    for (const [sender, bytes] of taken) {
      const share = begun * (sender.startsWith("broker ") ? BROKER_SHARE : SHARE);
      if (Math.min((gone * bytes) / total, SPREAD * bytes) > share) now.add(sender);
    }
    held = now;
  }

  return { took, look, isHeld: (sender: string) => held.size > 0 && held.has(sender), held: () => [...held] };
}
