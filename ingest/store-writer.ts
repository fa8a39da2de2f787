import { byLabel, counter, type Figure, gauge, type Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Reading } from "../model/reading.ts";
import type { Rejection } from "../model/rejection.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { createStoredCounts } from "./adoption.ts";
import { createBatchWriter, type Refusals } from "./batch-writer.ts";
import { createBooks, createTouchedHours } from "./books.ts";
import { createRejector, indexesInMessages, type OpenedBatch } from "./decode.ts";
import { type DedupeOutcome, dedupe, dueOf, type Refused } from "./dedupe.ts";
import { createResends, type LookedAt } from "./resends.ts";
import { createRetrier, type FaultHook, realSleep, type Sleep } from "./retry.ts";
import { createStoreUpkeep, type UpkeepOptions } from "./store-upkeep.ts";
import type { Consumer } from "./worker.ts";

export type StoreWriterParts = {
  readonly store: Pick<ReadingStore, "name" | "repeatable" | "writeReadingsMax" | "write" | "find" | "newest">;
  readonly records: {
    readonly quarantine: Pick<Records["quarantine"], "add">;
    readonly edits?: Pick<Records["edits"], "add">;
    readonly ledger: Pick<Records["ledger"], "add">;
    /** Without it no rollups are kept. */
    readonly rollups?: Pick<Records["rollups"], "touch">;
    /** Without it a message that is sent again without a time counts as a new one. */
    readonly resends?: Pick<Records["resends"], "newest" | "keep">;
    readonly offsets: Records["offsets"];
    transaction: Records["transaction"];
  };
  /** `store.newest()`, if the caller has it; else it is asked for with the first batch, however long the store is away. */
  readonly newest?: ReadonlyMap<string, number>;
  /** Most readings per `store.write` and per batch gathered from what waits: by default what the store says and twice as many, or 20,000. */
  readonly options?: { readonly writeReadingsMax?: number; readonly gatherReadingsMax?: number };
  /** For a store on a server of its own. */
  readonly upkeep?: UpkeepOptions & {
    readonly store: Pick<ReadingStore, "startedAt" | "sentinel" | "countByDay" | "countBySensor" | "stream" | "limits">;
  };
  readonly now: () => number;
  readonly log: Log;
  /** Hears of conflicts and refusals after they are booked. */
  onRejection?(rejection: Rejection): void;
  readonly sleep?: Sleep;
  readonly random?: () => number;
  readonly at?: FaultHook;
};

type StoreWriter = Consumer & {
  health(): readonly Health[];
  figures(): readonly Figure[];
  /** Looks after the store; call it every `UPKEEP_TICK_MS`. Never throws. */
  tick(): Promise<void>;
  /** Ends a `tick` under way. */
  stop(): Promise<void>;
  /** The journal should keep everything from here on, as far as its own limits let it. */
  holdsFrom(): number;
  /** False while something is known to be missing in the store that is still to be written again. */
  isWhole(): boolean;
  /** Whether another service takes the readings there for its own: then none may be removed. */
  isShared(): boolean;
  /** And it was there before, or is the real one as somebody said. */
  isOutranked(): boolean;
};

const NAME = "store";
const GATHER_READINGS_MAX = 20_000;
/** A batch costs a sync of the store and one of SQLite, on the disk that the journal's syncs (and PUBACKs) wait for. */
const GATHER_FOR_MS = 100;

/** A store that refuses so many readings within this time is said to need a look. */
const REFUSED_MANY = 10;
const REFUSED_WITHIN_MS = 10 * 60_000;

/**
 * The consumer that fills the store and keeps the books. For each batch: tell duplicates, write the rest, then, in one
 * transaction, quarantine, ledger and offset. A crash before the transaction repeats the batch; what is then found in
 * the store from the same message is our own and counts as stored, so every item is booked exactly once. Where a
 * repetition is harmless it is written again all the same: only a write that resolved says that it is there for good.
 */
