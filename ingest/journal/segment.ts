import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type JournalFs, readFully, writeFully } from "./fs.ts";
import { createSlab, readSeq, type Slab, writeSeq } from "./record.ts";

/** Where copies of damaged segments go, inside the journal's folder. */
export const DAMAGED_DIR = "damaged";
/** A segment that has its header not yet: never holds a record, and the next segment made replaces it. */
export const UNFINISHED = ".unfinished";

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
export function parseSegmentName(name: string): number | undefined {
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
export function decodeHeader(slab: Slab): { header: SegmentHeader | undefined; whole: boolean } {
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
export async function createSegment(fs: JournalFs, dir: string, header: SegmentHeader, renamed?: () => void) {
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
