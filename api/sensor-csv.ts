import { METRICS_OF, type MetricName } from "../model/metrics.ts";
import { isLate, type Reading } from "../model/reading.ts";
import type { Bucket } from "../store/reading-store.ts";
import type { Sensor } from "../store/records.ts";
import type { Cell } from "./csv.ts";

const iso = (time: number) => new Date(time).toISOString();

/** One column for each metric of the kind, or those asked for, in the order of the table. */
export function columnsOf(sensor: Sensor, metrics: readonly MetricName[] | undefined): readonly MetricName[] {
  return metrics ?? METRICS_OF[sensor.kind];
}

export function readingHeader(columns: readonly MetricName[]): string[] {
  return ["sensorId", "kind", "district", "measuredAt", "receivedAt", ...columns, "suspect", "late"];
}

export async function* readingRows(chunks: AsyncIterable<readonly Reading[]>, columns: readonly MetricName[]) {
  for await (const chunk of chunks) yield chunk.map((reading) => readingRow(reading, columns));
}

function readingRow(reading: Reading, columns: readonly MetricName[]): Cell[] {
  const { sensorId, kind, district, measuredAt, receivedAt, values, quality } = reading;
  const suspect = quality ? Object.keys(quality).join(" ") : undefined;
  const cells = columns.map((name) => values[name]);
  return [
    sensorId,
    kind,
    district,
    iso(measuredAt),
    iso(receivedAt),
    ...cells,
    suspect,
    isLate(reading) ? "late" : undefined,
  ];
}

export function bucketHeader(columns: readonly MetricName[]): string[] {
  return ["start", ...columns.flatMap((name) => [`${name}_mean`, `${name}_min`, `${name}_max`, `${name}_count`])];
}

export async function* bucketRows(buckets: readonly Bucket[], columns: readonly MetricName[]) {
  yield buckets.map(({ start, values }): Cell[] => [
    iso(start),
    ...columns.flatMap((name) => {
      const value = values[name];
      return [value?.mean, value?.min, value?.max, value?.count];
    }),
  ]);
}
