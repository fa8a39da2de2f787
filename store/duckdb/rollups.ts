import { BIGINT, type DuckDBConnection, type DuckDBValue, VARCHAR } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { DAY_MS, HOUR_MS, startOfDay } from "../../model/time.ts";
import { SUM_SLACK } from "../known-values.ts";
import {
  type Aggregate,
  type AggregateQuery,
  type Bucket,
  lateSlot,
  type RollupPart,
  type RollupResolution,
  type RollupRow,
  type RollupSpan,
  type RollupStore,
  type RollupsOfSensor,
} from "../reading-store.ts";
import type { Database } from "./instance.ts";
import { goodValue, toBigInt } from "./schema.ts";

/**
 * Long: one row for each sensor, part and metric. A wide table would be four columns for every metric a kind could have,
 * most of them empty. Sums, not means, so that rows compose to longer steps without loss.
 */
const COLUMNS = [
  "sensorId VARCHAR NOT NULL",
  "district VARCHAR NOT NULL",
  "start BIGINT NOT NULL",
  "receivedDay BIGINT NOT NULL",
  "metric VARCHAR NOT NULL",
  "sum DOUBLE NOT NULL",
  "min DOUBLE NOT NULL",
  "max DOUBLE NOT NULL",
  "count BIGINT NOT NULL",
].join(", ");

const tableOf = (kind: Kind, resolution: RollupResolution) => `${kind}_${resolution}`;
/** `column` rounded down, also before 1970 (the `%` of SQL keeps the sign). */
const floor = (column: string, step: number | string) => `(${column} - ((${column} % ${step}) + ${step}) % ${step})`;

export async function createRollupTables(connection: DuckDBConnection): Promise<void> {
  for (const kind of KINDS) {
    for (const resolution of ["hourly", "daily"] as const)
      await connection.run(`CREATE TABLE IF NOT EXISTS ${tableOf(kind, resolution)} (${COLUMNS})`);
  }
}

/** Raw readings and rollups are removed by day of receipt, so a part is there in full or gone. */
export function createRollups(database: Database): RollupStore {
  return {
    compute: (span) => database.writer.use((connection) => compute(connection, span)),
    aggregate: (query, resolution) =>
      database.reader().use((connection) => aggregate(connection, query, resolution), query.signal),
    parts: (kind) => database.reader().use((connection) => partsOf(connection, kind)),
    async days(kind, resolution, before) {
      const sql = `SELECT DISTINCT CAST(${floor("start", DAY_MS)} AS DOUBLE) AS day FROM ${tableOf(kind, resolution)}
        WHERE start < ${toBigInt(before)} ORDER BY day`;
      const rows = await database.reader().use(async (connection) => (await connection.run(sql)).getRows());
      return rows.map(([day]) => Number(day));
    },
    read: (kind, resolution, day) =>
      database.reader().use((connection) => readDay(connection, tableOf(kind, resolution), day)),
    write: (kind, resolution, day, rows) =>
      database.writer.use((connection) => writeDay(connection, tableOf(kind, resolution), day, rows)),
    replace: (place, rows) => database.writer.use((connection) => replaceRows(connection, place, rows)),
    async deleteBefore(kind, resolution, time) {
      const table = tableOf(kind, resolution);
      const sql = `DELETE FROM ${table} WHERE start < CAST($time AS BIGINT) AND receivedDay < CAST($time AS BIGINT)`;
      const { rowsChanged } = await database.writer.use((connection) => connection.run(sql, { time: toBigInt(time) }));
      return rowsChanged;
    },
  };
}

