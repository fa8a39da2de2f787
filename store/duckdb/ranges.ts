import { BIGINT } from "@duckdb/node-api";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { HOUR_MS } from "../../model/time.ts";
import type { Bucket, RangeQuery } from "../reading-store.ts";
import type { Database } from "./connection.ts";
import { createReadingDecoder, selectReadings } from "./rows.ts";
import { BUCKET_START, goodValue, toBigInt, whereRange } from "./sql.ts";

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
    const readings = chunks.flatMap(decode);
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
