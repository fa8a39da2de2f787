import { z } from "zod";
import type { Health } from "../model/health.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import { DAY_MS, dateOf, startOfDay } from "../model/time.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Sensor } from "../store/records/sensors.ts";
import type { StoredCount } from "../store/records/store-state.ts";
import type { Records } from "../store/records.ts";
import type { Refusals } from "./batch-writer.ts";
import { createBooks, createTouchedHours } from "./books.ts";

const LEDGER_DAYS_MAX = 10_000;
/** Readings of one write of numbers. */
const RENUMBER_READINGS = 5_000;
/** For readings that no message of this journal brought. */
const NO_NUMBER = 0;

/** Name in `storeState`; a restore writes it, without `end`. */
const RESTORED = "restored";
const Restored = z.object({
  /** When the backup was begun. */
  backupAt: z.number(),
  /** The first number that no message of the backup's journal has. */
  end: z.number().optional(),
  /** The readings are in the books; some may still have their old numbers. */
  isBooked: z.boolean().optional(),
});

/** Whether the folder was restored from a backup and its books do not yet know what its database has got since. */
export const isAdopting = (state: Pick<Records["storeState"], "get">) => state.get(RESTORED) !== undefined;

/**
 * After a restore: the database went on when the backup was made, so it has readings that were acknowledged later and that
 * neither the restored books nor the restored journal know. They are kept: booked as received and stored, by sensor and day
 * of receipt; sensors that the backup did not know are registered by what their readings say. Then they lose their number in the journal, because messages of the restored journal will have the same ones.
 * They are told by their number (not before the end of the backup's journal), or by having none and being received after
 * the backup: those were taken over after an earlier restore. What retention removed since the backup is booked as removed.
 */
