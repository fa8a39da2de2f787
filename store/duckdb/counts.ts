import { BIGINT, type DuckDBConnection, type DuckDBValue } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { DAY_MS } from "../../model/time.ts";
import type { CountFilter, DayFilter } from "../reading-store.ts";
import { BUCKET_START, toBigInt, whereRange } from "./sql.ts";

export async function countRows(connection: DuckDBConnection, sensorId: string | undefined): Promise<number> {
  const where = sensorId === undefined ? "" : "WHERE sensorId = $sensorId";
  const parts = KINDS.map((kind) => `SELECT count(*) AS n FROM ${kind} ${where}`);
  const sql = `SELECT CAST(sum(n) AS DOUBLE) FROM (${parts.join(" UNION ALL ")})`;
  const rows = await (await connection.run(sql, sensorId === undefined ? {} : { sensorId })).getRows();
  return rows[0]![0] as number;
}

/** Rows of each sensor. A sensor without any is left out. */
export async function countBySensor(
  connection: DuckDBConnection,
  { seqBefore, past }: CountFilter = {},
): Promise<Map<string, number>> {
  const conditions = ["true"];
  const values: Record<string, DuckDBValue> = {};
  if (seqBefore !== undefined) {
    conditions.push("journalSeq < CAST($seq AS BIGINT)");
    values.seq = toBigInt(seqBefore);
  }
  if (past) {
    conditions.push("measuredAt < CAST($time AS BIGINT) AND receivedAt < CAST($time AS BIGINT)");
    values.time = toBigInt(past.time);
  }
  const where = conditions.join(" AND ");
  const kinds = past ? [past.kind] : KINDS;
  // Counted within each kind first: the sums of a few thousand sensors are cheap to add.
  const parts = kinds.map((kind) => `SELECT sensorId, count(*) AS n FROM ${kind} WHERE ${where} GROUP BY sensorId`);
  const sql = `SELECT sensorId, CAST(sum(n) AS DOUBLE) FROM (${parts.join(" UNION ALL ")}) GROUP BY sensorId`;
  const rows = await (await connection.run(sql, values)).getRows();
  return new Map(rows as [string, number][]);
}

/** Rows of each sensor and UTC day of measuring. */
export async function countByDay(
  connection: DuckDBConnection,
  kind: Kind,
  range: { readonly from: number; readonly to: number },
  { outside }: DayFilter = {},
): Promise<Map<string, Map<number, number>>> {
  const where = whereRange(range);
  const sql = `SELECT sensorId, CAST(${BUCKET_START} AS DOUBLE), CAST(count(*) AS DOUBLE)
    FROM ${kind} WHERE ${where.text} ${outside ? "AND (journalSeq < $first OR journalSeq >= $end)" : ""} GROUP BY 1, 2`;
  const numbers = outside && { first: toBigInt(outside.from), end: toBigInt(outside.to) };
  const values = { ...where.values, every: BigInt(DAY_MS), ...numbers };
  const types = { ...where.types, every: BIGINT, ...(outside && { first: BIGINT, end: BIGINT }) };
  const rows = await (await connection.run(sql, values, types)).getRows();
  const counts = new Map<string, Map<number, number>>();
  for (const [sensorId, day, count] of rows as [string, number, number][]) {
    const days = counts.get(sensorId) ?? new Map<number, number>();
    counts.set(sensorId, days.set(day, count));
  }
  return counts;
}
