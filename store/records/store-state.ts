import type { Kind } from "../../model/kinds.ts";
import type { StoredCount, StoreStateRecords } from "../records.ts";
import type { Database } from "./database.ts";

const SET = `INSERT INTO store_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
const ADD = `INSERT INTO stored_counts (kind, day, sensor, count) VALUES (?, ?, ?, ?)
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
      else db.statement(SET).run(name, JSON.stringify(value));
    });
  }

  function count(rows: Iterable<StoredCount>): void {
    db.transaction(() => {
      const add = db.statement(ADD);
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
