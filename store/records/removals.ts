import type { Kind } from "../../model/kinds.ts";
import type { Removable, RemovalPlan, RemovalRecords } from "../records.ts";
import type { Database } from "./database.ts";

const ADD = `INSERT INTO removed (what, sensor, count) VALUES (?, ?, ?)
  ON CONFLICT (what, sensor) DO UPDATE SET count = count + excluded.count`;
const ADD_PLAN = "INSERT INTO removal_plans (kind, before, sensor, count) VALUES (?, ?, ?, ?)";

/** What was taken away on purpose, so that the books can be compared with what is there. */
export function createRemovalRecords(db: Database): RemovalRecords {
  function counts(what: Removable): ReadonlyMap<string, number> {
    const rows = db.statement("SELECT sensor, count FROM removed WHERE what = ?").all(what);
    return new Map((rows as { sensor: string; count: number }[]).map(({ sensor, count }) => [sensor, count]));
  }

  function add(what: Removable, removed: ReadonlyMap<string, number>): void {
    db.transaction(() => {
      const insert = db.statement(ADD);
      for (const [sensor, count] of removed) if (count > 0) insert.run(what, sensor, count);
    });
  }

  function plan({ kind, before, counts: planned }: RemovalPlan): void {
    db.transaction(() => {
      db.statement("DELETE FROM removal_plans WHERE kind = ?").run(kind);
      const insert = db.statement(ADD_PLAN);
      for (const [sensor, count] of planned) insert.run(kind, before, sensor, count);
    });
  }

  function plans(): readonly RemovalPlan[] {
    const rows = db.statement("SELECT kind, before, sensor, count FROM removal_plans").all();
    const all = new Map<Kind, { kind: Kind; before: number; counts: Map<string, number> }>();
    for (const { kind, before, sensor, count } of rows as {
      kind: Kind;
      before: number;
      sensor: string;
      count: number;
    }[]) {
      const one = all.get(kind) ?? { kind, before, counts: new Map() };
      all.set(kind, one);
      one.counts.set(sensor, count);
    }
    return [...all.values()];
  }

  function settle(kind: Kind, removed: ReadonlyMap<string, number>): void {
    db.transaction(() => {
      add("readings", removed);
      db.statement("DELETE FROM removal_plans WHERE kind = ?").run(kind);
    });
  }

  return { counts, add, plan, plans, settle };
}
