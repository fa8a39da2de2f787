import type { Photo } from "../../model/photo.ts";
import type { Database } from "./database.ts";

type Row = Omit<Photo, "by"> & { by_whom: string };
const ROW = "id, alert, type, bytes, by_whom, at";
const photoOf = ({ by_whom: by, ...rest }: Row): Photo => ({ ...rest, by });

/** What photos there are; their bytes are files (`store/photos.ts`). */
export function createPhotoRecords(db: Database) {
  return {
    add({ id, alert, type, bytes, by, at }: Photo): void {
      const sql = `INSERT INTO photos (${ROW}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
      db.statement(sql).run(id, alert, type, bytes, by, at);
    },
    /** A photo of this alert. */
    get(alert: string, id: string): Photo | undefined {
      const row = db.statement(`SELECT ${ROW} FROM photos WHERE id = ? AND alert = ?`).get(id, alert);
      return row && photoOf(row as Row);
    },
    has: (id: string): boolean => db.statement("SELECT 1 FROM photos WHERE id = ?").get(id) !== undefined,
    /** Someone says with it what they did: from now on it stays with the alert. */
    use: (id: string): void => void db.statement("UPDATE photos SET used = 1 WHERE id = ?").run(id),
    countOf(alert: string): number {
      return (db.statement("SELECT count(*) AS n FROM photos WHERE alert = ?").get(alert) as { n: number }).n;
    },
    bytes(): number {
      return (db.statement("SELECT coalesce(sum(bytes), 0) AS n FROM photos").get() as { n: number }).n;
    },
    /** Taken before `before`, and those before `unusedBefore` that nobody has said anything with; the oldest first. */
    old(before: number, unusedBefore: number, limit: number): Photo[] {
      const sql = `SELECT ${ROW} FROM photos WHERE at < ? OR (at < ? AND used = 0) ORDER BY at LIMIT ?`;
      return (db.statement(sql).all(before, unusedBefore, limit) as Row[]).map(photoOf);
    },
    remove: (id: string): void => void db.statement("DELETE FROM photos WHERE id = ?").run(id),
  };
}
