import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { DecodeContext } from "../ingest/decode.ts";
import type { JournalReader } from "../ingest/journal/journal.ts";
import { createRetrier, realSleep } from "../ingest/retry.ts";
import { afterRefill, refillStore } from "../ingest/rewrite.ts";
import type { StoreWriterParts } from "../ingest/store-writer.ts";
import type { Consumer } from "../ingest/worker.ts";
import type { Background } from "../model/background.ts";
import type { Figure, Health } from "../model/health.ts";
import { KINDS } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import { createSettledClock, DAY_MS, formatSpan } from "../model/time.ts";
import { openDuckDbStore } from "../store/duckdb/store.ts";
import { installationId } from "../store/influx/lines.ts";
import { FROM_RECEIPTS } from "../store/influx/migration.ts";
import { type InfluxStore, openInfluxStore } from "../store/influx/store.ts";
import { type ReadingStore, StoreError, type StoreLimits } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { bookLoss, createLossAlarm, type LossParts } from "../store/recovery/loss.ts";
import { clearMarks, createMarks, readMarks, type StoreMarks, watchRecords } from "../store/recovery/marks.ts";
import { type DamageReport, recoverDuckDb } from "../store/recovery/recover.ts";
import { ROLLUPS_SEEDED } from "../store/rollups.ts";
import type { Config, StoreConfig } from "./config.ts";
import { StartError } from "./start-error.ts";

