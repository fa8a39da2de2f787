import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { MetricName } from "../../model/metrics.ts";
import type { Reading, Values } from "../../model/reading.ts";

/** Recordings lie beside the repository; without them there is nothing to look at. */
export const BEIJING = join(import.meta.dirname, "../../../shared/data/beijing-multisite");
export const hasBeijing = existsSync(BEIJING);

/** Columns and what of them is in the service's unit. */
const COLUMNS: readonly (readonly [string, MetricName, number])[] = [
  ["PM2.5", "pm25", 1],
  ["PM10", "pm10", 1],
  ["SO2", "so2", 1],
  ["NO2", "no2", 1],
  ["CO", "co", 1_000],
  ["O3", "o3", 1],
];

/** Hours [from, to) of all stations since March 2013 began there, merged by time. */
export function beijing(metrics: readonly MetricName[], from: number, to: number): Reading[] {
  const readings: Reading[] = [];
  for (const name of readdirSync(BEIJING).filter((one) => one.endsWith(".csv.gz"))) {
    const [head, ...rows] = gunzipSync(readFileSync(join(BEIJING, name)))
      .toString("utf8")
      .split("\n", to + 1);
    const names = head!.replaceAll('"', "").trim().split(",");
    for (const row of rows.slice(from)) {
      const cells = row.replaceAll('"', "").trim().split(",");
      const cell = (column: string) => cells[names.indexOf(column)]!;
      const measuredAt = Date.UTC(+cell("year"), +cell("month") - 1, +cell("day"), +cell("hour") - 8);
      const values: Values = {};
      for (const [column, metric, per] of COLUMNS) {
        if (metrics.includes(metric) && cell(column) !== "NA") values[metric] = Number(cell(column)) / per;
      }
      const where = { sensorId: cell("station").toLowerCase(), kind: "air", district: "beijing" } as const;
      readings.push({ ...where, measuredAt, receivedAt: measuredAt, values, journalSeq: 1, imported: true });
    }
  }
  return readings.sort((a, b) => a.measuredAt - b.measuredAt);
}
