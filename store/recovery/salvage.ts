import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { isKind, KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import { createRollupTables } from "../duckdb/rollups.ts";
import { createTables } from "../duckdb/schema.ts";
import type { Rows, Salvaged, SalvageRequest, Span } from "./probe.ts";

/** DuckDB's row groups: a damaged block costs the one it belongs to. */
const GROUP_ROWS = 122_880;
const ROLLUP_TABLES = KINDS.flatMap((kind) => [`${kind}_hourly`, `${kind}_daily`]);
/** Makes `target` and copies into it what can still be read. Throws when the new file itself cannot be written. */
export async function salvage(request: SalvageRequest): Promise<Salvaged> {
  const instance = await DuckDBInstance.create(request.target, { memory_limit: "2GB", threads: "2" });
  const connection = await instance.connect();
  await createTables(connection);
  await createRollupTables(connection);
  const holes: Partial<Span>[] = [];
  for (const [index, source] of request.sources.entries()) {
    await connection.run(`ATTACH '${source.replaceAll("'", "''")}' AS old (READ_ONLY)`);
    const first = index === 0;
    for (const kind of KINDS) {
      const filter = first ? "true" : notIn(kind, "sensorId", "measuredAt");
      const groups = await copyTable(connection, kind, filter);
      for (const group of groups) holes.push(await spanOfGroup(connection, kind, group));
    }
    for (const table of ROLLUP_TABLES) {
      await copyTable(connection, table, first ? "true" : notIn(table, "sensorId", "start", "receivedDay", "metric"));
    }
    await connection.run("DETACH old");
  }
  const newest = await newestOf(connection, request.offset);
  const notes: string[] = [];
  let fromExports = 0;
  for (const path of request.exports) {
    try {
      fromExports += await importExport(connection, path, request.span);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      notes.push(`${path}: ${textOf(error)}`);
    }
  }
  const rows = await countRows(connection);
  const ahead = await sumOfKinds(connection, `count(*) FILTER (journalSeq >= ${request.offset})`);
  await connection.run("CHECKPOINT");
  connection.closeSync();
  instance.closeSync();
  return { rows, ahead, holes, fromExports, notes, ...(newest === undefined ? {} : { newest }) };
}

/** The rows that `main` has not: what a second source adds. */
const notIn = (table: string, ...key: readonly string[]) => {
  const same = key.map((name) => `there."${name}" = o."${name}"`).join(" AND ");
  return `NOT EXISTS (SELECT 1 FROM main.${table} AS there WHERE ${same})`;
};

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
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
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
const isUnreadable = (error: unknown) =>
  /corrupt|checksum|not read enough|not a valid|invalid input error|no magic bytes|serialization|export/i.test(
    textOf(error),
  );

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * Takes from a Parquet file what the tables do not have and was received within `span`. The file has the columns of a
 * table (`COPY air TO …`): `sensorId`, `district` and `measuredAt`, at least one metric, and its kind in a column `kind`
 * or at the start of its name (`air-2026-11.parquet`). Times are epoch milliseconds or timestamps. Answers the rows taken.
 * Throws for a file that is none of these, with "export" in its words.
 */
async function importExport(connection: DuckDBConnection, path: string, span: Span): Promise<number> {
  const file = `read_parquet('${path.replaceAll("'", "''")}')`;
  const described = await (await connection.run(`DESCRIBE SELECT * FROM ${file}`)).getRows();
  const types = new Map(described.map(([name, type]) => [name as string, type as string]));
  for (const name of ["sensorId", "district", "measuredAt"]) {
    if (!types.has(name)) throw new Error(`the export has no column ${name}`);
  }
  const kinds = kindsOf(path, types).filter((kind) => METRICS_OF[kind].some((metric) => types.has(metric)));
  if (kinds.length === 0) throw new Error("the export has no metric");
  let taken = 0;
  for (const kind of kinds) taken += await importKind(connection, file, kind, types, span);
  return taken;
}

function kindsOf(path: string, types: ReadonlyMap<string, string>): readonly Kind[] {
  if (types.has("kind")) return KINDS;
  const name = path.split(/[\\/]/).at(-1) ?? "";
  const kind = /^[a-z]+/.exec(name)?.[0] ?? "";
  if (!isKind(kind)) throw new Error(`the export has no column kind, and its name does not begin with one`);
  return [kind];
}

async function importKind(
  connection: DuckDBConnection,
  file: string,
  kind: Kind,
  types: ReadonlyMap<string, string>,
  span: Span,
): Promise<number> {
  const metrics = METRICS_OF[kind].filter((metric) => types.has(metric));
  const time = (name: string) => timeOf(name, types.get(name)!);
  const measuredAt = time("measuredAt");
  const fixed = {
    sensorId: "sensorId",
    district: "district",
    measuredAt,
    receivedAt: types.has("receivedAt") ? time("receivedAt") : measuredAt,
    journalSeq: types.has("journalSeq") ? 'CAST("journalSeq" AS BIGINT)' : "0",
    suspect: types.has("suspect") ? "suspect" : "NULL",
    imported: types.has("imported") ? "imported" : "false",
  };
  const columns = { ...fixed, ...Object.fromEntries(metrics.map((name) => [name, `CAST("${name}" AS DOUBLE)`])) };
  const names = Object.keys(columns).map((name) => `"${name}"`);
  const picked = Object.entries(columns).map(([name, sql]) => `${sql} AS "${name}"`);
  const where = types.has("kind") ? `WHERE kind = '${kind}'` : "";
  const sql = `INSERT INTO main.${kind} (${names.join(", ")})
    SELECT ${names.join(", ")} FROM (SELECT ${picked.join(", ")} FROM ${file} ${where}) AS o
    WHERE receivedAt >= $from AND receivedAt <= $to AND NOT EXISTS (
      SELECT 1 FROM main.${kind} AS there WHERE there.sensorId = o.sensorId AND there.measuredAt = o.measuredAt)
    QUALIFY row_number() OVER (PARTITION BY sensorId, measuredAt ORDER BY journalSeq) = 1`;
  const { rowsChanged } = await connection.run(sql, { from: span.from, to: span.to });
  return rowsChanged;
}

function timeOf(name: string, type: string): string {
  if (type.startsWith("TIMESTAMP")) return `epoch_ms("${name}")`;
  if (/INT|DOUBLE/.test(type)) return `CAST("${name}" AS BIGINT)`;
  throw new Error(`the export has ${name} as ${type}`);
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
export async function countRows(connection: DuckDBConnection): Promise<Rows> {
  const database = (await oneValue(connection, "SELECT current_database()")) as string;
  const rows: Partial<Record<Kind, number>> = {};
  for (const kind of KINDS) {
    const isThere = (await columnsOf(connection, database, kind)) !== undefined;
    rows[kind] = isThere ? Number(await oneValue(connection, `SELECT count(*) FROM ${kind}`)) : 0;
  }
  return rows as Rows;
}

/** Reads every value: DuckDB checks the checksum of each block it reads. */
export async function readAllRows(connection: DuckDBConnection): Promise<void> {
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