export function createStoreWriter(parts: StoreWriterParts): StoreWriter {
  const { store, records, now, log } = parts;
  const { sleep = realSleep, random = Math.random, options = {} } = parts;
  const writeReadingsMax = options.writeReadingsMax ?? store.writeReadingsMax ?? GATHER_READINGS_MAX;
  const gatherReadingsMax =
    options.gatherReadingsMax ?? (store.writeReadingsMax ? 2 * store.writeReadingsMax : GATHER_READINGS_MAX);
  const retrier = createRetrier({ storeName: store.name, sleep, random, log });
  const first = records.offsets.get(NAME) ?? 1;
  let offset = first;
  const upkeep =
    parts.upkeep &&
    createStoreUpkeep({
      ...parts.upkeep,
      store: { ...parts.upkeep.store, ...store },
      retrier,
      writeReadingsMax,
      offset: () => offset,
      now,
      log,
    });
  const { write, nextReadingsMax } = createBatchWriter(store, retrier, writeReadingsMax, upkeep?.held);
  const resends = records.resends && createResends(records.resends);
  let isBooked = records.offsets.get(NAME) !== undefined;
  let newest = parts.newest && new Map(parts.newest);
  let workingOn: number | undefined;
  let refused = { since: Number.NEGATIVE_INFINITY, count: 0, words: "" };
  let turn: Promise<void> = Promise.resolve();
  const counts = { stored: 0, duplicate: 0, conflict: 0, refused: 0, batches: 0 };

  /** One at a time: batches, and what is written again in between. */
  async function exclusively(work: () => Promise<void>): Promise<void> {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  }

  function take(batch: OpenedBatch, signal: AbortSignal): Promise<void> {
    workingOn ??= batch.messages[0]?.receivedAt;
    return exclusively(async () => {
      signal.throwIfAborted();
      workingOn = batch.messages[0]?.receivedAt;
      const resent = resends?.look(batch.readings);
      const outcomes = await judge(batch.readings, resent?.places, signal);
      const due = dueOf(batch.readings, outcomes, store.repeatable);
      // Before the write: if it breaks off and the batch is brought again, the store is asked what it has of it.
      for (const { sensorId, measuredAt } of due) {
        if (measuredAt > (newest!.get(sensorId) ?? -Infinity)) newest!.set(sensorId, measuredAt);
      }
      await parts.at?.("before-write");
      const refusals = await write(due, signal);
      await parts.at?.("after-write");
      const late = book(batch, outcomes, refusals, resent);
      workingOn = undefined;
      await parts.at?.("after-booking");
      if (parts.onRejection) for (const rejection of late) parts.onRejection(rejection);
    });
  }

  async function judge(
    readings: readonly Reading[],
    resent: ReadonlySet<number> | undefined,
    signal: AbortSignal,
  ): Promise<readonly DedupeOutcome[]> {
    for (;;) {
      await upkeep?.settle(signal);
      const interruptions = retrier.interruptions();
      newest ??= new Map(await retrier.retry(() => store.newest(), signal));
      const known = newest;
      const outcomes = await retrier.retry(() => dedupeOthers(readings, resent, known, store.find), signal);
      // A server that was away meanwhile may have answered without what it had lost.
      if (!upkeep || interruptions === retrier.interruptions()) return outcomes;
    }
  }

  /** Answers the rejections that only the store could tell. */
  function book(
    batch: OpenedBatch,
    outcomes: readonly DedupeOutcome[],
    refusals: Refusals,
    resent: LookedAt | undefined,
  ): readonly Rejection[] {
    const { books, late, touched, stored, ended } = settle(batch, outcomes, refusals);
    for (const rejection of batch.rejections)
      if (rejection.metric === undefined) books.count(rejection, rejection.reason);
    const missing = countMissing(batch, isBooked);
    if (missing > 0) books.lose(missing, batch.messages.at(-1)?.receivedAt ?? now());
    records.transaction(() => {
      records.quarantine.add([...batch.rejections, ...late]);
      records.ledger.add(books.rows());
      const edits = editsIn(batch);
      if (edits.length > 0) records.edits?.add(edits, now());
      records.rollups?.touch(touched.parts());
      if (resent) records.resends?.keep(resent.changes, placesOf(batch, resent));
      records.offsets.set(NAME, batch.to);
      parts.upkeep?.records.storeState.count(stored());
      upkeep?.note(batch.from);
    });
    offset = batch.to;
    if (resent) resends?.remember(resent);
    if (refusals.size > 0) noteRefused(refusals);
    isBooked = true;
    for (const outcome of ended) counts[outcome === "store_refused" ? "refused" : outcome] += 1;
    counts.batches += 1;
    return late;
  }

  function noteRefused(refusals: Refusals): void {
    const words = refusals.values().next().value!;
    if (Math.abs(now() - refused.since) > REFUSED_WITHIN_MS) {
      refused = { since: now(), count: 0, words };
      log.warn({ reason: words, readings: refusals.size }, "the store refuses readings; they are in the quarantine");
    }
    refused = { ...refused, count: refused.count + refusals.size, words };
  }

  function ownHealth(): Health {
    const own = retrier.health(NAME);
    if (own.state !== "ok" || !upkeep || upkeep.isChecked()) return own;
    const reason = `${store.name} has not answered yet since the start, so nothing is known of it; readings wait in the journal`;
    return { part: NAME, state: "degraded", ready: true, reason };
  }

  function health(): readonly Health[] {
    const own = ownHealth();
    const isRefusing = refused.count >= REFUSED_MANY && Math.abs(now() - refused.since) <= REFUSED_WITHIN_MS;
    const reason = `${store.name} has refused ${refused.count} readings in the last minutes (${refused.words}); they are in the quarantine as store_refused and can be driven again when it takes them`;
    const state =
      own.state === "ok" && isRefusing ? { part: NAME, state: "degraded" as const, ready: true, reason } : own;
    return [state, ...(upkeep?.health() ?? [])];
  }

  function figures(): Figure[] {
    const { batches, ...outcomes } = counts;
    const lag = workingOn === undefined ? 0 : Math.max(0, (now() - workingOn) / 1000);
    return [
      ...byLabel(
        counter,
        "lamppost_store_readings_total",
        "Readings settled since the start, by outcome.",
        "outcome",
        outcomes,
      ),
      counter("lamppost_store_batches_total", "Batches written and booked.", batches),
      ...retrier.figures(),
      ...(upkeep?.figures() ?? []),
      gauge("lamppost_store_write_readings", "Most readings in the next write.", nextReadingsMax()),
      gauge("lamppost_store_lag_seconds", "Age of the oldest message being written.", lag),
    ];
  }

  return {
    name: NAME,
    offset: first,
    durable: true,
    gatherReadingsMax,
    gatherForMs: GATHER_FOR_MS,
    take,
    durableOffset: () => offset,
    health,
    figures,
    tick: async () => upkeep?.tick(exclusively),
    stop: async () => upkeep?.stop(),
    holdsFrom: () => upkeep?.holdsFrom() ?? Number.POSITIVE_INFINITY,
    isWhole: () => upkeep?.isWhole() ?? true,
    isShared: () => upkeep?.isShared() ?? false,
    isOutranked: () => upkeep?.isOutranked() ?? false,
  };
}

