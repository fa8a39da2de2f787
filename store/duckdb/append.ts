import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { CHUNK_ROWS, createRowChunk, type RowChunk } from "./row-chunk.ts";

/** For each kind the metric columns as they stand in the file, after the fixed ones. */
export type MetricColumns = Readonly<Record<Kind, readonly MetricName[]>>;

/**
 * Answers how to append: all or nothing over all kinds, and on disk when it resolves. An appender's flush inside a
 * transaction becomes durable with the COMMIT (checked by killing the process: test/contract/duckdb.test.ts).
 */
export function createAppend(columns: MetricColumns) {
  const chunks = new Map<Kind, RowChunk>();

  return async function append(connection: DuckDBConnection, readings: readonly Reading[]): Promise<void> {
    await connection.run("BEGIN");
    try {
      for (const kind of KINDS) {
        const ofKind = readings.filter((reading) => reading.kind === kind);
        if (ofKind.length > 0) await appendKind(connection, kind, ofKind);
      }
      await connection.run("COMMIT");
    } catch (error) {
      // A failed COMMIT has ended the transaction already; what counts is the first error.
      await connection.run("ROLLBACK").catch(() => {});
      throw error;
    }
  };

  async function appendKind(connection: DuckDBConnection, kind: Kind, readings: readonly Reading[]): Promise<void> {
    const appender = await connection.createAppender(kind);
    try {
      let from = 0;
      for (; from + CHUNK_ROWS <= readings.length; from += CHUNK_ROWS)
        chunkOf(kind, appender).append(appender, readings, from);
      for (; from < readings.length; from++) appendRow(appender, readings[from]!, columns[kind]);
      appender.flushSync();
    } catch (error) {
      // Otherwise closing would flush the rows before the bad one.
      appender.clear();
      throw error;
    } finally {
      appender.closeSync();
    }
  }

  function chunkOf(kind: Kind, appender: DuckDBAppender): RowChunk {
    const chunk = chunks.get(kind) ?? createRowChunk(appender, columns[kind]);
    chunks.set(kind, chunk);
    return chunk;
  }
}

function appendRow(appender: DuckDBAppender, reading: Reading, metrics: readonly MetricName[]): void {
  appender.appendVarchar(reading.sensorId);
  appender.appendVarchar(reading.district);
  appender.appendBigInt(BigInt(reading.measuredAt));
  appender.appendBigInt(BigInt(reading.receivedAt));
  appender.appendBigInt(BigInt(reading.journalSeq));
  if (reading.quality) appender.appendVarchar(Object.keys(reading.quality).join(","));
  else appender.appendNull();
  appender.appendBoolean(reading.imported === true);
  for (const metric of metrics) {
    const value = reading.values[metric];
    if (value === undefined) appender.appendNull();
    else appender.appendDouble(value);
  }
  appender.endRow();
}
