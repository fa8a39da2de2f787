import type { Reading } from "../model/reading.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import { withoutStored } from "./dedupe.ts";
import type { createPatience } from "./patience.ts";

/** Readings the store would not take, each with the store's words. */
export type Refusals = ReadonlyMap<Reading, string>;

/** A server's words, from another house: one line, not a page. */
const WORDS_CHARS_MAX = 300;

/**
 * Writes readings in pieces, in order, until each is in the store or known to be refused: waits where waiting helps,
 * halves what is too large, and cuts a refused piece down to the single readings at fault.
 */
export function createPutter(
  store: Pick<ReadingStore, "write" | "find">,
  patience: Pick<ReturnType<typeof createPatience>, "until">,
  writeReadingsMax: number,
) {
  async function write(readings: readonly Reading[], attempt: number): Promise<void> {
    // A write that broke off may have got through after all; not every store makes a repetition harmless.
    const left = attempt === 0 ? readings : await withoutStored(readings, store.find);
    if (left.length > 0) await store.write(left);
  }

  async function putPiece(readings: readonly Reading[], refusals: Map<Reading, string>, signal: AbortSignal) {
    try {
      await patience.until((attempt) => write(readings, attempt), signal);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (readings.length === 1) {
        refusals.set(readings[0]!, oneLine(error.message));
        return;
      }
      const half = readings.length >> 1;
      await putPiece(readings.slice(0, half), refusals, signal);
      await putPiece(readings.slice(half), refusals, signal);
    }
  }

  return async function put(readings: readonly Reading[], signal: AbortSignal): Promise<Refusals> {
    const refusals = new Map<Reading, string>();
    for (let from = 0; from < readings.length; from += writeReadingsMax) {
      await putPiece(readings.slice(from, from + writeReadingsMax), refusals, signal);
    }
    return refusals;
  };
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .slice(0, WORDS_CHARS_MAX);
}
