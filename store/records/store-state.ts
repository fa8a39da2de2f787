import type { Kind } from "../../model/kinds.ts";
import { startOfDay } from "../../model/time.ts";
import type { RollupPart } from "../reading-store.ts";
import type { DuePart, RollupRecords, StoredCount, StoreStateRecords } from "../records.ts";
import type { Database } from "./database.ts";

const SET_STATE = `INSERT INTO store_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
const ADD_COUNT = `INSERT INTO stored_counts (kind, day, sensor, count) VALUES (?, ?, ?, ?)
  ON CONFLICT (kind, day, sensor) DO UPDATE SET count = count + excluded.count`;

/** What is known of the reading store, kept where the books are kept: in the transaction of each booking. */
export function createStoreStateRecords(db: Database): StoreStateRecords {
  function get(name: string): unknown {
    const row = db.statement("SELECT value FROM store_state WHERE name = ?").get(name);
    return row === undefined ? undefined : JSON.parse((row as { value: string }).value);
  }

  function set(name: string, value: unknown): void {
    db.transaction(() => {
      if (value === undefined) db.statement("DELETE FROM store_state WHERE name = ?").run(name);
      else db.statement(SET_STATE).run(name, JSON.stringify(value));
    });
  }

  function count(rows: Iterable<StoredCount>): void {
    db.transaction(() => {
      const add = db.statement(ADD_COUNT);
      for (const { kind, day, sensorId, count: n } of rows) add.run(kind, day, sensorId, n);
    });
  }

  function counts(kind: Kind, day: number): ReadonlyMap<string, number> {
    const rows = db
      .statement("SELECT sensor, count FROM stored_counts WHERE kind = ? AND day = ? AND count > 0")
      .all(kind, day);
    return new Map((rows as { sensor: string; count: number }[]).map(({ sensor, count: n }) => [sensor, n]));
  }

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
export function createRollupRecords(db: Database): RollupRecords {
  function touch(parts: Iterable<RollupPart>): void {
    db.transaction(() => {
      const add = db.statement(TOUCH);
      for (const { kind, resolution, start, receivedDay } of parts) add.run(kind, resolution, start, receivedDay);
    });
  }

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

  function cut(kind: Kind, resolution: "raw" | "hourly"): { at: number; pending: boolean } | undefined {
    const row = db
      .statement("SELECT at, pending FROM rollup_cuts WHERE kind = ? AND resolution = ?")
      .get(kind, resolution) as { at: number | null; pending: number | null } | undefined;
    const at = row && (row.pending ?? row.at);
    return row && typeof at === "number" ? { at, pending: row.pending !== null } : undefined;
  }

  return {
    touch,
    due: (resolution, startedBefore, limit) =>
      db.statement(DUE).all(resolution, startedBefore, limit) as unknown as DuePart[],
    done,
    hasDue: (kind, before, receivedBefore) => db.statement(HAS_DUE).get(kind, before, receivedBefore) !== undefined,
    firstDue,
    cut,
    beginCut: (kind, resolution, at) => {
      db.transaction(() => db.statement(BEGIN_CUT).run(kind, resolution, at));
    },
    endCut: (kind, resolution, hasRemoved) => {
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
