import type { MappingChange } from "../../contract/mapping.ts";
import type { Database } from "./database.ts";
import { pageSize, parseCursor, toPage } from "./query.ts";

type Row = {
  id: number;
  mapping: string;
  version: number;
  at: number;
  by_whom: string;
  reason: string;
  from_seq: number;
  text: string | null;
};

/** Of each mapping so many are in memory: messages of longer ago have been read. */
const NEWEST = 5;

/** Every version that a mapping of messages ever had. Nothing is ever changed or deleted here. */
export function createMappingRecords(db: Database) {
  function add(change: Omit<MappingChange, "id">): MappingChange {
    const { mapping, version, at, by, reason, fromSeq, text } = change;
    const sql = `INSERT INTO mapping_changes (mapping, version, at, by_whom, reason, from_seq, text)
      VALUES (?, ?, ?, ?, ?, ?, ?)`;
    const values = [mapping, version, at, by.toWellFormed(), reason.toWellFormed(), fromSeq, text ?? null];
    const { lastInsertRowid } = db.transaction(() => db.statement(sql).run(...values));
    return { ...change, id: Number(lastInsertRowid) };
  }

  /** The newest few of each, oldest first. */
  function newest(): MappingChange[] {
    const sql = `SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY mapping ORDER BY id DESC) AS place FROM mapping_changes)
      WHERE place <= ? ORDER BY id`;
    return (db.statement(sql).all(NEWEST) as Row[]).map(changeOf);
  }

  /** Newest first. */
  function of(mapping: string, limit: number, cursor?: string): { items: MappingChange[]; next?: string } {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const sql = "SELECT * FROM mapping_changes WHERE mapping = ? AND id < ? ORDER BY id DESC LIMIT ?";
    const rows = db.statement(sql).all(mapping, before, size + 1) as Row[];
    return toPage(rows.map(changeOf), size, ({ id }) => ({ key: id, id: "" }));
  }

  return { add, newest, of };
}

function changeOf({ id, mapping, version, at, by_whom: by, reason, from_seq: fromSeq, text }: Row): MappingChange {
  return { id, mapping, version, at, by, reason, fromSeq, ...(text !== null && { text }) };
}
