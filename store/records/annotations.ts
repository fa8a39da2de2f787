import type { AnnotationView } from "../../contract/annotation.ts";
import type { EpochTimes } from "../../contract/common.ts";
import type { Database } from "./database.ts";

export type Annotation = EpochTimes<AnnotationView, "from" | "to" | "at">;

type Row = {
  id: number;
  sensor: string;
  metric: Annotation["metric"] | null;
  begins: number;
  ends: number;
  text: string;
  at: number;
  by_whom: string;
};

/** What people write beside a stretch of a chart. */
export function createAnnotationRecords(db: Database) {
  const fromRow = ({
    id,
    sensor: sensorId,
    metric,
    begins: from,
    ends: to,
    text,
    at,
    by_whom: by,
  }: Row): Annotation => {
    return { id, sensorId, ...(metric ? { metric } : {}), from, to, text, at, by };
  };
  const all = (sql: string, ...values: (string | number)[]) => (db.statement(sql).all(...values) as Row[]).map(fromRow);

  return {
    get: (id: number): Annotation | undefined => all("SELECT * FROM annotations WHERE id = ?", id)[0],
    count: (sensorId: string): number =>
      (db.statement("SELECT count(*) AS n FROM annotations WHERE sensor = ?").get(sensorId) as { n: number }).n,
    /** Those that touch a time, oldest first. */
    of: (sensorId: string, from: number, to: number): Annotation[] =>
      all(
        "SELECT * FROM annotations WHERE sensor = ? AND begins < ? AND ends >= ? ORDER BY begins, id",
        sensorId,
        to,
        from,
      ),
    /** The same of all sensors. */
    between: (from: number, to: number, limit: number): Annotation[] =>
      all("SELECT * FROM annotations WHERE begins < ? AND ends >= ? ORDER BY begins, id LIMIT ?", to, from, limit),
    add({ sensorId, metric, from, to, text, at, by }: Omit<Annotation, "id">): number {
      return db.transaction(() => {
        const insert = db.statement(
          "INSERT INTO annotations (sensor, metric, begins, ends, text, at, by_whom) VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        return Number(insert.run(sensorId, metric ?? null, from, to, text, at, by).lastInsertRowid);
      });
    },
    remove: (id: number) =>
      db.transaction(() => db.statement("DELETE FROM annotations WHERE id = ?").run(id).changes > 0),
  };
}