export function createAdoption(parts: {
  readonly store: Pick<ReadingStore, "name" | "countByDay" | "countBySensor" | "stream">;
  readonly records: Pick<Records, "transaction"> & {
    readonly storeState: Records["storeState"];
    readonly ledger: Pick<Records["ledger"], "add" | "byDay" | "bySensor">;
    readonly removals: Pick<Records["removals"], "add" | "counts">;
    readonly rollups: Pick<Records["rollups"], "touch">;
    readonly sensors: Pick<Records["sensors"], "get" | "retired" | "add">;
    readonly audit: Pick<Records["audit"], "add">;
  };
  write(readings: readonly Reading[], signal: AbortSignal): Promise<Refusals>;
  /** The next number of the journal when it was opened, and the one below which everything is booked. */
  readonly end: number;
  offset(): number;
  /** Books say that readings are there which are not: all of it has to be looked at. */
  lose(why: string): void;
  readonly rawDays: number;
  readonly now: () => number;
  readonly log: Log;
}) {
  const { store, records, now, log } = parts;
  const state = records.storeState;
  const read = () => Restored.optional().catch(undefined).parse(state.get(RESTORED));
  let restored = read();
  // Before anything is written: at a later start the journal has numbers that the database has, too.
  if (restored && restored.end === undefined) save({ ...restored, end: parts.end });

  function save(next: z.output<typeof Restored> | undefined): void {
    state.set(RESTORED, next);
    restored = next;
  }

  const isUnknown = ({ journalSeq, receivedAt }: Reading) =>
    journalSeq >= restored!.end! || (journalSeq === NO_NUMBER && receivedAt >= restored!.backupAt);

  /** A day at a time, as the database has them. */
  async function* unknown(signal: AbortSignal): AsyncGenerator<readonly Reading[]> {
    for (const kind of KINDS) {
      for (const day of await daysOf(kind)) {
        for await (const chunk of store.stream({ kind, from: day, to: day + DAY_MS, byMessage: true, signal })) {
          const found = chunk.filter(isUnknown);
          if (found.length > 0) yield found;
        }
      }
    }
  }

  async function daysOf(kind: Kind): Promise<readonly number[]> {
    const outside = { from: NO_NUMBER + 1, to: restored!.end! };
    const counts = await store.countByDay(kind, 0, now() + 2 * DAY_MS, { outside });
    const days = new Set(counts.values().flatMap((ofSensor) => ofSensor.keys()));
    return [...days].sort((a, b) => a - b);
  }

  /** Call it where nothing else writes. Throws `StoreError`; doing it again is harmless. */
  async function adopt(signal: AbortSignal): Promise<void> {
    if (!restored) return;
    if (!restored.isBooked) await book(signal);
    const refused = await takeNumbers(signal);
    records.transaction(() => {
      state.set(RESTORED, undefined);
      if (refused.size === 0) return;
      records.removals.add("readings", refused);
      const readings = refused.values().reduce((sum, n) => sum + n, 0);
      const detail = `${readings} readings are older than the database keeps by its own retention: booked as removed`;
      records.audit.add({ at: now(), by: "service", what: "store.adopted", target: store.name, detail });
    });
    restored = undefined;
  }

  async function book(signal: AbortSignal): Promise<void> {
    const books = createBooks();
    const hours = createTouchedHours();
    const stored = createStoredCounts();
    const unnumbered = new Map<string, number>();
    const newcomers = new Map<string, Sensor>();
    let readings = 0;
    for await (const chunk of unknown(signal)) {
      readings += chunk.length;
      for (const reading of chunk) {
        const { sensorId, journalSeq, kind, district, receivedAt } = reading;
        books.count(reading, "stored");
        hours.note(reading);
        stored.note(reading);
        if (!records.sensors.get(sensorId) && !records.sensors.retired(sensorId))
          newcomers.set(sensorId, { id: sensorId, kind, district, tags: {}, createdAt: receivedAt });
        if (journalSeq === NO_NUMBER) unnumbered.set(sensorId, (unnumbered.get(sensorId) ?? 0) + 1);
      }
    }
    const found = await store.countBySensor({ seqBefore: parts.offset() });
    const { removed, missing } = compare(found, unnumbered);
    const sumRemoved = removed.values().reduce((sum, n) => sum + n, 0);
    const backup = `the backup of ${new Date(restored!.backupAt).toISOString()}`;
    records.transaction(() => {
      for (const sensor of newcomers.values()) if (!records.sensors.get(sensor.id)) records.sensors.add(sensor);
      records.ledger.add(books.rows());
      records.removals.add("readings", removed);
      state.count(stored.counts());
      records.rollups.touch(hours.parts());
      state.set(RESTORED, { ...restored!, isBooked: true });
      const detail = [
        ...(readings > 0
          ? [`${readings} readings received after ${backup} were found there and taken into the books`]
          : []),
        ...(sumRemoved > 0 ? [`${sumRemoved} readings were removed for their age after ${backup}`] : []),
      ].join("; ");
      if (detail) records.audit.add({ at: now(), by: "service", what: "store.adopted", target: store.name, detail });
    });
    restored = { ...restored!, isBooked: true };
    if (readings + sumRemoved > 0)
      log.warn({ readings, removed: sumRemoved }, `the store has lived on after ${backup}`);
    if (missing > 0) parts.lose(`it has not all that ${backup} names`);
  }

  /** What the restored books say is there and is not: so much of it as retention would have removed by now was. */
  function compare(found: ReadonlyMap<string, number>, unnumbered: ReadonlyMap<string, number>) {
    const lastDay = dateOf(now() - parts.rawDays * DAY_MS);
    const before = records.removals.counts("readings");
    const removed = new Map<string, number>();
    let missing = 0;
    for (const { sensorId, outcomes } of records.ledger.bySensor()) {
      const gone = before.get(sensorId) ?? 0;
      const there = (found.get(sensorId) ?? 0) - (unnumbered.get(sensorId) ?? 0);
      const less = (outcomes.get("stored") ?? 0) - gone - there;
      if (less <= 0) continue;
      const due = storedUntil(sensorId, lastDay) - gone;
      const n = Math.min(less, Math.max(0, due));
      removed.set(sensorId, n);
      missing += less - n;
    }
    return { removed, missing };
  }

  function storedUntil(sensorId: string, lastDay: string): number {
    const days = records.ledger.byDay(LEDGER_DAYS_MAX, sensorId).filter(({ day }) => day <= lastDay);
    return days.reduce((sum, { outcomes }) => sum + (outcomes.get("stored") ?? 0), 0);
  }

  /**
   * Written over with no number: all else of the point stays as it is. Says by sensor what the database does not take any
   * more: a retention of its own is about to remove it, so it is as good as removed.
   */
  async function takeNumbers(signal: AbortSignal): Promise<Map<string, number>> {
    let batch: Reading[] = [];
    const old = new Map<string, number>();
    const flush = async () => {
      const refused = await parts.write(batch, signal);
      for (const { sensorId } of refused.keys()) old.set(sensorId, (old.get(sensorId) ?? 0) + 1);
      const [words] = refused.values();
      if (words !== undefined)
        log.warn({ readings: refused.size, reason: words }, "readings taken over are older than the database keeps");
      batch = [];
    };
    for await (const chunk of unknown(signal)) {
      const numbered = chunk.filter(({ journalSeq }) => journalSeq !== NO_NUMBER);
      batch.push(...numbered.map((reading) => ({ ...reading, journalSeq: NO_NUMBER })));
      if (batch.length >= RENUMBER_READINGS) await flush();
    }
    if (batch.length > 0) await flush();
    return old;
  }

  function health(): readonly Health[] {
    if (!restored) return [];
    const reason =
      "Restored from a backup: readings that the store got after it are taken into the books; new ones wait in the journal.";
    return [{ part: "stored readings", state: "degraded", ready: true, reason }];
  }

  return { adopt, isPending: () => restored !== undefined, health };
}

/** Gathers how many readings there are by kind, sensor and the UTC day they were measured on. */
export function createStoredCounts() {
  const counts = new Map<string, { kind: Kind; day: number; sensorId: string; count: number }>();

  function note({ kind, sensorId, measuredAt }: Pick<Reading, "kind" | "sensorId" | "measuredAt">): void {
    const day = startOfDay(measuredAt);
    const key = `${kind} ${day} ${sensorId}`;
    const there = counts.get(key);
    if (there) there.count += 1;
    else counts.set(key, { kind, day, sensorId, count: 1 });
  }
  return { note, counts: (): Iterable<StoredCount> => counts.values() };
}
