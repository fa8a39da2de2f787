import { setImmediate as immediate } from "node:timers/promises";
import {
  BIGINT,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBValue,
  type DuckDBVector,
  LIST,
  listValue,
  VARCHAR,
} from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Quality, Reading, Values } from "../../model/reading.ts";
import { joinMoment } from "../moments.ts";
import type { ReadingKey, StoredReading } from "../reading-store.ts";
import { type RareColumn, toBigInt } from "./schema.ts";

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
    "clock IS NOT NULL OR seq IS NOT NULL OR raw IS NOT NULL OR part IS NOT NULL",
    "clock",
    "COALESCE(CAST(seq AS DOUBLE), 'NaN')",
    "raw",
    "COALESCE(part, 0)",
    ...metrics.map((metric) => `COALESCE("${metric}", 'NaN')`),
  ];
  return `WITH picked AS MATERIALIZED (${rows}), names AS (
      SELECT sensorId, district, CAST(row_number() OVER () AS INTEGER) AS number
      FROM (SELECT DISTINCT sensorId, district FROM picked))
    SELECT ${columns.join(", ")}
    FROM picked JOIN names ON picked.sensorId = names.sensorId AND picked.district = names.district ${orderBy}`;
}

const METRICS_FROM = 14;

/** Turns the chunks of one `selectReadings` result into readings, at most 2,048 at a time. */
export function createReadingDecoder(kind: Kind, metrics: readonly MetricName[]) {
  const names: { sensorId: string; district: string }[] = [];
  return function decode(chunk: DuckDBDataChunk): Reading[] {
    const columns = Array.from({ length: METRICS_FROM }, (_, index) => chunk.getColumnVector(index));
    const [number, sensorId, district, measuredAt, receivedAt, journalSeq, hasSuspect, suspect, imported] = columns;
    const [hasRare, clock, seq, raw, part] = columns.slice(9);
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
      const isPlain = !hasSuspect!.getItem(row) && !imported!.getItem(row);
      const flagged = isPlain
        ? reading
        : withFlags(reading, imported!.getItem(row) === true, suspect!.getItem(row) as string | null, metrics);
      if (!hasRare!.getItem(row)) return flagged;
      const counted = seq!.getItem(row) as number;
      const told = raw!.getItem(row) as string | null;
      return {
        ...flagged,
        ...(clock!.getItem(row) === true && { clock: true }),
        ...(!Number.isNaN(counted) && { seq: counted }),
        ...(told !== null && rawOf(told, metrics)),
        ...(part!.getItem(row) !== 0 && { part: part!.getItem(row) as number }),
      };
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

/** As it was written, of the metrics that were asked for. */
export function rawOf(text: string, metrics: readonly MetricName[]): { readonly raw?: Values } {
  const all = Object.entries(JSON.parse(text) as Values).filter(([metric]) => metrics.includes(metric as MetricName));
  return all.length > 0 ? { raw: Object.fromEntries(all) } : {};
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

/** The stored reading of each key, in the order of the keys. Of what doubled rows both have the first to arrive counts. */
export async function findKeys(
  connection: DuckDBConnection,
  kind: Kind,
  keys: readonly ReadingKey[],
): Promise<(StoredReading | undefined)[]> {
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
  const found = new Map<string, Reading[]>();
  for (const reading of await readAll(connection, kind, rows, { values, types })) {
    const key = keyText(reading);
    const others = found.get(key);
    if (others) others.push(reading);
    else found.set(key, [reading]);
  }
  return keys.map((key) => {
    const ofMoment = found.get(keyText(key));
    return ofMoment && joinMoment(ofMoment.toSorted((a, b) => a.journalSeq - b.journalSeq));
  });
}

const keyText = (key: ReadingKey) => `${key.measuredAt} ${key.sensorId}`;

/** The newest reading of every sensor of a kind: one pass over two columns, then the rows themselves. */
export async function newestReadings(connection: DuckDBConnection, kind: Kind): Promise<Reading[]> {
  const rows = `SELECT stored.* FROM ${kind} AS stored
    JOIN (SELECT sensorId, max(measuredAt) AS at FROM ${kind} GROUP BY sensorId) AS newest
      ON stored.sensorId = newest.sensorId AND stored.measuredAt = newest.at`;
  return readAll(connection, kind, rows, {});
}

/** For each sensor the times, from `from` on, at which some metric came last. */
export async function lastTimes(connection: DuckDBConnection, kind: Kind, from: number): Promise<ReadingKey[]> {
  const last = METRICS_OF[kind].map((metric) => `max(measuredAt) FILTER ("${metric}" IS NOT NULL)`);
  const sql = `SELECT sensorId, unnest(list_distinct([${last.join(", ")}])) FROM ${kind}
    WHERE measuredAt >= $from GROUP BY sensorId`;
  const result = await connection.run(sql, { from: toBigInt(from) }, { from: BIGINT });
  const rows = (await result.getRows()) as [string, bigint][];
  return rows.map(([sensorId, time]) => ({ sensorId, measuredAt: Number(time) }));
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

/** DuckDB's vector size: a chunk has no more rows. */
const CHUNK_ROWS = 2_048;
/** Then others on the thread have their turn: it is a millisecond or two. */
const ROWS_AT_ONCE = 256;
const FIXED = ["sensorId", "district", "measuredAt", "receivedAt", "journalSeq", "suspect", "imported"] as const;

/**
 * Rows by the chunk instead of by the value. Sensors fill a few of a table's many metric columns; appending a NULL for
 * each of the others was the largest single cost of ingest. Here a column is NULL from the start, a row sets what it
 * has, and afterwards takes that back. Worth it for full chunks only. `names` as they stand after the fixed columns.
 */
function createRowChunk(appender: DuckDBAppender, names: LaterColumns[Kind]) {
  const types = Array.from({ length: appender.columnCount }, (_, column) => appender.columnType(column));
  const chunk = DuckDBDataChunk.create(types, CHUNK_ROWS);
  const vectors = types.map((_, column) => chunk.getColumnVector(column));
  const [sensorId, district, measuredAt, receivedAt, journalSeq, suspect, imported] = vectors as DuckDBVector[];
  const vectorOf = new Map<string, DuckDBVector>(names.map((name, i) => [name, vectors[FIXED.length + i]!]));
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
    if (isRare(reading))
      for (const name of RARE) {
        const cell = RARE_CELLS[name](reading);
        if (cell !== undefined) vectorOf.get(name)!.setItem(row, cell);
      }
  }

  function clearRow(row: number, reading: Reading): void {
    if (reading.quality) suspect!.setItem(row, null);
    for (const metric in reading.values) vectorOf.get(metric)!.setItem(row, null);
    if (isRare(reading)) for (const name of RARE) vectorOf.get(name)!.setItem(row, null);
  }

  /** Appends `readings[from]` … `readings[from + CHUNK_ROWS - 1]`. */
  async function append(to: DuckDBAppender, readings: readonly Reading[], from: number): Promise<void> {
    for (let row = 0; row < CHUNK_ROWS; row++) {
      if (row % ROWS_AT_ONCE === 0) await immediate();
      setRow(row, readings[from + row]!);
    }
    try {
      for (const vector of vectors) vector.flush();
      to.appendDataChunk(chunk);
    } finally {
      for (let row = 0; row < CHUNK_ROWS; row++) clearRow(row, readings[from + row]!);
    }
  }

  return { append };
}

type RowChunk = ReturnType<typeof createRowChunk>;

/** For each kind the columns as they stand in the file, after the fixed ones. */
export type LaterColumns = Readonly<Record<Kind, readonly (MetricName | RareColumn)[]>>;

function isRare({ seq, clock, raw, part }: Reading): boolean {
  return seq !== undefined || clock !== undefined || raw !== undefined || part !== undefined;
}

const RARE_CELLS = {
  clock: ({ clock }: Reading) => clock,
  seq: ({ seq }: Reading) => (seq === undefined ? undefined : BigInt(seq)),
  raw: ({ raw }: Reading) => raw && JSON.stringify(raw),
  part: ({ part }: Reading) => part,
} satisfies Record<RareColumn, (reading: Reading) => DuckDBValue | undefined>;
const RARE = Object.keys(RARE_CELLS) as readonly RareColumn[];

/**
 * Answers how to append: all or nothing over all kinds, and on disk when it resolves. An appender's flush inside a
 * transaction becomes durable with the COMMIT (checked by killing the process: test/contract/duckdb.test.ts).
 */
export function createAppend(columns: LaterColumns) {
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
        await chunkOf(kind, appender).append(appender, readings, from);
      for (; from < readings.length; from++) {
        if (from % ROWS_AT_ONCE === 0) await immediate();
        appendRow(appender, readings[from]!, columns[kind]);
      }
      await immediate();
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

function appendRow(appender: DuckDBAppender, reading: Reading, names: LaterColumns[Kind]): void {
  appender.appendVarchar(reading.sensorId);
  appender.appendVarchar(reading.district);
  appender.appendBigInt(BigInt(reading.measuredAt));
  appender.appendBigInt(BigInt(reading.receivedAt));
  appender.appendBigInt(BigInt(reading.journalSeq));
  if (reading.quality) appender.appendVarchar(Object.keys(reading.quality).join(","));
  else appender.appendNull();
  appender.appendBoolean(reading.imported === true);
  const hasRare = isRare(reading);
  for (const name of names) {
    const value = reading.values[name as MetricName];
    if (value !== undefined) appender.appendDouble(value);
    else if (hasRare && name in RARE_CELLS) appendRare(appender, reading, name as RareColumn);
    else appender.appendNull();
  }
  appender.endRow();
}

function appendRare(appender: DuckDBAppender, reading: Reading, name: RareColumn): void {
  const cell = RARE_CELLS[name](reading);
  if (cell === undefined) appender.appendNull();
  else if (typeof cell === "boolean") appender.appendBoolean(cell);
  else if (typeof cell === "bigint") appender.appendBigInt(cell);
  else if (typeof cell === "string") appender.appendVarchar(cell);
  else appender.appendSmallInt(cell);
}
