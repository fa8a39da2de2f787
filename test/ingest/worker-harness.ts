import { expect } from "vitest";
import { decodeMessage, type OpenedBatch } from "../../ingest/decode.ts";
import { type Consumer, createWorker, type WorkerOptions } from "../../ingest/worker.ts";
import { SILENT } from "../../model/log.ts";
import type { Message } from "../../model/message.ts";
import { aMessage, at, CITY } from "./helpers.ts";

/** A journal in RAM: `publish` commits messages and tells the worker; the reader reads what is committed. */
export function aJournal(before = 0) {
  const messages: Message[] = [];
  const reads: [number, number][] = [];
  const fill = (count: number) => {
    for (let i = 0; i < count; i++) messages.push(aMessage(at(messages.length, 1), { seq: messages.length + 1 }));
  };
  fill(before);
  const between = (from: number, to: number) => messages.slice(from - 1, to - 1);
  return {
    messages,
    reads,
    reader: {
      async read(offset: number, end: number, bytesMax: number) {
        const to = Math.min(end, offset + Math.max(1, Math.floor(bytesMax / 100)));
        reads.push([offset, to]);
        return { to, messages: between(offset, to) };
      },
    },
    end: () => messages.length + 1,
    chunk(count: number) {
      const from = messages.length + 1;
      fill(count);
      return { from, to: from + count, bytes: new Uint8Array(count * 100) };
    },
    decodeChunk: (chunk: { from: number; to: number }) => between(chunk.from, chunk.to),
  };
}

/** Remembers what it took; `hold()` makes it wait in `take` until released. */
export function aConsumer(name: string, more: Partial<Consumer> = {}) {
  const batches: OpenedBatch[] = [];
  let held = false;
  let gate = Promise.withResolvers<void>();
  let entry = Promise.withResolvers<void>();
  let inside = 0;
  const consumer: Consumer = {
    name,
    offset: 1,
    durable: true,
    async take(batch, signal) {
      inside += 1;
      expect(inside).toBe(1);
      entry.resolve();
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(new Error("stopping")), { once: true }),
      );
      aborted.catch(() => {});
      try {
        if (held) await Promise.race([gate.promise, aborted]);
      } finally {
        inside -= 1;
      }
      batches.push(batch);
    },
    ...more,
  };
  return {
    consumer,
    batches,
    /** Resolves when `take` has been entered the next time. */
    entered: () => {
      entry = Promise.withResolvers();
      return entry.promise;
    },
    seqs: () => batches.flatMap((batch) => batch.readings.map((reading) => reading.journalSeq)),
    hold: () => {
      held = true;
      gate = Promise.withResolvers();
    },
    release: () => {
      held = false;
      gate.resolve();
    },
  };
}

export function start(
  journal: ReturnType<typeof aJournal>,
  consumers: readonly Consumer[],
  more: Partial<WorkerOptions> = {},
) {
  let decoded = 0;
  const worker = createWorker({
    openReader: () => journal.reader,
    decodeChunk: journal.decodeChunk,
    decode(message) {
      decoded += 1;
      return decodeMessage(message, CITY);
    },
    consumers,
    end: journal.end(),
    log: SILENT,
    sleep: async () => {},
    ...more,
  });
  return { ...worker, decoded: () => decoded, publish: (count: number) => worker.committed(journal.chunk(count)) };
}

export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
