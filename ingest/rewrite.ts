import { z } from "zod";
import { counter, type Figure } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { createBatchWriter, type Refusals } from "./batch-writer.ts";
import { createTouchedHours } from "./books.ts";
import { type DecodeContext, decodeMessage, indexesInMessages, type OpenedBatch, openMessages } from "./decode.ts";
import { dedupe, dueOf } from "./dedupe.ts";
import type { JournalReader } from "./journal/journal.ts";
import { unknownSensor } from "./rejections.ts";
import { createRetrier, realSleep, type Sleep } from "./retry.ts";
import type { Consumer } from "./worker.ts";

/** What can be written again: all that is still in the journal, as it was decoded the first time. */
export type RewriteFrom = {
  readonly reader: Pick<JournalReader, "read">;
  readonly context: DecodeContext;
};

type SpanParts = RewriteFrom & {
  readonly store: Pick<ReadingStore, "find" | "repeatable">;
  readonly records: {
    readonly quarantine: Pick<Records["quarantine"], "places">;
    readonly resends?: Pick<Records["resends"], "places">;
    readonly rollups?: Pick<Records["rollups"], "touch">;
  };
  readonly retrier: Pick<ReturnType<typeof createRetrier>, "retry">;
  write(readings: readonly Reading[], signal: AbortSignal): Promise<Refusals>;
  /** What is later than this is in the store for sure only if this span has brought it. */
  readonly newest: Map<string, number>;
  readonly floor?: number;
  readonly onProgress?: (at: number) => void;
};

const READ_BYTES = 2 * 1024 * 1024;
const WRITE_READINGS_MAX = 20_000;
/** How far a device's clock may be ahead (`future`), so a reading received from a moment on may be of so much later. */
const AHEAD_MS = 5 * 60_000;

/**
 * Writes again what messages from `from` to `to - 1` became when they were booked. The books are not touched, quarantine
 * neither: what is there is left out. The first reading of a moment is kept, as it was the first time; nobody is enrolled.
 */
async function writeSpan(parts: SpanParts, from: number, to: number, signal: AbortSignal) {
  const { store, records, reader, newest } = parts;
  const context: DecodeContext = { ...parts.context, enrol: ({ sensorId }) => unknownSensor(sensorId) };
  let written = 0;
  let first: number | undefined;
  for (let at = from; at < to; ) {
    signal.throwIfAborted();
    const read = await reader.read(at, to, READ_BYTES);
    first ??= read.messages[0]?.receivedAt;
    const floor = parts.floor ?? (first ?? 0) + AHEAD_MS;
    const batch = openMessages(at, read.to, read.messages, (message) => decodeMessage(message, context));
    const readings = notIn(placesOf(records, at, read.to), batch);
    const outcomes = await parts.retrier.retry(() => dedupe(readings, newest, store.find, floor), signal);
    const due = dueOf(readings, outcomes, store.repeatable);
    const refused = await parts.write(due, signal);
    const hours = createTouchedHours();
    for (const reading of due) {
      hours.note(reading);
      const { sensorId, measuredAt } = reading;
      if (measuredAt > (newest.get(sensorId) ?? -Infinity)) newest.set(sensorId, measuredAt);
    }
    records.rollups?.touch(hours.parts());
    written += due.length - refused.size;
    at = read.to;
    parts.onProgress?.(at);
  }
  return { written, first };
}

function placesOf({ quarantine, resends }: SpanParts["records"], from: number, to: number): ReadonlySet<string> {
  const quarantined = quarantine.places(from, to);
  const resent = resends?.places(from, to);
  return resent && resent.size > 0 ? quarantined.union(resent) : quarantined;
}

/** Without what was sent again, or quarantined then: as a conflict, or because its sensor was registered only later. */
function notIn(places: ReadonlySet<string>, batch: OpenedBatch): readonly Reading[] {
  if (places.size === 0) return batch.readings;
  const indexes = indexesInMessages(batch);
  return batch.readings.filter(
    ({ journalSeq }, at) => !places.has(`${journalSeq} *`) && !places.has(`${journalSeq} ${indexes[at]}`),
  );
}

