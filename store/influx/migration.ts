import { isId } from "../../model/ids.ts";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Quality, Reading, Values } from "../../model/reading.ts";
import { StoreError } from "../reading-store.ts";
import type { Requests, Series } from "./client.ts";
import { toTime } from "./influxql.ts";
import { toLine } from "./lines.ts";
import { PATIENCE, ROLLUP_FIELDS, rollupLines } from "./rollups.ts";

/** Where a copy that broke off goes on. */
export type MigrationStep = { readonly measurement: string; readonly from: number };
export type Migration = {
  readonly at: MigrationStep | undefined;
  /** Called after each request that was taken. */
  save(step: MigrationStep): void;
};
type Known = {
  readonly installation: string;
  note(readings: readonly Reading[]): void;
  /** Where rollups are written. */
  rollups(): Promise<Requests>;
};

const MEASUREMENTS = KINDS.flatMap((kind) =>
  ["", "_hourly", "_daily"].map((end) => ({ kind, isRaw: end === "", measurement: `${kind}${end}` })),
);

/**
 * Copies what earlier versions wrote, without a mark and with other fields, to points as they are written today; the old
 * ones stay. Ours are those with our tags, our fields and no mark. Doing it again changes nothing. Says how many points
 * were copied, and how many the database would not take (older than it keeps). Throws `StoreError`; what was done stays.
 */
export async function migratePoints(
  client: Requests,
  { installation, note, rollups }: Known,
  { at, save }: Migration,
  signal: AbortSignal,
): Promise<{ copied: number; refused: number }> {
  const counts = { copied: 0, refused: 0 };
  const done = MEASUREMENTS.findIndex(({ measurement }) => measurement === at?.measurement);
  for (const { kind, isRaw, measurement } of MEASUREMENTS.slice(Math.max(0, done))) {
    const from = measurement === at?.measurement ? at.from : Number.NEGATIVE_INFINITY;
    const { text, values } = selectOld(kind, measurement, { isRaw, from });
    for await (const series of client.query(text, values, PATIENCE)) {
      signal.throwIfAborted();
      const readings = isRaw ? oldReadings(kind, series) : [];
      const lines = isRaw
        ? readings.flatMap((one) => lineOf(one, installation))
        : rollupLines(kind, measurement, series, installation);
      const last = Number(series.values.at(-1)?.[0]);
      const isTaken = lines.length === 0 || (await write(isRaw ? client : await rollups(), lines));
      if (isTaken) note(readings);
      counts[isTaken ? "copied" : "refused"] += lines.length;
      save({ measurement, from: last });
    }
  }
  return counts;
}

/** Half taken is half taken: what the database keeps no more is lost to it anyway. */
async function write(client: Requests, lines: readonly string[]): Promise<boolean> {
  try {
    await client.write(lines);
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.reason === "retention") return false;
    throw error;
  }
}

function selectOld(kind: Kind, measurement: string, { isRaw, from }: { isRaw: boolean; from: number }) {
  const names = METRICS_OF[kind].map(
    (metric) => `${metric}(${isRaw ? "Suspect" : ROLLUP_FIELDS.join("|")})${isRaw ? "?" : ""}`,
  );
  const fields = [...(isRaw ? ["receivedAt", "journalSeq", "imported"] : []), ...names].join("|");
  const text = `SELECT /^(${fields})$/, "sensorId"::tag, "district"::tag FROM "${measurement}"
    WHERE "installation"::tag = '' AND time >= $from ORDER BY time`;
  return { text, values: { from: toTime(from) } };
}

/** A row as its columns name it, if both ids are ids. */
function rowsOf(series: Series) {
  return series.values.flatMap((row) => {
    const cells = Object.fromEntries(series.columns.map((name, index) => [name, row[index]]));
    const { sensorId, district } = cells;
    const isOurs = typeof sensorId === "string" && typeof district === "string" && isId(sensorId) && isId(district);
    return isOurs ? [{ cells, sensorId, district, time: Number(row[0]) }] : [];
  });
}

/** None for numbers that no version of ours has written. */
function lineOf(reading: Reading, installation: string): string[] {
  try {
    return [toLine(reading, installation)];
  } catch (error) {
    if (error instanceof StoreError) return [];
    throw error;
  }
}

function oldReadings(kind: Kind, series: Series): Reading[] {
  return rowsOf(series).flatMap(({ cells, sensorId, district, time }) => {
    const { receivedAt, journalSeq, imported } = cells;
    if (typeof receivedAt !== "number" || typeof journalSeq !== "number") return [];
    const values: Values = {};
    const quality: Quality = {};
    for (const metric of METRICS_OF[kind]) {
      const value = cells[metric];
      if (typeof value !== "number") continue;
      values[metric] = value;
      if (cells[`${metric}Suspect`] === 1) quality[metric] = "suspect";
    }
    return [
      {
        ...{ sensorId, kind, district, measuredAt: time, receivedAt, values, journalSeq },
        ...(Object.keys(quality).length > 0 ? { quality } : {}),
        ...(imported === 1 ? { imported: true } : {}),
      },
    ];
  });
}