const PLACE = "place";
/** How far the points of earlier versions are copied to what points are today, and when all are. */
const MIGRATION = "influxdb.points";
const MIGRATED = "done, receipts too";
/** Whether the rollups of this InfluxDB are in a bucket, or database, of their own. */
const ROLLUPS_APART = "influxdb.rollups";
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
async function checkPlace(
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

/** What the rebuild of a lost store takes from the journal. */
export type RefillFrom = {
  readonly reader: Pick<JournalReader, "read">;
  /** The first number that is still in the journal. */
  readonly first: number;
  readonly context: DecodeContext;
};

export type Refill = {
  /** The store writer, which begins when the store is as full as it can be made. */
  before<C extends Consumer>(consumer: C): C;
  /** The journal must keep everything from here on. */
  holdsFrom(): number;
  health(): readonly Health[];
  stop(): Promise<void>;
};

type StartedStore = {
  readonly store: ReadingStore;
  /** For the store writer: with the marks that show at the next start what a damaged file has lost. */
  readonly offsets: Records["offsets"];
  /** How the store writer looks after a store on a server of its own. */
  upkeep(
    from: Pick<RefillFrom, "reader" | "context"> & { first(): number; readonly end: number },
  ): StoreWriterParts["upkeep"];
  /** Fills up from the journal what a damaged file has lost; does nothing if it was sound. */
  refill(from: RefillFrom): Refill;
  health(): readonly Health[];
  figures(): readonly Figure[];
};

const STORE = "store";

const MARK_EVERY_MS = 5_000;

/** Opens the reading store; a DuckDB file is looked at first and rebuilt if it is damaged. */
export async function startStore(
  config: Config,
  records: Records,
  background: Background,
  now: () => number,
  log: Log,
): Promise<StartedStore> {
  const watch = watchRecords(join(config.dataDir, "records.mark"), records, now);
  for (const { reason } of watch.health()) log.error({}, reason ?? "");
  await checkPlace(config, records, now(), (influx) => openReadingStore(influx, records, log));
  const endSaving = background.every("mark of the records", MARK_EVERY_MS, watch.save);
  // The last thing to start here: whoever has it registers its stop.
  const started = await openStore(config, records, now, log);
  async function close(): Promise<void> {
    endSaving();
    watch.save();
    await started.store.close();
  }
  return { ...started, store: { ...started.store, close }, health: () => [...watch.health(), ...started.health()] };
}

async function openStore(config: Config, records: Records, now: () => number, log: Log): Promise<StartedStore> {
  const { store } = config;
  if (store.kind === "duckdb") return startDuckDb(config, records, now, log);
  const influx = await openReadingStore(store, records, log);
  const { offsets } = records;
  // Not as another process left it: after a restore that is the time of the backup.
  const settled = createSettledClock(now, () => performance.now()).now;
  const { rewriteWindowMs: windowMs, retentionRawDays: rawDays, takeOver: takesOver } = config;
  return {
    store: influx,
    offsets,
    upkeep: (from) => ({ ...from, store: influx, records, windowMs, rawDays, takesOver, settled }),
    refill: ({ first }) => startMigration(influx, records, first, log),
    health: () => limitsHealth(influx.limits?.known(), config),
    figures: () => [],
  };
}

/** What the server will do, or will not let us do: said before it bites. */
function limitsHealth(limits: StoreLimits | undefined, config: Config): Health[] {
  const { keepsMs, noRemoval, rollups } = limits ?? {};
  const { retentionRawDays: rawDays, retentionHourlyDays: hourly, retentionDailyDays: daily } = config;
  const degraded = (part: string, reason: string) => ({ part, state: "degraded" as const, ready: true, reason });
  const health: Health[] = [];
  if (keepsMs !== undefined && keepsMs < rawDays * DAY_MS) {
    const reason = `InfluxDB removes what was measured more than ${formatSpan(keepsMs)} ago, before LAMPPOST_RETENTION_RAW_DAYS=${rawDays}: give the bucket (1.x: the default retention policy) a longer retention or none, or lower the setting`;
    health.push(degraded("store retention", reason));
  }
  if (rollups?.keepsMs !== undefined && (daily === 0 || rollups.keepsMs < Math.max(hourly, daily) * DAY_MS)) {
    const where = rollups.shared === undefined ? "" : `, because they are with the readings (${rollups.shared})`;
    const reason = `InfluxDB removes hourly and daily rollups ${formatSpan(rollups.keepsMs)} after they were measured, before LAMPPOST_RETENTION_HOURLY_DAYS=${hourly} or LAMPPOST_RETENTION_DAILY_DAYS=${daily}${where}: "lamppost doctor" says how to give them a place of their own without a retention`;
    health.push(degraded("store rollups", reason));
  }
  if (rollups?.broken !== undefined)
    health.push(degraded("store rollups", `hourly and daily rollups cannot be computed or read: ${rollups.broken}`));
  if (noRemoval !== undefined) {
    const reason = `nothing is removed from InfluxDB, whatever LAMPPOST_RETENTION_* say, because it could not be proven that only our own readings would be: ${noRemoval}. Give the account the right to write to and read the whole bucket or database`;
    health.push(degraded("store removal", reason));
  }
  return health;
}

const MigrationStep = z.object({ measurement: z.string(), from: z.number() });

/**
 * Earlier versions wrote other points to InfluxDB: copies them once, before the store writer begins. A folder that never
 * stored anything has none.
 */
function startMigration(influx: InfluxStore, { storeState, offsets }: Records, first: number, log: Log): Refill {
  const state = storeState.get(MIGRATION);
  const isNew = state === undefined && (offsets.get(STORE) ?? 1) <= 1;
  if (isNew) storeState.set(MIGRATION, MIGRATED);
  if (isNew || state === MIGRATED) return NOTHING_TO_FILL;
  const leaving = new AbortController();
  const { signal } = leaving;
  const retrier = createRetrier({ storeName: influx.name, sleep: realSleep, random: Math.random, log });
  let isDone = false;
  const attempt = () => {
    const known = storeState.get(MIGRATION);
    // What that had to do was done by a version that had other names for the bookkeeping.
    const at = known === "done" ? FROM_RECEIPTS : MigrationStep.optional().catch(undefined).parse(known);
    return influx.migrate({ at, save: (step) => storeState.set(MIGRATION, step) }, signal);
  };
  log.info({}, "copying the points of an earlier version to what they are today; readings wait in the journal");
  let failure: string | undefined;
  const migrated = retrier.retry(attempt, signal).then((counts) => {
    storeState.set(MIGRATION, MIGRATED);
    isDone = true;
    log.info(counts, "the points of an earlier version are copied; the old ones stay (docs/influxdb.md)");
  });
  migrated.catch((error: unknown) => {
    if (signal.aborted) return;
    failure = error instanceof Error ? error.message : String(error);
    log.error({ err: error }, "copying the points of an earlier version failed; restart the service");
  });
  function health(): readonly Health[] {
    const part = "store migration";
    if (isDone) return [];
    if (failure !== undefined) {
      const reason = `Copying the points of an earlier version failed (${failure}); readings wait in the journal: restart the service`;
      return [{ part, state: "failed", ready: true, reason }];
    }
    const waiting = retrier.health(part);
    const reason = "The points of an earlier version are copied first; readings wait in the journal meanwhile";
    return [waiting.state === "ok" ? { part, state: "degraded", ready: true, reason } : waiting];
  }
  return {
    before: (consumer) => afterRefill(consumer, migrated),
    holdsFrom: () => (isDone ? Number.POSITIVE_INFINITY : first),
    health,
    async stop() {
      leaving.abort(new Error("the service is stopping"));
      await migrated.catch(() => {});
    },
  };
}

/** InfluxDB as the settings say. Does not fail when the server is away. */
export function openReadingStore(
  store: Extract<StoreConfig, { kind: "influxdb" }>,
  records: Records,
  log: Log,
): Promise<InfluxStore> {
  const { storeState, offsets } = records;
  const rollups = {
    isApart: () => storeState.get(ROLLUPS_APART) === true,
    setApart: () => storeState.set(ROLLUPS_APART, true),
    lost: () => offsets.set(ROLLUPS_SEEDED, 0),
  };
  const installation = installationId(offsets);
  return openInfluxStore({ url: store.url, flavour: store.flavour, installation, rollups, timeoutMs: 10_000, log });
}

async function startDuckDb(config: Config, records: Records, now: () => number, log: Log): Promise<StartedStore> {
  const path = join(config.dataDir, "readings.duckdb");
  const { offsets } = records;
  const booked = offsets.get(STORE) ?? 1;
  const { rows, report } = await recoverDuckDb({ path, offsets, booked, now, log });
  const marks = createMarks(offsets, rows);
  const store = marks.watch(await openDuckDbStore({ path, queriesMax: config.http.queriesMax, log }));
  const alarm = createLossAlarm(path, marks.isSuspect);
  const parts: Parts = { path, store, records, marks, alarm, booked, now, log };
  return {
    store,
    offsets: marks.offsets,
    upkeep: () => undefined,
    refill: (from) => (report ? startRefill(parts, report, from) : NOTHING_TO_FILL),
    health: alarm.health,
    figures: alarm.figures,
  };
}

type Parts = LossParts & { readonly store: ReadingStore; readonly records: Records; readonly marks: StoreMarks };

const NOTHING_TO_FILL: Refill = {
  before: (consumer) => consumer,
  holdsFrom: () => Number.POSITIVE_INFINITY,
  health: () => [],
  stop: async () => {},
};

/** Meanwhile the service works: messages come in, rules run, and what the store writer would write waits in the journal. */
function startRefill(parts: Parts, report: DamageReport, { reader, first, context }: RefillFrom): Refill {
  const { store, marks, booked, log } = parts;
  const leaving = new AbortController();
  let isDone = false;
  marks.hold(true);
  const refilling = refillStore(
    { store, records: parts.records, reader, from: first, to: booked, context, log },
    leaving.signal,
  );
  const refilled = refilling.then(async (done) => {
    await bookLoss(parts, report, done);
    isDone = true;
    marks.hold(false);
    marks.save();
  });
  refilled.catch((error: unknown) => {
    if (!leaving.signal.aborted)
      log.error({ err: error }, "the rebuild of the reading store failed; restart the service");
  });
  return {
    before: (consumer) => afterRefill(consumer, refilled),
    holdsFrom: () => (isDone ? Number.POSITIVE_INFINITY : first),
    health: () => [],
    async stop() {
      leaving.abort(new Error("the service is stopping"));
      await refilled.catch(() => {});
    },
  };
}
