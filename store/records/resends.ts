import type { Database } from "./database.ts";

/** The counter of a message, a digest of its values, when it came, and how often it came again. */
export type Counted = readonly [seq: number, digest: string, at: number, again: number];

/** Of one sensor: what is to be kept of a batch. */
export type CountedChange = { readonly set: readonly Counted[]; readonly gone: readonly Counted[] };

const SET = "INSERT OR REPLACE INTO counted (sensor, seq, digest, at, again) VALUES (?, ?, ?, ?, ?)";
/** More are only kept apart while the journal has them; nobody sends so many again in a day. */
const RESENDS_MAX = 100_000;
const PRUNE = `DELETE FROM resends WHERE journal_seq <
  (SELECT journal_seq FROM resends ORDER BY journal_seq DESC LIMIT 1 OFFSET ${RESENDS_MAX})`;

/** What tells a message that was sent again from a new one, where neither says a time. */
export function createResendRecords(db: Database) {
  /** Of the sensor's newest messages, oldest first. */
  function newest(sensorId: string): readonly Counted[] {
    const sql = "SELECT seq, digest, at, again FROM counted WHERE sensor = ? ORDER BY at, seq";
    const rows = db.statement(sql).all(sensorId) as { seq: number; digest: string; at: number; again: number }[];
    return rows.map(({ seq, digest, at, again }) => [seq, digest, at, again]);
  }

  /** Call it in the transaction that books the messages. */
  function keep(
    changes: ReadonlyMap<string, CountedChange>,
    resent: readonly { readonly journalSeq: number; readonly index: number }[],
  ): void {
    if (changes.size === 0) return;
    db.transaction(() => {
      const set = db.statement(SET);
      const drop = db.statement("DELETE FROM counted WHERE sensor = ? AND seq = ? AND digest = ?");
      for (const [sensorId, { set: entries, gone }] of changes) {
        for (const [seq, digest] of gone) drop.run(sensorId, seq, digest);
        for (const entry of entries) set.run(sensorId, ...entry);
      }
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
