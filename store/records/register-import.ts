import type { Account } from "../../model/people.ts";
import type { createCredentialRecords, StoredCredential } from "./accounts.ts";
import type { Database } from "./database.ts";
import type { createSensorRecords, Sensor } from "./sensors.ts";

/** What a file of sensors changes, one by one. */
export type RegisterChange =
  | { readonly sensor: Sensor }
  | { readonly credential: StoredCredential }
  /** The same password for an account that stands elsewhere now. */
  | { readonly account: Account }
  | { readonly withoutCredential: string };

type Homes = {
  readonly sensors: ReturnType<typeof createSensorRecords>;
  readonly credentials: ReturnType<typeof createCredentialRecords>;
};

/** The row that says that all of it is there; the others are counted from 1 on. */
const COMMITTED = 0;
const PIECE = 200;

/**
 * Thousands of changes as one, without a transaction that holds everybody up: they are laid down in pieces, one small
 * transaction says that they count, and then they are carried out in pieces. What counts is carried out whatever happens,
 * if need be by the next start; what does not is forgotten.
 */
export function createRegisterImports(db: Database, homes: Homes) {
  const { sensors, credentials } = homes;
  let isCommitted = db.statement("SELECT 1 FROM register_staged WHERE seq = ?").get(COMMITTED) !== undefined;
  let next = COMMITTED + 1;
  if (isCommitted) while (carryOut()) {}
  else discard();

  /** Some of what is to count, or to be forgotten, together. */
  function stage(changes: readonly RegisterChange[]): void {
    db.transaction(() => {
      const statement = db.statement("INSERT INTO register_staged (seq, body) VALUES (?, ?)");
      for (const change of changes) statement.run(next++, JSON.stringify(change));
    });
  }

  function discard(): void {
    if (isCommitted) return;
    db.transaction(() => void db.statement("DELETE FROM register_staged").run());
    next = COMMITTED + 1;
  }

  /** From here on it counts. Call it in the transaction of what is written down of it. */
  function commit(): void {
    db.transaction(() => {
      db.statement("INSERT INTO register_staged (seq, body) VALUES (?, '')").run(COMMITTED);
      db.onRollback(() => {
        isCommitted = false;
      });
      isCommitted = true;
    });
  }

  /** The next piece of what counts; false when all is done. */
  function carryOut(): boolean {
    if (!isCommitted) return false;
    const rows = db.statement("SELECT seq, body FROM register_staged WHERE seq > ? ORDER BY seq LIMIT ?");
    const piece = rows.all(COMMITTED, PIECE) as { seq: number; body: string }[];
    const isLast = piece.length < PIECE;
    db.transaction(() => {
      for (const { body } of piece) carryOutOne(JSON.parse(body) as RegisterChange);
      const done = isLast ? "DELETE FROM register_staged" : "DELETE FROM register_staged WHERE seq > 0 AND seq <= ?";
      db.statement(done).run(...(isLast ? [] : [piece.at(-1)!.seq]));
    });
    isCommitted = !isLast;
    if (isLast) next = COMMITTED + 1;
    return isCommitted;
  }

  function carryOutOne(change: RegisterChange): void {
    if ("sensor" in change) sensors.save([change.sensor]);
    else if ("account" in change) credentials.change(change.account);
    else if ("withoutCredential" in change) credentials.remove(change.withoutCredential);
    else if (!credentials.byName(change.credential.account.name)) credentials.add(change.credential);
  }

  return { stage, discard, commit, carryOut, isUnderway: () => isCommitted };
}
