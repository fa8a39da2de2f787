import { randomInt } from "node:crypto";
import { join } from "node:path";
import type { Log } from "../../model/log.ts";
import { type JournalFs, readFully } from "./fs.ts";
import type { RecoveryReport } from "./journal.ts";
import { createSlab, type Limits, RECORD_HEADER_BYTES, walk } from "./record.ts";
import {
  keepDamaged,
  listSegments,
  readHeader,
  SEGMENT_HEADER_BYTES,
  type Segment,
  type SegmentHeader,
  segmentName,
} from "./segments.ts";

/** The lowest and the highest durable offset of the consumers: what they say the journal must reach. */
export type Booked = { readonly lowest: number; readonly highest: number };

type Recovered = {
  readonly report: RecoveryReport;
  readonly segments: Segment[];
  readonly salt: number;
  /** The last segment is empty and sound: write into it instead of making another of the same name. */
  readonly lastIsFresh: boolean;
};

type Found = Segment & { header: SegmentHeader | undefined; sound: boolean };

type ReportedGap = RecoveryReport["gaps"][number];

type Context = { readonly fs: JournalFs; readonly dir: string; readonly log: Log };

/**
 * Looks at what is on disk before the first append. Never deletes a segment and never lets the numbers go backwards.
 *
 * Only the last segment that has records is read in full (that is where a crash leaves its mark), and any segment whose
 * header or place in the chain is wrong. The others were synced before their successor was made; damage that befell
 * them since is found by the reader, which checks every record, and told through its `onGap`. So opening costs the same
 * whether an hour or a week is waiting.
 *
 * What stands after the last intact record is cut as torn: a write that a crash interrupted, which nobody was told of.
 * If a later segment or `booked` shows that there were more records, it was damage: a gap, and a copy is kept. A clean
 * close leaves an empty successor segment, so that this is known even for the very last record.
 */
export async function recover(context: Context, segmentBytes: number, booked?: Booked): Promise<Recovered> {
  const { fs, dir } = context;
  const found = await lookAtAll(context);
  const salt = found.findLast((segment) => segment.header)?.header?.salt ?? randomInt(2 ** 32);
  const gaps: ReportedGap[] = missingAtStart(found, booked);
  let next = Math.max(1, booked?.highest ?? 1, found.at(-1)?.first ?? 1);
  let tornBytes = 0;
  let tail = true;
  for (const [index, segment] of [...found.entries()].reverse()) {
    const successor = found[index + 1];
    const chained = !successor?.header || successor.header.previousFirst === segment.first;
    if (!tail && segment.sound && chained) continue;
    const before = successor?.first ?? Number.MAX_SAFE_INTEGER;
    const scan = await scanSegment(fs, dir, segment.first, { salt: segment.header?.salt ?? salt, before });
    if (!successor) next = Math.max(next, nextAfter(segment, scan, segmentBytes));
    const missing = missingIn(segment, scan, successor?.first ?? next);
    // A segment is named only when its header is on disk, so a broken header is damage even where no number is missing.
    if (missing.length > 0 || !segment.sound) await keep(context, segment, missing);
    gaps.push(...missing);
    const isDamaged = missing.some((gap) => gap.to > scan.last) || !segment.sound;
    if (tail) tornBytes += await settleTail(context, segment, scan, successor !== undefined, isDamaged);
    if (scan.records > 0) tail = false;
  }
  await fs.syncDir(dir);
  gaps.sort((a, b) => a.from - b.from);
  const last = found.at(-1);
  const lastIsFresh = last?.sound === true && last.first === next && last.bytes === SEGMENT_HEADER_BYTES;
  const segments: Segment[] = [];
  for (const { first, bytes } of found) segments.push({ first, bytes, ...(await endOf(fs, dir, first)) });
  const report = { first: segments[0]?.first ?? next, next, tornBytes, gaps: stillWanted(gaps, booked) };
  return { report, segments, salt, lastIsFresh };
}

async function endOf(fs: JournalFs, dir: string, first: number): Promise<{ endedAt?: number }> {
  if (!fs.modifiedAt) return {};
  return { endedAt: await fs.modifiedAt(join(dir, segmentName(first))) };
}

