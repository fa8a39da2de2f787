import type { Database } from "./database.ts";

export type Edit = { readonly journalSeq: number; readonly by: string; readonly item: number };

/** Messages that are not as they came: an item of the quarantine that somebody edited and sent again. */
export function createEditRecords(db: Database) {
  return {
    /** Call it with what is booked: whoever books a message again says the same again. */
    add(edits: readonly Edit[], at: number): void {
      const sql = "INSERT OR IGNORE INTO edits (journal_seq, at, by_whom, item) VALUES (?, ?, ?, ?)";
      db.transaction(() => {
        for (const { journalSeq, by, item } of edits) db.statement(sql).run(journalSeq, at, by, item);
      });
    },
    get(journalSeq: number): Edit | undefined {
      const sql = "SELECT journal_seq AS journalSeq, by_whom AS by, item FROM edits WHERE journal_seq = ?";
      return db.statement(sql).get(journalSeq) as Edit | undefined;
    },
    count: () => (db.statement("SELECT count(*) AS n FROM edits").get() as { n: number }).n,
  };
}
