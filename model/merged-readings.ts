import type { Reading } from "./reading.ts";

/** As the port says: a chunk has at most so many. */
const CHUNK_MAX = 5_000;

type Source = { readonly from: number; readonly chunks: AsyncIterable<readonly Reading[]> };
type Open = { readonly chunks: AsyncIterator<readonly Reading[]>; chunk: readonly Reading[]; next: number };

const isBefore = (a: Reading, b: Reading) =>
  a.measuredAt < b.measuredAt || (a.measuredAt === b.measuredAt && a.journalSeq < b.journalSeq);

/** Several ascending streams as one. A source is asked for the first time where its time has come. */
export async function* merged(sources: readonly Source[]): AsyncGenerator<readonly Reading[]> {
  const waiting = [...sources];
  const open: Open[] = [];
  let out: Reading[] = [];
  const smallest = () =>
    open.reduce<Open | undefined>(
      (best, one) => (!best || isBefore(one.chunk[one.next]!, best.chunk[best.next]!) ? one : best),
      undefined,
    );
  try {
    for (;;) {
      const first = smallest();
      if (waiting[0] && (!first || waiting[0].from <= first.chunk[first.next]!.measuredAt)) {
        const one: Open = { chunks: waiting.shift()!.chunks[Symbol.asyncIterator](), chunk: [], next: 0 };
        open.push(one);
        if (!(await refill(one))) open.splice(open.indexOf(one), 1);
        continue;
      }
      if (!first) break;
      out.push(first.chunk[first.next]!);
      first.next += 1;
      if (first.next === first.chunk.length && !(await refill(first))) open.splice(open.indexOf(first), 1);
      if (out.length === CHUNK_MAX) {
        yield out;
        out = [];
      }
    }
    if (out.length > 0) yield out;
  } finally {
    for (const { chunks } of open) await chunks.return?.();
  }
}

/** False at its end. */
async function refill(one: Open): Promise<boolean> {
  for (;;) {
    const { done, value } = await one.chunks.next();
    if (done) return false;
    if (value.length === 0) continue;
    one.chunk = value;
    one.next = 0;
    return true;
  }
}
