import { BIGINT, type DuckDBDataChunk, type DuckDBVector } from "@duckdb/node-api";
import type { Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Quality } from "../../model/reading.ts";
import { createOriginNumbers, FIXED, type Origin, type ReadingBlock } from "../../model/reading-block.ts";
import { HOUR_MS } from "../../model/time.ts";
import type { ScanQuery } from "../reading-store.ts";
import type { Database } from "./instance.ts";
import { packSlices, type Slice } from "./ranges.ts";
import { rawOf } from "./rows.ts";
import { BUCKET_START, whereRange } from "./schema.ts";

/** Rows of one block: enough that handing it to another thread costs nothing beside filling it. */
const BLOCK_ROWS = 16_384;

type Plan = {
  readonly slices: readonly Slice[];
  readonly metrics: ReadonlyMap<Kind, readonly MetricName[]>;
  /** Kinds with moments of several rows, and whether any reading has what few have. */
  readonly parted: ReadonlySet<Kind>;
  readonly hasRare: boolean;
};

/**
 * Slice after slice in time, as `streamRange` does and for the same reasons; the next slice is asked for while the one
 * before it is being read. Numbers go from DuckDB's columns into ours without a JavaScript value for each of them, and
 * metrics that no row of the range has are not read at all.
 */
export async function* scanBlocks(database: Database, query: ScanQuery): AsyncGenerator<ReadingBlock> {
  const plan = await planScan(database, query);
  const metrics = [...new Set([...plan.metrics.values()].flat())];
  const pack = createPacker(metrics, plan.hasRare);
  const read = (slice: Slice | undefined) => slice && readSlice(database, { ...query, ...slice }, plan, metrics);
  let next = read(plan.slices[0]);
  // Looked at only where it is awaited; leaving the loop early must not be an unhandled rejection.
  next?.catch(() => {});
  for (let i = 0; next; i += 1) {
    const chunks = await next;
    next = read(plan.slices[i + 1]);
    next?.catch(() => {});
    yield* pack(chunks);
  }
}

/** Rows by hour over the kinds, and which metrics occur. */
async function planScan(database: Database, query: ScanQuery): Promise<Plan> {
  const rowsOfHour = new Map<number, number>();
  const parted = new Set<Kind>();
  let hasRare = false;
  const metrics = new Map<Kind, readonly MetricName[]>();
  const where = whereRange(query);
  for (const kind of query.kinds) {
    const own = METRICS_OF[kind];
    const counts = own.map((metric) => `CAST(count("${metric}") AS DOUBLE)`);
    const rare = ["part", "seq", "raw"].map((name) => `CAST(count(${name}) AS DOUBLE)`);
    const sql = `SELECT CAST(${BUCKET_START} AS DOUBLE), CAST(count(*) AS DOUBLE), ${[...rare, ...counts].join(", ")}
      FROM ${kind} WHERE ${where.text} GROUP BY 1`;
    const rows = await database.reader().use(async (connection) => {
      const values = { ...where.values, every: BigInt(HOUR_MS) };
      return (await connection.run(sql, values, { ...where.types, every: BIGINT })).getRows();
    }, query.signal);
    for (const [hour, count, parts, seqs, raws] of rows as number[][]) {
      rowsOfHour.set(hour!, (rowsOfHour.get(hour!) ?? 0) + count!);
      if (parts! > 0) parted.add(kind);
      hasRare ||= seqs! + raws! > 0;
    }
    if (rows.length > 0)
      metrics.set(
        kind,
        own.filter((_, i) => rows.some((row) => (row[5 + i] as number) > 0)),
      );
  }
  const hours = [...rowsOfHour].sort(([a], [b]) => a - b);
  const clip = ({ from, to }: Slice) => ({ from: Math.max(from, query.from), to: Math.min(to, query.to) });
  return { slices: packSlices(hours).map(clip), metrics, parted, hasRare };
}

/** Rows as readings are: those of one moment joined, in the words of `store/moments.ts`. */
function rowsOf(kind: Kind, metrics: readonly MetricName[], where: string, isParted: boolean): string {
  const columns = ["suspect", "imported", "clock", "receivedAt", "journalSeq", "seq"];
  const all = [...columns, ...metrics].map((name) => `"${name}"`).join(", ");
  const rows = `SELECT sensorId, measuredAt, district, ${all}, raw FROM ${kind} WHERE ${where}`;
  if (!isParted) return rows;
  const first = (name: string) => `arg_min_null("${name}", COALESCE(part, 0)) AS "${name}"`;
  const value = (name: string) => `arg_min("${name}", COALESCE(part, 0)) AS "${name}"`;
  const raw = `CASE WHEN count(raw) > 1 THEN concat('{', string_agg(raw[2:-2], ','), '}') ELSE max(raw) END AS raw`;
  const sensors = `SELECT DISTINCT sensorId FROM ${kind} WHERE ${where} AND part IS NOT NULL`;
  return `${rows} AND sensorId NOT IN (${sensors}) UNION ALL
    SELECT sensorId, measuredAt, ${first("district")}, nullif(string_agg(suspect, ','), '') AS suspect,
      ${["imported", "clock", "receivedAt", "journalSeq", "seq"].map(first).join(", ")}
      ${metrics.map((metric) => `, ${value(metric)}`).join("")}, ${raw}
    FROM ${kind} WHERE ${where} AND sensorId IN (${sensors}) GROUP BY sensorId, measuredAt`;
}

