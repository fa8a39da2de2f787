import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Log } from "../../model/log.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { createLatestReadings } from "../latest-readings.ts";
import {
  type Bucket,
  type CountFilter,
  type RangeQuery,
  type ReadingKey,
  type ReadingStore,
  type Sentinel,
  StoreError,
  withoutMetrics,
} from "../reading-store.ts";
import { scanStreams } from "../scan-streams.ts";
import { createInfluxClient, type InfluxFlavour, type Requests, type Series } from "./client.ts";
import { createDatabaseMaker } from "./database.ts";
import {
  type BoundQuery,
  deleteBefore,
  PROBE,
  SELECT_SENTINEL,
  selectAggregates,
  selectCount,
  selectCountByDay,
  selectCountBySensor,
  selectKeys,
  selectNewest,
  selectRange,
} from "./influxql.ts";
import { toLine } from "./lines.ts";
import { createRollups } from "./rollups.ts";
import { bucketsOfSeries, readingsOfSeries } from "./series.ts";

export type InfluxOptions = {
  readonly url: string;
  readonly flavour: InfluxFlavour;
  /** The longest a server may keep us waiting for (the next part of) an answer. */
  readonly timeoutMs: number;
  readonly log: Log;
};

/** The vendor's optimum for 1.x and 2.x. */
export const LINES_PER_REQUEST_MAX = 5_000;

/**
 * InfluxDB 1.x or 2.x. Opening does not fail when the server is away: calls throw `StoreError` "unavailable" until it is
 * back. A `write` above 5,000 readings takes several requests, each of them kept or not by itself; sending all of it
 * again is harmless.
 */
export async function openInfluxStore(options: InfluxOptions): Promise<ReadingStore> {
  const { url, flavour, log } = options;
  const raw = createInfluxClient(options);
  const prepare = createDatabaseMaker(raw, flavour, log);
  let closed = false;
  const client = withQuestion(raw, async () => {
    if (closed) throw new StoreError("unavailable", "the store is closed");
    await prepare();
  });
  const latest = createLatestReadings(() => loadNewest(client));

  await prepare().catch((error: StoreError) => {
    log.warn({ host: new URL(url).host, reason: error.message }, "reading store is away; readings wait in the journal");
  });

  return {
    name: "influxdb",
    place: placeOf(url, flavour),
    repeatable: true,
    write: (readings, { without } = {}) =>
      writeAll(client, without ? readings.map((one) => withoutMetrics(one, without)) : readings, latest.note),
    find: (kind, keys) => findKeys(client, kind, keys),
    newest: latest.newest,
    latest: latest.latest,
    stream: (query) => streamRange(client, query),
    scan: (query) => scanStreams((range) => streamRange(client, range), query),
    aggregate: (query) => aggregateRange(client, query),
    count: (filter) => countReadings(client, filter?.sensorId),
    countBySensor: (filter = {}) => countBySensor(client, filter),
    countByDay: (kind, from, to) => countByDay(client, kind, { from, to }),
    async deleteBefore(kind, time) {
      await collectSeries(client, deleteBefore(kind, time));
      await latest.forget(kind, ({ measuredAt }) => measuredAt < time);
      return undefined;
    },
    rollups: createRollups(client),
    copyTo: async () => false,
    async ping() {
      await collectSeries(client, PROBE);
    },
    startedAt: () => raw.startedAt(),
    sentinel: createSentinel(client),
    async close() {
      closed = true;
    },
  };
}

function placeOf(url: string, flavour: InfluxFlavour): string {
  const name = "token" in flavour ? `${flavour.org}/${flavour.bucket}` : flavour.database;
  return `influxdb ${new URL(url).origin} ${name}`;
}

async function writeAll(
  client: Requests,
  readings: readonly Reading[],
  note: (written: readonly Reading[]) => void,
): Promise<void> {
  for (let start = 0; start < readings.length; start += LINES_PER_REQUEST_MAX) {
    const batch = readings.slice(start, start + LINES_PER_REQUEST_MAX);
    await client.write(batch.map(toLine));
    note(batch);
  }
}

/** Asks before every request; what it throws is the answer. */
function withQuestion(client: Requests, ask: () => Promise<void>): Requests {
  return {
    async write(lines) {
      await ask();
      await client.write(lines);
    },
    async *query(text, values, patience) {
      await ask();
      yield* client.query(text, values, patience);
    },
  };
}

