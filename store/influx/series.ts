import type { Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Quality, Reading, Values } from "../../model/reading.ts";
import type { Bucket } from "../reading-store.ts";
import type { Series } from "./client.ts";

type Cell = string | number | null | undefined;

/** Rows of a raw SELECT as readings. Columns we did not write are passed over. */
export function readingsOfSeries(kind: Kind, series: Series): Reading[] {
  const place = new Map(series.columns.map((name, index) => [name, index]));
  const present = METRICS_OF[kind]
    .filter((metric) => place.has(metric))
    .map((metric) => ({ metric, value: place.get(metric)!, suspect: place.get(`${metric}Suspect`) }));
  return series.values.map((row) => {
    const cell = (name: string): Cell => series.tags?.[name] ?? row[place.get(name) ?? -1];
    const values: Values = {};
    const quality: Quality = {};
    for (const { metric, value, suspect } of present) {
      const number = row[value];
      if (typeof number !== "number") continue;
      values[metric] = number;
      if (suspect !== undefined && row[suspect] === 1) quality[metric] = "suspect";
    }
    const measuredAt = Number(cell("time"));
    return {
      sensorId: String(cell("sensorId") ?? ""),
      kind,
      district: String(cell("district") ?? ""),
      measuredAt,
      receivedAt: Number(cell("receivedAt") ?? measuredAt),
      values,
      journalSeq: Number(cell("journalSeq") ?? 0),
      ...(Object.keys(quality).length > 0 ? { quality } : {}),
      ...(cell("imported") === 1 ? { imported: true } : {}),
    };
  });
}

/** Rows of `selectAggregates`: after the time four columns for each metric. */
export function bucketsOfSeries(series: Series, metrics: readonly MetricName[]): Bucket[] {
  return series.values.flatMap((row) => {
    const values: Record<string, Bucket["values"][MetricName]> = {};
    for (const [index, metric] of metrics.entries()) {
      const [mean, min, max, count] = row.slice(1 + index * 4) as [number, number, number, number | null];
      if (count) values[metric] = { mean, min, max, count };
    }
    return Object.keys(values).length > 0 ? [{ start: Number(row[0]), values }] : [];
  });
}
