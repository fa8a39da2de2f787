import type { EpochTimes } from "../../contract/common.ts";
import type { HandoverView } from "../../contract/handover.ts";
import type { Database } from "./database.ts";

export type HandoverNote = EpochTimes<HandoverView, "at">;

type Row = { id: number; at: number; by_whom: string; text: string; seen: string };

/** More of them push the oldest out. */
const NOTES_MAX = 10_000;
/** Who has seen a note; a shift is not larger. */
const SEEN_MAX = 100;

/** What one shift tells the next. */
export function createHandoverRecords(db: Database) {
  const fromRow = ({ id, at, by_whom: by, text, seen }: Row): HandoverNote => {
    return { id, at, by, text, seen: JSON.parse(seen) as HandoverNote["seen"] };
  };

  function get(id: number): HandoverNote | undefined {
    const row = db.statement("SELECT * FROM handover_notes WHERE id = ?").get(id) as Row | undefined;
    return row && fromRow(row);
  }

  return {
    get,
    /** Newest first; `before`: those with smaller ids. */
    list(limit: number, before = Number.MAX_SAFE_INTEGER): HandoverNote[] {
      const rows = db
        .statement("SELECT * FROM handover_notes WHERE id < ? ORDER BY id DESC LIMIT ?")
        .all(before, limit);
      return (rows as Row[]).map(fromRow);
    },
    /** Of a time, oldest first. */
    between(from: number, to: number, limit: number): HandoverNote[] {
      const rows = db.statement("SELECT * FROM handover_notes WHERE at >= ? AND at < ? ORDER BY at, id LIMIT ?");
      return (rows.all(from, to, limit) as Row[]).map(fromRow);
    },
    add({ at, by, text }: Pick<HandoverNote, "at" | "by" | "text">): HandoverNote {
      return db.transaction(() => {
        const insert = db.statement("INSERT INTO handover_notes (at, by_whom, text) VALUES (?, ?, ?)");
        const id = Number(insert.run(at, by, text).lastInsertRowid);
        db.statement("DELETE FROM handover_notes WHERE id <= ?").run(id - NOTES_MAX);
        return get(id)!;
      });
    },
    /** Undefined if there is none; the first time counts. */
    see(id: number, by: string, at: number): HandoverNote | undefined {
      return db.transaction(() => {
        const note = get(id);
        if (!note || note.by === by || note.seen.some((one) => one.by === by) || note.seen.length >= SEEN_MAX)
          return note;
        const seen = [...note.seen, { by, at }];
        db.statement("UPDATE handover_notes SET seen = ? WHERE id = ?").run(JSON.stringify(seen), id);
        return { ...note, seen };
      });
    },
  };
}
