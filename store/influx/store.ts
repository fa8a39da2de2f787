import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Log } from "../../model/log.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { createLatestReadings } from "../latest-readings.ts";
import { type Bucket, type RangeQuery, type ReadingKey, type ReadingStore, StoreError } from "../reading-store.ts";
import { createInfluxClient, type InfluxClient, type InfluxFlavour, type Series } from "./client.ts";
import { createDatabaseMaker } from "./database.ts";
import {
  type BoundQuery,
  deleteBefore,
  PROBE,
  selectAggregates,
  selectCount,
  selectKeys,
  selectNewest,
  selectRange,
} from "./influxql.ts";
import { toLine } from "./lines.ts";
import { bucketsOfSeries, readingsOfSeries } from "./series.ts";

export type InfluxOptions = {
  readonly url: string;
  readonly flavour: InfluxFlavour;
  /** The longest a server may keep us waiting for (the next part of) an answer. */
  readonly timeoutMs: number;
  readonly log: Log;
};

/** The vendor's optimum for 1.x and 2.x. */
const LINES_PER_REQUEST_MAX = 5_000;

/**
 * InfluxDB 1.x or 2.x. Opening does not fail when the server is away: calls throw `StoreError` "unavailable" until it is
 * back. A `write` above 5,000 readings takes several requests, each of them kept or not by itself; sending all of it
 * again is harmless.
 */
export async function openInfluxStore(options: InfluxOptions): Promise<ReadingStore> {
  const { url, flavour, log } = options;
  const client = createInfluxClient(options);
  const latest = createLatestReadings(() => loadNewest(use()));
  const prepare = createDatabaseMaker(client, flavour, log);
  let closed = false;

  /** The client behind the two questions every call begins with. */
  function use(): InfluxClient {
    return {
      async write(lines) {
        await ready();
        await client.write(lines);
      },
      async *query(text, values) {
        await ready();
        yield* client.query(text, values);
      },
    };
  }
  async function ready(): Promise<void> {
    if (closed) throw new StoreError("unavailable", "the store is closed");
    await prepare();
  }

  await prepare().catch((error: StoreError) => {
    log.warn({ host: new URL(url).host, reason: error.message }, "reading store is away; readings wait in the journal");
  });

  return {
    name: "influxdb",
    async write(readings) {
      for (let start = 0; start < readings.length; start += LINES_PER_REQUEST_MAX) {
        const batch = readings.slice(start, start + LINES_PER_REQUEST_MAX);
        await use().write(batch.map(toLine));
        latest.note(batch);
      }
    },
    find: (kind, keys) => findKeys(use(), kind, keys),
    newest: latest.newest,
    latest: latest.latest,
    stream: (query) => streamRange(use(), query),
    aggregate: (query) => aggregateRange(use(), query),
    count: (filter) => countReadings(use(), filter?.sensorId),
    async deleteBefore(kind, time) {
      await collectSeries(use(), deleteBefore(kind, time));
      await latest.forget(kind, time);
      return undefined;
    },
    async ping() {
      await collectSeries(use(), PROBE);
    },
    async close() {
      closed = true;
    },
  };
}

async function collectSeries(client: InfluxClient, query: BoundQuery): Promise<Series[]> {
  return Array.fromAsync(client.query(query.text, query.values));
}

async function loadNewest(client: InfluxClient): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const kind of KINDS) {
    for await (const series of client.query(selectNewest(kind))) readings.push(...readingsOfSeries(kind, series));
  }
  return readings;
}

async function findKeys(
  client: InfluxClient,
  kind: Kind,
  keys: readonly ReadingKey[],
): Promise<(Reading | undefined)[]> {
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

async function* streamRange(client: InfluxClient, asked: RangeQuery): AsyncGenerator<readonly Reading[]> {
  const query = asked.metrics ? { ...asked, metrics: metricsOf(asked) } : asked;
  const { text, values } = selectRange(query);
  for await (const series of client.query(text, values)) {
    const readings = readingsOfSeries(query.kind, series);
    const chunk = query.metrics ? readings.filter((reading) => Object.keys(reading.values).length > 0) : readings;
    if (chunk.length > 0) yield chunk;
  }
}

async function aggregateRange(
  client: InfluxClient,
  query: RangeQuery & { readonly everyMs: number },
): Promise<Bucket[]> {
  const metrics = metricsOf(query);
  if (metrics.length === 0) return [];
  const parts = await collectSeries(client, selectAggregates(query, metrics));
  return parts.flatMap((series) => bucketsOfSeries(series, metrics));
}

async function countReadings(client: InfluxClient, sensorId: string | undefined): Promise<number> {
  const counts = (await collectSeries(client, selectCount(sensorId))).flatMap((series) =>
    series.values.map((row) => Number(row[1])),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
