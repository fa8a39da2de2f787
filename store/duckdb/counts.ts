import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { KINDS } from "../../model/kinds.ts";
import type { CountFilter } from "../reading-store.ts";
import { toBigInt } from "./sql.ts";

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
