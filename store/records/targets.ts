import type { Target, TargetState } from "../../model/target.ts";
import type { TargetRecords } from "../outbox-records.ts";
import type { Database } from "./database.ts";

const QUIET: TargetState = { failures: 0 };

export function createTargetRecords(db: Database): TargetRecords {
  const listeners: ((id: string) => void)[] = [];
  let targets = read();

  function read(): ReadonlyMap<string, Target> {
    const rows = db.statement("SELECT id, body FROM targets ORDER BY id").all() as { id: string; body: string }[];
    return new Map(rows.map(({ id, body }) => [id, JSON.parse(body) as Target]));
  }

  function change(id: string, work: () => void): void {
    db.transaction(() => {
      const before = targets;
      db.onRollback(() => {
        targets = before;
      });
      work();
      targets = read();
      db.afterCommit(() => {
        for (const listener of listeners) listener(id);
      });
    });
  }

  function put(target: Target): void {
    const sql = `INSERT INTO targets (id, body) VALUES (?, ?)
      ON CONFLICT (id) DO UPDATE SET body = excluded.body, state = '{"failures":0}'`;
    change(target.id, () => db.statement(sql).run(target.id, JSON.stringify(target)));
  }

  function remove(id: string): boolean {
    if (!targets.has(id)) return false;
    change(id, () => {
      for (const table of ["outbox", "recipients", "escalations"])
        db.statement(`DELETE FROM ${table} WHERE target = ?`).run(id);
      db.statement("DELETE FROM targets WHERE id = ?").run(id);
    });
    return true;
  }

  function state(id: string): TargetState {
    const row = db.statement("SELECT state FROM targets WHERE id = ?").get(id) as { state: string } | undefined;
    return row ? (JSON.parse(row.state) as TargetState) : QUIET;
  }

  return {
    list: () => [...targets.values()],
    get: (id) => targets.get(id),
    put,
    remove,
    state,
    setState: (id, next) =>
      void db.statement("UPDATE targets SET state = ? WHERE id = ?").run(JSON.stringify(next), id),
    onChange: (listener) => void listeners.push(listener),
  };
}
