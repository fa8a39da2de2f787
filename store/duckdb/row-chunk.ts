import { type DuckDBAppender, DuckDBDataChunk, type DuckDBVector } from "@duckdb/node-api";
import type { MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";

/** DuckDB's vector size: a chunk has no more rows. */
export const CHUNK_ROWS = 2_048;
const FIXED = ["sensorId", "district", "measuredAt", "receivedAt", "journalSeq", "suspect", "imported"] as const;

/**
 * Rows by the chunk instead of by the value. Sensors fill a few of a table's many metric columns; appending a NULL for
 * each of the others was the largest single cost of ingest. Here a column is NULL from the start, a row sets what it
 * has, and afterwards takes that back. Worth it for full chunks only. `metrics` as they stand after the fixed columns.
 */
export function createRowChunk(appender: DuckDBAppender, metrics: readonly MetricName[]) {
  const types = Array.from({ length: appender.columnCount }, (_, column) => appender.columnType(column));
  const chunk = DuckDBDataChunk.create(types, CHUNK_ROWS);
  const vectors = types.map((_, column) => chunk.getColumnVector(column));
  const [sensorId, district, measuredAt, receivedAt, journalSeq, suspect, imported] = vectors as DuckDBVector[];
  const vectorOf = new Map<string, DuckDBVector>(metrics.map((metric, i) => [metric, vectors[FIXED.length + i]!]));
  for (const vector of [suspect!, ...vectorOf.values()]) {
    for (let row = 0; row < CHUNK_ROWS; row++) vector.setItem(row, null);
  }

  function setRow(row: number, reading: Reading): void {
    sensorId!.setItem(row, reading.sensorId);
    district!.setItem(row, reading.district);
    measuredAt!.setItem(row, BigInt(reading.measuredAt));
    receivedAt!.setItem(row, BigInt(reading.receivedAt));
    journalSeq!.setItem(row, BigInt(reading.journalSeq));
    imported!.setItem(row, reading.imported === true);
    if (reading.quality) suspect!.setItem(row, Object.keys(reading.quality).join(","));
    for (const metric in reading.values) vectorOf.get(metric)!.setItem(row, reading.values[metric as MetricName]!);
  }

  function clearRow(row: number, reading: Reading): void {
    if (reading.quality) suspect!.setItem(row, null);
    for (const metric in reading.values) vectorOf.get(metric)!.setItem(row, null);
  }

  /** Appends `readings[from]` … `readings[from + CHUNK_ROWS - 1]`. */
  function append(to: DuckDBAppender, readings: readonly Reading[], from: number): void {
    for (let row = 0; row < CHUNK_ROWS; row++) setRow(row, readings[from + row]!);
    try {
      for (const vector of vectors) vector.flush();
      to.appendDataChunk(chunk);
    } finally {
      for (let row = 0; row < CHUNK_ROWS; row++) clearRow(row, readings[from + row]!);
    }
  }

  return { append };
}

export type RowChunk = ReturnType<typeof createRowChunk>;
