import type { DuckDBConnection } from "@duckdb/node-api";
import { isKind, KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Span } from "./probe.ts";

/**
 * Takes from a Parquet file what the tables do not have and was received within `span`. The file has the columns of a
 * table (`COPY air TO …`): `sensorId`, `district` and `measuredAt`, at least one metric, and its kind in a column `kind`
 * or at the start of its name (`air-2026-11.parquet`). Times are epoch milliseconds or timestamps. Answers the rows taken.
 * Throws for a file that is none of these, with "export" in its words.
 */
export async function importExport(connection: DuckDBConnection, path: string, span: Span): Promise<number> {
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
