import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { RecordConflict } from "../../model/ids.ts";
import type { Account, Credential } from "../../model/people.ts";
import { hashSecret, newSecret } from "../../model/secret.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

type Session = { readonly account: string; readonly createdAt: number; readonly usedAt: number };

export type StoredCredential = Credential & { readonly createdAt: number; readonly createdBy: string };

type Row = {
  secret_hash: string;
  account: string;
  created_at: number;
  created_by: string;
  former_hash: string | null;
  former_until: number | null;
};
type Listener = (change: { name: string; credential?: Credential }) => void;

const ADD = `INSERT INTO credentials (name, secret_hash, account, created_at, created_by) VALUES (?, ?, ?, ?, ?)`;
const SET_SECRET = `UPDATE credentials SET secret_hash = ?, former_hash = ?, former_until = ? WHERE name = ?`;

/** Who may come in. Reads are answered from RAM; of a secret only its SHA-256 is known. */
export function createCredentialRecords(db: Database, now: () => number) {
  const rows = (db.statement("SELECT * FROM credentials").all() as Row[]).map(credentialOf);
  const byName = loadInStep(db, rows, (one) => one.account.name);
  const byHash = loadInStep(db, rows, (one) => one.secretHash);
  const byFormer = loadInStep(
    db,
    rows.filter((one) => one.former),
    (one) => one.former!.secretHash,
  );
  const listeners: Listener[] = [];

  function tell(name: string, credential?: Credential): void {
    db.afterCommit(() => {
      for (const listener of listeners) listener(credential ? { name, credential } : { name });
    });
  }

  /** Throws `RecordConflict` if the name is taken. */
  function add(credential: StoredCredential): void {
    const { account, secretHash, createdAt, createdBy } = credential;
    if (byName.get(account.name)) throw new RecordConflict(`The name ${account.name} is taken.`);
    if (byHash.get(secretHash)) throw new RecordConflict("The secret is another account's.");
    db.transaction(() => {
      db.statement(ADD).run(account.name, secretHash, JSON.stringify(account), createdAt, createdBy);
      byName.set(credential);
      byHash.set(credential);
      tell(account.name, { account, secretHash });
    });
  }

  /** The same secret for an account that is another now; false if there is none of this name. */
  function change(account: Account): boolean {
    const old = byName.get(account.name);
    if (!old) return false;
    db.transaction(() => {
      db.statement("UPDATE credentials SET account = ? WHERE name = ?").run(JSON.stringify(account), account.name);
      replace(old, { ...old, account });
    });
    return true;
  }

  function replace(old: StoredCredential, next: StoredCredential): void {
    if (old.secretHash !== next.secretHash) byHash.delete(old.secretHash);
    if (old.former && old.former.secretHash !== next.former?.secretHash) byFormer.delete(old.former.secretHash);
    byName.set(next);
    byHash.set(next);
    if (next.former) byFormer.set(next);
    const { account, secretHash, former } = next;
    tell(account.name, { account, secretHash, ...(former && { former }) });
  }

  function setSecret(old: StoredCredential, secretHash: string, former: Credential["former"]): void {
    const { former: _, ...rest } = old;
    db.transaction(() => {
      const { name } = old.account;
      db.statement(SET_SECRET).run(secretHash, former?.secretHash ?? null, former?.until ?? null, name);
      replace(old, { ...rest, secretHash, ...(former && { former }) });
    });
  }

  /**
   * Another secret. With `until` the one before is taken as well, until the new one is used or this time has come. A new
   * one that nobody has used yet is what the device does not have: then the one before that stays.
   */
  function rotate(name: string, secretHash: string, until?: number): void {
    const old = byName.get(name);
    if (!old) throw new RecordConflict(`There is no account called ${name}.`);
    if (byHash.get(secretHash)) throw new RecordConflict("The secret is another account's.");
    const used = isTaken(old) ? old.former!.secretHash : old.secretHash;
    setSecret(old, secretHash, until === undefined || until <= now() ? undefined : { secretHash: used, until });
  }

  const isTaken = ({ former }: Credential) => former !== undefined && now() < former.until;

  /** This secret was shown. If it is the new one of two, the one before is taken no more; true then. */
  function noteUse(name: string, secretHash: string): boolean {
    const known = byName.get(name);
    if (!known?.former || known.secretHash !== secretHash) return false;
    setSecret(known, secretHash, undefined);
    return true;
  }

  /** Forgets secrets whose time is over, so that who is connected by one is told. */
  function endFormer(): void {
    for (const one of byFormer.all()) if (!isTaken(one)) setSecret(one, one.secretHash, undefined);
  }

  function ofHash(hash: string): Account | undefined {
    const known = byHash.get(hash);
    if (known) return known.account;
    const former = byFormer.get(hash);
    return former && isTaken(former) ? former.account : undefined;
  }

  function remove(name: string): boolean {
    const old = byName.get(name);
    if (!old) return false;
    db.transaction(() => {
      db.statement("DELETE FROM credentials WHERE name = ?").run(name);
      byName.delete(name);
      byHash.delete(old.secretHash);
      if (old.former) byFormer.delete(old.former.secretHash);
      tell(name);
    });
    return true;
  }

  function list(role?: Account["role"]): readonly StoredCredential[] {
    return [...byName.inOrder()].filter((one) => !role || one.account.role === role);
  }

  return {
    add,
    change,
    rotate,
    noteUse,
    endFormer,
    remove,
    list,
    byName: byName.get,
    /** From RAM: the account whose secret has this SHA-256 (hex). */
    bySecretHash: ofHash,
    /** Called with every later change, so that the edge thread can follow. */
    onChange: (listener: Listener) => void listeners.push(listener),
  };
}

