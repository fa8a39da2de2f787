import { writeSync } from "node:fs";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { createRollupTables } from "../duckdb/rollups.ts";
import { createTables } from "../duckdb/schema.ts";

/**
 * A program: one question (`CheckRequest`, `SalvageRequest`), one answer on stdout, written before anything is closed.
 * `probe` of `recover.ts` asks. Times are epoch milliseconds.
 */
export type CheckRequest = {
  readonly what: "check";
  readonly path: string;
  /** Read every block, not only what opening needs. */
  readonly verify: boolean;
};
export type SalvageRequest = {
  readonly what: "salvage";
  /** The file to make. */
  readonly target: string;
  /** Files that can be opened, the best one first. */
  readonly sources: readonly string[];
  /** Readings of messages from this number on are not booked yet. */
  readonly offset: number;
};

export type Span = { readonly from: number; readonly to: number };
export type Rows = Readonly<Record<Kind, number>>;
export type Failed = { readonly error: string };
export type Checked = { readonly rows: Rows };
export type Salvaged = {
  readonly rows: Rows;
  /** Rows with a number that is not booked yet. */
  readonly ahead: number;
  /** Newest `receivedAt` of what came from the sources and is booked. */
  readonly newest: number | undefined;
  /** Where blocks could not be read: what they held was received in here, as far as their neighbours tell. */
  readonly holes: readonly Partial<Span>[];
};

/** DuckDB's row groups: a damaged block costs the one it belongs to. */
const GROUP_ROWS = 122_880;
const ROLLUP_TABLES = KINDS.flatMap((kind) => [`${kind}_hourly`, `${kind}_daily`]);

const request = JSON.parse(process.argv[2] ?? "") as CheckRequest | SalvageRequest;

try {
  answer(await (request.what === "check" ? check(request) : salvage(request)));
} catch (error) {
  answer({ error: textOf(error) });
}
// Not by closing: a damaged file can bring DuckDB down when it lets go, and the answer is out.
process.exit(0);

/** READ_ONLY: the log is replayed in memory, and both files stay as they are. */
async function check({ path, verify }: CheckRequest): Promise<Checked> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY", memory_limit: "2GB", threads: "2" });
  const connection = await instance.connect();
  const rows = await countRows(connection);
  if (verify) await readAllRows(connection);
  return { rows };
}

function answer(value: Checked | Salvaged | Failed): void {
  const bytes = Buffer.from(JSON.stringify(value));
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}

/** Makes `target` and copies into it what can still be read. Throws when the new file itself cannot be written. */
async function salvage(request: SalvageRequest): Promise<Salvaged> {
  const instance = await DuckDBInstance.create(request.target, { memory_limit: "2GB", threads: "2" });
  const connection = await instance.connect();
  await createTables(connection);
  await createRollupTables(connection);
  const holes: Partial<Span>[] = [];
  for (const [index, source] of request.sources.entries()) {
    await connection.run(`ATTACH '${source.replaceAll("'", "''")}' AS old (READ_ONLY)`);
    const first = index === 0;
    for (const kind of KINDS) {
      const filter = first ? "true" : await notInReadings(connection, kind);
      const groups = await copyTable(connection, kind, filter);
      for (const group of groups) holes.push(await spanOfGroup(connection, kind, group));
    }
    for (const table of ROLLUP_TABLES) {
      await copyTable(connection, table, first ? "true" : notIn(table, "sensorId", "start", "receivedDay", "metric"));
    }
    await connection.run("DETACH old");
  }
  const newest = await newestOf(connection, request.offset);
  const rows = await countRows(connection);
  const ahead = await sumOfKinds(connection, `count(*) FILTER (journalSeq >= ${request.offset})`);
  await connection.run("CHECKPOINT");
  connection.closeSync();
  instance.closeSync();
  return { rows, ahead, holes, newest };
}

/** The rows that `main` has not: what a second source adds. */
function notIn(table: string, ...key: readonly string[]): string {
  const same = key.map((name) => `there."${name}" = o."${name}"`).join(" AND ");
  return `NOT EXISTS (SELECT 1 FROM main.${table} AS there WHERE ${same})`;
}

/** A file of an earlier version has one row a moment. */
async function notInReadings(connection: DuckDBConnection, kind: Kind): Promise<string> {
  const hasParts = (await columnsOf(connection, "old", kind))?.includes("part");
  const part = `COALESCE(there.part, 0) = ${hasParts ? "COALESCE(o.part, 0)" : "0"}`;
  return notIn(kind, "sensorId", "measuredAt").replace(/\)$/, ` AND ${part})`);
}