const RESENT: DedupeOutcome = { what: "duplicate", leaders: [] };

/** What was sent again is out of the way of what came in the same millisecond. */
async function dedupeOthers(
  readings: readonly Reading[],
  resent: ReadonlySet<number> | undefined,
  newest: ReadonlyMap<string, number>,
  find: ReadingStore["find"],
): Promise<readonly DedupeOutcome[]> {
  if (!resent || resent.size === 0) return dedupe(readings, newest, find);
  const places = [...readings.keys()].filter((place) => !resent.has(place));
  const found = await dedupe(
    places.map((place) => readings[place]!),
    newest,
    find,
  );
  const outcomes = readings.map(() => RESENT);
  for (const [n, outcome] of found.entries()) {
    const leaders = "leaders" in outcome && { leaders: outcome.leaders.map((leader) => places[leader]!) };
    outcomes[places[n]!] = { ...outcome, ...leaders } as DedupeOutcome;
  }
  return outcomes;
}

function placesOf(batch: OpenedBatch, { places }: LookedAt) {
  if (places.size === 0) return [];
  const indexes = indexesInMessages(batch);
  return Array.from(places, (place) => ({
    journalSeq: batch.readings[place]!.journalSeq,
    index: indexes[place]!,
  }));
}

/**
 * Numbers of the journal that nobody could read. Where nothing was ever booked, the journal may begin anywhere: what is
 * missing before its first message is not ours.
 */
function countMissing({ from, to, messages }: OpenedBatch, isBooked: boolean): number {
  const begin = isBooked ? from : (messages[0]?.seq ?? to);
  return to - begin - messages.length;
}

