import { describe, expect, it } from "vitest";
import { SEGMENT_HEADER_BYTES } from "../../../ingest/journal/segments.ts";
import { inFull } from "../../helpers/in-full.ts";
import { aMessage, append, appendMany, createRandom, DIR, inGaps, open, plain, readAll } from "./helpers.ts";
import { createMemoryFs, type MemoryFs } from "./memory-fs.ts";

const RUNS = inFull(600);
const TOTAL = 100;
/** Change to look elsewhere; a failure names the seed it came from. */
const SEED = 20_260_101;

async function aJournal(closed: boolean) {
  const disk = createMemoryFs();
  const { writer } = await open(disk.fs);
  for (let n = 1; n <= TOTAL; n += 4) await appendMany(writer, n, Math.min(TOTAL, n + 3), 4);
  if (closed) await writer.close();
  return disk.clone();
}

const segments = (disk: MemoryFs) => [...disk.names.keys()].filter((path) => path.endsWith(".journal")).sort();

/** One byte changed, or a file cut, anywhere: headers, records, the last segment or another. */
function damage(disk: MemoryFs, random: ReturnType<typeof createRandom>) {
  const paths = segments(disk);
  const path = paths[random.below(paths.length)] as string;
  const bytes = Buffer.from(disk.bytes(path));
  const at = random.below(4) === 0 ? random.below(SEGMENT_HEADER_BYTES) : random.below(bytes.length);
  const isCut = random.below(3) === 0;
  if (!isCut) bytes[at]! ^= 1 + random.below(255);
  const current = isCut ? bytes.subarray(0, at) : bytes;
  disk.names.set(path, { current, synced: current });
  return { what: isCut ? "cut" : "flip", path: path.slice(DIR.length + 1), at, isLast: path === paths.at(-1) };
}

describe("a damaged journal", () => {
  for (const closed of [true, false]) {
    it(`reads every record as it was or names it missing (${RUNS} times, ${closed ? "closed" : "killed"})`, async () => {
      const whole = await aJournal(closed);
      for (let run = 0; run < RUNS; run += 1) {
        const seed = SEED + run;
        const disk = whole.clone();
        const done = damage(disk, createRandom(seed));
        const said = `seed ${seed}: ${JSON.stringify(done)}`;
        const { recovery, writer } = await open(disk.fs);
        expect(await append(writer, aMessage(recovery.next)), said).toBeUndefined();
        const { messages, gaps } = await readAll(disk.fs, recovery.next + 1);
        for (const message of messages) expect(plain(message), said).toEqual(plain(aMessage(message.seq)));
        const seen = new Set(messages.map((message) => message.seq));
        expect(seen.size, said).toBe(messages.length);
        const silent = [];
        for (let seq = 1; seq <= TOTAL; seq += 1) {
          // At the end of a killed journal a cut record looks like one that was never written whole. A cut exactly
          // between two records looks like nothing at all: only the consumers' offsets can tell (`booked`).
          const isTorn =
            !closed && done.isLast && seq >= recovery.next && (recovery.tornBytes > 0 || done.what === "cut");
          if (!seen.has(seq) && !inGaps(seq, gaps) && !isTorn) silent.push(seq);
          if (seen.has(seq) && inGaps(seq, gaps)) silent.push(seq);
        }
        expect(silent, said).toEqual([]);
        if (closed) expect(recovery.next, said).toBeGreaterThan(TOTAL);
        // One changed byte costs at most the record it is in.
        if (done.what === "flip") expect(seen.size, said).toBeGreaterThanOrEqual(Math.min(TOTAL, recovery.next) - 1);
      }
    });
  }
});
