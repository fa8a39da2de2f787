import { join } from "node:path";
import type { Log } from "../../model/log.ts";
import { type JournalFile, type JournalFs, writeFully } from "./fs.ts";
import type { Segment } from "./recovery.ts";
import { createSegment, SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";

/** Where a test harness may stop the process. */
export type FaultPoint = "before-append" | "after-append" | "after-fsync" | "mid-segment-rotate";

export type SegmentsOptions = {
  readonly dir: string;
  readonly segmentBytes: number;
  readonly salt: number;
  /** A released segment stays for so long after its last record, the oldest ones only while all of them fit into `keepBytesMax`. */
  readonly keepForMs: number;
  readonly keepBytesMax: number;
  /** A segment this old with records that are released is closed, so that its time can come. */
  readonly rotateAfterMs: number;
};

/**
 * The files of an open journal. What is on disk up to the active segment's `bytes` is committed and never written again.
 *
 * A segment that was there before opening is not continued (unless it is empty): its end may rest on pages that an
 * earlier failure left in a state nobody knows.
 */
export function createSegments(
  options: SegmentsOptions,
  ports: { fs: JournalFs; log: Log; now: () => number; at?: ((point: FaultPoint) => void) | undefined },
  found: readonly Segment[],
) {
  const { dir, segmentBytes, salt } = options;
  const { fs, log, now, at } = ports;
  const list: Segment[] = found.map((segment) => ({ endedAt: now(), ...segment }));
  let active: { readonly file: JournalFile; readonly segment: Segment; begunAt: number; unsure?: true } | undefined;
  /** Every number below has been dealt with. */
  let released = 0;
  let releasing = Promise.resolve();

  /** Makes the segment that begins with `first` and turns to it. If that fails, all is as before. */
  async function start(first: number): Promise<void> {
    const previousFirst = list.findLast((segment) => segment.first < first)?.first ?? 0;
    const file = await createSegment(fs, dir, { salt, first, previousFirst }, () => at?.("mid-segment-rotate"));
    await active?.file.close();
    if (list.at(-1)?.first === first) list.pop();
    active = { file, segment: { first, bytes: SEGMENT_HEADER_BYTES, endedAt: now() }, begunAt: now() };
    list.push(active.segment);
  }

  /** Goes on in the last segment, which recovery found empty and sound. */
  async function resume(): Promise<void> {
    const segment = list.at(-1) as Segment;
    active = { file: await fs.open(join(dir, segmentName(segment.first)), "change"), segment, begunAt: now() };
  }

  /** Old enough to be closed, and some of it has been released. */
  function isDue(): boolean {
    if (!active || isEmpty() || active.segment.first >= released) return false;
    return now() - active.begunAt >= options.rotateAfterMs;
  }

  /** Housekeeping: if there is no room for another segment just now, this one goes on. */
  async function rotate(next: number): Promise<void> {
    try {
      await start(next);
    } catch (error) {
      if (active) active.begunAt = now();
      log.warn({ err: error }, "the journal could not begin a new segment; it goes on in the old one");
    }
  }

  /** Writes a batch whose first record is `from` and makes it durable. */
  async function append(bytes: Uint8Array, used: number, from: number): Promise<void> {
    if (!active || active.unsure || (!isEmpty() && active.segment.bytes + used > segmentBytes)) await start(from);
    else if (isDue()) await rotate(from);
    const { file, segment } = active as NonNullable<typeof active>;
    at?.("before-append");
    await writeFully(file, bytes, used, segment.bytes);
    at?.("after-append");
    await file.datasync().catch((error: unknown) => {
      // Which pages of this file the system still has is unknown now; nothing more goes into it.
      if (active) active.unsure = true;
      throw error;
    });
    segment.bytes += used;
    segment.endedAt = now();
    at?.("after-fsync");
  }

  /** Takes back what a failed append left behind the last committed record. */
  async function rollBack(): Promise<void> {
    await active?.file.truncate(active.segment.bytes);
  }

  function isEmpty(): boolean {
    return active?.segment.bytes === SEGMENT_HEADER_BYTES;
  }

  async function close(): Promise<void> {
    await releasing;
    const file = active?.file;
    active = undefined;
    await file?.close();
  }

  /**
   * Deletes segments whose records are all below `offset` when their time has come, the oldest first; never the active one.
   * Those with records from `heldFrom` on stay for as long as there is room for them.
   */
  function release(offset: number, heldFrom = Number.POSITIVE_INFINITY): void {
    released = Math.max(released, offset);
    const keptSince = now() - options.keepForMs;
    drop((oldest, keptBytes) => {
      const isHeld = (list[1]?.first ?? Number.POSITIVE_INFINITY) > heldFrom;
      return (!isHeld && (oldest.endedAt ?? 0) <= keptSince) || keptBytes > options.keepBytesMax;
    });
  }

  /** For room on a full disk: deletes what is released, whatever its time. False if there was nothing. */
  async function dropKept(): Promise<boolean> {
    const dropped = drop(() => true);
    await releasing;
    return dropped;
  }

  function drop(isTime: (oldest: Segment, keptBytes: number) => boolean): boolean {
    const gone: Segment[] = [];
    let kept = keptBytes();
    while (isReleased(0) && isTime(list[0] as Segment, kept)) {
      const oldest = list.shift() as Segment;
      kept -= oldest.bytes;
      gone.push(oldest);
    }
    if (gone.length > 0) releasing = releasing.then(() => unlinkAll(gone));
    return gone.length > 0;
  }

  /** Bytes of what every consumer has passed. */
  function keptBytes(): number {
    return list.filter((_, index) => isReleased(index)).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  function isReleased(index: number): boolean {
    const next = list[index + 1];
    return next !== undefined && next.first <= released && list[index] !== active?.segment;
  }

  async function unlinkAll(gone: readonly Segment[]): Promise<void> {
    try {
      // In this order, so that a crash in between leaves no hole in the chain.
      for (const { first } of gone) await fs.unlink(join(dir, segmentName(first)));
      await fs.syncDir(dir);
    } catch (error) {
      // They are found again at the next start and released then; nothing but room is lost.
      log.warn({ err: error }, "a journal segment that is not needed any more could not be deleted");
    }
  }

  return {
    start,
    resume,
    append,
    rollBack,
    close,
    release,
    dropKept,
    keptBytes,
    isDue,
    rotate,
    isEmpty,
    first: () => list[0]?.first,
    bytes: () => list.reduce((sum, segment) => sum + segment.bytes, 0),
  };
}
