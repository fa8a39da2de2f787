import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Log } from "../../model/log.ts";
import { type JournalFile, type JournalFs, readFully, writeFully } from "./fs.ts";
import { createSlab, readSeq, type Slab, writeSeq } from "./record.ts";

/** `endedAt`: when the last record was written, as far as known. */
export type Segment = { readonly first: number; bytes: number; endedAt?: number };

/** Where copies of damaged segments go, inside the journal's folder. */
const DAMAGED_DIR = "damaged";
/** A segment that has its header not yet: never holds a record, and the next segment made replaces it. */
const UNFINISHED = ".unfinished";

/**
 * Two copies of the header, each in a sector of its own, so that one bad sector cannot take the salt away:
 *
 *     0 8 bytes  magic
 *     8 u32      version of the format
 *    12 u32      salt of the checksums, the same in all segments of a journal
 *    16 u64      number of the first record
 *    24 u64      first record of the segment before this one when this one was made, 0 for none
 *    32 u32      CRC-32 of the 32 bytes before
 */
export const SEGMENT_HEADER_BYTES = 1024;
const COPY_AT = 512;
const MAGIC = Buffer.from("LAMPJRNL", "latin1");
const VERSION = 1;
const CHECKED_BYTES = 32;

export type SegmentHeader = { readonly salt: number; readonly first: number; readonly previousFirst: number };

const NAME = /^(\d{20})\.journal$/;

export function segmentName(first: number): string {
  return `${String(first).padStart(20, "0")}.journal`;
}

/** Number of the first record, by the name; undefined for a file that is none of the journal's. */
function parseSegmentName(name: string): number | undefined {
  const first = Number(NAME.exec(name)?.[1]);
  return Number.isSafeInteger(first) && first > 0 ? first : undefined;
}

/** First numbers of the segments in the folder, ascending, and the names that do not belong there. */
export async function listSegments(fs: JournalFs, dir: string): Promise<{ firsts: number[]; foreign: string[] }> {
  const firsts: number[] = [];
  const foreign: string[] = [];
  for (const name of await fs.list(dir)) {
    const first = parseSegmentName(name);
    if (first !== undefined) firsts.push(first);
    else if (name !== DAMAGED_DIR && !name.endsWith(UNFINISHED)) foreign.push(name);
  }
  return { firsts: firsts.sort((a, b) => a - b), foreign };
}

export function encodeHeader(header: SegmentHeader): Slab {
  const slab = createSlab(SEGMENT_HEADER_BYTES);
  slab.bytes.fill(0);
  for (const at of [0, COPY_AT]) {
    slab.bytes.set(MAGIC, at);
    slab.view.setUint32(at + 8, VERSION, true);
    slab.view.setUint32(at + 12, header.salt, true);
    writeSeq(slab.view, at + 16, header.first);
    writeSeq(slab.view, at + 24, header.previousFirst);
    slab.view.setUint32(at + CHECKED_BYTES, crc32(slab.bytes.subarray(at, at + CHECKED_BYTES)), true);
  }
  return slab;
}

/** The header if one copy is readable; `whole` if both are and agree. */
function decodeHeader(slab: Slab): { header: SegmentHeader | undefined; whole: boolean } {
  const copies = [decodeCopy(slab, 0), decodeCopy(slab, COPY_AT)];
  return { header: copies[0] ?? copies[1], whole: copies[0] !== undefined && copies[1] !== undefined };
}

function decodeCopy({ bytes, view }: Slab, at: number): SegmentHeader | undefined {
  if (crc32(bytes.subarray(at, at + CHECKED_BYTES)) !== view.getUint32(at + CHECKED_BYTES, true)) return undefined;
  if (!bytes.subarray(at, at + 8).equals(MAGIC)) return undefined;
  const version = view.getUint32(at + 8, true);
  // Not damage but a newer service's journal: reading on would take all of it for garbage.
  if (version !== VERSION) {
    throw new Error(`the journal has format ${version}, this service knows format ${VERSION}: start a newer lamppost.`);
  }
  return { salt: view.getUint32(at + 12, true), first: readSeq(view, at + 16), previousFirst: readSeq(view, at + 24) };
}

export async function readHeader(
  fs: JournalFs,
  dir: string,
  first: number,
): Promise<{ header: SegmentHeader | undefined; whole: boolean; bytes: number }> {
  const file = await fs.open(join(dir, segmentName(first)), "read");
  try {
    const slab = createSlab(SEGMENT_HEADER_BYTES);
    slab.bytes.fill(0);
    await readFully(file, slab.bytes, 0);
    return { ...decodeHeader(slab), bytes: await file.size() };
  } finally {
    await file.close();
  }
}

/**
 * Makes a segment with nothing but its header, durably. It gets its name only when the header is on disk, so a crash
 * leaves no headless segment. An (empty or unreadable) segment of the same name is replaced; the caller has kept a copy.
 */
async function createSegment(fs: JournalFs, dir: string, header: SegmentHeader, renamed?: () => void) {
  const path = join(dir, segmentName(header.first));
  const unfinished = `${path}${UNFINISHED}`;
  const file = await fs.open(unfinished, "replace");
  try {
    await writeFully(file, encodeHeader(header).bytes, SEGMENT_HEADER_BYTES, 0);
    await file.datasync();
    await fs.rename(unfinished, path);
    renamed?.();
    await fs.syncDir(dir);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Copies a segment to `damaged/` before anything is cut off or released; does nothing if a copy is there already. */
export async function keepDamaged(fs: JournalFs, dir: string, first: number): Promise<void> {
  const folder = join(dir, DAMAGED_DIR);
  const target = join(folder, segmentName(first));
  await fs.makeDir(folder);
  if ((await fs.list(folder)).includes(segmentName(first))) return;
  await fs.copy(join(dir, segmentName(first)), `${target}${UNFINISHED}`);
  await fs.rename(`${target}${UNFINISHED}`, target);
}

/** Where a test harness may stop the process. */
export type FaultPoint = "before-append" | "after-append" | "after-fsync" | "mid-segment-rotate";

type SegmentsOptions = {
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
