import type { Kind } from "../../model/kinds.ts";
import { startOfDay } from "../../model/time.ts";
import type { RollupPart } from "../reading-store.ts";
import type { Database } from "./database.ts";

/** Name of what says that this service tells nobody of alerts, and why. A restore writes it. */
export const MUTED = "muted";

/** `touched` counts bookings: a part is done only as it was when it was read. */
export type DuePart = RollupPart & { readonly touched: number };

/** `day`: the start of the UTC day it was measured on, in epoch milliseconds. `count` may be negative: what is lost. */
export type StoredCount = {
  readonly kind: Kind;
  readonly day: number;
  readonly sensorId: string;
  readonly count: number;
};

const SET_STATE = `INSERT INTO store_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
const ADD_COUNT = `INSERT INTO stored_counts (kind, day, sensor, count) VALUES (?, ?, ?, ?)
  ON CONFLICT (kind, day, sensor) DO UPDATE SET count = count + excluded.count`;

/** What is known of the reading store, kept where the books are kept: in the transaction of each booking. */
export function createStoreStateRecords(db: Database) {
  /** A JSON value, or undefined. */
  function get(name: string): unknown {
    const row = db.statement("SELECT value FROM store_state WHERE name = ?").get(name);
    return row === undefined ? undefined : JSON.parse((row as { value: string }).value);
  }

  /** `undefined` forgets it. */
  function set(name: string, value: unknown): void {
    db.transaction(() => {
      if (value === undefined) db.statement("DELETE FROM store_state WHERE name = ?").run(name);
      else db.statement(SET_STATE).run(name, JSON.stringify(value));
    });
  }

  /** Adds what was booked as stored; call it in the transaction that moves the offset. */
  function count(rows: Iterable<StoredCount>): void {
    db.transaction(() => {
      const add = db.statement(ADD_COUNT);
      for (const { kind, day, sensorId, count: n } of rows) add.run(kind, day, sensorId, n);
    });
  }

  /** By sensor, what was booked as stored of one day; only what is above 0. */
  function counts(kind: Kind, day: number): ReadonlyMap<string, number> {
    const rows = db
      .statement("SELECT sensor, count FROM stored_counts WHERE kind = ? AND day = ? AND count > 0")
      .all(kind, day);
    return new Map((rows as { sensor: string; count: number }[]).map(({ sensor, count: n }) => [sensor, n]));
  }

  /** Those with something booked, newest first. */
  function days(): readonly number[] {
    const rows = db.statement("SELECT DISTINCT day FROM stored_counts ORDER BY day DESC").all();
    return (rows as { day: number }[]).map(({ day }) => day);
  }

  function forgetBefore(day: number): void {
    db.transaction(() => db.statement("DELETE FROM stored_counts WHERE day < ?").run(day));
  }

  return { get, set, count, counts, days, forgetBefore };
}

const TOUCH = `INSERT INTO rollups_due (kind, resolution, start, received_day, touched) VALUES (?, ?, ?, ?, 1)
  ON CONFLICT (kind, resolution, start, received_day) DO UPDATE SET touched = touched + 1`;
const DUE = `SELECT kind, resolution, start, received_day AS receivedDay, touched FROM rollups_due
  WHERE resolution = ? AND start < ? ORDER BY kind, received_day, start LIMIT ?`;
/** Only as it was when it was read: a reading booked since then makes it due again. */
const DONE = `DELETE FROM rollups_due
  WHERE kind = ? AND resolution = ? AND start = ? AND received_day = ? AND touched = ?`;
const BEGIN_CUT = `INSERT INTO rollup_cuts (kind, resolution, pending) VALUES (?, ?, ?)
  ON CONFLICT (kind, resolution) DO UPDATE SET pending = excluded.pending`;
const END_CUT = `UPDATE rollup_cuts SET pending = NULL, at = iif(?, max(coalesce(at, pending), pending), at)
  WHERE kind = ? AND resolution = ?`;
const HAS_DUE = "SELECT 1 FROM rollups_due WHERE kind = ? AND start < ? AND received_day < ? LIMIT 1";

/** Which rollups are to be computed (again), and how far back readings and rollups are still there. */
export function createRollupRecords(db: Database) {
  /** These must be computed (again); call it in the transaction that books the readings. */
  function touch(parts: Iterable<RollupPart>): void {
    db.transaction(() => {
      const add = db.statement(TOUCH);
      for (const { kind, resolution, start, receivedDay } of parts) add.run(kind, resolution, start, receivedDay);
    });
  }

  /** They were computed. The days of hours become due with it. */
  function done(parts: readonly DuePart[]): void {
    db.transaction(() => {
      const remove = db.statement(DONE);
      for (const { kind, resolution, start, receivedDay, touched } of parts)
        remove.run(kind, resolution, start, receivedDay, touched);
      const hourly = parts.filter(({ resolution }) => resolution === "hourly");
      touch(daysOf(hourly));
    });
  }

  function firstDue(kind: Kind, resolution: RollupPart["resolution"]): number | undefined {
    const sql = "SELECT min(start) AS start FROM rollups_due WHERE kind = ? AND resolution = ?";
    return (db.statement(sql).get(kind, resolution) as { start: number | null }).start ?? undefined;
  }

  /** Some of what was measured before this time has been removed, or (`pending`) may have been: the removal has begun. */
  function cut(kind: Kind, resolution: "raw" | "hourly"): { at: number; pending: boolean } | undefined {
    const row = db
      .statement("SELECT at, pending FROM rollup_cuts WHERE kind = ? AND resolution = ?")
      .get(kind, resolution) as { at: number | null; pending: number | null } | undefined;
    const at = row && (row.pending ?? row.at);
    return row && typeof at === "number" ? { at, pending: row.pending !== null } : undefined;
  }

  return {
    touch,
    /** By kind, day of receipt and start. */
    due: (resolution: RollupPart["resolution"], startedBefore: number, limit: number) =>
      db.statement(DUE).all(resolution, startedBefore, limit) as unknown as DuePart[],
    done,
    /** Whether something measured and received before these times is still to be computed. */
    hasDue: (kind: Kind, before: number, receivedBefore: number) =>
      db.statement(HAS_DUE).get(kind, before, receivedBefore) !== undefined,
    firstDue,
    cut,
    beginCut: (kind: Kind, resolution: "raw" | "hourly", at: number) => {
      db.transaction(() => db.statement(BEGIN_CUT).run(kind, resolution, at));
    },
    /** Without anything removed the cut stays where it was. It never goes back. */
    endCut: (kind: Kind, resolution: "raw" | "hourly", hasRemoved: boolean) => {
      db.transaction(() => db.statement(END_CUT).run(hasRemoved ? 1 : 0, kind, resolution));
    },
  };
}

/** A day is computed from its hours, so it is due when one of them was. */
function daysOf(hours: readonly RollupPart[]): RollupPart[] {
  const days = new Map<string, RollupPart>();
  for (const { kind, start, receivedDay } of hours) {
    const day = startOfDay(start);
    days.set(`${kind} ${day} ${receivedDay}`, { kind, resolution: "daily", start: day, receivedDay });
  }
  return [...days.values()];
}
