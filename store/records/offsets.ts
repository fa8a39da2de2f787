import type { OffsetRecords } from "../records.ts";
import type { Database } from "./database.ts";

const SET = `INSERT INTO offsets (consumer, position) VALUES (?, ?)
  ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`;

/** How far each consumer of the journal has come. */
export function createOffsetRecords(db: Database): OffsetRecords {
  function get(consumer: string): number | undefined {
    const row = db.statement("SELECT position FROM offsets WHERE consumer = ?").get(consumer);
    return (row as { position: number } | undefined)?.position;
  }

  function set(consumer: string, offset: number): void {
    db.transaction(() => db.statement(SET).run(consumer, offset));
  }
  return { get, set };
}