// ---- a lost DuckDB file, filled once at the start -----------------------------------------------------------------

type RefillParts = RewriteFrom & {
  readonly store: Pick<ReadingStore, "name" | "write" | "find" | "newest" | "repeatable">;
  readonly records: SpanParts["records"];
  /** First number to read, and the one after the last: the store writer's offset. */
  readonly from: number;
  readonly to: number;
  readonly log: Log;
  readonly sleep?: Sleep;
  readonly random?: () => number;
};

/** `first`: when the first message that is still in the journal was received. */
type Refilled = { readonly written: number; readonly first: number | undefined };

/** Puts into a store that was lost what is in the journal and was booked before. Doing it again writes nothing twice. */
export async function refillStore(parts: RefillParts, signal: AbortSignal): Promise<Refilled> {
  const { store, log, sleep = realSleep, random = Math.random } = parts;
  const retrier = createRetrier({ storeName: store.name, sleep, random, log });
  const { write } = createBatchWriter(store, retrier, WRITE_READINGS_MAX);
  const newest = new Map(await retrier.retry(() => store.newest(), signal));
  const floor = Number.NEGATIVE_INFINITY;
  return writeSpan({ ...parts, retrier, write, newest, floor }, parts.from, parts.to, signal);
}

/** The same consumer, which takes its first batch when the store is as full as it can be made: what comes meanwhile waits in the journal. */
export function afterRefill<C extends Consumer>(consumer: C, refilled: Promise<void>): C {
  return {
    ...consumer,
    async take(batch, signal) {
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      try {
        signal.throwIfAborted();
        await Promise.race([refilled, aborted.promise]);
      } finally {
        signal.removeEventListener("abort", abort);
      }
      return consumer.take(batch, signal);
    },
  };
}

// ---- a server that may have lost what it had said it has -----------------------------------------------------------

const Pending = z.object({ from: z.number(), why: z.string() });
const Marks = z.array(z.object({ at: z.number(), from: z.number() }));
type Mark = z.output<typeof Marks>[number];

const PENDING = "rewrite";
const MARKS = "written";
const STARTED = "started";
/** How many marks a window has: what is written again begins up to so much of it too early. */
const MARKS_PER_WINDOW = 60;
const SAVE_EVERY_MS = 1_000;
/** Less than a restart takes, more than a rounding. */
const SAME_START_MS = 100;

export type Rewriter = ReturnType<typeof createRewriter>;

/**
 * Keeps in mind what was written lately, and writes it again, before anything new, when the server may have lost it:
 * it was restarted, the connection to it was lost and it does not say when it started, or its log took a write only after
 * it had failed. influxd syncs its log before it answers; what a torn log still costs it at a restart is here.
 */
