import { join } from "node:path";
import { type JournalFs, readFully } from "./fs.ts";
import { createSlab } from "./record.ts";
import { SEGMENT_HEADER_BYTES, segmentName } from "./segment.ts";
import { type Limits, walk } from "./walk.ts";

const BLOCK_BYTES = 4 * 1024 * 1024;

export type Gap = { readonly from: number; readonly to: number };

/** What a segment holds. `end`: the offset in the file after its last intact record. */
export type Scan = { readonly records: number; readonly last: number; readonly end: number; readonly gaps: Gap[] };

/** Reads a whole segment and checks every record. `gaps` are the numbers missing before and between its records. */
export async function scanSegment(fs: JournalFs, dir: string, first: number, limits: Limits): Promise<Scan> {
  const file = await fs.open(join(dir, segmentName(first)), "read");
  try {
    const slab = createSlab(BLOCK_BYTES);
    const gaps: Gap[] = [];
    const place = { at: 0, last: first - 1 };
    let [position, end, records] = [SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES, 0];
    for (;;) {
      const used = await readFully(file, slab.bytes, position);
      place.at = 0;
      const ending = walk({ slab, used, endsFile: used < BLOCK_BYTES }, place, limits, (at, seq, length) => {
        if (seq > place.last + 1) gaps.push({ from: place.last + 1, to: seq });
        end = position + at + length;
        records += 1;
        return true;
      });
      if (ending !== "more") return { records, last: place.last, end, gaps };
      position += place.at;
    }
  } finally {
    await file.close();
  }
}
