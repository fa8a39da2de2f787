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
  // In order. Not a Map: the table a Map leaves behind when it grows points to the next one, and through that chain
  // of old tables the garbage collector takes every message that passes for long-lived.
  const entries: Entry[] = [];
  let messages = 0;
  let bytes = 0;

  function drop(index: number, count: number): void {
    for (const { chunk } of entries.splice(index, count)) {
      messages -= chunk.to - chunk.from;
      bytes -= chunk.bytes.byteLength;
    }
  }

  /** Makes room by dropping the oldest; a chunk larger than the window alone is kept until the next one comes. */
  function add(chunk: JournalChunk): void {
    const time = now();
    entries.push({ chunk, at: time });
    messages += chunk.to - chunk.from;
    bytes += chunk.bytes.byteLength;
    while (entries.length > 1) {
      const isYoung = time - entries[0]!.at <= limits.ageMaxMs;
      if (isYoung && messages <= limits.messagesMax && bytes <= limits.bytesMax) return;
      drop(0, 1);
    }
  }

  /** The place of the first entry that starts at `offset` or after it. */
  function placeOf(offset: number): number {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.chunk.from < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The batch that starts exactly at `offset`, if it is here. */
  function at(offset: number): OpenedBatch | undefined {
    const entry = entries[placeOf(offset)];
    if (entry?.chunk.from !== offset) return undefined;
    entry.batch ??= open(entry.chunk);
    return entry.batch;
  }

  /** Forgets what every consumer has passed. */
  function release(offset: number): void {
    let count = 0;
    while (count < entries.length && entries[count]!.chunk.to <= offset) count += 1;
    if (count > 0) drop(0, count);
  }

  function forget(offset: number): void {
    const place = placeOf(offset);
    if (entries[place]?.chunk.from === offset) drop(place, 1);
  }

  return {
    add,
    at,
    /** Where a consumer at `offset` can step on: the first start after it, or undefined if the window has none. */
    nextStart: (offset: number): number | undefined => entries[placeOf(offset + 1)]?.chunk.from,
    release,
    forget,
    size: () => ({ chunks: entries.length, messages, bytes }),
  };
}

type Entry = { readonly chunk: JournalChunk; readonly at: number; batch?: OpenedBatch };
