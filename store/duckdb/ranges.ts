import { BIGINT, type DuckDBConnection, type DuckDBValue } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { joinParts } from "../moments.ts";
import type { Bucket, CountFilter, DayFilter, RangeQuery } from "../reading-store.ts";
import type { Database } from "./instance.ts";
import { createReadingDecoder, selectReadings } from "./rows.ts";
import { BUCKET_START, goodValue, toBigInt, whereRange } from "./schema.ts";

/** Rows read at once by `scan`: about 40 MB while a slice is sorted and read. */
const SLICE_ROWS_MAX = 200_000;
/** By `stream`: one chunk of the port. Many read at the same time, each as slowly as it likes. */
const CHUNK_ROWS_MAX = 5_000;

export type Slice = { readonly from: number; readonly to: number };

/** Metrics asked for that this kind has: anything else has no column. */
function metricsOf(query: RangeQuery): readonly MetricName[] {
  const { metrics } = query;
  return metrics ? METRICS_OF[query.kind].filter((metric) => metrics.includes(metric)) : METRICS_OF[query.kind];
}

const narrowed = (query: RangeQuery): RangeQuery => (query.metrics ? { ...query, metrics: metricsOf(query) } : query);

/**
 * Slice after slice in time, each with its own query. One streaming result would sort the whole range first and keep a
 * connection and a snapshot for as long as the reader takes; so memory is bounded and a slow reader holds nothing.
 */
export async function* streamRange(database: Database, asked: RangeQuery): AsyncGenerator<readonly Reading[]> {
  const query = narrowed(asked);
  for (const slice of await planSlices(database, query)) {
    const metrics = metricsOf(query);
    const decode = createReadingDecoder(query.kind, metrics);
    const where = whereRange({ ...query, ...slice });
    const rows = `SELECT * FROM ${query.kind} WHERE ${where.text}`;
    const sql = selectReadings(rows, metrics, "ORDER BY measuredAt, journalSeq");
    const chunks = await database
      .reader()
      .use(async (connection) => (await connection.run(sql, where.values, where.types)).fetchAllChunks(), query.signal);
    const rowsOfSlice = chunks.flatMap(decode);
    // A slice has all of a moment.
    const readings = query.byMessage ? rowsOfSlice : joinParts(rowsOfSlice);
    for (let from = 0; from < readings.length; from += CHUNK_ROWS_MAX)
      yield readings.slice(from, from + CHUNK_ROWS_MAX);
  }
}

async function planSlices(database: Database, query: RangeQuery): Promise<Slice[]> {
  const where = whereRange(query);
  const sql = `SELECT CAST(${BUCKET_START} AS DOUBLE), CAST(count(*) AS DOUBLE)
    FROM ${query.kind} WHERE ${where.text} GROUP BY 1 ORDER BY 1`;
  const hours = await database.reader().use(async (connection) => {
    const values = { ...where.values, every: BigInt(HOUR_MS) };
    return (await connection.run(sql, values, { ...where.types, every: BIGINT })).getRows();
  }, query.signal);
  return packSlices(hours as [number, number][], CHUNK_ROWS_MAX).map(({ from, to }) => ({
    from: Math.max(from, query.from),
    to: Math.min(to, query.to),
  }));
}

/** Joins hours (start, rows) up to the limit and cuts those above it into equal parts. */
export function packSlices(hours: readonly (readonly [number, number])[], rowsMax = SLICE_ROWS_MAX): Slice[] {
  const slices: Slice[] = [];
  let rowsInLast = Number.POSITIVE_INFINITY;
  for (const [start, rows] of hours) {
    if (rowsInLast + rows <= rowsMax) {
      slices.push({ from: slices.pop()!.from, to: start + HOUR_MS });
      rowsInLast += rows;
      continue;
    }
    const parts = Math.min(Math.ceil(rows / rowsMax), HOUR_MS);
    const edge = (part: number) => start + Math.floor((HOUR_MS * part) / parts);
    for (let part = 0; part < parts; part += 1) slices.push({ from: edge(part), to: edge(part + 1) });
    rowsInLast = rows / parts;
  }
  return slices;
}

const AGGREGATES = ["avg", "min", "max", "count"] as const;

/** Mean, minimum, maximum and count of each metric in buckets aligned to the epoch. */
export async function aggregateRange(
  database: Database,
  asked: RangeQuery & { readonly everyMs: number },
): Promise<Bucket[]> {
  const query = narrowed(asked);
  const metrics = metricsOf(query);
  const where = whereRange(query);
  const good = metrics.map((metric) => `, ${goodValue(metric)} AS "${metric}"`).join("");
  const columns = metrics.flatMap((metric) => AGGREGATES.map((name) => `CAST(${name}("${metric}") AS DOUBLE)`));
  const sql = `SELECT ${["CAST(start AS DOUBLE)", ...columns].join(", ")}
    FROM (SELECT ${BUCKET_START} AS start${good} FROM ${query.kind} WHERE ${where.text}) GROUP BY 1 ORDER BY 1`;
  const rows = await database.reader().use(async (connection) => {
    const values = { ...where.values, every: toBigInt(asked.everyMs) };
    return (await connection.run(sql, values, { ...where.types, every: BIGINT })).getRows();
  }, query.signal);
  const buckets = rows.map((row) => toBucket(row as number[], metrics));
  return buckets.filter(({ values }) => Object.keys(values).length > 0);
}

function toBucket(row: readonly number[], metrics: readonly MetricName[]): Bucket {
  const values: Record<string, Bucket["values"][MetricName]> = {};
  for (const [index, metric] of metrics.entries()) {
    const [mean, min, max, count] = row.slice(1 + index * AGGREGATES.length) as [number, number, number, number];
    if (count > 0) values[metric] = { mean, min, max, count };
  }
  return { start: row[0]!, values };
}

export async function countRows(connection: DuckDBConnection, sensorId: string | undefined): Promise<number> {
  const where = `WHERE part IS NULL ${sensorId === undefined ? "" : "AND sensorId = $sensorId"}`;
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
