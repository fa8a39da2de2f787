import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { isAdopting } from "../ingest/adoption.ts";
import { createBatchWriter } from "../ingest/batch-writer.ts";
import { createTouchedHours } from "../ingest/books.ts";
import { withoutStored } from "../ingest/dedupe.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import { DAY_MS, dateOf, startOfDay } from "../model/time.ts";
import { openDuckDbStore } from "../store/duckdb/store.ts";
import { type ReadingStore, type RollupRow, StoreError } from "../store/reading-store.ts";
import { lockDataDir } from "../store/records/data-dir.ts";
import type { StoredCount } from "../store/records/store-state.ts";
import { openRecords, type Records } from "../store/records.ts";
import type { Config, StoreConfig } from "./config.ts";
import { knownPlace, openReadingStore, placeOf, rowsBooked, settleIn } from "./store-start.ts";

const TRIES = 8;

const Move = z.object({
  from: z.string(),
  to: z.string(),
  /** Days that are copied and were counted in both, as `<kind> <day>` or `<kind>_<resolution> <day>`. */
  done: z.array(z.string()),
  isCopied: z.boolean(),
});
type Move = z.output<typeof Move>;

type MoveOptions = {
  /** The settings of the new store. */
  readonly config: Config;
  /** Where the readings are, if it is not the file in the data folder. */
  readonly from?: StoreConfig;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
  readonly now: () => number;
  readonly log: Log;
};

export type Moved = {
  readonly from: string;
  readonly to: string;
  readonly readings: number;
  /** What the books say is in the store, before and after. */
  readonly booked: { readonly before: number; readonly after: number };
  /** Where the DuckDB file is now. */
  readonly left?: string;
};

/**
 * Takes all readings to the store of the settings, while the service is stopped: day by day, each counted in both before
 * the next one. Interrupted at any moment it goes on with the day it was at. Only then do the records say that the readings
 * are there. What is in the journal and not booked yet goes to the new store at its first start. Throws an `Error` with
 * what to do.
 */
