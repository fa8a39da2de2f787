import type { Account, Credential } from "../../model/people.ts";
import { type CredentialRecords, RecordConflict, type StoredCredential } from "../records.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

type Row = { secret_hash: string; account: string; created_at: number; created_by: string };
type Listener = Parameters<CredentialRecords["onChange"]>[0];

const ADD = `INSERT INTO credentials (name, secret_hash, account, created_at, created_by) VALUES (?, ?, ?, ?, ?)`;

/** Who may come in. Reads are answered from RAM; of a secret only its SHA-256 is known. */
export function createCredentialRecords(db: Database): CredentialRecords {
  const rows = (db.statement("SELECT * FROM credentials").all() as Row[]).map(fromRow);
  const byName = loadInStep(db, rows, (one) => one.account.name);
  const byHash = loadInStep(db, rows, (one) => one.secretHash);
  const listeners: Listener[] = [];

  function tell(name: string, credential?: Credential): void {
    db.afterCommit(() => {
      for (const listener of listeners) listener(credential ? { name, credential } : { name });
    });
  }

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

  function remove(name: string): boolean {
    const old = byName.get(name);
    if (!old) return false;
    db.transaction(() => {
      db.statement("DELETE FROM credentials WHERE name = ?").run(name);
      byName.delete(name);
      byHash.delete(old.secretHash);
      tell(name);
    });
    return true;
  }

  function list(role?: Account["role"]): readonly StoredCredential[] {
    return [...byName.inOrder()].filter((one) => !role || one.account.role === role);
  }

  return {
    add,
    remove,
    list,
    byName: byName.get,
    bySecretHash: (hash) => byHash.get(hash)?.account,
    onChange: (listener) => listeners.push(listener),
  };
}

function fromRow(row: Row): StoredCredential {
  return {
    account: JSON.parse(row.account),
    secretHash: row.secret_hash,
    createdAt: row.created_at,
    createdBy: row.created_by,
  };
}
