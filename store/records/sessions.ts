import type { Session, SessionRecords } from "../records.ts";
import type { Database } from "./database.ts";

type Row = { account: string; created_at: number; used_at: number };

/** Who is signed in on the page. Of a session's id only the SHA-256 is known. Removing an account removes its rows. */
export function createSessionRecords(db: Database): SessionRecords {
  const run = (sql: string, ...values: (string | number)[]) =>
    db.transaction(() => Number(db.statement(sql).run(...values).changes));

  function get(idHash: string): Session | undefined {
    const row = db.statement("SELECT account, created_at, used_at FROM sessions WHERE id_hash = ?").get(idHash);
    const { account, created_at: createdAt, used_at: usedAt } = (row ?? {}) as Row;
    return row ? { account, createdAt, usedAt } : undefined;
  }

  function list(account: string): readonly (Session & { idHash: string })[] {
    const rows = db.statement("SELECT * FROM sessions WHERE account = ? ORDER BY used_at").all(account);
    return (rows as (Row & { id_hash: string })[]).map((row) => ({
      ...{ idHash: row.id_hash, account: row.account, createdAt: row.created_at, usedAt: row.used_at },
    }));
  }

  return {
    get,
    list,
    add: (idHash, { account, createdAt, usedAt }) =>
      void run("INSERT INTO sessions VALUES (?, ?, ?, ?)", idHash, account, createdAt, usedAt),
    touch: (idHash, at) => void run("UPDATE sessions SET used_at = ? WHERE id_hash = ?", at, idHash),
    remove: (idHash) => run("DELETE FROM sessions WHERE id_hash = ?", idHash) > 0,
    removeOld: (createdBefore, usedBefore) =>
      run("DELETE FROM sessions WHERE created_at < ? OR used_at < ?", createdBefore, usedBefore),
    passwordHash(name) {
      const row = db.statement("SELECT hash FROM passwords WHERE name = ?").get(name);
      return (row as { hash: string } | undefined)?.hash;
    },
    setPassword: (name, hash, at) => void run("INSERT OR REPLACE INTO passwords VALUES (?, ?, ?)", name, hash, at),
  };
}
