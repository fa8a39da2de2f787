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

/** Of one sender, between the socket and the rules; the rest waits in its socket. Single readings: some hundreds. */
const BYTES_MAX = 32 * 1024;
/** Only whoever has more than this part of all that waits is the cause of the waiting. */
const PART_MIN = 1 / 16;
/** Where the rules stand still, for whatever reason, nobody is kept from the journal: it is there for that. */
const STANDS_STILL_MS = 1_000;

type Sent = { to: number; bytes: number; messages: number };
type Sender = { bytes: number; messages: number; committed: Sent[]; open: Sent };

/**
 * How much each sender has in the journal that the rules have not taken. All of them stand in one line there: whoever
 * sends faster than readings can be judged would make everybody else wait as long as its own. `taken`: the number of
 * the first message the rules have not taken; it and the numbers of `committed` may wrap at 32 bits. `now`: monotonic
 * milliseconds.
 */
export function createUnderWay(taken: () => number, now: () => number) {
  const senders = new Map<string, Sender>();
  const opened = new Set<Sender>();
  let next = taken();
  let lastTaken = next;
  let movedAt = now();

  function took(source: Source, bytes: number): void {
    const key = senderKey(source);
    let sender = senders.get(key);
    if (!sender) {
      sender = { bytes: 0, messages: 0, committed: [], open: { to: 0, bytes: 0, messages: 0 } };
      senders.set(key, sender);
    }
    forgetTaken(sender);
    sender.bytes += bytes;
    sender.messages += 1;
    sender.open.bytes += bytes;
    sender.open.messages += 1;
    opened.add(sender);
  }

  /** The journal has everything before `to`. */
  function committed(to: number): void {
    next = to;
    for (const sender of opened) {
      sender.committed.push({ ...sender.open, to });
      sender.open = { to: 0, bytes: 0, messages: 0 };
    }
    opened.clear();
  }

  function forgetTaken(sender: Sender): void {
    const at = taken();
    if (at !== lastTaken) {
      lastTaken = at;
      movedAt = now();
    }
    const { committed } = sender;
    let done = 0;
    while (done < committed.length && ((committed[done]!.to - at) | 0) <= 0) {
      sender.bytes -= committed[done]!.bytes;
      sender.messages -= committed[done]!.messages;
      done += 1;
    }
    if (done > 0) committed.splice(0, done);
  }

  /** True while this sender (a `senderKey`) is to wait for the rules. Asked for each packet. */
  function isFull(key: string): boolean {
    const sender = senders.get(key);
    if (!sender || sender.bytes < BYTES_MAX) return false;
    forgetTaken(sender);
    if (sender.bytes < BYTES_MAX || now() - movedAt > STANDS_STILL_MS) return false;
    return sender.messages > ((next - lastTaken) | 0) * PART_MIN;
  }

  return { took, committed, isFull };
}
