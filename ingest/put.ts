import type { Reading } from "../model/reading.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import { withoutStored } from "./dedupe.ts";
import type { createPatience } from "./patience.ts";
import { createPieceSize } from "./piece-size.ts";

/** Readings the store would not take, each with the store's words. */
export type Refusals = ReadonlyMap<Reading, string>;

/** A server's words, from another house: one line, not a page. */
const WORDS_CHARS_MAX = 300;
/**
 * The most writes spent on finding the readings at fault in one `put`. One bad reading among 5,000 takes about 26; what
 * is left when they are spent is many bad ones, and those are not worth holding up all others.
 */
const SEARCH_WRITES_MAX = 512;

/** Readings that were refused together, and what the store said to it. */
type Suspects = { readonly readings: readonly Reading[]; readonly words: string };

/**
 * Writes readings in pieces, oldest first, one write at a time, until each is in the store or known to be refused: waits
 * where waiting helps and goes on with a small piece, halves what is too large and remembers the size that worked, and
 * cuts a refused piece down to the single readings at fault.
 */
export function createPutter(
  store: Pick<ReadingStore, "write" | "find">,
  patience: Pick<ReturnType<typeof createPatience>, "until">,
  writeReadingsMax: number,
) {
  const size = createPieceSize(writeReadingsMax);

  async function write(readings: readonly Reading[], isUnsure: boolean): Promise<void> {
    // A write that broke off may have got through after all; not every store makes a repetition harmless.
    const left = isUnsure ? await withoutStored(readings, store.find) : readings;
    try {
      if (left.length > 0) await store.write(left);
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== "too_large" || left.length > 1) throw error;
      // No reading is too large for a store that works: a server that says so is at fault itself.
      throw new StoreError("misconfigured", `it does not take even one reading: ${error.message}`, { cause: error });
    }
  }

  /** Answers the store's words if it refused (or half would do), undefined if it took all. */
  async function tryWrite(readings: readonly Reading[], signal: AbortSignal): Promise<StoreError | undefined> {
    try {
      await patience.until((attempt) => write(readings, attempt > 0), signal);
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }

  /** Level by level, so that what is left when the search is given up are many small groups and not one large one. */
  async function findAtFault(first: Suspects, search: Search, signal: AbortSignal): Promise<void> {
    const queue = [first];
    for (const { readings, words } of queue) {
      if (readings.length === 1) {
        search.refusals.set(readings[0]!, words);
      } else if (search.writesLeft <= 0) {
        await giveUp({ readings, words }, search, signal);
      } else {
        const [left, right] = [readings.slice(0, readings.length >> 1), readings.slice(readings.length >> 1)];
        const leftError = await tryWrite(left, signal);
        if (leftError) queue.push({ readings: left, words: oneLine(leftError.message) });
        // With the left half taken, the fault is in the right one: no need to ask, except for its own words.
        const isKnown = leftError === undefined && right.length > 1;
        const rightWords = isKnown
          ? words
          : await tryWrite(right, signal).then((error) => error && oneLine(error.message));
        if (rightWords !== undefined) queue.push({ readings: right, words: rightWords });
        search.writesLeft -= isKnown ? 1 : 2;
      }
    }
  }

  /** InfluxDB keeps the good lines of what it refuses, so they can be told from the bad ones without another write. */
  async function giveUp({ readings, words }: Suspects, { refusals }: Search, signal: AbortSignal): Promise<void> {
    const left = await patience.until(() => withoutStored(readings, store.find), signal);
    const text = left.length > 1 ? `together with ${left.length - 1} others: ${words}` : words;
    for (const reading of left) refusals.set(reading, text);
  }

  async function put(readings: readonly Reading[], signal: AbortSignal): Promise<Refusals> {
    const search: Search = { refusals: new Map(), writesLeft: SEARCH_WRITES_MAX };
    let from = 0;
    /** Readings before this place were in a write that broke off. */
    let unsureBefore = 0;
    while (from < readings.length) {
      let piece: readonly Reading[] = [];
      try {
        await patience.until(async () => {
          piece = readings.slice(from, from + size.next());
          try {
            await write(piece, from < unsureBefore);
          } catch (error) {
            if (!isAnswer(error)) {
              unsureBefore = Math.max(unsureBefore, from + piece.length);
              size.brokeOff();
            }
            throw error;
          }
        }, signal);
        size.worked(piece.length);
      } catch (error) {
        if (!isAnswer(error)) throw error;
        if (error.kind === "too_large") {
          size.tooLarge(piece.length);
          continue;
        }
        await findAtFault({ readings: piece, words: oneLine(error.message) }, search, signal);
      }
      from += piece.length;
    }
    return search.refusals;
  }

  return { put, nextReadingsMax: size.next };
}

type Search = { readonly refusals: Map<Reading, string>; writesLeft: number };

/** The store has looked at the readings and said no: nothing to wait for. */
function isAnswer(error: unknown): error is StoreError {
  return error instanceof StoreError && (error.kind === "refused" || error.kind === "too_large");
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .slice(0, WORDS_CHARS_MAX);
}
