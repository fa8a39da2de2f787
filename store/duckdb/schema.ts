import type { DuckDBConnection } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";

/** The columns every kind has, before one DOUBLE for each metric. `suspect` lists metrics, "pm25,no2", or is NULL. */
export const FIXED_COLUMNS: readonly string[] = [
  "sensorId VARCHAR NOT NULL",
  "district VARCHAR NOT NULL",
  "measuredAt BIGINT NOT NULL",
  "receivedAt BIGINT NOT NULL",
  "journalSeq BIGINT NOT NULL",
  "suspect VARCHAR",
  "imported BOOLEAN NOT NULL",
];

/**
 * Makes what is missing: one table for each kind, and a column for each metric that came to `model/` since the file was
 * written. No key, index or upsert on purpose: they are what makes DuckDB's log fail to replay after a crash.
 */
export async function createTables(connection: DuckDBConnection): Promise<void> {
  for (const kind of KINDS) {
    const columns = [...FIXED_COLUMNS, ...METRICS_OF[kind].map((metric) => `"${metric}" DOUBLE`)];
    await connection.run(`CREATE TABLE IF NOT EXISTS ${kind} (${columns.join(", ")})`);
    const present = new Set(await columnsOf(connection, kind));
    for (const metric of METRICS_OF[kind]) {
      if (!present.has(metric)) await connection.run(`ALTER TABLE ${kind} ADD COLUMN "${metric}" DOUBLE`);
    }
  }
}

/** Column names as they stand in the file: a metric added later stands at the end, wherever `model/` has it. */
export async function columnsOf(connection: DuckDBConnection, kind: Kind): Promise<readonly string[]> {
  const result = await connection.run(`SELECT * FROM ${kind} LIMIT 0`);
  return result.columnNames();
}
