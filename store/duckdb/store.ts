import { basename } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Log } from "../../model/log.ts";
import { createLatestReadings } from "../latest-readings.ts";
import { type ReadingStore, withoutMetrics } from "../reading-store.ts";
import { type Database, type InstanceOptions, openDatabase } from "./instance.ts";
import { aggregateRange, countByDay, countBySensor, countRows, streamRange } from "./ranges.ts";
import { createRollups, createRollupTables } from "./rollups.ts";
import { createAppend, findKeys, type LaterColumns, lastTimes, newestReadings } from "./rows.ts";
import { scanBlocks } from "./scan.ts";
import { columnsOf, createTables, FIXED_COLUMNS, toBigInt } from "./schema.ts";

type DuckDbOptions = {
  readonly path: string;
  /** As DuckDB spells it. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  readonly checkpointThreshold?: string;
  /** Questions of people at the same time. */
  readonly queriesMax?: number;
  readonly log: Log;
};

/** As many as the API lets run unless told otherwise (LAMPPOST_QUERIES_MAX). */
const QUERIES_MAX = 3;

/** The service asks, too: for what is stored already, for the books. It waits behind nobody's question. */
const OWN = 1;

/**
 * What waits for a checkpoint stands in memory, in several times its own size: 3.5 million readings of an import took 750
 * MiB of the service with 64 MB here, and 565 with this. Each checkpoint writes the last, unfinished row group again: much
 * less costs more CPU (16 MiB, DuckDB's default, a quarter).
 */
const CHECKPOINT_THRESHOLD = "28MB";

/**
 * The embedded store: one file, opened by one process. Throws an Error with the cause if the file cannot be opened;
 * DuckDB is not safe to use in this process after that, so the process should end.
 */
export async function openDuckDbStore(options: DuckDbOptions): Promise<ReadingStore> {
  const { path, memoryLimit = "2GB", threads = 2, checkpointThreshold = CHECKPOINT_THRESHOLD, log } = options;
  const { queriesMax = QUERIES_MAX } = options;
  const { database, columns } = await open({ path, memoryLimit, threads, checkpointThreshold, log }, queriesMax + OWN);
  const copier = createCopier(database);
  const append = createAppend(columns);
  const latest = createLatestReadings({
    newest: () => loadNewest(database),
    lastTimes: (kind, from) => database.reader().use((connection) => lastTimes(connection, kind, from)),
    find: (kind, keys) => database.reader().use((connection) => findKeys(connection, kind, keys)),
  });
  log.info({ path, memoryLimit, threads }, "reading store is open");

  return {
    name: "duckdb",
    place: `duckdb ${basename(path)}`,
    repeatable: false,
    async write(readings, { without } = {}) {
      const left = without ? readings.map((reading) => withoutMetrics(reading, without)) : readings;
      await database.writer.use((connection) => append(connection, left));
      latest.note(readings);
    },
    find: (kind, keys) => database.reader().use((connection) => findKeys(connection, kind, keys)),
    newest: latest.newest,
    latest: latest.latest,
    stream: (query) => streamRange(database, query),
    scan: (query) => scanBlocks(database, query),
    aggregate: (query) => aggregateRange(database, query),
    count: (filter) => database.reader().use((connection) => countRows(connection, filter?.sensorId)),
    countBySensor: (filter) => database.reader().use((connection) => countBySensor(connection, filter), filter?.signal),
    countByDay: (kind, from, to, filter) =>
      database.reader().use((connection) => countByDay(connection, kind, { from, to }, filter)),
    async deleteBefore(kind, time) {
      const removed = await database.writer.use((connection) => deleteRows(connection, kind, time));
      await latest.forget(kind, ({ measuredAt, receivedAt }) => measuredAt < time && receivedAt < time);
      return removed;
    },
    rollups: createRollups(database),
    async copyTo(copyPath, signal) {
      await copier.copyTo(copyPath, signal);
      return true;
    },
    async ping() {
      await database.reader().use((connection) => connection.run("SELECT 1"));
    },
    startedAt: async () => undefined,
    async close() {
      copier.interrupt();
      await database.close();
    },
  };
}

async function open(options: InstanceOptions, readers: number) {
  try {
    const database = await openDatabase(options, readers);
    const columns = await database.writer.use(prepareTables);
    return { database, columns };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot open the reading store ${options.path}: ${text}`, { cause });
  }
}

async function prepareTables(connection: DuckDBConnection): Promise<LaterColumns> {
  await createTables(connection);
  await createRollupTables(connection);
  const columns: Partial<Record<Kind, LaterColumns[Kind]>> = {};
  for (const kind of KINDS) {
    columns[kind] = (await columnsOf(connection, kind)).slice(FIXED_COLUMNS.length) as LaterColumns[Kind][number][];
  }
  return columns as LaterColumns;
}

async function loadNewest(database: Database) {
  const ofKinds = await Promise.all(
    KINDS.map((kind) => database.reader().use((connection) => newestReadings(connection, kind))),
  );
  return ofKinds.flat();
}

async function deleteRows(connection: DuckDBConnection, kind: Kind, time: number): Promise<number> {
  const sql = `DELETE FROM ${kind} WHERE measuredAt < CAST($time AS BIGINT) AND receivedAt < CAST($time AS BIGINT)`;
  const { rowsChanged } = await connection.run(sql, { time: toBigInt(time) });
  return rowsChanged;
}

/** Copies the whole database into a new file, as of one moment: the statement sees one snapshot, and writes go on. */
function createCopier(database: Pick<Database, "reader">) {
  let copying: DuckDBConnection | undefined;

  async function copy(connection: DuckDBConnection, path: string): Promise<void> {
    const own = String((await (await connection.run("SELECT current_database()")).getRows())[0]![0]);
    await connection.run("DETACH DATABASE IF EXISTS backup_copy"); // of one that was interrupted
    await connection.run(`ATTACH '${path.replaceAll("'", "''")}' AS backup_copy`);
    copying = connection;
    try {
      // Not by copying the file: opening and closing it would drop the lock that DuckDB holds on it (POSIX).
      await connection.run(`COPY FROM DATABASE "${own.replaceAll('"', '""')}" TO backup_copy`);
    } finally {
      copying = undefined;
      await connection.run("DETACH backup_copy");
    }
  }

  return {
    copyTo: (path: string, signal?: AbortSignal) =>
      database.reader().use((connection) => copy(connection, path), signal),
    /** A stop does not wait for minutes of copying. */
    interrupt: () => copying?.interrupt(),
  };
}
