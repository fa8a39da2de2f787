import type { DuckDBConnection } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Rows } from "./probe.ts";

/** Names of the columns, or undefined where the table is missing. `database`: the name of an open or attached file. */
export async function columnsOf(
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

export async function oneValue(connection: DuckDBConnection, sql: string): Promise<unknown> {
  return (await (await connection.run(sql)).getRows())[0]?.[0];
}
