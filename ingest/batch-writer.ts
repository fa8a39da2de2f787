import { z } from "zod";
import { counter, type Figure, gauge, type Health } from "../model/health.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Reading } from "../model/reading.ts";
import { HOUR_MS } from "../model/time.ts";
import { type MetricKey, type ReadingStore, StoreError } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { withoutStored } from "./dedupe.ts";
import type { createRetrier } from "./retry.ts";

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
export function createBatchWriter(
  store: Pick<ReadingStore, "write" | "find" | "repeatable">,
  retrier: Pick<ReturnType<typeof createRetrier>, "retry" | "pause">,
  writeReadingsMax: number,
  held?: Pick<HeldMetrics, "portions" | "hold" | "wrote">,
) {
  const size = createPieceSize(writeReadingsMax);

  async function writePiece(readings: readonly Reading[], isUnsure: boolean): Promise<void> {
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
      await retrier.retry((attempt) => writePiece(readings, attempt > 0), signal);
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
        await retrier.pause(`it refuses many readings at once: ${words}`, signal);
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

  async function write(readings: readonly Reading[], signal: AbortSignal): Promise<Refusals> {
    const search: Search = { refusals: new Map(), writesLeft: SEARCH_WRITES_MAX };
    let from = 0;
    /** Readings before this place were in a write that broke off. */
    let unsureBefore = 0;
    while (from < readings.length) {
      let piece: readonly Reading[] = [];
      try {
        await retrier.retry(async () => {
          piece = readings.slice(from, from + size.next());
          try {
            await writePiece(piece, from < unsureBefore);
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

  return { write, nextReadingsMax: size.next };
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

/** Readings that are written together, and the metrics they are written without. */
type Portion = { readonly readings: readonly Reading[]; readonly without?: ReadonlySet<MetricKey> };

const Held = z.object({
  metric: z.templateLiteral([z.enum(KINDS), ".", z.string()]),
  /** The first message whose value is not in the store. */
  from: z.number(),
  /** Values measured from this moment on are taken (InfluxDB fixes types shard by shard); without it none is. */
  before: z.number().optional(),
  since: z.number(),
  words: z.string(),
});
type Held = z.output<typeof Held> & { readonly metric: MetricKey };

const STATE = "held";
const TRY_EVERY_MS = 60_000;
/** The least a shard of InfluxDB can be, and where shards begin. */
const SHARD_MS = HOUR_MS;

type HeldMetrics = ReturnType<typeof createHeldMetrics>;

/**
 * Metrics a store does not take as a whole, because another writer made integers or texts of them: no reading is at
 * fault. Everything else of a reading is stored, the values wait in the journal, and one of them is tried every minute.
 */
export function createHeldMetrics(parts: {
  readonly store: Pick<ReadingStore, "write" | "limits">;
  readonly state: Pick<Records["storeState"], "get" | "set">;
  /** The first reading at or after a message that is still in the journal, of those that `isOne` is true for. */
  findReading(from: number, isOne: (reading: Reading) => boolean): Promise<Reading | undefined>;
  /** The first message that is still in the journal. */
  first(): number;
  /** From this message on everything can be written again. */
  rewrite(from: number, why: string): void;
  readonly now: () => number;
  readonly log: Log;
}) {
  const { store, state, now, log } = parts;
  const held = new Map<MetricKey, Held>();
  for (const one of z
    .array(Held)
    .catch([])
    .parse(state.get(STATE) ?? []))
    held.set(one.metric as MetricKey, one as Held);
  /** The latest value of each that was left out: shows whether a new shard takes it. */
  const newest = new Map<MetricKey, Reading>();
  const triedAt = new Map<MetricKey, number>();
  let leftOut = 0;

  const save = () => state.set(STATE, held.size === 0 ? undefined : [...held.values()]);

  /** Whether this metric is left out of what is written of such a reading, be it there or not. */
  function isLeftOut({ kind, measuredAt }: Reading, { metric, before = Number.POSITIVE_INFINITY }: Held): boolean {
    return metric.startsWith(`${kind}.`) && measuredAt < before;
  }

  const isHeld = (reading: Reading, one: Held) => isLeftOut(reading, one) && valueIn(reading, one.metric) !== undefined;

  /**
   * The usual case costs nothing: one portion, the readings as they are. Else as many as there are kinds with a metric
   * held, and moments from which on one is taken: whatever the readings carry, a batch is never torn to pieces.
   */
  function portions(readings: readonly Reading[]): readonly Portion[] {
    if (held.size === 0) return [{ readings }];
    const all = [...held.values()];
    const groups = Map.groupBy(readings, (reading) => {
      const out = all.filter((one) => isLeftOut(reading, one)).map(({ metric }) => metric);
      for (const metric of out) {
        const isNewer = reading.measuredAt > (newest.get(metric)?.measuredAt ?? -Infinity);
        if (isNewer && valueIn(reading, metric) !== undefined) newest.set(metric, reading);
      }
      return out.join();
    });
    return Array.from(groups, ([names, group]) =>
      names === "" ? { readings: group } : { readings: group, without: new Set(names.split(",") as MetricKey[]) },
    );
  }

  /** The store named metrics it does not take. True if there is something to leave out that was not left out before. */
  function hold(error: StoreError, { readings, without }: Portion): boolean {
    const fresh = error.metrics.filter((metric) => !without?.has(metric));
    if (fresh.length === 0 || fresh.length < error.metrics.length) return false;
    for (const metric of fresh) {
      const [kind, name] = partsOf(metric);
      const first = readings.find((one) => one.kind === kind && one.values[name] !== undefined)?.journalSeq;
      if (first === undefined) return false;
      const former = held.get(metric);
      const { before: _, ...rest } = former ?? { metric, since: now(), words: error.message };
      held.set(metric, { ...rest, from: Math.min(first, former?.from ?? first) });
      triedAt.set(metric, now());
      if (!former) log.error({ metric, reason: error.message }, "the store does not take a metric; its values wait");
    }
    save();
    return true;
  }

  /** Tries one value of each, once a minute. Call it where nothing else writes. Throws what is not about the metric. */
  async function tryAgain(): Promise<void> {
    for (const one of [...held.values()]) {
      if (Math.abs(now() - (triedAt.get(one.metric) ?? -Infinity)) < TRY_EVERY_MS) continue;
      triedAt.set(one.metric, now());
      await tryOne(one);
    }
  }

  async function tryOne(one: Held): Promise<void> {
    const { metric, from } = one;
    // What the server has removed by itself meanwhile, or would at once, waits for nothing.
    const keptFrom = now() - (store.limits?.known()?.keepsMs ?? Number.POSITIVE_INFINITY);
    const oldest = await parts.findReading(from, (reading) => isHeld(reading, one) && reading.measuredAt >= keptFrom);
    // The next look begins there; what the journal has lost stays told.
    if (oldest && from >= parts.first()) held.set(metric, { ...one, from: oldest.journalSeq });
    if (!oldest || (await takes(oldest, metric))) {
      held.delete(metric);
      newest.delete(metric);
      save();
      log.warn(
        { metric },
        oldest ? "the store takes a metric again" : "nothing waits any more for a metric to be taken",
      );
      if (oldest) parts.rewrite(from, `the store takes ${metric} again`);
      return;
    }
    const latest = newest.get(metric);
    if (one.before !== undefined || !latest || latest.measuredAt < oldest.measuredAt + SHARD_MS) return;
    if (!(await takes(latest, metric))) return;
    // All of this hour lies in the same shard, because shards begin with an hour.
    held.set(metric, { ...held.get(metric)!, before: latest.measuredAt - (latest.measuredAt % SHARD_MS) });
    save();
    parts.rewrite(from, `the store takes new values of ${metric}`);
  }

  async function takes(reading: Reading, metric: MetricKey): Promise<boolean> {
    const others = [...held.values()].filter((one) => one.metric !== metric && isLeftOut(reading, one));
    try {
      await store.write([reading], { without: new Set(others.map((one) => one.metric)) });
      return true;
    } catch (error) {
      if (error instanceof StoreError && (error.reason === "field_type" || error.kind === "refused")) return false;
      throw error;
    }
  }

  function health(): readonly Health[] {
    return Array.from(held.values(), ({ metric, from, before, since, words }) => {
      const [kind, name] = partsOf(metric);
      const values =
        before === undefined ? "its values" : `its values measured before ${new Date(before).toISOString()}`;
      const isCut = parts.first() > from;
      const wait = isCut
        ? "the oldest of them have left the journal (LAMPPOST_JOURNAL_KEEP_MIB) and will stay missing"
        : "they are written when it takes them, tried every minute";
      const reason = `The store does not take ${name} of ${kind} since ${new Date(since).toISOString()}: ${words} Everything else is stored; ${values} wait in the journal, and ${wait}.`;
      return { part: `store: ${metric}`, state: "degraded", ready: true, reason } as const;
    });
  }

  return {
    portions,
    hold,
    tryAgain,
    /** Counts what was written without a metric, for `/metrics`. */
    wrote({ readings, without }: Portion): void {
      if (!without) return;
      const isShort = (one: Reading) => without.values().some((metric) => valueIn(one, metric) !== undefined);
      leftOut += readings.filter(isShort).length;
    },
    holdsFrom: () => Math.min(...Array.from(held.values(), ({ from }) => from)),
    health,
    figures: (): readonly Figure[] => [
      gauge(
        "lamppost_store_held_metrics",
        "Metrics the store does not take as a whole; /readyz names them and the repair.",
        held.size,
      ),
      counter(
        "lamppost_store_held_readings_total",
        "Readings written without a held metric, whose value waits in the journal.",
        leftOut,
      ),
    ],
  };
}

/** Undefined also where the metric is of another kind. */
function valueIn(reading: Reading, metric: MetricKey): number | undefined {
  const [kind, name] = partsOf(metric);
  return reading.kind === kind ? reading.values[name] : undefined;
}

function partsOf(metric: MetricKey): readonly [Kind, MetricName] {
  const at = metric.indexOf(".");
  return [metric.slice(0, at) as Kind, metric.slice(at + 1) as MetricName];
}
