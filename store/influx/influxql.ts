import { KINDS, type Kind } from "../../model/kinds.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { AggregateQuery, CountFilter, RangeQuery, ReadingKey, RollupResolution } from "../reading-store.ts";

/** A query text made of fixed words and names of closed sets, and the values bound to its `$` places. */
export type BoundQuery = { readonly text: string; readonly values: Readonly<Record<string, string>> };

/** InfluxDB counts in nanoseconds of 64 bits: times beyond (1677, 2262) are cut to the ends. */
const TIME_MS_MAX = 9_223_372_036_854;

export function toTime(ms: number): string {
  return new Date(Math.ceil(Math.min(TIME_MS_MAX, Math.max(-TIME_MS_MAX, ms)))).toISOString();
}

function where(query: Omit<RangeQuery, "kind">): BoundQuery {
  const values: Record<string, string> = { from: toTime(query.from), to: toTime(query.to) };
  let text = "time >= $from AND time < $to";
  for (const tag of ["sensorId", "district"] as const) {
    const value = query[tag];
    if (value === undefined) continue;
    values[tag] = value;
    text += ` AND "${tag}" = $${tag}`;
  }
  return { text, values };
}

export function selectRange(query: RangeQuery): BoundQuery {
  const { text, values } = where(query);
  const own = ["sensorId", "district", "receivedAt", "journalSeq", "imported"];
  const names = query.metrics && [...own, ...query.metrics.flatMap((metric) => [metric, `${metric}Suspect`])];
  const columns = names ? names.map((name) => `"${name}"`).join(", ") : "*";
  return { text: `SELECT ${columns} FROM "${query.kind}" WHERE ${text} ORDER BY time`, values };
}

export function selectAggregates(query: RangeQuery & { everyMs: number }, metrics: readonly MetricName[]): BoundQuery {
  const columns = metrics.flatMap((metric) => ["mean", "min", "max", "count"].map((name) => `${name}("${metric}")`));
  return selectBuckets(query, query.kind, columns);
}

/** The same four columns, from rollups: a sum where the mean would be. */
export function selectRollups(
  query: AggregateQuery,
  resolution: RollupResolution,
  metrics: readonly MetricName[],
): BoundQuery {
  const columns = metrics.flatMap((m) => [`sum("${m}Sum")`, `min("${m}Min")`, `max("${m}Max")`, `sum("${m}Count")`]);
  return selectBuckets(query, `${query.kind}_${resolution}`, columns);
}

function selectBuckets(
  query: RangeQuery & { everyMs: number },
  measurement: string,
  columns: readonly string[],
): BoundQuery {
  // A duration cannot be bound, so it must be a number for sure.
  if (!Number.isSafeInteger(query.everyMs) || query.everyMs < 1) throw new RangeError("everyMs must be whole, above 0");
  const { text, values } = where(query);
  const grouped = `GROUP BY time(${query.everyMs}ms) fill(none)`;
  return { text: `SELECT ${columns.join(", ")} FROM "${measurement}" WHERE ${text} ${grouped}`, values };
}

export function selectNewest(kind: Kind): string {
  return `SELECT * FROM "${kind}" GROUP BY "sensorId", "district" ORDER BY time DESC LIMIT 1`;
}

/** Keys of one sensor nearer than this are asked for as one range: an index look-up costs more than some rows. */
const SAME_RANGE_MS = 60_000;
const STATEMENTS_MAX = 500;

/** The keys as ranges of one sensor each, many statements to a request. Answers may hold more than was asked for. */
export function selectKeys(kind: Kind, keys: readonly ReadingKey[]): BoundQuery[] {
  const ranges: { sensorId: string; from: number; to: number }[] = [];
  for (const [sensorId, ofSensor] of Map.groupBy(keys, (key) => key.sensorId)) {
    const times = ofSensor.map((key) => key.measuredAt).sort((a, b) => a - b);
    for (const time of times) {
      const last = ranges.at(-1);
      if (last?.sensorId === sensorId && time - last.to <= SAME_RANGE_MS) last.to = time;
      else ranges.push({ sensorId, from: time, to: time });
    }
  }
  const requests: BoundQuery[] = [];
  for (let start = 0; start < ranges.length; start += STATEMENTS_MAX) {
    requests.push(selectRanges(kind, ranges.slice(start, start + STATEMENTS_MAX)));
  }
  return requests;
}

function selectRanges(kind: Kind, ranges: readonly { sensorId: string; from: number; to: number }[]): BoundQuery {
  const values: Record<string, string> = {};
  const statements = ranges.map((range, n) => {
    values[`s${n}`] = range.sensorId;
    values[`a${n}`] = toTime(range.from);
    values[`b${n}`] = toTime(range.to);
    return `SELECT * FROM "${kind}" WHERE "sensorId" = $s${n} AND time >= $a${n} AND time <= $b${n}`;
  });
  return { text: statements.join("; "), values };
}

export function selectCount(sensorId: string | undefined): BoundQuery {
  const text = `SELECT count("journalSeq") FROM ${KINDS.map((kind) => `"${kind}"`).join(", ")}`;
  if (sensorId === undefined) return { text, values: {} };
  return { text: `${text} WHERE "sensorId" = $sensorId`, values: { sensorId } };
}

export function selectCountBySensor({ seqBefore, past }: CountFilter): BoundQuery {
  // A number of ours, as a literal: bound values are strings here.
  if (seqBefore !== undefined && !Number.isSafeInteger(seqBefore)) throw new RangeError("seqBefore must be whole");
  const kinds = (past ? [past.kind] : KINDS).map((kind) => `"${kind}"`).join(", ");
  const conditions = [
    ...(seqBefore === undefined ? [] : [`"journalSeq" < ${seqBefore}`]),
    ...(past ? ["time < $time"] : []),
  ];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(" AND ")}` : "";
  const text = `SELECT count("journalSeq") FROM ${kinds}${where} GROUP BY "sensorId"`;
  return { text, values: past ? { time: toTime(past.time) } : {} };
}

export function deleteBefore(kind: Kind, time: number): BoundQuery {
  return { text: `DELETE FROM "${kind}" WHERE time < $time`, values: { time: toTime(time) } };
}

/** One point an hour at most; the newest counts. */
export const SELECT_SENTINEL: BoundQuery = {
  text: 'SELECT "life", "booked" FROM "lamppost_mark" ORDER BY time DESC LIMIT 1',
  values: {},
};

/** Costs nothing and fails where a real question would: wrong account, no such database. */
export const PROBE: BoundQuery = {
  text: `SELECT "journalSeq" FROM "${KINDS[0]}" WHERE time >= now() - 1m LIMIT 1`,
  values: {},
};

export function selectCountByDay(kind: Kind, range: { readonly from: number; readonly to: number }): BoundQuery {
  const { text, values } = where(range);
  const grouped = 'GROUP BY time(1d), "sensorId" fill(none)';
  return { text: `SELECT count("journalSeq") FROM "${kind}" WHERE ${text} ${grouped}`, values };
}
