import { BIGINT, type DuckDBType, type DuckDBValue, VARCHAR } from "@duckdb/node-api";
import type { MetricName } from "../../model/metrics.ts";
import type { RangeQuery } from "../reading-store.ts";

/** A condition with its bound values: nothing from outside ever stands in the text. */
type Where = {
  readonly text: string;
  readonly values: Record<string, DuckDBValue>;
  readonly types: Record<string, DuckDBType>;
};

/** Times are bound as BIGINT: compared as DOUBLE, DuckDB could not skip the parts of the file outside the range. */
export function whereRange(query: Omit<RangeQuery, "kind">): Where {
  const parts = ["measuredAt >= $from", "measuredAt < $to"];
  const values: Record<string, DuckDBValue> = { from: toBigInt(query.from), to: toBigInt(query.to) };
  const types: Record<string, DuckDBType> = { from: BIGINT, to: BIGINT };
  for (const name of ["sensorId", "district"] as const) {
    const value = query[name];
    if (value === undefined) continue;
    parts.push(`${name} = $${name}`);
    values[name] = value;
    types[name] = VARCHAR;
  }
  if (query.metrics) parts.push(hasOneOf(query.metrics));
  return { text: parts.join(" AND "), values, types };
}

function hasOneOf(metrics: readonly MetricName[]): string {
  if (metrics.length === 0) return "false";
  return `(${metrics.map((metric) => `"${metric}" IS NOT NULL`).join(" OR ")})`;
}

/** A row's value of a metric, or NULL where it is flagged as suspect: means and extremes are of good values. */
export function goodValue(metric: MetricName): string {
  // A CASE looks at the list only where there is one, which is rare.
  return `CASE WHEN suspect IS NULL THEN "${metric}"
    WHEN list_contains(string_split(suspect, ','), '${metric}') THEN NULL ELSE "${metric}" END`;
}

/** `measuredAt` rounded down to a multiple of `$every`, also before 1970 (the `%` of SQL keeps the sign). */
export const BUCKET_START = "(measuredAt - ((measuredAt % $every) + $every) % $every)";

/** The first whole millisecond at or after `ms`; infinities become the ends of the exact numbers. */
export function toBigInt(ms: number): bigint {
  return BigInt(Math.ceil(Math.min(Number.MAX_SAFE_INTEGER, Math.max(-Number.MAX_SAFE_INTEGER, ms))));
}