function credentialOf(row: Row): StoredCredential {
  return {
    account: JSON.parse(row.account),
    secretHash: row.secret_hash,
    createdAt: row.created_at,
    createdBy: row.created_by,
    ...(row.former_hash !== null && { former: { secretHash: row.former_hash, until: row.former_until! } }),
  };
}

type SessionRow = { account: string; created_at: number; used_at: number };

/** Who is signed in on the page. Of a session's id only the SHA-256 is known. Removing an account removes its rows. */
export function createSessionRecords(db: Database) {
  const run = (sql: string, ...values: (string | number)[]) =>
    db.transaction(() => Number(db.statement(sql).run(...values).changes));

  function get(idHash: string): Session | undefined {
    const row = db.statement("SELECT account, created_at, used_at FROM sessions WHERE id_hash = ?").get(idHash);
    const { account, created_at: createdAt, used_at: usedAt } = (row ?? {}) as SessionRow;
    return row ? { account, createdAt, usedAt } : undefined;
  }

  /** Least recently used first. */
  function list(account: string): readonly (Session & { idHash: string })[] {
    const rows = db.statement("SELECT * FROM sessions WHERE account = ? ORDER BY used_at").all(account);
    return (rows as (SessionRow & { id_hash: string })[]).map((row) => ({
      idHash: row.id_hash,
      account: row.account,
      createdAt: row.created_at,
      usedAt: row.used_at,
    }));
  }

  return {
    get,
    list,
    /** `idHash`: SHA-256 (hex) of the id in the cookie. The account must exist; removing it ends its sessions. */
    add: (idHash: string, { account, createdAt, usedAt }: Session) =>
      void run("INSERT INTO sessions VALUES (?, ?, ?, ?)", idHash, account, createdAt, usedAt),
    touch: (idHash: string, at: number) => void run("UPDATE sessions SET used_at = ? WHERE id_hash = ?", at, idHash),
    remove: (idHash: string) => run("DELETE FROM sessions WHERE id_hash = ?", idHash) > 0,
    removeOld: (createdBefore: number, usedBefore: number) =>
      run("DELETE FROM sessions WHERE created_at < ? OR used_at < ?", createdBefore, usedBefore),
    /** The hash (see `api/sign-in.ts`) of a password someone chose; undefined where the generated one is the only one. */
    passwordHash(name: string) {
      const row = db.statement("SELECT hash FROM passwords WHERE name = ?").get(name);
      return (row as { hash: string } | undefined)?.hash;
    },
    setPassword: (name: string, hash: string, at: number) =>
      void run("INSERT OR REPLACE INTO passwords VALUES (?, ?, ?)", name, hash, at),
    /** From here on only the generated one is right. */
    forgetPassword: (name: string) => void run("DELETE FROM passwords WHERE name = ?", name),
  };
}

const ADMIN = "admin";

/**
 * Sees to it that there is one way in for the administrator and no default password. A configured token counts. Otherwise
 * the first start makes a random one and writes it to `file` (0600); later starts leave both as they are.
 * Answers the token if this machine knows it.
 */
export function ensureAdminToken(
  credentials: Pick<ReturnType<typeof createCredentialRecords>, "add" | "remove" | "byName">,
  options: { readonly file: string; readonly configured?: string; readonly now: number },
): string | undefined {
  const { file, configured, now } = options;
  const known = credentials.byName(ADMIN);
  if (!configured && known) return existsSync(file) ? readToken(file) : undefined;
  const token = configured ?? newSecret();
  const secretHash = hashSecret(token);
  if (known?.secretHash === secretHash) return token;
  if (known) credentials.remove(ADMIN);
  credentials.add({ account: { role: "admin", name: ADMIN }, secretHash, createdAt: now, createdBy: "first start" });
  if (!configured) writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    // Reading a folder fails without saying which.
    throw Object.assign(error as Error, { path: file });
  }
}
