import { isMetricName, METRICS_OF, type MetricName } from "../model/metrics.ts";
import type { Reading } from "../model/reading.ts";
import type { RangeQuery } from "../store/reading-store.ts";
import type { Sensor } from "../store/records.ts";
import { decodeCursor, encodeCursor } from "./paging.ts";
import { invalid } from "./problems.ts";
import type { Range } from "./time-range.ts";

/** "pm25,no2" → the names; throws a problem for one that this kind of sensor does not have. */
export function parseMetrics(text: string | undefined, sensor: Sensor): MetricName[] | undefined {
  if (text === undefined) return undefined;
  const names = [...new Set(text.split(","))];
  const wrong = names.find((name) => !isMetricName(name) || !METRICS_OF[sensor.kind].includes(name));
  if (wrong === undefined) return names as MetricName[];
  const known = METRICS_OF[sensor.kind].join(", ");
  throw invalid("#/query/metrics", `Metrics of ${sensor.kind} sensors are ${known}.`);
}

/** One page in order of time. The cursor carries the rest of the range, so "until now" does not move while paging. */
export async function pageOfReadings(
  chunks: AsyncIterable<readonly Reading[]>,
  query: Pick<RangeQuery, "to">,
  limit: number,
): Promise<{ items: Reading[]; next?: string }> {
  const items: Reading[] = [];
  for await (const chunk of chunks) {
    for (const reading of chunk) {
      if (items.length === limit) return { items, next: encodeCursor(`${items.at(-1)!.measuredAt + 1}:${query.to}`) };
      items.push(reading);
    }
  }
  return { items };
}

export function parseRangeCursor(cursor: string): Range {
  const parts = /^(-?\d{1,16}):(-?\d{1,16})$/.exec(decodeCursor(cursor));
  if (!parts) throw invalid("#/query/cursor", "This is not a cursor of ours.");
  return { from: Number(parts[1]), to: Number(parts[2]) };
}

/** Asks for the first chunk now, so that a store that does not answer is a problem and not a broken download. */
export async function startStream<T>(chunks: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let step = first; !step.done; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
