import type { Reading } from "../model/reading.ts";
import { createOriginNumbers, packReadings, type ReadingBlock } from "../model/reading-block.ts";
import type { RangeQuery, ReadingStore, ScanQuery } from "./reading-store.ts";

const BLOCK_ROWS = 4_096;

/** `scan` for a store without columns: the streams of the kinds, each in order of time, merged and packed. */
export async function* scanStreams(
  stream: ReadingStore["stream"],
  { kinds, ...range }: ScanQuery,
): AsyncGenerator<ReadingBlock> {
  const numbers = createOriginNumbers();
  let gathered: Reading[] = [];
  for await (const reading of merge(kinds.map((kind) => readingsOf(stream({ ...range, kind } as RangeQuery))))) {
    gathered.push(reading);
    if (gathered.length < BLOCK_ROWS) continue;
    yield packReadings(gathered, numbers);
    gathered = [];
  }
  if (gathered.length > 0) yield packReadings(gathered, numbers);
}

/** One after the other, those of the same moment in the order of the journal. */
async function* readingsOf(chunks: AsyncIterable<readonly Reading[]>): AsyncGenerator<Reading> {
  let moment: Reading[] = [];
  for await (const chunk of chunks) {
    for (const reading of chunk) {
      if (moment.length > 0 && moment[0]!.measuredAt !== reading.measuredAt) {
        yield* inJournalOrder(moment);
        moment = [];
      }
      moment.push(reading);
    }
  }
  yield* inJournalOrder(moment);
}

const inJournalOrder = (readings: Reading[]) =>
  readings.length > 1 ? readings.sort((a, b) => a.journalSeq - b.journalSeq) : readings;

async function* merge(sources: readonly AsyncGenerator<Reading>[]): AsyncGenerator<Reading> {
  try {
    const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })));
    for (;;) {
      let first: (typeof heads)[number] | undefined;
      for (const head of heads)
        if (!head.next.done && (!first || isBefore(head.next.value, first.next.value))) first = head;
      if (!first || first.next.done) return;
      yield first.next.value;
      first.next = await first.source.next();
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)));
  }
}

const isBefore = (a: Reading, b: Reading) =>
  a.measuredAt < b.measuredAt || (a.measuredAt === b.measuredAt && a.journalSeq < b.journalSeq);
