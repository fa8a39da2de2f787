import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Log } from "../../model/log.ts";

export type Transactions = {
  /** All or nothing. A nested call that throws undoes its own part, also where the outer one goes on. */
  transaction<T>(work: () => T): T;
  /**
   * The same without waiting for the disk: what it wrote is safe with the next `transaction` (the log is in order), and
   * whole or gone after a power cut before that. For what the journal would say again.
   */
  relaxed<T>(work: () => T): T;
  /** Within a transaction: how to take back a change of something kept in RAM. Last in, first out. */
  onRollback(undo: () => void): void;
  /** Within a transaction: what to tell others once it is on disk. In order; a failing job harms no one. */
  afterCommit(job: () => void): void;
  /** Throws if SQLite ended the transaction by itself (disk full), so that no statement runs outside of it unseen. */
  assertAlive(): void;
};

/** SQLite does that by itself when the disk is full, fails or is busy. */
class TransactionEnded extends Error {
  override readonly name = "TransactionEnded";

  constructor() {
    super("SQLite ended the transaction after an earlier error.");
  }
}

export function createTransactions(db: DatabaseSync, log: Log): Transactions {
  let depth = 0;
  const undos: (() => void)[] = [];
  const jobs: (() => void)[] = [];
  const due: (() => void)[] = [];
  let delivering = false;
  /** By depth: an alert's change is made of several nested parts, and parsing "SAVEPOINT" costs as much as a row. */
  const points: { begin: StatementSync; end: StatementSync }[] = [];

  function pointsAt(level: number) {
    points[level] ??= {
      begin: db.prepare(level === 0 ? "BEGIN IMMEDIATE" : `SAVEPOINT part_${level}`),
      end: db.prepare(level === 0 ? "COMMIT" : `RELEASE part_${level}`),
    };
    return points[level];
  }

  function transaction<T>(work: () => T): T {
    const outermost = depth === 0;
    const point = `part_${depth}`;
    const { begin, end } = pointsAt(depth);
    const undosBefore = undos.length;
    const jobsBefore = jobs.length;
    begin.run();
    depth += 1;
    let result: T;
    try {
      result = work();
      if (result instanceof Promise) throw new TypeError("A transaction cannot wait: its work must be synchronous.");
      end.run();
    } catch (error) {
      // RAM first: it must be right even where the ROLLBACK fails, too.
      while (undos.length > undosBefore) undos.pop()!();
      jobs.length = jobsBefore;
      if (db.isTransaction) db.exec(outermost ? "ROLLBACK" : `ROLLBACK TO ${point}; RELEASE ${point}`);
      throw error;
    } finally {
      depth -= 1;
    }
    if (outermost) settle();
    return result;
  }

  function relaxed<T>(work: () => T): T {
    if (depth > 0) return transaction(work);
    db.exec("PRAGMA synchronous = NORMAL");
    try {
      return transaction(work);
    } finally {
      db.exec("PRAGMA synchronous = FULL");
    }
  }

  function settle(): void {
    undos.length = 0;
    for (const job of jobs.splice(0)) due.push(job);
    // A job that writes again comes through here: its news waits behind those that are still to be told.
    if (delivering) return;
    delivering = true;
    for (let job = due.shift(); job; job = due.shift()) run(job);
    delivering = false;
  }

  function run(job: () => void): void {
    try {
      job();
    } catch (error) {
      // The rows are committed: the one who wrote them must not be told that it failed.
      log.error({ err: error }, "a listener of the records failed");
    }
  }

  return {
    transaction,
    relaxed,
    onRollback: (undo) => undos.push(undo),
    afterCommit: (job) => jobs.push(job),
    assertAlive() {
      if (depth > 0 && !db.isTransaction) throw new TransactionEnded();
    },
  };
}
