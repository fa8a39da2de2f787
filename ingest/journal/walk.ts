import {
  isIntact,
  isPlausible,
  RECORD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  recordLength,
  recordSeq,
  type Slab,
} from "./record.ts";

/** A part of a segment in memory: `used` bytes of the slab, the last ones of the file if `endsFile`. */
export type Block = { readonly slab: Slab; readonly used: number; readonly endsFile: boolean };

/** Where the next record is looked for in the block, and the number of the last one found. Moves on with the walk. */
export type Place = { at: number; last: number };

/** What counts as a record: its checksum, and a number above the last one and below `before`. */
export type Limits = { readonly salt: number; readonly before: number };

/** A record found; the numbers between `place.last` and `seq` are a gap. Return false to stop before it. */
export type Visit = (at: number, seq: number, length: number) => boolean;

/** "reached": number `before - 1` was found. "more": go on with a block that starts at `place.at`. "end": the file is. */
export type WalkEnd = "reached" | "stopped" | "more" | "end";

/** A block must be able to hold any record that starts in its first half. */
export const BLOCK_BYTES_MIN = 2 * RECORD_BYTES_MAX;

/**
 * Visits the intact records of a block in order. What is no record is walked over byte by byte to the next one, so
 * damage costs the records it hit and no others. Recovery and readers use this same walk, which is why the damaged bytes
 * can stay where they are: whoever reads them steps over them the same way.
 */
export function walk(block: Block, place: Place, limits: Limits, visit: Visit): WalkEnd {
  const { slab, used, endsFile } = block;
  while (place.last + 1 < limits.before) {
    if (place.at + RECORD_HEADER_BYTES > used) return endsFile ? "end" : "more";
    const { at } = place;
    const seq = recordSeq(slab.view, at);
    if (seq > place.last && seq < limits.before && isPlausible(slab.view, at)) {
      const length = recordLength(slab.view, at);
      const fits = at + length <= used;
      if (!fits && !endsFile) return "more";
      if (fits && isIntact(slab, at, limits.salt)) {
        if (!visit(at, seq, length)) return "stopped";
        place.at += length;
        place.last = seq;
        continue;
      }
    }
    place.at += 1;
  }
  return "reached";
}
