import { BIGINT, type DuckDBConnection, LIST, listValue, VARCHAR } from "@duckdb/node-api";
import type { Kind } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import type { ReadingKey } from "../reading-store.ts";
import { createReadingDecoder, selectReadings } from "./rows.ts";
import { toBigInt } from "./sql.ts";

/** The stored reading of each key, in the order of the keys. Of doubled rows the first to arrive counts. */
export async function findKeys(
  connection: DuckDBConnection,
  kind: Kind,
  keys: readonly ReadingKey[],
): Promise<(Reading | undefined)[]> {
  if (keys.length === 0) return [];
  const times = keys.map((key) => toBigInt(key.measuredAt));
  const rows = `SELECT stored.* FROM ${kind} AS stored
    JOIN (SELECT DISTINCT unnest($sensors) AS sensor, unnest($times) AS at) AS asked
      ON stored.sensorId = asked.sensor AND stored.measuredAt = asked.at
    WHERE stored.measuredAt BETWEEN $from AND $to`;
  const values = {
    sensors: listValue(keys.map((key) => key.sensorId)),
    times: listValue(times),
    // The join alone would read the whole table; the range lets DuckDB skip what is older.
    from: times.reduce((least, time) => (time < least ? time : least)),
    to: times.reduce((most, time) => (time > most ? time : most)),
  };
  const types = { sensors: LIST(VARCHAR), times: LIST(BIGINT), from: BIGINT, to: BIGINT };
  const found = new Map<string, Reading>();
  for (const reading of await readAll(connection, kind, rows, { values, types })) {
    const key = keyText(reading);
    const other = found.get(key);
    if (!other || reading.journalSeq < other.journalSeq) found.set(key, reading);
  }
  return keys.map((key) => found.get(keyText(key)));
}

const keyText = (key: ReadingKey) => `${key.measuredAt} ${key.sensorId}`;

/** The newest reading of every sensor of a kind: one pass over two columns, then the rows themselves. */
export async function newestReadings(connection: DuckDBConnection, kind: Kind): Promise<Reading[]> {
  const rows = `SELECT stored.* FROM ${kind} AS stored
    JOIN (SELECT sensorId, max(measuredAt) AS at FROM ${kind} GROUP BY sensorId) AS newest
      ON stored.sensorId = newest.sensorId AND stored.measuredAt = newest.at`;
  return readAll(connection, kind, rows, {});
}

async function readAll(
  connection: DuckDBConnection,
  kind: Kind,
  rows: string,
  bound: { values?: Parameters<DuckDBConnection["run"]>[1]; types?: Parameters<DuckDBConnection["run"]>[2] },
): Promise<Reading[]> {
  const metrics = METRICS_OF[kind];
  const result = await connection.run(selectReadings(rows, metrics), bound.values, bound.types);
  return (await result.fetchAllChunks()).flatMap(createReadingDecoder(kind, metrics));
}