/** What becomes of each reading, as ledger rows, rejections and hours to compute anew. Pure. */
function settle(batch: OpenedBatch, outcomes: readonly DedupeOutcome[], refusals: Refusals) {
  const books = createBooks();
  const touched = createTouchedHours();
  const late: Rejection[] = [];
  const kept: Reading[] = [];
  const ended: Outcome[] = [];
  for (const { sensorId, receivedAt, ...sums } of batch.values ?? []) books.countValues({ sensorId, receivedAt }, sums);
  let rejector: ReturnType<typeof createRejector> | undefined;
  batch.readings.forEach((reading, place) => {
    const [outcome, detail] = outcomeOf(place, batch.readings, outcomes, refusals);
    const { refused } = outcomes[place]!;
    books.count(reading, outcome);
    correctValues(books, reading, outcomes[place]!, outcome);
    ended.push(outcome);
    if (outcome === "stored") {
      touched.note(reading);
      kept.push(reading);
    }
    if (outcome === "duplicate" || (outcome === "stored" && !refused)) return;
    rejector ??= createRejector(batch);
    if (outcome !== "stored") late.push(rejector(place, outcome, detail));
    else
      for (const metric of refused!.metrics)
        late.push(refuseValue(rejector(place, "conflict", ""), reading, refused!, metric));
  });
  return { books, late, touched, stored: () => countsOf(kept), ended };
}

/** All values of a reading were judged to be taken; not all of them are stored by it. */
function correctValues(
  books: ReturnType<typeof createBooks>,
  reading: Reading,
  outcome: DedupeOutcome,
  end: Outcome,
): void {
  const { refused } = outcome;
  const due = "due" in outcome ? outcome.due : undefined;
  if (end === "stored" && (due ?? reading) === reading && !refused) return;
  const all = Object.keys(reading.values).length;
  const stored = end === "stored" ? (due ?? reading) : undefined;
  const taken = Object.keys(stored?.values ?? {}).length;
  const flags = (one: Reading | undefined) => Object.keys(one?.quality ?? {}).length;
  const other = end === "store_refused" ? all - taken : (refused?.metrics.length ?? 0);
  books.countValues(reading, {
    taken: taken - all,
    suspect: flags(stored) - flags(reading),
    refused: other,
    repeated: all - taken - other,
  });
}

/** The rest of the reading is stored: of the moment it brought other metrics. */
function refuseValue(whole: Rejection, reading: Reading, { kept }: Refused, metric: MetricName): Rejection {
  const value = reading.raw?.[metric] ?? reading.values[metric];
  const payload = Buffer.from(JSON.stringify(value));
  return { ...whole, metric, measuredAt: reading.measuredAt, detail: explainConflict(reading, kept, metric), payload };
}

function countsOf(readings: readonly Reading[]) {
  const counts = createStoredCounts();
  for (const reading of readings) counts.note(reading);
  return counts.counts();
}

type Outcome = "stored" | "duplicate" | "conflict" | "store_refused";

function outcomeOf(
  place: number,
  readings: readonly Reading[],
  outcomes: readonly DedupeOutcome[],
  refusals: Refusals,
): readonly [Outcome, string] {
  const [reading, outcome] = [readings[place]!, outcomes[place]!];
  if (outcome.what === "fresh" || outcome.what === "own") {
    const words = refusals.get(outcome.due ?? reading);
    return words === undefined ? ["stored", ""] : ["store_refused", `The store refused it: ${words}`];
  }
  // What it doubles was refused, so nothing is kept that it could be a duplicate of.
  const refused = firstRefusal(outcome.leaders, readings, outcomes, refusals);
  if (refused !== undefined) return ["store_refused", `The store refused a reading of the same moment: ${refused}`];
  if (!outcome.refused) return ["duplicate", ""];
  const { metrics, kept } = outcome.refused;
  return ["conflict", explainConflict(reading, kept, metrics[0]!)];
}

function firstRefusal(
  places: readonly number[],
  readings: readonly Reading[],
  outcomes: readonly DedupeOutcome[],
  refusals: Refusals,
): string | undefined {
  if (refusals.size === 0) return undefined;
  const of = (place: number) => (outcomes[place] as { due?: Reading }).due ?? readings[place]!;
  return refusals.get(places.map(of).find((one) => refusals.has(one))!);
}

function explainConflict({ measuredAt, values }: Reading, kept: Reading, metric: MetricName): string {
  const at = new Date(measuredAt).toISOString();
  return `For ${at} a reading with ${metric} ${kept.values[metric]} was kept; this one has ${values[metric]}.`;
}

/** Those of its messages that are not as they came. */
function editsIn({ messages }: Pick<OpenedBatch, "messages">) {
  const edits = [];
  for (const { seq, source } of messages) if (source.edited) edits.push({ journalSeq: seq, ...source.edited });
  return edits;
}
