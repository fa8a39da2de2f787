import type { District } from "../../model/district.ts";
import type { Account, Crew } from "../../model/people.ts";
import type { Target } from "../../model/target.ts";
import type { Database } from "./database.ts";

/** So long a removal can be undone; then nothing of it is kept but its row in the audit log. */
const UNDO_FOR_MS = 24 * 3_600_000;
/** Of more the oldest cannot be undone any more. */
const UNDOS_MAX = 10_000;

/** An account with all that went with it. Of its secrets only the hashes were ever kept. */
export type RemovedAccount = {
  readonly account: Account;
  readonly secretHash: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly passwordHash?: string;
  readonly crews: readonly string[];
};

/** What was removed, with all it takes to have it back. */
export type Removed =
  | ({ readonly what: "user" | "device" | "gateway" } & RemovedAccount)
  /** It is still there, off the register. */
  | { readonly what: "sensor"; readonly id: string; readonly login?: RemovedAccount }
  | { readonly what: "target"; readonly target: Target }
  | { readonly what: "crew"; readonly crew: Crew }
  | { readonly what: "district"; readonly district: District };

export type Removal = {
  readonly id: number;
  readonly at: number;
  /** So long it can be undone. */
  readonly until: number;
  readonly by: string;
  readonly name: string;
  readonly removed: Removed;
};

type Row = { id: number; at: number; by_whom: string; name: string; body: string };

/** What people removed lately. */
export function createUndoRecords(db: Database, now: () => number) {
  /** Call it in the transaction that removes it. */
  function add(name: string, removed: Removed, by: string): void {
    const sql = "INSERT INTO removals_undoable (at, by_whom, what, name, body) VALUES (?, ?, ?, ?, ?)";
    db.transaction(() => {
      db.statement(sql).run(now(), by, removed.what, name, JSON.stringify(removed));
      const beyond = "id IN (SELECT id FROM removals_undoable ORDER BY id DESC LIMIT -1 OFFSET ?)";
      db.statement(`DELETE FROM removals_undoable WHERE ${beyond}`).run(UNDOS_MAX);
    });
  }

  /** Newest first, from before this one on. */
  function list(limit: number, before = Number.MAX_SAFE_INTEGER): readonly Removal[] {
    const sql = "SELECT * FROM removals_undoable WHERE id < ? AND at > ? ORDER BY id DESC LIMIT ?";
    return (db.statement(sql).all(before, now() - UNDO_FOR_MS, limit) as Row[]).map(fromRow);
  }

  function get(id: number): Removal | undefined {
    const sql = "SELECT * FROM removals_undoable WHERE id = ? AND at > ?";
    const row = db.statement(sql).get(id, now() - UNDO_FOR_MS) as Row | undefined;
    return row && fromRow(row);
  }

  return {
    add,
    list,
    get,
    /** It is back. */
    forget: (id: number) => void db.statement("DELETE FROM removals_undoable WHERE id = ?").run(id),
    prune: () => void db.statement("DELETE FROM removals_undoable WHERE at <= ?").run(now() - UNDO_FOR_MS),
  };
}

function fromRow({ id, at, by_whom: by, name, body }: Row): Removal {
  return { id, at, until: at + UNDO_FOR_MS, by, name, removed: JSON.parse(body) as Removed };
}