export async function moveStore(options: MoveOptions): Promise<Moved> {
  const { config, now, log } = options;
  const lock = lockDataDir(config.dataDir);
  const closing: (() => Promise<void> | void)[] = [() => lock.release()];
  try {
    const path = join(config.dataDir, "records.db");
    const records = openRecords({ path, now, log, mustBeThere: true });
    closing.push(() => records.close());
    const { source, move } = plan(options, records);
    const before = rowsBooked(records);
    if (!move.isCopied) {
      const [old, next] = await openBoth(options, records, source, closing);
      await check(records, old);
      await copyAll({ old, next, records, move, ...options });
      await next.close();
    }
    const left = commit(options, records, move);
    return { from: move.from, to: move.to, readings: before, booked: { before, after: rowsBooked(records) }, ...left };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

function plan({ config, from }: MoveOptions, records: Records): { source: StoreConfig; move: Move } {
  const to = placeOf(config.store);
  const known = knownPlace(records, config.dataDir);
  if (known === undefined) throw new Error(`nothing was stored from ${config.dataDir} yet: just start the service`);
  if (known === to) throw new Error(`the readings are in ${to} already, as the settings say: nothing to move`);
  const source: StoreConfig = known.startsWith("duckdb ") ? { kind: "duckdb" } : (from ?? { kind: "duckdb" });
  if (placeOf(source) !== known) {
    const given = from ? `, and the old settings given say ${placeOf(from)}` : "";
    throw new Error(`the readings are in ${known}${given}: give the settings of that store in a file, with --from`);
  }
  const begun = Move.optional().catch(undefined).parse(records.storeState.get("move"));
  const isSame = begun?.from === known && begun.to === to;
  return { source, move: isSame ? begun : { from: known, to, done: [], isCopied: false } };
}

const movingPath = (dataDir: string) => join(dataDir, "readings.duckdb.moving");

async function openBoth(
  { config, log }: MoveOptions,
  records: Records,
  source: StoreConfig,
  closing: (() => Promise<void> | void)[],
): Promise<[ReadingStore, ReadingStore]> {
  const file = join(config.dataDir, "readings.duckdb");
  const open = async (store: StoreConfig, path: string) => {
    const opened =
      store.kind === "duckdb" ? await openDuckDbStore({ path, log }) : await openReadingStore(store, records, log);
    closing.push(() => opened.close());
    await opened.ping();
    return opened;
  };
  if (source.kind === "duckdb" && !existsSync(file)) throw new Error(`${file} is not there: restore it first`);
  if (config.store.kind === "duckdb" && existsSync(file)) {
    throw new Error(`${file} is there already, from an earlier time: move it away, so that nothing is mixed`);
  }
  const old = await open(source, file);
  return [old, await open(config.store, movingPath(config.dataDir))];
}

/** What is not in the books or not in the store would be wrong there, too, and nobody would know since when. */
async function check(records: Records, old: ReadingStore): Promise<void> {
  const seqBefore = records.offsets.get("store") ?? 1;
  if (records.removals.plans().length > 0)
    throw new Error("a removal of old readings was interrupted: start the service on the old store once, then stop it");
  if (isAdopting(records.storeState))
    throw new Error("this folder was restored from a backup: start the service on the old store once, then stop it");
  const found = (await old.countBySensor({ seqBefore })).values().reduce((sum, n) => sum + n, 0);
  const due = rowsBooked(records);
  if (found === due) return;
  throw new Error(
    `the books have ${due} readings and ${old.place} has ${found}: start the service on it, and run "lamppost ledger --verify"`,
  );
}

type CopyParts = MoveOptions & {
  readonly old: ReadingStore;
  readonly next: ReadingStore;
  readonly records: Records;
  readonly move: Move;
};

/** From when on raw readings of a kind are there in full: what is older is in the rollups, as far as it is anywhere. */
const rawFrom = ({ rollups }: Records, kind: Kind) => rollups.cut(kind, "raw")?.at ?? Number.NEGATIVE_INFINITY;

/**
 * Hours and days from before the readings that are kept go as they are; all others are computed anew where the readings
 * are, as soon as the service runs.
 */
async function copyRollups({ old, next, records, move }: CopyParts): Promise<void> {
  for (const kind of KINDS) {
    for (const resolution of ["hourly", "daily"] as const) {
      for (const day of await old.rollups.days(kind, resolution, rawFrom(records, kind))) {
        const key = `${kind}_${resolution} ${day}`;
        if (move.done.includes(key)) continue;
        const rows = await old.rollups.read(kind, resolution, day);
        await next.rollups.write(kind, resolution, day, rows);
        const [due, there] = [valuesIn(rows), valuesIn(await next.rollups.read(kind, resolution, day))];
        if (due !== there)
          throw new Error(
            `of ${due} values in the ${resolution} rollups of ${kind} on ${dateOf(day)} ${there} are in ${next.place}`,
          );
        move.done.push(key);
        records.storeState.set("move", move);
      }
    }
  }
}

/** How many values of readings stand behind rollups. */
const valuesIn = (rows: readonly RollupRow[]) =>
  rows.reduce((sum, { values }) => sum + Object.values(values).reduce((more, { count }) => more + count, 0), 0);

async function copyAll(parts: CopyParts): Promise<void> {
  const { old, records, move, onProgress } = parts;
  const seqBefore = records.offsets.get("store") ?? 1;
  const total = rowsBooked(records);
  const counts: StoredCount[] = [];
  let copied = 0;
  for (const kind of KINDS) {
    const hours = await old.rollups.parts(kind);
    const days = [...new Set(hours.map(({ start }) => startOfDay(start)))].sort((a, b) => a - b);
    for (const day of days) {
      const key = `${kind} ${day}`;
      if (!move.done.includes(key)) {
        await copyDay(parts, kind, day, seqBefore);
        move.done.push(key);
        records.storeState.set("move", move);
      }
      const ofDay = await countDay(parts.next, kind, day);
      counts.push(...ofDay);
      copied += ofDay.reduce((sum, { count }) => sum + count, 0);
      onProgress({ done: copied, total });
    }
  }
  await copyRollups(parts);
  if (copied !== total)
    throw new Error(`${copied} readings were copied and ${total} are in the books: nothing is changed yet`);
  records.transaction(() => {
    records.storeState.forgetBefore(Number.MAX_SAFE_INTEGER);
    records.storeState.count(counts);
    records.storeState.set("move", { ...move, isCopied: true });
  });
  move.isCopied = true;
}

/** Chunks of a stream are not larger. */
const WRITE_READINGS_MAX = 5_000;

async function copyDay({ old, next, records }: CopyParts, kind: Kind, day: number, seqBefore: number): Promise<void> {
  const { write } = createBatchWriter(next, FEW_TRIES, next.writeReadingsMax ?? WRITE_READINGS_MAX);
  const never = new AbortController().signal;
  let count = 0;
  for await (const chunk of old.stream({ kind, from: day, to: day + DAY_MS, byMessage: true })) {
    const booked = chunk.filter(({ journalSeq }) => journalSeq < seqBefore);
    count += booked.length;
    const due = next.repeatable ? booked : await withoutStored(booked, next.find);
    const refused = await write(due, never);
    if (refused.size > 0)
      throw new Error(`${next.place} refuses ${refused.size} readings: ${refused.values().next().value}`);
    const from = rawFrom(records, kind);
    touch(
      records,
      booked.filter(({ measuredAt }) => measuredAt >= from),
    );
  }
  const there = (await countDay(next, kind, day)).reduce((sum, one) => sum + one.count, 0);
  if (there !== count)
    throw new Error(`of ${count} readings of ${kind} on ${dateOf(day)} ${there} have arrived in ${next.place}`);
}

function touch(records: Records, readings: readonly Reading[]): void {
  const hours = createTouchedHours();
  for (const reading of readings) hours.note(reading);
  records.rollups.touch(hours.parts());
}

async function countDay(store: ReadingStore, kind: Kind, day: number): Promise<StoredCount[]> {
  const counts = await store.countByDay(kind, day, day + DAY_MS);
  return [...counts].flatMap(([sensorId, days]) =>
    [...days].map(([on, count]) => ({ kind, day: on, sensorId, count })),
  );
}

/** From here on the readings are in the new store. Done again after a crash it ends the same. */
function commit({ config, now }: MoveOptions, records: Records, move: Move): { left?: string } {
  const file = join(config.dataDir, "readings.duckdb");
  const toFile = config.store.kind === "duckdb";
  const from = toFile ? movingPath(config.dataDir) : file;
  const to = toFile ? file : `${file}.moved-${new Date(now()).toISOString().replaceAll(":", "-")}`;
  const isThere = existsSync(from);
  // A new file is in its place before the records say so, an old one leaves it afterwards.
  if (toFile && isThere) rename(from, to);
  records.transaction(() => {
    const counts = countsKept(records);
    settleIn(records, move.to);
    records.storeState.count(counts);
    const detail = `${rowsBooked(records)} readings, from ${move.from}`;
    records.audit.add({ at: now(), by: "service", what: "store.moved", target: move.to, detail });
  });
  if (toFile || !isThere || !move.from.startsWith("duckdb ")) return {};
  rename(from, to);
  return { left: to };
}

/** Only a database of its own is watched by counts. */
function countsKept(records: Records): StoredCount[] {
  return records.storeState
    .days()
    .flatMap((day) =>
      KINDS.flatMap((kind) =>
        [...records.storeState.counts(kind, day)].map(([sensorId, count]) => ({ kind, day, sensorId, count })),
      ),
    );
}

function rename(from: string, to: string): void {
  if (existsSync(`${from}.wal`)) renameSync(`${from}.wal`, `${to}.wal`);
  renameSync(from, to);
}

/** A person waits: a server that is away is tried for some minutes, one that says no is told at once. */
const FEW_TRIES = {
  async retry<T>(work: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work(attempt);
      } catch (error) {
        if (!(error instanceof StoreError) || error.kind !== "unavailable" || attempt >= TRIES) throw error;
        await pause(error.retryAfterMs ?? Math.min(30_000, 250 * 2 ** attempt));
      }
    }
  },
  async pause(text: string): Promise<void> {
    throw new Error(text);
  },
};
