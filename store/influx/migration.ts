import { isId } from "../../model/ids.ts";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Quality, Reading, Values } from "../../model/reading.ts";
import { StoreError } from "../reading-store.ts";
import { type Requests, readingsOfSeries, type Series } from "./client.ts";
import { type Queries, TIME_MS_MAX, toTime } from "./influxql.ts";
import { SUSPECT, toLine } from "./lines.ts";
import { PATIENCE, ROLLUP_FIELDS, rollupLines } from "./rollups.ts";

/** Where a copy that broke off goes on. */
export type MigrationStep = { readonly measurement: string; readonly from: number };
export type Migration = {
  readonly at: MigrationStep | undefined;
  /** Called after each request that was taken. */
  save(step: MigrationStep): void;
};
type Known = {
  readonly queries: Queries;
  readonly installation: string;
  note(readings: readonly Reading[]): void;
  /** Where rollups are written. */
  rollups(): Promise<Requests>;
};

/** "unmarked" points and rollups are of the versions that had no marks, "receipts" of one whose bookkeeping had no id. */
type Source = {
  readonly name: string;
  readonly kind: Kind;
  readonly measurement: string;
  readonly is: "unmarked" | "rollups" | "receipts";
};
const SOURCES: readonly Source[] = [
  ...KINDS.flatMap((kind): Source[] => [
    { name: kind, kind, measurement: kind, is: "unmarked" },
    { name: `${kind}_hourly`, kind, measurement: `${kind}_hourly`, is: "rollups" },
    { name: `${kind}_daily`, kind, measurement: `${kind}_daily`, is: "rollups" },
  ]),
  ...KINDS.map((kind): Source => ({ name: receiptsOf(kind), kind, measurement: kind, is: "receipts" })),
];
function receiptsOf(kind: Kind): string {
  return `${kind} receipts`;
}
/** Where to begin when there is nothing without a mark. */
export const FROM_RECEIPTS: MigrationStep = { measurement: receiptsOf(KINDS[0]), from: -TIME_MS_MAX };

/**
 * Copies what earlier versions wrote, without a mark or with other fields, to points as they are written today; the old
 * ones stay. Ours are those with our tags and fields, and no mark or our own. Doing it again changes nothing. Says how many
 * points were copied, and how many the database would not take (older than it keeps). Throws `StoreError`; what was done
 * stays.
 */
export async function migratePoints(
  client: Requests,
  { queries, installation, note, rollups }: Known,
  { at, save }: Migration,
  signal: AbortSignal,
): Promise<{ copied: number; refused: number }> {
  const counts = { copied: 0, refused: 0 };
  const done = SOURCES.findIndex(({ name }) => name === at?.measurement);
  for (const source of SOURCES.slice(Math.max(0, done))) {
    const { name, kind, measurement, is } = source;
    const { text, values } = select(source, name === at?.measurement ? at.from : Number.NEGATIVE_INFINITY, queries);
    for await (const series of client.query(text, values, PATIENCE)) {
      signal.throwIfAborted();
      const readings =
        is === "unmarked" ? oldReadings(kind, series) : is === "receipts" ? renamed(kind, series, queries) : [];
      const lines =
        is === "rollups"
          ? rollupLines(kind, measurement, series, installation)
          : readings.flatMap((one) => lineOf(one, installation));
      const last = Number(series.values.at(-1)?.[0]);
      const isTaken = lines.length === 0 || (await write(is === "rollups" ? await rollups() : client, lines));
      if (isTaken) note(readings);
      counts[isTaken ? "copied" : "refused"] += lines.length;
      save({ measurement: name, from: last });
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

function select({ kind, measurement, is }: Source, from: number, { ours, receipt }: Queries) {
  const patterns = {
    unmarked: ["receivedAt", "journalSeq", "imported", ...METRICS_OF[kind].map((metric) => `${metric}(Suspect)?`)],
    rollups: METRICS_OF[kind].map((metric) => `${metric}(${ROLLUP_FIELDS.join("|")})`),
    receipts: METRICS_OF[kind].map((metric) => `${metric}(${SUSPECT})?`),
  };
  const fields = `${is === "receipts" ? `"receipt"::string, ${receipt}, ` : ""}/^(${patterns[is].join("|")})$/`;
  const text = `SELECT ${fields}, "sensorId"::tag, "district"::tag FROM "${measurement}"
    WHERE ${is === "receipts" ? ours : `"installation"::tag = ''`} AND time >= $from ORDER BY time`;
  return { text, values: { from: toTime(from) } };
}

/** What was written again, or copied, since has both. */
function renamed(kind: Kind, series: Series, { receiptName }: Queries): Reading[] {
  const at = series.columns.indexOf(receiptName);
  const values = series.values.filter((row) => typeof row[at] !== "string");
  return readingsOfSeries(kind, { ...series, values }, "receipt");
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
        sensorId,
        kind,
        district,
        measuredAt: time,
        receivedAt,
        values,
        journalSeq,
        ...(Object.keys(quality).length > 0 ? { quality } : {}),
        ...(imported === 1 ? { imported: true } : {}),
      },
    ];
  });
}
