import type { DuckDBDataChunk } from "@duckdb/node-api";
import type { Kind } from "../../model/kinds.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Quality, Reading, Values } from "../../model/reading.ts";

/**
 * Wraps `rows`, a SELECT of whole rows of a kind's table, into the columns `readingsOfChunk` expects.
 *
 * The shape is for speed (600,000 readings/s instead of 250,000): BIGINT and NULL cost a BigInt each on the way to
 * JavaScript, so numbers come as DOUBLE (exact up to 2^53) and missing values as NaN; and a text costs a UTF-8 decoding,
 * so each sensor gets a number and its texts are decoded once.
 */
export function selectReadings(rows: string, metrics: readonly MetricName[], orderBy = ""): string {
  const columns = [
    "names.number",
    "picked.sensorId",
    "picked.district",
    "CAST(measuredAt AS DOUBLE)",
    "CAST(receivedAt AS DOUBLE)",
    "CAST(journalSeq AS DOUBLE)",
    "suspect IS NOT NULL",
    "suspect",
    "imported",
    ...metrics.map((metric) => `COALESCE("${metric}", 'NaN')`),
  ];
  return `WITH picked AS MATERIALIZED (${rows}), names AS (
      SELECT sensorId, district, CAST(row_number() OVER () AS INTEGER) AS number
      FROM (SELECT DISTINCT sensorId, district FROM picked))
    SELECT ${columns.join(", ")}
    FROM picked JOIN names ON picked.sensorId = names.sensorId AND picked.district = names.district ${orderBy}`;
}

const METRICS_FROM = 9;

/** Turns the chunks of one `selectReadings` result into readings, at most 2,048 at a time. */
export function createReadingDecoder(kind: Kind, metrics: readonly MetricName[]) {
  const names: { sensorId: string; district: string }[] = [];
  return function decode(chunk: DuckDBDataChunk): Reading[] {
    const columns = Array.from({ length: METRICS_FROM }, (_, index) => chunk.getColumnVector(index));
    const [number, sensorId, district, measuredAt, receivedAt, journalSeq, hasSuspect, suspect, imported] = columns;
    const values = valuesOfChunk(chunk, metrics);
    return values.map((ofRow, row) => {
      const key = number!.getItem(row) as number;
      names[key] ??= { sensorId: sensorId!.getItem(row) as string, district: district!.getItem(row) as string };
      const name = names[key];
      const reading: Reading = {
        sensorId: name.sensorId,
        kind,
        district: name.district,
        measuredAt: measuredAt!.getItem(row) as number,
        receivedAt: receivedAt!.getItem(row) as number,
        values: ofRow,
        journalSeq: journalSeq!.getItem(row) as number,
      };
      if (!hasSuspect!.getItem(row) && !imported!.getItem(row)) return reading;
      return withFlags(reading, imported!.getItem(row) === true, suspect!.getItem(row) as string | null, metrics);
    });
  };
}

function valuesOfChunk(chunk: DuckDBDataChunk, metrics: readonly MetricName[]): Values[] {
  const rows: Values[] = Array.from({ length: chunk.rowCount }, () => ({}));
  for (const [index, metric] of metrics.entries()) {
    const column = chunk.getColumnVector(METRICS_FROM + index);
    for (let row = 0; row < rows.length; row += 1) {
      const value = column.getItem(row) as number;
      if (!Number.isNaN(value)) rows[row]![metric] = value;
    }
  }
  return rows;
}

function withFlags(
  reading: Reading,
  imported: boolean,
  suspect: string | null,
  metrics: readonly MetricName[],
): Reading {
  const flagged = ((suspect ?? "").split(",") as MetricName[]).filter((metric) => metrics.includes(metric));
  const quality = Object.fromEntries(flagged.map((metric) => [metric, "suspect"])) as Quality;
  return { ...reading, ...(flagged.length > 0 ? { quality } : {}), ...(imported ? { imported } : {}) };
}