async function compute(connection: DuckDBConnection, span: RollupSpan): Promise<void> {
  const { kind, resolution, receivedDay } = span;
  const target = tableOf(kind, resolution);
  // Numbers of ours as literals: parameters do not go through an UNPIVOT.
  const [from, to] = [toBigInt(span.from), toBigInt(span.to)];
  const { rawFrom = Number.NEGATIVE_INFINITY } = resolution === "hourly" ? span : {};
  const isLate = receivedDay < rawFrom;
  const day = toBigInt(isLate ? lateSlot(rawFrom) : receivedDay);
  const received = isLate
    ? `receivedAt < ${toBigInt(rawFrom)}`
    : `receivedAt >= ${day} AND receivedAt < ${day + BigInt(DAY_MS)}`;
  const rows = resolution === "hourly" ? hourlyRows(kind, from, to, day, received) : dailyRows(kind, from, to, day);
  await connection.run("BEGIN");
  try {
    await connection.run(`CREATE OR REPLACE TEMP TABLE computed AS ${rows}`);
    if (span.from < rawFrom && !isLate) await leaveOutKnown(connection, target, rawFrom);
    // Below the cut what was left out just now may have been counted before: then it stays.
    const again =
      span.from < rawFrom
        ? "(sensorId, start, metric) IN (SELECT (sensorId, start, metric) FROM computed)"
        : "start IN (SELECT start FROM computed)";
    await connection.run(`DELETE FROM ${target} WHERE start >= ${from} AND start < ${to} AND receivedDay = ${day}
      AND ${again}`);
    await connection.run(`INSERT INTO ${target} SELECT * FROM computed`);
    await connection.run("DROP TABLE computed");
    await connection.run("COMMIT");
  } catch (error) {
    await connection.run("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** In the words of `../known-values.ts`. */
async function leaveOutKnown(connection: DuckDBConnection, target: string, rawFrom: number): Promise<void> {
  const cut = toBigInt(rawFrom);
  await connection.run(`CREATE OR REPLACE TEMP TABLE known AS
    SELECT sensorId, start, metric, CAST(sum("count") AS BIGINT) AS n, sum("sum") AS total, min("min") AS lo, max("max") AS hi
    FROM ${target} AS o WHERE receivedDay < ${cut} AND start < ${cut}
      AND EXISTS (SELECT 1 FROM computed AS c WHERE c.sensorId = o.sensorId AND c.start = o.start AND c.metric = o.metric)
    GROUP BY ALL`);
  const same = "k.sensorId = c.sensorId AND k.start = c.start AND k.metric = c.metric";
  await connection.run(`DELETE FROM computed AS c USING known AS k
    WHERE ${same} AND n >= c."count" AND lo <= c."min" AND hi >= c."max"`);
  const rest = `(c."sum" - total)`;
  const slack = `${SUM_SLACK} * (1 + abs(c."sum") + abs(total))`;
  const isOne = `abs(c."min" - least(lo, ${rest})) <= ${slack} AND abs(c."max" - greatest(hi, ${rest})) <= ${slack}`;
  const isMean = `${rest} / (c."count" - n) BETWEEN c."min" - ${slack} AND c."max" + ${slack}`;
  await connection.run(`UPDATE computed AS c SET "sum" = ${rest}, "count" = c."count" - n FROM known AS k
    WHERE ${same} AND n < c."count" AND lo >= c."min" AND hi <= c."max"
      AND CASE WHEN c."count" = n + 1 THEN ${isOne} ELSE (lo = c."min" OR hi = c."max") AND ${isMean} END`);
  await connection.run("DROP TABLE known");
}

/** Grouped while wide and then turned: three times as fast as the other way round. */
function hourlyRows(kind: Kind, from: bigint, to: bigint, day: bigint, received: string): string {
  const metrics = METRICS_OF[kind].map((metric) => `"${metric}"`);
  const sums = metrics.map(
    (m) => `{'sum': sum(${m}), 'min': min(${m}), 'max': max(${m}), 'count': count(${m})} AS ${m}`,
  );
  const good = METRICS_OF[kind].map((metric) => `, ${goodValue(metric)} AS "${metric}"`).join("");
  const wide = `SELECT sensorId, district, start, ${sums.join(", ")}
    FROM (SELECT sensorId, district, ${floor("measuredAt", HOUR_MS)} AS start${good}
      FROM ${kind} WHERE measuredAt >= ${from} AND measuredAt < ${to}
        AND ${received}) GROUP BY ALL`;
  return `SELECT sensorId, district, start, CAST(${day} AS BIGINT) AS receivedDay, metric, v.sum, v.min, v.max, v.count
    FROM (UNPIVOT (${wide}) ON ${metrics.join(", ")} INTO NAME metric VALUE v) WHERE v.count > 0`;
}

function dailyRows(kind: Kind, from: bigint, to: bigint, day: bigint): string {
  return `SELECT sensorId, district, ${floor("hours.start", DAY_MS)} AS start, receivedDay, metric,
      sum(hours.sum) AS sum, min(hours.min) AS min, max(hours.max) AS max, CAST(sum(hours.count) AS BIGINT) AS count
    FROM ${tableOf(kind, "hourly")} AS hours
    WHERE hours.start >= ${from} AND hours.start < ${to} AND receivedDay = ${day} GROUP BY ALL`;
}

async function aggregate(
  connection: DuckDBConnection,
  query: AggregateQuery,
  resolution: RollupResolution,
): Promise<Bucket[]> {
  const metrics = METRICS_OF[query.kind].filter((metric) => query.metrics?.includes(metric) ?? true);
  if (metrics.length === 0) return [];
  const values: Record<string, DuckDBValue> = {
    from: toBigInt(query.from),
    to: toBigInt(query.to),
    every: toBigInt(query.everyMs),
    sensorId: query.sensorId,
  };
  const types = { from: BIGINT, to: BIGINT, every: BIGINT, sensorId: VARCHAR, district: VARCHAR };
  if (query.district !== undefined) values.district = query.district;
  const sql = `SELECT CAST(${floor("rows.start", "$every")} AS DOUBLE) AS bucket, metric,
      sum(rows.sum) / sum(rows.count), min(rows.min), max(rows.max), CAST(sum(rows.count) AS DOUBLE)
    FROM ${tableOf(query.kind, resolution)} AS rows
    WHERE rows.start >= $from AND rows.start < $to AND sensorId = $sensorId
      ${query.district === undefined ? "" : "AND district = $district"}
      AND metric IN (${metrics.map((metric) => `'${metric}'`).join(", ")})
    GROUP BY 1, 2 ORDER BY 1`;
  const rows = await (await connection.run(sql, values, types)).getRows();
  return toBuckets(rows as [number, MetricName, number, number, number, number][], metrics, resolution);
}

function toBuckets(
  rows: readonly (readonly [number, MetricName, number, number, number, number])[],
  metrics: readonly MetricName[],
  resolution: RollupResolution,
): Bucket[] {
  return [...Map.groupBy(rows, (row) => row[0])].map(([start, ofBucket]) => {
    const found = new Map<MetricName, Aggregate>(
      ofBucket.map(([, metric, mean, min, max, count]) => [metric, { mean, min, max, count }]),
    );
    const values = Object.fromEntries(metrics.flatMap((name) => (found.has(name) ? [[name, found.get(name)]] : [])));
    return { start, values, resolution };
  });
}

/** Millions of times and counts fit into a DOUBLE exactly. */
async function readDay(connection: DuckDBConnection, table: string, day: number): Promise<RollupRow[]> {
  const sql = `SELECT sensorId, district, CAST(start AS DOUBLE), CAST(receivedDay AS DOUBLE), metric, sum, min, max,
      CAST(count AS DOUBLE) FROM ${table} WHERE start >= ${toBigInt(day)} AND start < ${toBigInt(day + DAY_MS)}
    ORDER BY start, sensorId, district, receivedDay`;
  const rows = (await (await connection.run(sql)).getRows()) as [string, string, number, number, string, ...number[]][];
  const found = Map.groupBy(rows, (row) => row.slice(0, 4).join(" "));
  return Array.from(found.values(), (ofOne) => {
    const [sensorId, district, start, receivedDay] = ofOne[0]!;
    const values = Object.fromEntries(
      ofOne.map(([, , , , metric, sum, min, max, count]) => [metric, { sum, min, max, count }]),
    );
    return { sensorId, district, start, receivedDay, values } as RollupRow;
  });
}

async function writeDay(
  connection: DuckDBConnection,
  table: string,
  day: number,
  rows: readonly RollupRow[],
): Promise<void> {
  await connection.run("BEGIN");
  try {
    await connection.run(`DELETE FROM ${table} WHERE start >= ${toBigInt(day)} AND start < ${toBigInt(day + DAY_MS)}`);
    await appendRows(connection, table, rows);
    await connection.run("COMMIT");
  } catch (error) {
    await connection.run("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function appendRows(connection: DuckDBConnection, table: string, rows: readonly RollupRow[]): Promise<void> {
  const appender = await connection.createAppender(table);
  for (const { sensorId, district, start, receivedDay = startOfDay(start), values } of rows) {
    for (const [metric, { sum, min, max, count }] of Object.entries(values)) {
      appender.appendVarchar(sensorId);
      appender.appendVarchar(district);
      appender.appendBigInt(toBigInt(start));
      appender.appendBigInt(toBigInt(receivedDay));
      appender.appendVarchar(metric);
      for (const number of [sum, min, max]) appender.appendDouble(number);
      appender.appendBigInt(toBigInt(count));
      appender.endRow();
    }
  }
  appender.closeSync();
}

async function replaceRows(
  connection: DuckDBConnection,
  { kind, resolution, sensorId, spans, receivedDay, keepBefore }: RollupsOfSensor,
  rows: readonly RollupRow[],
): Promise<void> {
  const table = tableOf(kind, resolution);
  const places = spans.map(({ from, to }) => `(start >= ${toBigInt(from)} AND start < ${toBigInt(to)})`);
  const conditions = [
    "sensorId = $sensorId",
    `(${places.join(" OR ")})`,
    ...(receivedDay === undefined ? [] : [`receivedDay = ${toBigInt(receivedDay)}`]),
    ...(isTime(keepBefore) ? [`(start >= ${toBigInt(keepBefore)} OR receivedDay >= ${toBigInt(keepBefore)})`] : []),
  ];
  await connection.run("BEGIN");
  try {
    await connection.run(`DELETE FROM ${table} WHERE ${conditions.join(" AND ")}`, { sensorId });
    await appendRows(connection, table, rows);
    await connection.run("COMMIT");
  } catch (error) {
    await connection.run("ROLLBACK").catch(() => {});
    throw error;
  }
}

const isTime = (time: number | undefined): time is number => Number.isFinite(time);

async function partsOf(connection: DuckDBConnection, kind: Kind): Promise<RollupPart[]> {
  const sql = `SELECT DISTINCT CAST(${floor("measuredAt", HOUR_MS)} AS DOUBLE), CAST(${floor("receivedAt", DAY_MS)} AS DOUBLE)
    FROM ${kind}`;
  const rows = (await (await connection.run(sql)).getRows()) as [number, number][];
  return rows.map(([start, receivedDay]) => ({ kind, resolution: "hourly", start, receivedDay }));
}
