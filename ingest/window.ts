import type { OpenedBatch } from "./batch.ts";
import type { JournalChunk } from "./journal/journal.ts";

/**
 * The newest chunks of the journal in memory, shared by all consumers: a chunk is decoded once, when the first consumer
 * comes to it. One bounded window instead of a queue per consumer: who falls out of it goes on from disk, and nobody's
 * slowness costs anyone else's memory.
 */
export function createWindow(
  open: (chunk: JournalChunk) => OpenedBatch,
  limits: { readonly messagesMax: number; readonly bytesMax: number; readonly ageMaxMs: number },
  now: () => number,
) {
  const entries = new Map<number, { readonly chunk: JournalChunk; readonly at: number; batch?: OpenedBatch }>();
  let messages = 0;
  let bytes = 0;

  function drop(chunk: JournalChunk): void {
    entries.delete(chunk.from);
    messages -= chunk.to - chunk.from;
    bytes -= chunk.bytes.byteLength;
  }

  /** Makes room by dropping the oldest; a chunk larger than the window alone is kept until the next one comes. */
  function add(chunk: JournalChunk): void {
    const time = now();
    entries.set(chunk.from, { chunk, at: time });
    messages += chunk.to - chunk.from;
    bytes += chunk.bytes.byteLength;
    for (const { chunk: oldest, at } of entries.values()) {
      const isSmall = messages <= limits.messagesMax && bytes <= limits.bytesMax && time - at <= limits.ageMaxMs;
      if (isSmall || entries.size === 1) return;
      drop(oldest);
    }
  }

  /** The batch that starts exactly at `offset`, if it is here. */
  function at(offset: number): OpenedBatch | undefined {
    const entry = entries.get(offset);
    if (!entry) return undefined;
    entry.batch ??= open(entry.chunk);
    return entry.batch;
  }

  /** Where a consumer at `offset` can step on: the first start after it, or undefined if the window has none. */
  function nextStart(offset: number): number | undefined {
    for (const from of entries.keys()) if (from > offset) return from;
    return undefined;
  }

  /** Forgets what every consumer has passed. */
  function release(offset: number): void {
    for (const { chunk } of entries.values()) {
      if (chunk.to > offset) return;
      drop(chunk);
    }
  }

  return {
    add,
    at,
    nextStart,
    release,
    forget: (offset: number) => {
      const entry = entries.get(offset);
      if (entry) drop(entry.chunk);
    },
    size: () => ({ chunks: entries.size, messages, bytes }),
  };
}
