import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Health } from "../../model/health.ts";
import { KINDS, type Kind } from "../../model/kinds.ts";
import type { ReadingStore } from "../reading-store.ts";
import type { Records } from "../records.ts";
import type { Rows, Span } from "./salvage.ts";

const Mark = z.object({ at: z.number(), offsets: z.record(z.string(), z.number()), event: z.number() });
type Mark = z.output<typeof Mark>;

const CONSUMERS = ["store", "alerts"];

const rowsKey = (kind: Kind) => `duckdb.rows.${kind}`;
const OLDEST = "duckdb.oldest";
const NEWEST = "duckdb.newest";
const SUSPECT = "duckdb.suspect";
/** DuckDB's words for a block whose checksum is wrong, and for one behind the end of a file that was cut short. */
const DAMAGED_BLOCK = /corrupt database file|checksum|could not read enough bytes/i;

export type Marks = { readonly rows: Rows; readonly span: Partial<Span>; readonly suspect: boolean };

/** What SQLite says DuckDB must have at least. 0 where nothing is known. */
export function readMarks(offsets: Pick<Records["offsets"], "get">): Marks {
  const [from, to] = [offsets.get(OLDEST), offsets.get(NEWEST)];
  return {
    rows: Object.fromEntries(KINDS.map((kind) => [kind, offsets.get(rowsKey(kind)) ?? 0])) as Rows,
    span: { from, to },
    suspect: offsets.get(SUSPECT) === 1,
  };
}

/** From here on nothing is expected of the file: a rebuild has begun. */
export function clearMarks(offsets: Records["offsets"]): void {
  for (const kind of KINDS) offsets.set(rowsKey(kind), 0);
  offsets.set(SUSPECT, 0);
}

export type StoreMarks = ReturnType<typeof createMarks>;

/**
 * A high-water mark in another file: DuckDB opens without a word, and without its newest rows, when the header of its log
 * is damaged. Counts the rows of the file from `rows` on and keeps the counts in SQLite, never more than there are: they
 * are written with each booking, after the rows, and lowered before rows are deleted.
 */
export function createMarks(offsets: Records["offsets"], rows: Rows) {
  const counts: Record<Kind, number> = { ...rows };
  const unsure = new Set<Kind>();
  let { from: oldest, to: newest } = readMarks(offsets).span;
  let held = false;
  let removedRows = 0;
  let isSuspect = readMarks(offsets).suspect;

  function save(): void {
    if (held) return;
    for (const kind of KINDS) put(rowsKey(kind), unsure.has(kind) ? 0 : counts[kind]);
    if (oldest !== undefined) put(OLDEST, oldest);
    if (newest !== undefined) put(NEWEST, newest);
  }

  function put(key: string, value: number): void {
    if (offsets.get(key) !== value) offsets.set(key, value);
  }

  function note(readings: Parameters<ReadingStore["write"]>[0]): void {
    for (const { kind, receivedAt } of readings) {
      counts[kind] += 1;
      if (oldest === undefined || receivedAt < oldest) oldest = Math.floor(receivedAt);
      if (newest === undefined || receivedAt > newest) newest = Math.ceil(receivedAt);
    }
  }

  async function watched<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      suspect(error);
      throw error;
    }
  }

  /** What a query comes across is read in full, and cleared away, at the next start. */
  function suspect(error: unknown): void {
    if (isSuspect || !DAMAGED_BLOCK.test(error instanceof Error ? error.message : "")) return;
    isSuspect = true;
    offsets.set(SUSPECT, 1);
  }

  async function deleteBefore(store: ReadingStore, kind: Kind, time: number): Promise<number | undefined> {
    unsure.add(kind);
    put(rowsKey(kind), 0);
    const removed = await store.deleteBefore(kind, time);
    if (removed === undefined) return undefined;
    counts[kind] -= removed;
    removedRows += removed;
    unsure.delete(kind);
    save();
    return removed;
  }

  /** The same store, counted. */
  function watch(store: ReadingStore): ReadingStore {
    return {
      ...store,
      async write(readings) {
        await watched(store.write(readings));
        note(readings);
      },
      find: (kind, keys) => watched(store.find(kind, keys)),
      newest: () => watched(store.newest()),
      aggregate: (query) => watched(store.aggregate(query)),
      async *stream(query) {
        try {
          yield* store.stream(query);
        } catch (error) {
          suspect(error);
          throw error;
        }
      },
      deleteBefore: (kind, time) => watched(deleteBefore(store, kind, time)),
    };
  }

  return {
    watch,
    save,
    /** For the store writer: the marks move in the transaction that moves its offset. */
    offsets: {
      get: offsets.get,
      set(consumer: string, offset: number) {
        offsets.set(consumer, offset);
        save();
      },
    } satisfies Records["offsets"],
    /** Nothing is written while a rebuild goes on. */
    hold(on: boolean): void {
      held = on;
    },
    isSuspect: () => isSuspect,
    /** Rows deleted by a storage limit since the start. */
    removed: () => removedRows,
  };
}

/**
 * How far records.db has come, in a file beside it: when its log is damaged or lost, SQLite opens an older state and calls
 * it sound. What the journal still has is then booked again, so the books come right; what people did in that time is gone,
 * and is said. The file is not synced: an older one only shows less.
 */
export function watchRecords(path: string, records: Pick<Records, "offsets" | "events">, now: () => number) {
  const before = read(path);
  const after = stateOf(records, now());
  const lost = before !== undefined && isOlder(after, before);

  return {
    save(): void {
      try {
        writeFileSync(`${path}.unfinished`, JSON.stringify(stateOf(records, now())), { mode: 0o600 });
        renameSync(`${path}.unfinished`, path);
      } catch {
        // A full disk: an older mark only shows less.
      }
    },
    health(): readonly Health[] {
      if (!lost) return [];
      const reason = `records.db is older than it was at ${new Date(before.at).toISOString()}: sensors, credentials, alert handling and audit of its last minutes may be missing. Look through them, or restore a backup; a restart ends this message.`;
      return [{ part: "records", state: "degraded", ready: true, reason }];
    },
  };
}

function stateOf(records: Pick<Records, "offsets" | "events">, at: number): Mark {
  const offsets = CONSUMERS.flatMap((name) => {
    const offset = records.offsets.get(name);
    return offset === undefined ? [] : [[name, offset] as const];
  });
  return { at, offsets: Object.fromEntries(offsets), event: records.events.newestId() };
}

function isOlder(after: Mark, before: Mark): boolean {
  const isBack = Object.entries(before.offsets).some(([name, offset]) => (after.offsets[name] ?? 0) < offset);
  return isBack || after.event < before.event;
}

/** Undefined where there is none, or one that says nothing. */
function read(path: string): Mark | undefined {
  try {
    return Mark.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
