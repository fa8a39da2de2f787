import { existsSync } from "node:fs";
import { join } from "node:path";
import { KINDS } from "../model/kinds.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { clearMarks, readMarks } from "../store/recovery/marks.ts";
import type { Config, StoreConfig } from "./config.ts";
import { StartError } from "./start-error.ts";

const PLACE = "place";
/** How far the points of earlier versions are copied to what points are today, and when all are. */
export const MIGRATION = "influxdb.points";
export const MIGRATED = "done, receipts too";
/** Whether the rollups of this InfluxDB are in a bucket, or database, of their own. */
export const ROLLUPS_APART = "influxdb.rollups";
/** What is known of the life of the one store, and says nothing of another. */
const OF_ONE_STORE = [
  "mark",
  "repair",
  "rewrite",
  "written",
  "started",
  "held",
  "losses",
  "move",
  "restored",
  ROLLUPS_APART,
];

/** `duckdb readings.duckdb` or `influxdb http://host:8086 org/bucket`, without secrets. */
export function placeOf(store: StoreConfig): string {
  if (store.kind === "duckdb") return "duckdb readings.duckdb";
  const { flavour } = store;
  const name = "token" in flavour ? `${flavour.org}/${flavour.bucket}` : flavour.database;
  return `influxdb ${new URL(store.url).origin} ${name}`;
}

/** Where the readings of this data folder are; undefined where nothing was ever stored. */
export function knownPlace(records: Records, dataDir: string): string | undefined {
  const known = records.storeState.get(PLACE);
  if (typeof known === "string") return known;
  // A folder of a service that did not write it down: the marks of DuckDB tell whether its file has what is booked.
  const { rows } = readMarks(records.offsets);
  const marked = KINDS.reduce((sum, kind) => sum + rows[kind], 0);
  const isDuckDb = marked > 0 && marked === rowsBooked(records) && existsSync(join(dataDir, "readings.duckdb"));
  return isDuckDb ? placeOf({ kind: "duckdb" }) : undefined;
}

/** What the books say is in the store, by sensor. */
export function booked(records: Pick<Records, "ledger" | "removals">): Map<string, number> {
  const removed = records.removals.counts("readings");
  return new Map(
    records.ledger.bySensor().flatMap(({ sensorId, outcomes }) => {
      const n = (outcomes.get("stored") ?? 0) - (removed.get(sensorId) ?? 0);
      return n > 0 ? [[sensorId, n]] : [];
    }),
  );
}

export const rowsBooked = (records: Pick<Records, "ledger" | "removals">) =>
  booked(records)
    .values()
    .reduce((sum, n) => sum + n, 0);

/** From now on the readings are there. Call it in a transaction with what goes with it. */
export function settleIn(records: Records, place: string): void {
  for (const name of OF_ONE_STORE) records.storeState.set(name, undefined);
  records.storeState.forgetBefore(Number.MAX_SAFE_INTEGER);
  clearMarks(records.offsets);
  records.storeState.set(PLACE, place);
  // Nothing of an earlier version is there.
  records.storeState.set(MIGRATION, MIGRATED);
}

/**
 * A changed LAMPPOST_STORE, database or bucket is not a store that lost everything: nothing starts on it until the
 * readings are moved, or someone says that they may stay where they are. Throws `StartError`.
 */
export async function checkPlace(
  config: Config,
  records: Records,
  now: number,
  open: (store: Extract<StoreConfig, { kind: "influxdb" }>) => Promise<ReadingStore>,
): Promise<void> {
  const place = placeOf(config.store);
  const known = knownPlace(records, config.dataDir);
  if (known === undefined || known === place) return records.storeState.set(PLACE, place);
  const { store } = config;
  const isRenamed = store.kind === "influxdb" && nameIn(known) === nameIn(place);
  if (isRenamed && (await isOurs(records, () => open(store)))) return records.storeState.set(PLACE, place);
  if (!config.startEmpty) {
    throw new StartError(
      `LAMPPOST_STORE: the readings of ${config.dataDir} are in ${known}, and the settings say ${place}: run "lamppost store move" to take them there, or "lamppost start --start-empty" to leave them`,
      78,
    );
  }
  records.transaction(() => {
    const left = booked(records);
    const count = rowsBooked(records);
    // Gone on purpose, as far as the books are concerned.
    records.removals.add("readings", left);
    for (const { kind } of records.removals.plans()) records.removals.settle(kind, new Map());
    settleIn(records, place);
    const detail = `${count} readings stay in ${known}`;
    records.audit.add({ at: now, by: "service", what: "store.started_empty", target: place, detail });
  });
}

/** The server may have got another name or address: then our own mark is there. */
const nameIn = (place: string) => (place.startsWith("influxdb ") ? place.split(" ").slice(2).join(" ") : undefined);

async function isOurs(records: Records, open: () => Promise<ReadingStore>): Promise<boolean> {
  const mine = records.storeState.get("mark") as { life?: string } | undefined;
  const store = await open();
  try {
    const found = await store.sentinel?.read();
    return found !== undefined && found.life === mine?.life;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  } finally {
    await store.close();
  }
}
