import type { DuckDBConnection } from "@duckdb/node-api";
import type { Database } from "./connection.ts";

/** Copies the whole database into a new file, as of one moment: the statement sees one snapshot, and writes go on. */
export function createCopier(database: Pick<Database, "reader">) {
  let copying: DuckDBConnection | undefined;

  async function copy(connection: DuckDBConnection, path: string): Promise<void> {
    const own = String((await (await connection.run("SELECT current_database()")).getRows())[0]![0]);
    await connection.run("DETACH DATABASE IF EXISTS backup_copy"); // of one that was interrupted
    await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS backup_copy`);
    copying = connection;
    try {
      // Not by copying the file: opening and closing it would drop the lock that DuckDB holds on it (POSIX).
      await connection.run(`COPY FROM DATABASE "${own.replaceAll('"', '""')}" TO backup_copy`);
    } finally {
      copying = undefined;
      await connection.run("DETACH backup_copy");
    }
  }

  return {
    copyTo: (path: string, signal?: AbortSignal) =>
      database.reader().use((connection) => copy(connection, path), signal),
    /** A stop does not wait for minutes of copying. */
    interrupt: () => copying?.interrupt(),
  };
}
