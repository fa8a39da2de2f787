import type { DuckDBConnection } from "@duckdb/node-api";

/**
 * Copies the whole database into a new file, as of one moment: the statement sees one snapshot, and writes go on beside
 * it. Not by copying the file: opening and closing it would drop the lock that DuckDB holds on it (POSIX).
 */
export async function copyDatabase(connection: DuckDBConnection, path: string): Promise<void> {
  const own = String((await (await connection.run("SELECT current_database()")).getRows())[0]![0]);
  await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS backup_copy`);
  try {
    await connection.run(`COPY FROM DATABASE "${own.replaceAll('"', '""')}" TO backup_copy`);
  } finally {
    await connection.run("DETACH backup_copy");
  }
}
