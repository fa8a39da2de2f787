import type { Database } from "./database.ts";

/** The counter of a message, a digest of its values, when it came, and how often it came again. */
export type Counted = readonly [seq: number, digest: string, at: number, again: number];

const SET = `INSERT INTO counters (sensor, newest) VALUES (?, ?)
  ON CONFLICT (sensor) DO UPDATE SET newest = excluded.newest`;
/** More are only kept apart while the journal has them; nobody sends so many again in a day. */
const RESENDS_MAX = 100_000;
const PRUNE = `DELETE FROM resends WHERE journal_seq <
  (SELECT journal_seq FROM resends ORDER BY journal_seq DESC LIMIT 1 OFFSET ${RESENDS_MAX})`;

/** What tells a message that was sent again from a new one, where neither says a time. */
export function createResendRecords(db: Database) {
  /** Of the sensor's newest messages, oldest first. */
  function newest(sensorId: string): readonly Counted[] {
    const row = db.statement("SELECT newest FROM counters WHERE sensor = ?").get(sensorId);
    return row === undefined ? [] : JSON.parse((row as { newest: string }).newest);
  }

  /** Call it in the transaction that books the messages. */
  function keep(
    counters: ReadonlyMap<string, readonly Counted[]>,
    resent: readonly { readonly journalSeq: number; readonly index: number }[],
  ): void {
    if (counters.size === 0) return;
    db.transaction(() => {
      const set = db.statement(SET);
      for (const [sensorId, entries] of counters) set.run(sensorId, JSON.stringify(entries));
      const add = db.statement("INSERT OR IGNORE INTO resends (journal_seq, item) VALUES (?, ?)");
      for (const { journalSeq, index } of resent) add.run(journalSeq, index);
      if (resent.length > 0) db.statement(PRUNE).run();
    });
  }

  /** Those of messages from `from` to `to - 1`, as `<journalSeq> <index>`. */
  function places(from: number, to: number): ReadonlySet<string> {
    const sql = "SELECT journal_seq, item FROM resends WHERE journal_seq >= ? AND journal_seq < ?";
    const rows = db.statement(sql).all(from, to) as { journal_seq: number; item: number }[];
    return new Set(rows.map(({ journal_seq, item }) => `${journal_seq} ${item}`));
  }

  return { newest, keep, places };
}