/** What every consumer has passed is only kept for a rebuild of the store: damage to it loses nothing. */
function stillWanted(gaps: readonly ReportedGap[], booked: Booked | undefined): ReportedGap[] {
  const from = booked?.lowest ?? 0;
  return gaps.filter((gap) => gap.to > from).map((gap) => ({ ...gap, from: Math.max(gap.from, from) }));
}

async function lookAtAll(context: Context): Promise<Found[]> {
  const { fs, dir, log } = context;
  await fs.makeDir(dir);
  const { firsts, foreign } = await listSegments(fs, dir);
  if (foreign.length > 0) log.warn({ files: foreign.slice(0, 20) }, "files in the journal's folder are not its own");
  const found: Found[] = [];
  for (const first of firsts) found.push(await look(context, first));
  return found;
}

/** The first number that cannot have been given yet, as far as this (last) segment tells. */
function nextAfter(segment: Found, scan: Scan, segmentBytes: number): number {
  const readable = segment.header !== undefined && segment.bytes >= SEGMENT_HEADER_BYTES;
  if (scan.records > 0 || readable) return scan.last + 1;
  // It may have held as many acknowledged records as a segment can. Numbers are plenty: none of them is given again.
  return segment.first + Math.ceil(Math.max(segmentBytes, segment.bytes) / RECORD_HEADER_BYTES);
}

async function look({ fs, dir, log }: Context, first: number): Promise<Found> {
  const { header, whole, bytes } = await readHeader(fs, dir, first);
  const sound = whole && header?.first === first;
  if (!sound) log.warn({ segment: segmentName(first), bytes }, "the header of a journal segment is damaged");
  return { first, bytes, header, sound };
}

function missingAtStart(found: readonly Found[], booked: Booked | undefined): ReportedGap[] {
  if (!booked) return [];
  const to = found[0]?.first ?? booked.highest;
  return booked.lowest < to ? [{ from: booked.lowest, to, segment: "" }] : [];
}

function missingIn(segment: Found, scan: Scan, before: number): ReportedGap[] {
  const gaps = scan.last + 1 < before ? [...scan.gaps, { from: scan.last + 1, to: before }] : scan.gaps;
  return gaps.map((gap) => ({ ...gap, segment: segmentName(segment.first) }));
}

async function keep({ fs, dir, log }: Context, segment: Found, gaps: readonly object[]): Promise<void> {
  log.error(
    { segment: segmentName(segment.first), gaps: gaps.slice(0, 20) },
    "the journal is damaged: records are missing",
  );
  // The copy is for a person to look at. Opening goes on without it: refusing would lose what devices send now.
  await keepDamaged(fs, dir, segment.first).catch((error: unknown) => {
    log.error({ err: error, segment: segmentName(segment.first) }, "no copy of the damaged segment could be kept");
  });
}

/**
 * Cuts what follows the last record and makes the rest durable: a killed service leaves records that are only in the
 * system's cache. They must not be handed on and then vanish with the power, or their numbers would be given twice.
 */
async function settleTail(
  { fs, dir, log }: Context,
  segment: Found,
  scan: Scan,
  isFollowed: boolean,
  isDamaged: boolean,
): Promise<number> {
  // With a successor it was no torn write.
  const torn = isFollowed ? 0 : Math.max(0, segment.bytes - scan.end);
  const file = await fs.open(join(dir, segmentName(segment.first)), "change");
  try {
    // What damage left is not cut: readers step over it, and someone may want to look at it.
    if (torn > 0 && !isDamaged) {
      log.warn(
        { segment: segmentName(segment.first), bytes: torn, after: scan.last },
        "cut the torn end of the journal",
      );
      await file.truncate(scan.end);
      segment.bytes = scan.end;
    }
    await file.datasync();
    return torn;
  } finally {
    await file.close();
  }
}

const BLOCK_BYTES = 4 * 1024 * 1024;

type Gap = { readonly from: number; readonly to: number };

/** What a segment holds. `end`: the offset in the file after its last intact record. */
type Scan = { readonly records: number; readonly last: number; readonly end: number; readonly gaps: Gap[] };

/** Reads a whole segment and checks every record. `gaps` are the numbers missing before and between its records. */
async function scanSegment(fs: JournalFs, dir: string, first: number, limits: Limits): Promise<Scan> {
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
