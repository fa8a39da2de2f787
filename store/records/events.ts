import type { Alert } from "../../model/alert.ts";
import type { AlertEvent, EventRecords } from "../records.ts";
import type { Database } from "./database.ts";

type Row = { id: number; at: number; what: string; alert: string };
type Listener = Parameters<EventRecords["onEvent"]>[0];

/** Writes the event of a change, in the transaction of the change. `at` is the service's clock. */
export type WriteEvent = (at: number, what: string, alert: Alert) => void;

export function createEventRecords(db: Database): { events: EventRecords; write: WriteEvent } {
  const listeners: Listener[] = [];

  function write(at: number, what: string, alert: Alert): void {
    const insert = db.statement("INSERT INTO events (at, what, alert) VALUES (?, ?, ?)");
    const id = Number(insert.run(at, what, JSON.stringify(alert)).lastInsertRowid);
    db.afterCommit(() => {
      for (const listener of listeners) listener({ id, at, what, alert });
    });
  }

  function after(id: number, limit: number): readonly AlertEvent[] {
    const rows = db.statement("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?").all(id, Math.max(0, limit));
    return (rows as Row[]).map((row) => ({ id: row.id, at: row.at, what: row.what, alert: JSON.parse(row.alert) }));
  }

  /** The newest id ever given, also if that event has been deleted since. */
  function newestId(): number {
    const row = db.statement("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get();
    return (row as { seq: number } | undefined)?.seq ?? 0;
  }

  function deleteBefore(time: number): number {
    return db.transaction(() => Number(db.statement("DELETE FROM events WHERE at < ?").run(time).changes));
  }

  return { events: { after, newestId, deleteBefore, onEvent: (listener) => listeners.push(listener) }, write };
}
