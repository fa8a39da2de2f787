import type { District } from "../../model/district.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

/** What people say of districts: their names and where they end. From RAM. */
export function createDistrictRecords(db: Database) {
  const rows = db.statement("SELECT body FROM districts").all() as { body: string }[];
  const districts = loadInStep(
    db,
    rows.map(({ body }) => JSON.parse(body) as District),
    ({ id }) => id,
  );

  function save(district: District): void {
    const sql = "INSERT INTO districts (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
    db.transaction(() => {
      db.statement(sql).run(district.id, JSON.stringify(district));
      districts.set(district);
    });
  }

  /** False if nothing was said of it. */
  function remove(id: string): boolean {
    if (!districts.get(id)) return false;
    db.transaction(() => {
      db.statement("DELETE FROM districts WHERE id = ?").run(id);
      districts.delete(id);
    });
    return true;
  }

  return { get: districts.get, list: () => [...districts.inOrder()], count: districts.count, save, remove };
}