export function createRewriter(
  parts: RewriteFrom & {
    readonly store: Pick<ReadingStore, "find" | "repeatable" | "startedAt">;
    readonly records: SpanParts["records"] & {
      readonly storeState: Pick<Records["storeState"], "get" | "set">;
      transaction: Records["transaction"];
    };
    readonly retrier: ReturnType<typeof createRetrier>;
    write(readings: readonly Reading[], signal: AbortSignal): Promise<Refusals>;
    /** The first number that is still in the journal, and the one below which everything is booked. */
    first(): number;
    offset(): number;
    readonly windowMs: number;
    readonly now: () => number;
    readonly log: Log;
  },
) {
  const { records, now, log } = parts;
  const state = records.storeState;
  const marks: Mark[] = Marks.catch([]).parse(state.get(MARKS) ?? []);
  let pending = Pending.optional().catch(undefined).parse(state.get(PENDING));
  let rewritten = 0;

  /** From this message on everything booked is to be written again. */
  function request(from: number, why: string): void {
    pending = { from: Math.min(from, pending?.from ?? from), why };
    state.set(PENDING, pending);
  }

  /** Call it in the transaction that moves the offset to what comes after `from`. */
  function note(from: number): void {
    if (parts.windowMs === 0) return;
    const at = now();
    const last = marks.at(-1);
    if (last && at >= last.at && at - last.at < parts.windowMs / MARKS_PER_WINDOW) return;
    marks.push({ at, from });
    while (marks.length > 1 && marks[1]!.at <= at - parts.windowMs) marks.shift();
    state.set(MARKS, marks);
  }

  const windowFrom = () => (parts.windowMs === 0 ? parts.offset() : (marks[0]?.from ?? parts.offset()));

  /** Whether the server is still the process that took what was written lately. `wasAway`: since the last time. Throws `StoreError`. */
  async function checkStart(wasAway: boolean): Promise<void> {
    const started = await parts.store.startedAt();
    const known = z.number().optional().catch(undefined).parse(state.get(STARTED));
    const isOther = started !== undefined && known !== undefined && Math.abs(started - known) > SAME_START_MS;
    const why = isOther
      ? "the server was restarted"
      : wasAway && started === undefined && "the connection to the server was lost";
    records.transaction(() => {
      if (why && windowFrom() < parts.offset()) request(windowFrom(), why);
      if (started !== undefined && (isOther || known === undefined)) state.set(STARTED, started);
    });
  }

  /** Writes again what is asked for. Nothing else may be written meanwhile. */
  async function run(signal: AbortSignal): Promise<void> {
    while (pending) {
      const job = pending;
      const to = parts.offset();
      const from = Math.max(job.from, Math.min(parts.first(), to));
      if (from < to) await rewrite(job.why, from, to, signal);
      if (pending !== job) continue;
      records.transaction(() => {
        // What was written again was written just now: it is held for as long as what is new.
        const older = marks.filter((mark) => mark.from < from);
        if (parts.windowMs > 0 && from < to) marks.splice(0, marks.length, ...older, { at: now(), from });
        state.set(MARKS, marks);
        state.set(PENDING, undefined);
      });
      pending = undefined;
    }
  }

  async function rewrite(why: string, from: number, to: number, signal: AbortSignal): Promise<void> {
    log.warn({ why, from, to }, "readings are written again from the journal");
    let savedAt = now();
    const job = pending;
    const onProgress = (at: number) => {
      // Another request in between may begin before this place.
      if (now() - savedAt < SAVE_EVERY_MS || pending !== job) return;
      savedAt = now();
      state.set(PENDING, { from: at, why });
    };
    const { written } = await writeSpan({ ...parts, newest: new Map(), onProgress }, from, to, signal);
    rewritten += written;
    log.warn({ why, from, to, written }, "readings were written again from the journal");
  }

  async function findReading(from: number, isOne: (reading: Reading) => boolean): Promise<Reading | undefined> {
    const context: DecodeContext = { ...parts.context, enrol: ({ sensorId }) => unknownSensor(sensorId) };
    const to = parts.offset();
    for (let at = Math.max(from, parts.first()); at < to; ) {
      const read = await parts.reader.read(at, to, READ_BYTES);
      const batch = openMessages(at, read.to, read.messages, (message) => decodeMessage(message, context));
      const found = notIn(placesOf(records, at, read.to), batch).find(isOne);
      if (found) return found;
      at = read.to;
    }
    return undefined;
  }

  return {
    request,
    note,
    run,
    findReading,
    checkStart,
    isPending: () => pending !== undefined,
    holdsFrom: () => Math.min(windowFrom(), pending?.from ?? Number.POSITIVE_INFINITY),
    figures: (): readonly Figure[] => [
      counter(
        "lamppost_store_rewritten_readings_total",
        "Readings written again from the journal, because the store may have lost them.",
        rewritten,
      ),
    ],
  };
}