async function collectSeries(client: Requests, query: BoundQuery): Promise<Series[]> {
  return Array.fromAsync(client.query(query.text, query.values));
}

/** Once after a start, over all sensors and all shards (about 0.1 ms for each): nothing can be written before it ends. */
const LOAD_PATIENCE = 12;

async function loadNewest(client: Requests): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const kind of KINDS) {
    for await (const series of client.query(selectNewest(kind), {}, LOAD_PATIENCE)) {
      readings.push(...readingsOfSeries(kind, series));
    }
  }
  return readings;
}

async function findKeys(client: Requests, kind: Kind, keys: readonly ReadingKey[]): Promise<(Reading | undefined)[]> {
  const keyText = (key: ReadingKey) => `${key.measuredAt} ${key.sensorId}`;
  const asked = new Set(keys.map(keyText));
  const found = new Map<string, Reading>();
  for (const { text, values } of selectKeys(kind, keys)) {
    for await (const series of client.query(text, values)) {
      for (const reading of readingsOfSeries(kind, series)) {
        const key = keyText(reading);
        if (asked.has(key)) found.set(key, reading);
      }
    }
  }
  return keys.map((key) => found.get(keyText(key)));
}

function metricsOf(query: RangeQuery): readonly MetricName[] {
  return METRICS_OF[query.kind].filter((metric) => query.metrics?.includes(metric) ?? true);
}

async function* streamRange(client: Requests, asked: RangeQuery): AsyncGenerator<readonly Reading[]> {
  const query = asked.metrics ? { ...asked, metrics: metricsOf(asked) } : asked;
  const { text, values } = selectRange(query);
  for await (const series of client.query(text, values)) {
    const readings = readingsOfSeries(query.kind, series);
    const chunk = query.metrics ? readings.filter((reading) => Object.keys(reading.values).length > 0) : readings;
    if (chunk.length > 0) yield chunk;
  }
}

async function aggregateRange(client: Requests, query: RangeQuery & { readonly everyMs: number }): Promise<Bucket[]> {
  const metrics = metricsOf(query);
  if (metrics.length === 0) return [];
  const parts = await collectSeries(client, selectAggregates(query, metrics));
  return parts.flatMap((series) => bucketsOfSeries(series, metrics));
}

async function countReadings(client: Requests, sensorId: string | undefined): Promise<number> {
  const counts = (await collectSeries(client, selectCount(sensorId))).flatMap((series) =>
    series.values.map((row) => Number(row[1])),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function countBySensor(client: Requests, filter: CountFilter): Promise<Map<string, number>> {
  const { text, values } = selectCountBySensor(filter);
  const counts = new Map<string, number>();
  for await (const series of client.query(text, values, LOAD_PATIENCE)) {
    const sensorId = series.tags?.sensorId ?? "";
    for (const row of series.values) counts.set(sensorId, (counts.get(sensorId) ?? 0) + Number(row[1]));
  }
  return counts;
}

async function countByDay(
  client: Requests,
  kind: Kind,
  range: { readonly from: number; readonly to: number },
): Promise<Map<string, Map<number, number>>> {
  const { text, values } = selectCountByDay(kind, range);
  const counts = new Map<string, Map<number, number>>();
  for await (const series of client.query(text, values, LOAD_PATIENCE)) {
    const sensorId = series.tags?.sensorId ?? "";
    const days = counts.get(sensorId) ?? new Map<number, number>();
    for (const [day, count] of series.values) days.set(Number(day), Number(count));
    if (days.size > 0) counts.set(sensorId, days);
  }
  return counts;
}

const HOUR_MS = 3_600_000;

function createSentinel(client: Requests): Sentinel {
  return {
    async read() {
      const [series] = await collectSeries(client, SELECT_SENTINEL);
      const [, life, booked] = series?.values[0] ?? [];
      return typeof life === "string" ? { life, booked: Number(booked) } : undefined;
    },
    async write({ life, booked }) {
      if (!/^[a-z0-9]{1,64}$/.test(life)) throw new RangeError("life must be lowercase letters and digits");
      const hour = Date.now() - (Date.now() % HOUR_MS);
      await client.write([`lamppost_mark life="${life}",booked=${booked} ${hour}`]);
    },
  };
}