/** All at once; where a block cannot be read, row group by row group. Answers the first rows of the groups it lost. */
async function copyTable(connection: DuckDBConnection, table: string, filter: string): Promise<number[]> {
  const there = await columnsOf(connection, "old", table);
  const own = (await oneValue(connection, "SELECT current_database()")) as string;
  if (!there) return [];
  const known = (await columnsOf(connection, own, table)) ?? [];
  const names = there.filter((name) => known.includes(name)).map((name) => `"${name}"`);
  const into = `INSERT INTO main.${table} (${names.join(", ")}) SELECT ${names.join(", ")} FROM old.${table} AS o`;
  if (await isCopied(() => connection.run(`${into} WHERE ${filter}`))) return [];
  const last = Number((await oneValue(connection, `SELECT max(rowid) FROM old.${table}`)) ?? -1);
  const lost: number[] = [];
  for (let first = 0; first <= last; first += GROUP_ROWS) {
    const group = `o.rowid >= ${first} AND o.rowid < ${first + GROUP_ROWS}`;
    if (!(await isCopied(() => connection.run(`${into} WHERE ${group} AND ${filter}`)))) lost.push(first);
  }
  return lost;
}

async function isCopied(copy: () => Promise<unknown>): Promise<boolean> {
  try {
    await copy();
    return true;
  } catch (error) {
    // Anything else is about the new file, and going on would lose what is readable.
    if (!isUnreadable(error)) throw error;
    return false;
  }
}

/** By its own times if they can be read, else between its neighbours. */
async function spanOfGroup(connection: DuckDBConnection, kind: Kind, first: number): Promise<Partial<Span>> {
  const ask = async (what: "min" | "max", from: number): Promise<number | undefined> => {
    const sql = `SELECT ${what}(receivedAt) FROM old.${kind} WHERE rowid >= ${from} AND rowid < ${from + GROUP_ROWS}`;
    const value = await oneValue(connection, sql).catch(() => undefined);
    return value === undefined || value === null ? undefined : Number(value);
  };
  const from = (await ask("min", first)) ?? (await ask("max", first - GROUP_ROWS));
  const to = (await ask("max", first)) ?? (await ask("min", first + GROUP_ROWS));
  return { from, to };
}

async function newestOf(connection: DuckDBConnection, offset: number): Promise<number | undefined> {
  const parts = KINDS.map((kind) => `SELECT max(receivedAt) AS newest FROM ${kind} WHERE journalSeq < ${offset}`);
  const newest = await oneValue(connection, `SELECT max(newest) FROM (${parts.join(" UNION ALL ")})`);
  return newest === null || newest === undefined ? undefined : Number(newest);
}

async function sumOfKinds(connection: DuckDBConnection, what: string): Promise<number> {
  const parts = KINDS.map((kind) => `SELECT ${what} AS n FROM ${kind}`);
  return Number(await oneValue(connection, `SELECT sum(n) FROM (${parts.join(" UNION ALL ")})`));
}

/** DuckDB's words for a block or a file that is not what it was. */
function isUnreadable(error: unknown): boolean {
  return /corrupt|checksum|not read enough|not a valid|invalid input error|serialization/i.test(textOf(error));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Names of the columns, or undefined where the table is missing. `database`: the name of an open or attached file. */
async function columnsOf(
  connection: DuckDBConnection,
  database: string,
  table: string,
): Promise<readonly string[] | undefined> {
  const sql = `SELECT column_name FROM duckdb_columns() WHERE database_name = $database AND table_name = $table
    ORDER BY column_index`;
  const rows = await (await connection.run(sql, { database, table })).getRows();
  return rows.length === 0 ? undefined : rows.map(([name]) => name as string);
}

/** Rows of each kind; 0 where the table is missing. */
async function countRows(connection: DuckDBConnection): Promise<Rows> {
  const database = (await oneValue(connection, "SELECT current_database()")) as string;
  const rows: Partial<Record<Kind, number>> = {};
  for (const kind of KINDS) {
    const isThere = (await columnsOf(connection, database, kind)) !== undefined;
    rows[kind] = isThere ? Number(await oneValue(connection, `SELECT count(*) FROM ${kind}`)) : 0;
  }
  return rows as Rows;
}

/** Reads every value: DuckDB checks the checksum of each block it reads. */
async function readAllRows(connection: DuckDBConnection): Promise<void> {
  const database = (await oneValue(connection, "SELECT current_database()")) as string;
  for (const kind of KINDS) {
    const columns = await columnsOf(connection, database, kind);
    if (!columns) continue;
    const sums = columns.map((name) => `bit_xor(hash("${name}"))`);
    await oneValue(connection, `SELECT ${sums.join(", ")} FROM ${kind}`);
  }
}

async function oneValue(connection: DuckDBConnection, sql: string): Promise<unknown> {
  return (await (await connection.run(sql)).getRows())[0]?.[0];
}
