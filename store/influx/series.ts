import { isId } from "../../model/ids.ts";
import type { Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Quality, Reading, Values } from "../../model/reading.ts";
import type { Bucket } from "../reading-store.ts";
import type { Series } from "./client.ts";
import { parseReceipt, SUSPECT } from "./lines.ts";

type Cell = string | number | null | undefined;

/**
 * Rows of a raw SELECT as readings, with their bookkeeping in the column `receipt`. Columns, and whole rows, that we did
 * not write are passed over.
 */
export function readingsOfSeries(kind: Kind, series: Series, receipt: string): Reading[] {
  const place = new Map(series.columns.map((name, index) => [name, index]));
  const present = METRICS_OF[kind]
    .map((metric) => ({ metric, good: place.get(metric) ?? -1, suspect: place.get(metric + SUSPECT) ?? -1 }))
    .filter(({ good, suspect }) => good >= 0 || suspect >= 0);
  const receiptAt = place.get(receipt) ?? -1;
  return series.values.flatMap((row) => {
    const cell = (name: string): Cell => series.tags?.[name] ?? row[place.get(name) ?? -1];
    const told = parseReceipt(row[receiptAt]);
    const sensorId = String(cell("sensorId") ?? "");
    const district = String(cell("district") ?? "");
    if (!told || !isId(sensorId) || !isId(district)) return [];
    const values: Values = {};
    const quality: Quality = {};
    for (const { metric, good, suspect } of present) {
      const flagged = row[suspect];
      if (typeof row[good] === "number") values[metric] = row[good];
      else if (typeof flagged === "number") {
        values[metric] = flagged;
        quality[metric] = "suspect";
      }
    }
    return {
      sensorId,
      kind,
      district,
      measuredAt: Number(cell("time")),
      receivedAt: told.receivedAt,
      values,
      journalSeq: told.journalSeq,
      ...(Object.keys(quality).length > 0 ? { quality } : {}),
      ...(told.imported ? { imported: true } : {}),
    };
  });
}

/** Rows of `aggregates` or `rollups`: after the time four columns for each metric. */
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
