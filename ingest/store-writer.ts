import type { Figure, Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import type { Rejection } from "../model/rejection.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { createRejector, type OpenedBatch } from "./batch.ts";
import { createBooks } from "./books.ts";
import { dedupe, type Verdict } from "./dedupe.ts";
import type { Consumer } from "./follower.ts";
import { createPatience } from "./patience.ts";
import { createPutter, type Refusals } from "./put.ts";
import { type FaultHook, realSleep, type Sleep } from "./timing.ts";
import { createTouchedHours } from "./touched-hours.ts";

export type StoreWriterParts = {
  readonly store: Pick<ReadingStore, "name" | "write" | "find" | "newest">;
  readonly records: {
    readonly quarantine: Pick<Records["quarantine"], "add">;
    readonly ledger: Pick<Records["ledger"], "add">;
    /** Without it no rollups are kept. */
    readonly rollups?: Pick<Records["rollups"], "touch">;
    readonly offsets: Records["offsets"];
    transaction: Records["transaction"];
  };
  /** `store.newest()`, if the caller has it; else it is asked for with the first batch, however long the store is away. */
  readonly newest?: ReadonlyMap<string, number>;
  /** Most readings per `store.write` (20,000) and per batch gathered from what waits (20,000). */
  readonly options?: { readonly writeReadingsMax?: number; readonly gatherReadingsMax?: number };
  readonly now: () => number;
  readonly log: Log;
  /** Hears of conflicts and refusals after they are booked. */
  onRejection?(rejection: Rejection): void;
  readonly sleep?: Sleep;
  readonly random?: () => number;
  readonly at?: FaultHook;
};

export type StoreWriter = Consumer & { health(): Health; figures(): readonly Figure[] };

const NAME = "store";
const GATHER_READINGS_MAX = 20_000;
/** A batch costs a sync of the store and one of SQLite, on the disk that the journal's syncs (and PUBACKs) wait for. */
const GATHER_FOR_MS = 100;

/**
 * The consumer that fills the store and keeps the books. For each batch: tell duplicates, write the rest, then, in one
 * transaction, quarantine, ledger and offset. A crash before the transaction repeats the batch; what is then found in
 * the store from the same message is our own and counts as stored, so every item is booked exactly once.
 */
export function createStoreWriter(parts: StoreWriterParts): StoreWriter {
  const { store, records, now, log } = parts;
  const { sleep = realSleep, random = Math.random, options = {} } = parts;
  const patience = createPatience({ storeName: store.name, sleep, random, log });
  const { put, nextReadingsMax } = createPutter(store, patience, options.writeReadingsMax ?? GATHER_READINGS_MAX);
  const first = records.offsets.get(NAME) ?? 1;
  let offset = first;
  let isBooked = records.offsets.get(NAME) !== undefined;
  let newest = parts.newest && new Map(parts.newest);
  let workingOn: number | undefined;
  const counts = { stored: 0, duplicate: 0, conflict: 0, refused: 0, batches: 0 };

  async function take(batch: OpenedBatch, signal: AbortSignal): Promise<void> {
    workingOn = batch.messages[0]?.receivedAt;
    newest ??= new Map(await patience.until(() => store.newest(), signal));
    const known = newest;
    const verdicts = await patience.until(() => dedupe(batch.readings, known, store.find), signal);
    const fresh = batch.readings.filter((_, place) => verdicts[place]!.what === "fresh");
    // Before the write: if it breaks off and the batch is brought again, the store is asked what it has of it.
    for (const { sensorId, measuredAt } of fresh) {
      if (measuredAt > (known.get(sensorId) ?? -Infinity)) known.set(sensorId, measuredAt);
    }
    await parts.at?.("before-write");
    const refusals = await put(fresh, signal);
    await parts.at?.("after-write");
    const late = book(batch, verdicts, refusals);
    workingOn = undefined;
    await parts.at?.("after-booking");
    if (parts.onRejection) for (const rejection of late) parts.onRejection(rejection);
  }

  /** Answers the rejections that only the store could tell. */
  function book(batch: OpenedBatch, verdicts: readonly Verdict[], refusals: Refusals): readonly Rejection[] {
    const { books, late, touched } = settle(batch, verdicts, refusals);
    for (const rejection of batch.rejections) books.count(rejection, rejection.reason);
    const missing = countMissing(batch, isBooked);
    if (missing > 0) books.lose(missing, batch.messages.at(-1)?.receivedAt ?? now());
    records.transaction(() => {
      records.quarantine.add([...batch.rejections, ...late]);
      records.ledger.add(books.rows());
      records.rollups?.touch(touched.parts());
      records.offsets.set(NAME, batch.to);
    });
    offset = batch.to;
    isBooked = true;
    const conflicts = late.reduce((sum, { reason }) => sum + Number(reason === "conflict"), 0);
    const duplicates = verdicts.reduce((sum, { what }) => sum + Number(what === "duplicate"), 0);
    counts.conflict += conflicts;
    counts.refused += late.length - conflicts;
    counts.duplicate += duplicates;
    counts.stored += verdicts.length - late.length - duplicates;
    counts.batches += 1;
    return late;
  }

  function figures(): Figure[] {
    const readings = (outcome: "stored" | "duplicate" | "conflict" | "refused"): Figure => {
      const help = "Readings settled since the start, by outcome.";
      return counter("lamppost_store_readings_total", help, counts[outcome], { outcome });
    };
    const lag = workingOn === undefined ? 0 : Math.max(0, (now() - workingOn) / 1000);
    return [
      ...(["stored", "duplicate", "conflict", "refused"] as const).map(readings),
      counter("lamppost_store_batches_total", "Batches written and booked.", counts.batches, {}),
      ...patience.figures(),
      gauge("lamppost_store_write_readings", "Most readings in the next write.", nextReadingsMax()),
      gauge("lamppost_store_lag_seconds", "Age of the oldest message being written.", lag),
    ];
  }

  return {
    name: NAME,
    offset: first,
    durable: true,
    gatherReadingsMax: options.gatherReadingsMax ?? GATHER_READINGS_MAX,
    gatherForMs: GATHER_FOR_MS,
    take,
    durableOffset: () => offset,
    health: () => patience.health(NAME),
    figures,
  };
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
function settle(batch: OpenedBatch, verdicts: readonly Verdict[], refusals: Refusals) {
  const books = createBooks();
  const touched = createTouchedHours();
  const late: Rejection[] = [];
  let rejector: ReturnType<typeof createRejector> | undefined;
  batch.readings.forEach((reading, place) => {
    const [outcome, detail] = outcomeOf(reading, batch.readings, verdicts[place]!, refusals);
    books.count(reading, outcome);
    if (outcome === "stored") touched.note(reading);
    if (outcome === "stored" || outcome === "duplicate") return;
    rejector ??= createRejector(batch);
    late.push(rejector(place, outcome, detail));
  });
  return { books, late, touched };
}

type Outcome = "stored" | "duplicate" | "conflict" | "store_refused";

function outcomeOf(
  reading: Reading,
  readings: readonly Reading[],
  verdict: Verdict,
  refusals: Refusals,
): readonly [Outcome, string] {
  if (!("kept" in verdict)) {
    const words = refusals.get(reading);
    return words === undefined ? ["stored", ""] : ["store_refused", `The store refused it: ${words}`];
  }
  // What it doubles was refused, so nothing is kept that it could be a duplicate of.
  const refused = verdict.leader !== undefined && refusals.get(readings[verdict.leader]!);
  if (refused) return ["store_refused", `The store refused a reading of the same moment: ${refused}`];
  return verdict.what === "duplicate" ? ["duplicate", ""] : ["conflict", explainConflict(reading, verdict.kept)];
}

function explainConflict(reading: Reading, kept: Reading): string {
  const names = Object.keys({ ...kept.values, ...reading.values }) as (keyof Reading["values"])[];
  const name = names.find((one) => kept.values[one] !== reading.values[one])!;
  const [there, here] = [kept.values[name] ?? "missing", reading.values[name] ?? "missing"];
  const at = new Date(reading.measuredAt).toISOString();
  return `For ${at} a reading with ${name} ${there} was kept; this one has ${here}.`;
}

function gauge(name: string, help: string, value: number): Figure {
  return { name, help, type: "gauge", value };
}

function counter(name: string, help: string, value: number, labels: Record<string, string>): Figure {
  return { name, help, type: "counter", value, labels };
}
