import { isId } from "../../model/ids.ts";
import type { Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Bucket, RollupPart, RollupResolution, RollupSpan, RollupStore } from "../reading-store.ts";
import type { Requests, Series } from "./client.ts";
import { type BoundQuery, selectRollups, toTime } from "./influxql.ts";
import { bucketsOfSeries } from "./series.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const LINES_PER_REQUEST_MAX = 5_000;
/** A span may be a day of all sensors, and the first question after a start is asked of everything there is. */
const PATIENCE = 12;

const STEP_MS = { hourly: HOUR_MS, daily: DAY_MS } as const;

/**
 * Points of the measurements `<kind>_hourly` and `<kind>_daily`: for each metric a sum, a minimum, a maximum and a count,
 * at the start of their window, so that writing them again changes nothing. Queries of the server cannot tell days of
 * receipt apart and its deletes go by the time measured alone. So what comes in for a window after its source was removed
 * is kept as a second point beside the first: as many milliseconds later as there were days up to that removal.
 */
export function createRollups(client: Requests): RollupStore {
  return {
    byReceipt: false,
    async compute(span, cut) {
      const step = STEP_MS[span.resolution];
      let lines: string[] = [];
      const { text, values } = sourceOf(span);
      for await (const series of client.query(text, values, PATIENCE)) {
        lines.push(...linesOf(span, series, (start) => (start < cut ? start + daysUpTo(cut, start, step) : start)));
        for (; lines.length >= LINES_PER_REQUEST_MAX; lines = lines.slice(LINES_PER_REQUEST_MAX))
          await client.write(lines.slice(0, LINES_PER_REQUEST_MAX));
      }
      if (lines.length > 0) await client.write(lines);
    },
    async aggregate(query, resolution) {
      const metrics = METRICS_OF[query.kind].filter((metric) => query.metrics?.includes(metric) ?? true);
      if (metrics.length === 0) return [];
      const { text, values } = selectRollups(query, resolution, metrics);
      const parts = await Array.fromAsync(client.query(text, values));
      return parts.flatMap((series) => composedBuckets(series, metrics, resolution));
    },
    parts: (kind) => partsOf(client, kind),
    async deleteBefore(kind, resolution, time) {
      const text = `DELETE FROM "${kind}_${resolution}" WHERE time < $time`;
      await Array.fromAsync(client.query(text, { time: toTime(time) }));
      return undefined;
    },
  };
}

/** At least 1, and less than a window has milliseconds for the next ten thousand years. */
function daysUpTo(cut: number, start: number, step: number): number {
  return Math.min(step - 1, Math.ceil((cut - start) / DAY_MS));
}

function sourceOf({ kind, resolution, from, to }: RollupSpan): BoundQuery {
  const values = { from: toTime(from), to: toTime(to) };
  const grouped = `WHERE time >= $from AND time < $to
    GROUP BY time(${STEP_MS[resolution]}ms), "sensorId", "district" fill(none)`;
  const columns = METRICS_OF[kind].flatMap((metric) => {
    if (resolution === "hourly")
      return [`sum("${metric}")`, `min("${metric}")`, `max("${metric}")`, `count("${metric}")`];
    return [`sum("${metric}Sum")`, `min("${metric}Min")`, `max("${metric}Max")`, `sum("${metric}Count")`];
  });
  const source = resolution === "hourly" ? kind : `${kind}_hourly`;
  return { text: `SELECT ${columns.join(", ")} FROM "${source}" ${grouped}`, values };
}

const FIELDS = ["Sum", "Min", "Max", "Count"] as const;

function linesOf({ kind, resolution }: RollupSpan, series: Series, timeOf: (start: number) => number): string[] {
  const { sensorId = "", district = "" } = series.tags ?? {};
  // Someone else's points: what we write has both.
  if (!isId(sensorId) || !isId(district)) return [];
  return series.values.flatMap((row) => {
    const fields = METRICS_OF[kind].flatMap((metric, index) => {
      const numbers = row.slice(1 + index * FIELDS.length, 1 + (index + 1) * FIELDS.length);
      if (!numbers.at(-1)) return [];
      return FIELDS.map((name, place) => `${metric}${name}=${Number(numbers[place])}`);
    });
    if (fields.length === 0) return [];
    const time = timeOf(Number(row[0]));
    return [`${kind}_${resolution},district=${district},sensorId=${sensorId} ${fields.join(",")} ${time}`];
  });
}

/** The columns come as sum, minimum, maximum, count; the mean takes the sum's place. */
function composedBuckets(series: Series, metrics: readonly MetricName[], resolution: RollupResolution): Bucket[] {
  return bucketsOfSeries(series, metrics).map(({ start, values }) => ({
    start,
    values: Object.fromEntries(
      Object.entries(values).map(([metric, one]) => [metric, { ...one, mean: one.mean / one.count }]),
    ),
    resolution,
  }));
}

async function partsOf(client: Requests, kind: Kind): Promise<RollupPart[]> {
  const parts: RollupPart[] = [];
  // Without a range InfluxDB would answer one row, without a lower end nothing before 1970.
  const text = `SELECT count("journalSeq") FROM "${kind}" WHERE time >= $from AND time < $to
    GROUP BY time(${HOUR_MS}ms) fill(none)`;
  const values = { from: toTime(Number.NEGATIVE_INFINITY), to: toTime(Number.POSITIVE_INFINITY) };
  for await (const series of client.query(text, values, PATIENCE)) {
    for (const [time] of series.values) {
      const start = Number(time);
      parts.push({ kind, resolution: "hourly", start, receivedDay: start - (((start % DAY_MS) + DAY_MS) % DAY_MS) });
    }
  }
  return parts;
}
