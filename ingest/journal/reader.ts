import { join } from "node:path";
import type { Message } from "../../model/message.ts";
import { errorCode, type JournalFile, type JournalFs, nodeFs, readFully } from "./fs.ts";
import type { JournalReader } from "./journal.ts";
import { BLOCK_BYTES_MIN, createSlab, decodeRecord, type RecordPosition, type Senders, walk } from "./record.ts";
import { keepDamaged, listSegments, readHeader, SEGMENT_HEADER_BYTES, segmentName } from "./segments.ts";

const BLOCK_BYTES_MAX = 8 * 1024 * 1024;

type JournalReaderOptions = {
  readonly dir: string;
  readonly fs?: JournalFs;
  /**
   * Numbers `from` … `to - 1` are not on disk (any more). Told each time a read comes across them. `segment` is the file
   * they should be in, "" if they are older than all files; what is damaged has been copied to `damaged/`.
   */
  readonly onGap: (gap: { from: number; to: number; segment: string }) => void;
};

/** An open segment and how far it was read: `last` is the number of the record before `position`. */
type OpenSegment = {
  readonly first: number;
  readonly file: JournalFile;
  readonly salt: number;
  /** First number of the next segment when this one was opened. */
  readonly before: number;
  position: number;
  last: number;
};

/** Messages of one block. `isOver`: the segment has no more for this reader. */
type Block = { readonly messages: Message[]; readonly isOver: boolean };

/**
 * Reads a journal that another thread may be writing. One read at a time. It goes on where the last read ended; any other
 * offset costs a scan of its segment from the start (checked record by record: a wrong step would skip messages).
 */
export function createJournalReader({ dir, fs = nodeFs, onGap }: JournalReaderOptions): JournalReader {
  let current: OpenSegment | undefined;

  async function read(offset: number, end: number, bytesMax: number) {
    let from = offset;
    let isFresh = false;
    if (current && (offset <= current.last || offset >= current.before)) await close();
    while (from < end) {
      if (!current) {
        const begin = await openSegment(from);
        isFresh = true;
        if (begin > from) await reportGap(from, Math.min(begin, end), "");
        from = Math.max(from, begin);
        if (!current || from >= end) break;
      }
      const { messages, isOver } = await readBlock(current, from, end, bytesMax);
      const last = messages.at(-1);
      if (last) return { to: last.seq + 1, messages };
      if (isOver) from = await skipToNext(from, end, isFresh);
    }
    return { to: Math.max(offset, end), messages: [] };
  }

  /** Opens the segment that should hold `from`. Returns the first number there is from there on. */
  async function openSegment(from: number): Promise<number> {
    await close();
    for (let tries = 0; ; tries += 1) {
      const { firsts } = await listSegments(fs, dir);
      const index = Math.max(
        0,
        firsts.findLastIndex((first) => first <= from),
      );
      const first = firsts[index];
      if (first === undefined) return Number.POSITIVE_INFINITY;
      try {
        const salt = await findSalt(firsts, index);
        const file = await fs.open(join(dir, segmentName(first)), "read");
        const before = firsts[index + 1] ?? Number.POSITIVE_INFINITY;
        current = { first, file, salt, before, position: SEGMENT_HEADER_BYTES, last: first - 1 };
        return first;
      } catch (error) {
        // Released between the listing and the opening: look again.
        if (errorCode(error) !== "ENOENT" || tries >= 10) throw error;
      }
    }
  }

  /** All segments of a journal have the same salt: a segment whose header is gone is read with its neighbour's. */
  async function findSalt(firsts: readonly number[], index: number): Promise<number> {
    for (const first of [firsts[index] as number, ...firsts]) {
      const { header } = await readHeader(fs, dir, first);
      if (header) return header.salt;
    }
    return 0;
  }

  /** Reads one block from where the open segment was left and opens the records `from` … `end - 1` in it. */
  async function readBlock(at: OpenSegment, from: number, end: number, bytesMax: number): Promise<Block> {
    const slab = createSlab(Math.min(Math.max(bytesMax, BLOCK_BYTES_MIN), BLOCK_BYTES_MAX));
    const used = await readFully(at.file, slab.bytes, at.position);
    const messages: Message[] = [];
    const senders: Senders = new Map();
    const gaps: { from: number; to: number }[] = [];
    let [bytes, solid] = [0, 0];
    const place: RecordPosition = { at: 0, last: at.last };
    const limits = { salt: at.salt, before: Math.min(end, at.before) };
    const ending = walk({ slab, used, endsFile: used < slab.bytes.length }, place, limits, (start, seq, length) => {
      if (bytes > 0 && bytes + length > bytesMax) return false;
      if (seq > place.last + 1 && seq > from) gaps.push({ from: Math.max(from, place.last + 1), to: seq });
      if (seq >= from) {
        messages.push(decodeRecord(slab, start, senders));
        bytes += length;
      }
      solid = start + length;
      return true;
    });
    // Within a read it goes on through damage. A later read has a later `end`, and must look again at what this one took
    // for damage only because its number was not below `end` yet.
    at.position += messages.length > 0 ? solid : place.at;
    at.last = place.last;
    for (const gap of gaps) await reportGap(gap.from, gap.to, segmentName(at.first));
    return { messages, isOver: ending === "reached" || ending === "end" };
  }

  /**
   * The segment has nothing more below `end`: what is missing up to the next one is a gap. Said only of a file opened in
   * this same read: the writer may have put another in the place of an empty one. Returns where to go on.
   */
  async function skipToNext(from: number, end: number, isFresh: boolean): Promise<number> {
    const { first } = current as OpenSegment;
    const next = (await listSegments(fs, dir)).firsts.find((other) => other > first) ?? end;
    const to = Math.min(next, end);
    if (to > from && isFresh) await reportGap(from, to, segmentName(first));
    await close();
    return isFresh ? Math.max(from, to) : from;
  }

  async function reportGap(from: number, to: number, segment: string): Promise<void> {
    // Kept before the segment is released; the report does not depend on it.
    const first = current?.first;
    if (segment !== "" && first !== undefined) await keepDamaged(fs, dir, first).catch(() => undefined);
    onGap({ from, to, segment });
  }

  async function close(): Promise<void> {
    const file = current?.file;
    current = undefined;
    await file?.close();
  }

  return { read, close };
}
