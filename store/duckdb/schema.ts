import { BIGINT, type DuckDBConnection, type DuckDBType, type DuckDBValue, VARCHAR } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { RangeQuery } from "../reading-store.ts";

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
 * What few readings have, after the metrics; NULL for most. `raw`: JSON, metric to number. `part`: this row is a later
 * message of a moment that has a row already.
 */
export const RARE_COLUMNS = { clock: "BOOLEAN", seq: "BIGINT", raw: "VARCHAR", part: "SMALLINT" } as const;
export type RareColumn = keyof typeof RARE_COLUMNS;

/**
 * Makes what is missing: one table for each kind, and a column for each metric (or field) that came to `model/` since the
 * file was written. No key, index or upsert on purpose: they are what makes DuckDB's log fail to replay after a crash.
 */
export async function createTables(connection: DuckDBConnection): Promise<void> {
  for (const kind of KINDS) {
    const later = [...METRICS_OF[kind].map((metric) => [metric, "DOUBLE"] as const), ...Object.entries(RARE_COLUMNS)];
    const columns = [...FIXED_COLUMNS, ...later.map(([name, type]) => `"${name}" ${type}`)];
    await connection.run(`CREATE TABLE IF NOT EXISTS ${kind} (${columns.join(", ")})`);
    const present = new Set(await columnsOf(connection, kind));
    for (const [name, type] of later) {
      if (!present.has(name)) await connection.run(`ALTER TABLE ${kind} ADD COLUMN "${name}" ${type}`);
    }
  }
}

/** Column names as they stand in the file: a metric added later stands at the end, wherever `model/` has it. */
export async function columnsOf(connection: DuckDBConnection, kind: Kind): Promise<readonly string[]> {
  const result = await connection.run(`SELECT * FROM ${kind} LIMIT 0`);
  return result.columnNames();
}

/** A condition with its bound values: nothing from outside ever stands in the text. */
type Where = {
  readonly text: string;
  readonly values: Record<string, DuckDBValue>;
  readonly types: Record<string, DuckDBType>;
};

/** Times are bound as BIGINT: compared as DOUBLE, DuckDB could not skip the parts of the file outside the range. */
export function whereRange(query: Omit<RangeQuery, "kind">): Where {
  const parts = ["measuredAt >= $from", "measuredAt < $to"];
  const values: Record<string, DuckDBValue> = { from: toBigInt(query.from), to: toBigInt(query.to) };
  const types: Record<string, DuckDBType> = { from: BIGINT, to: BIGINT };
  for (const name of ["sensorId", "district"] as const) {
    const value = query[name];
    if (value === undefined) continue;
    parts.push(`${name} = $${name}`);
    values[name] = value;
    types[name] = VARCHAR;
  }
  if (query.metrics) parts.push(hasOneOf(query.metrics));
  return { text: parts.join(" AND "), values, types };
}

function hasOneOf(metrics: readonly MetricName[]): string {
  if (metrics.length === 0) return "false";
  return `(${metrics.map((metric) => `"${metric}" IS NOT NULL`).join(" OR ")})`;
}

/** A row's value of a metric, or NULL where it is flagged as suspect: means and extremes are of good values. */
export function goodValue(metric: MetricName): string {
  // A CASE looks at the list only where there is one, which is rare.
  return `CASE WHEN suspect IS NULL THEN "${metric}"
    WHEN list_contains(string_split(suspect, ','), '${metric}') THEN NULL ELSE "${metric}" END`;
}

/** `measuredAt` rounded down to a multiple of `$every`, also before 1970 (the `%` of SQL keeps the sign). */
export const BUCKET_START = "(measuredAt - ((measuredAt % $every) + $every) % $every)";

/** The first whole millisecond at or after `ms`; infinities become the ends of the exact numbers. */
export function toBigInt(ms: number): bigint {
  return BigInt(Math.ceil(Math.min(Number.MAX_SAFE_INTEGER, Math.max(-Number.MAX_SAFE_INTEGER, ms))));
}