async function readSlice(database: Database, query: ScanQuery, plan: Plan, metrics: readonly MetricName[]) {
  const where = whereRange(query);
  const rare = plan.hasRare ? ["seq", "raw"] : [];
  const parts = [...plan.metrics].map(([kind, own]) => {
    const columns = metrics.map((metric) => (own.includes(metric) ? `"${metric}"` : `NULL::DOUBLE AS "${metric}"`));
    const rows = rowsOf(kind, own, where.text, plan.parted.has(kind));
    return `SELECT '${kind}' AS kind, sensorId, district, COALESCE(suspect, '') AS suspect, imported,
      COALESCE(clock, false) AS clock, measuredAt, receivedAt, journalSeq${rare.map((name) => `, ${name}`).join("")}
      ${columns.map((column) => `, ${column}`).join("")} FROM (${rows})`;
  });
  const origin = ["kind", "sensorId", "district", "suspect", "imported", "clock"];
  const sql = `WITH picked AS MATERIALIZED (${parts.join(" UNION ALL ")}), origins AS (
      SELECT ${origin.join(", ")}, CAST(row_number() OVER () AS DOUBLE) AS number
      FROM (SELECT DISTINCT ${origin.join(", ")} FROM picked))
    SELECT origins.number, CAST(measuredAt AS DOUBLE), CAST(receivedAt AS DOUBLE), CAST(journalSeq AS DOUBLE),
      ${metrics.map((metric) => `COALESCE("${metric}", 'NaN'), `).join("")}
      ${[...origin, ...rare].map((name) => `picked.${name}`).join(", ")}
    FROM picked JOIN origins ON ${origin.map((name) => `picked.${name} = origins.${name}`).join(" AND ")}
    ORDER BY measuredAt, journalSeq`;
  return database
    .reader()
    .use(async (connection) => (await connection.run(sql, where.values, where.types)).fetchAllChunks(), query.signal);
}

/** Gathers the chunks of a slice in blocks. Lets go of each chunk before the next: it keeps its columns. */
function createPacker(metrics: readonly MetricName[], hasRare: boolean) {
  const numbers = createOriginNumbers();
  const width = FIXED.length + metrics.length;

  return function* pack(chunks: DuckDBDataChunk[]): Generator<ReadingBlock> {
    const ofSlice: number[] = [];
    while (chunks.length > 0) {
      let rows = 0;
      let count = 0;
      while (count < chunks.length && (count === 0 || rows + chunks[count]!.rowCount <= BLOCK_ROWS)) {
        rows += chunks[count]!.rowCount;
        count += 1;
      }
      const columns = new Float64Array(rows * width);
      const rare: RareOfRow[] = [];
      let row = 0;
      for (const chunk of chunks.splice(0, count)) {
        if (hasRare) rare.push(...rareOf(chunk, row, width, metrics));
        for (let i = 0; i < width; i += 1) columns.set(numbersOf(chunk.getColumnVector(i)), i * rows + row);
        renumber(chunk, columns.subarray(row, row + chunk.rowCount), ofSlice);
        row += chunk.rowCount;
      }
      yield { rows, metrics, columns, origins: numbers.takeFresh(), ...(rare.length > 0 && { rare }) };
    }
  };

  /** The query numbers its origins anew; texts are decoded for the first row of each only. */
  function renumber(chunk: DuckDBDataChunk, own: Float64Array, ofSlice: number[]): void {
    for (let row = 0; row < own.length; row += 1) {
      const number = own[row]!;
      ofSlice[number] ??= numbers.numberOf(originOf(chunk, row, width, metrics));
      own[row] = ofSlice[number];
    }
  }
}

function originOf(chunk: DuckDBDataChunk, row: number, from: number, metrics: readonly MetricName[]): Origin {
  const item = (i: number) => chunk.getColumnVector(from + i).getItem(row);
  const [kind, sensorId, district, suspect, imported, clock] = [0, 1, 2, 3, 4, 5].map(item);
  const flagged = String(suspect)
    .split(",")
    .filter((name) => metrics.includes(name as MetricName));
  const quality = Object.fromEntries(flagged.map((metric) => [metric, "suspect"])) as Quality;
  return {
    sensorId: sensorId as string,
    kind: kind as Kind,
    district: district as string,
    ...(flagged.length > 0 ? { quality } : {}),
    ...(imported === true ? { imported } : {}),
    ...(clock === true ? { clock } : {}),
  };
}

type RareOfRow = NonNullable<ReadingBlock["rare"]>[number];

/** Behind the columns of the origin. */
function rareOf(chunk: DuckDBDataChunk, from: number, width: number, metrics: readonly MetricName[]): RareOfRow[] {
  const [seqs, raws] = [chunk.getColumnVector(width + 6), chunk.getColumnVector(width + 7)];
  return Array.from({ length: chunk.rowCount }, (_, row) => {
    const [seq, raw] = [seqs.getItem(row) as bigint | null, raws.getItem(row) as string | null];
    return {
      row: from + row,
      ...(seq !== null && { seq: Number(seq) }),
      ...(raw !== null && rawOf(raw, metrics)),
    };
  }).filter((one) => "seq" in one || "raw" in one);
}

/** DuckDB's vector keeps its numbers in a typed array, which its types do not show. None of ours is ever NULL. */
function numbersOf(vector: DuckDBVector): ArrayLike<number> {
  const { items } = vector as unknown as { items?: unknown };
  return items instanceof Float64Array ? items : (vector.toArray() as number[]);
}
