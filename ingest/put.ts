import type { Reading } from "../model/reading.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import { withoutStored } from "./dedupe.ts";
import type { HeldMetrics, Portion } from "./held-metrics.ts";
import type { createPatience } from "./patience.ts";

/** Readings the store would not take, each with the store's words. */
export type Refusals = ReadonlyMap<Reading, string>;

/** A server's words, from another house: one line, not a page. */
const WORDS_CHARS_MAX = 500;
/**
 * The most writes spent on finding the readings at fault before the store is left alone for a while. One bad reading
 * among 5,000 takes about 26; what is left when they are spent is many, and then it is the store that needs a look.
 */
const SEARCH_WRITES_MAX = 512;

/** Readings that were refused together, and what the store said to it. */
type Suspects = { readonly readings: readonly Reading[]; readonly words: string };

/**
 * Writes readings in pieces, oldest first, one write at a time, until each is in the store or known to be refused: waits
 * where waiting helps and goes on with a small piece, halves what is too large and remembers the size that worked, leaves
 * out a metric that the store does not take as a whole, and cuts a refused piece down to the single readings at fault.
 * Only a write that resolved counts: what a failed one left behind on InfluxDB may be seen and be gone after a restart.
 */
export function createPutter(
  store: Pick<ReadingStore, "write" | "find" | "repeatable">,
  patience: Pick<ReturnType<typeof createPatience>, "until" | "pause">,
  writeReadingsMax: number,
  held?: Pick<HeldMetrics, "portions" | "hold" | "wrote">,
) {
  const size = createPieceSize(writeReadingsMax);

  async function write(readings: readonly Reading[], isUnsure: boolean): Promise<void> {
    // A write that broke off may have got through after all; not every store makes a repetition harmless.
    const left = isUnsure && !store.repeatable ? await withoutStored(readings, store.find) : readings;
    if (left.length === 0) return;
    for (const portion of held?.portions(left) ?? [{ readings: left }]) await writePortion(portion);
  }

  async function writePortion(portion: Portion): Promise<void> {
    const { readings, without } = portion;
    try {
      await store.write(readings, without && { without });
      held?.wrote(portion);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.reason === "field_type") {
        if (!held?.hold(error, portion)) throw new StoreError("misconfigured", error.message, error);
        // One conflict is named at a time; the next write names the next.
        for (const next of held.portions(readings)) await writePortion(next);
        return;
      }
      if (error.kind !== "too_large" || readings.length > 1) throw error;
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

  /** Level by level, so that what is left when a round of the search is over are many small groups and not one large one. */
  async function findAtFault(first: Suspects, search: Search, signal: AbortSignal): Promise<void> {
    const queue = [first];
    for (const { readings, words } of queue) {
      if (readings.length === 1) {
        search.refusals.set(readings[0]!, words);
        continue;
      }
      if (search.writesLeft <= 0) {
        // So many at once are hardly all bad. Each round finds some, and the operator has been called.
        await patience.pause(`it refuses many readings at once: ${words}`, signal);
        search.writesLeft = SEARCH_WRITES_MAX;
      }
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

  /**
   * Measured before what the database keeps: sorted by time the fault has an edge, which takes about log2 writes to find.
   * Only a store that takes repetitions says this.
   */
  async function findTooOld(first: Suspects, search: Search, signal: AbortSignal): Promise<void> {
    const readings = first.readings.toSorted((a, b) => a.measuredAt - b.measuredAt);
    let { words } = first;
    /** With this reading as its oldest a write was refused; from `taken` on all are in the store. */
    let old = 0;
    let taken = readings.length;
    while (old + 1 < taken) {
      const middle = (old + taken) >> 1;
      const error = await tryWrite(readings.slice(middle), signal);
      if (error && error.reason !== "retention") return findAtFault(first, search, signal);
      if (error) [old, words] = [middle, oneLine(error.message)];
      else taken = middle;
    }
    for (const reading of readings.slice(0, taken)) search.refusals.set(reading, words);
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
        const find = error.reason === "retention" ? findTooOld : findAtFault;
        await find({ readings: piece, words: oneLine(error.message) }, search, signal);
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

/** How many readings the first write after an outage tries, and by how much each one that works may be larger. */
const PROBE_READINGS = 100;
const RAMP = 4;
/** Writes at a limit learned from a refusal before twice as much is tried again: the refusal may have been a passing one. */
const CALM_WRITES = 64;

/**
 * How many readings the next write takes: all it may, but little after one that broke off (a store that comes back is
 * not met with everything that has waited), and never more than what was too large lately.
 */
export function createPieceSize(max: number) {
  let ceiling = max;
  let next = max;
  let calm = 0;

  return {
    next: () => next,
    worked(count: number): void {
      next = Math.min(ceiling, next * RAMP);
      if (ceiling === max || count < ceiling) return;
      calm += 1;
      if (calm < CALM_WRITES) return;
      calm = 0;
      ceiling = Math.min(max, ceiling * 2);
    },
    brokeOff(): void {
      next = Math.min(ceiling, PROBE_READINGS);
    },
    tooLarge(count: number): void {
      ceiling = Math.max(1, count >> 1);
      next = ceiling;
      calm = 0;
    },
  };
}
