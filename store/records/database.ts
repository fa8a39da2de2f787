import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Log } from "../../model/log.ts";
import { MIGRATIONS, VERSION, VERSION_MIN } from "./migrations.ts";

/** The file was written by a newer version of the service, or by one older than those supported. */
export class RecordsOfOtherVersion extends Error {
  override readonly name = "RecordsOfOtherVersion";
}

export type Database = Pick<Transactions, "transaction" | "relaxed" | "onRollback" | "afterCommit"> & {
  /** The prepared statement for this text, from a cache. Do not keep it while another call may run the same one. */
  statement(sql: string): StatementSync;
  close(): void;
};

const BUSY_TIMEOUT_MS = 5_000;
// Filters make some hundred different texts at most; the oldest goes first.
const STATEMENTS_MAX = 300;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Opens or creates the file (0600), checks it and brings it to this version's schema. `mustBeThere`: does not create it. */
export function openDatabase(path: string, log: Log, mustBeThere = false): Database {
  // Looked at before SQLite does: it would delete the log that belongs to a file that is gone.
  if (mustBeThere && !(statSync(path, { throwIfNoEntry: false })?.size ?? 0)) throw missing(path);
  // SQLite gives its -wal and -shm files the mode of the database file.
  if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
  // A look that changes nothing: a connection that may write folds the log into a damaged file and deletes it.
  if (path !== ":memory:") use(path, true, (db) => check(db, path, mustBeThere));
  const db = use(path, false, (opened) => prepare(opened));
  const { transaction, relaxed, onRollback, afterCommit, assertAlive } = createTransactions(db, log);
  const statements = new Map<string, StatementSync>();

  function statement(sql: string): StatementSync {
    assertAlive();
    const known = statements.get(sql);
    if (known) return known;
    const made = db.prepare(sql);
    statements.set(sql, made);
    if (statements.size > STATEMENTS_MAX) statements.delete(statements.keys().next().value!);
    return made;
  }

  function close(): void {
    if (!db.isOpen) return;
    statements.clear();
    db.close();
  }
  return { statement, transaction, relaxed, onRollback, afterCommit, close };
}

function use(path: string, readOnly: boolean, work: (db: DatabaseSync) => void): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS, enableDoubleQuotedStringLiterals: false });
  try {
    work(db);
    if (readOnly) db.close();
    return db;
  } catch (error) {
    db.close();
    const code = (error as { errcode?: number }).errcode;
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) throw damaged(path, String(error), error);
    throw error;
  }
}

function check(db: DatabaseSync, path: string, mustBeThere: boolean): void {
  // The version comes first: a file of a newer service must stay exactly as it is.
  const version = pragma(db, "user_version") as number;
  const known = `${path} has schema version ${version}, this service knows versions`;
  if (version > VERSION) throw new RecordsOfOtherVersion(`${known} up to ${VERSION}: start a newer lamppost.`);
  if (version > 0 && version < VERSION_MIN) throw new RecordsOfOtherVersion(`${known} from ${VERSION_MIN} on.`);
  if (version === 0 && mustBeThere) throw missing(path);
  const found = pragma(db, "quick_check(1)");
  if (found !== "ok") throw damaged(path, String(found));
}

function prepare(db: DatabaseSync): void {
  const version = pragma(db, "user_version") as number;
  db.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY");
  // FULL: a commit is on disk when it returns. The offsets kept here decide which journal segments may be deleted.
  db.exec("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");
  MIGRATIONS.forEach((sql, index) => {
    const next = VERSION_MIN + index;
    if (next > version) db.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${next}; COMMIT`);
  });
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function damaged(path: string, detail: string, cause?: unknown): RecordsDamaged {
  return new RecordsDamaged(`${path} is damaged (${detail}). ${WHAT_TO_DO}`, { cause });
}

function missing(path: string): RecordsMissing {
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
  const log =
    wal && wal.size > 0 ? ` What it held may be in ${path}-wal, which cannot be read: keep that file, too.` : "";
  return new RecordsMissing(`${path} is missing or empty, but its data folder is not new.${log} ${WHAT_TO_DO}`);
}

const WHAT_TO_DO =
  "Nothing was changed. Restore a backup (./lamppost restore --help); or, to begin with no sensors, credentials, alerts and books, " +
  "move the file away and start once with LAMPPOST_NEW_RECORDS=accept: readings and journal stay.";

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

/** The cursor of a page was not made by this service: a client's mistake, not a fault of the database. */
export class RecordBadCursor extends Error {
  override readonly name = "RecordBadCursor";
}

/** The file is missing or empty although its data folder is in use; restore a backup. */
class RecordsMissing extends Error {
  override readonly name = "RecordsMissing";
}

/** The file is not a sound SQLite database; restore a backup. */
export class RecordsDamaged extends Error {
  override readonly name = "RecordsDamaged";
}
