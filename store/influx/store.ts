import { setTimeout as pause } from "node:timers/promises";
import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Log } from "../../model/log.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import { createOriginNumbers, packReadings, type ReadingBlock } from "../../model/reading-block.ts";
import { startOfHour } from "../../model/time.ts";
import { createLatestReadings } from "../latest-readings.ts";
import { joinChunks, joinMoment } from "../moments.ts";
import {
  type Bucket,
  type CountFilter,
  type DayFilter,
  type RangeQuery,
  type ReadingKey,
  type ReadingStore,
  type ScanQuery,
  type Sentinel,
  type StoredReading,
  StoreError,
  type StoreLimits,
  withoutMetrics,
} from "../reading-store.ts";
import {
  bucketsOfSeries,
  createInfluxClient,
  type InfluxClient,
  type InfluxFlavour,
  type Requests,
  readingsOfSeries,
  type Series,
} from "./client.ts";
import { examine } from "./examine.ts";
import { type BoundQuery, createQueries, type Queries, sentinelOf } from "./influxql.ts";
import { dayOfMark, toLine } from "./lines.ts";
import { type Migration, migratePoints } from "./migration.ts";
import { createPlace, type Place, rollupsFlavour } from "./place.ts";
import {
  createRollups,
  createRollupsPlace,
  goneMarks,
  isGone,
  LINES_PER_REQUEST_MAX,
  type RollupsMemory,
  type RollupsPlace,
} from "./rollups.ts";

export type InfluxOptions = {
  readonly url: string;
  readonly flavour: InfluxFlavour;
  /** The longest a server may keep us waiting for (the next part of) an answer. */
  readonly timeoutMs: number;
  /** 8 lowercase hexadecimal digits: what is ours in a database that others may write to as well. */
  readonly installation: string;
  /** Kept with the books; without it the place of the rollups is found out anew each time. */
  readonly rollups?: RollupsMemory;
  readonly log: Log;
};

export type InfluxStore = ReadingStore & {
  /** Copies what earlier versions wrote to the points of today (`migration.ts`). */
  migrate(migration: Migration, signal: AbortSignal): Promise<{ copied: number; refused: number }>;
};

/** The longest an opening waits for the first answer. */
const START_WAIT_MS = 1_000;

/** What the server, or we, may have changed: the way to the readings has to be proven again before the next request. */
const DOUBTS = /unreachable|missing|mapping|token|permissions|not_set_up|tls|proxy/;

/**
 * InfluxDB 1.x or 2.x. Opening does not fail when the server is away or set up wrongly: calls throw `StoreError` until it
 * is back and what is written is proven to be what is read (`place.ts`). A `write` above 5,000 readings takes several
 * requests, each of them kept or not by itself; sending all of it again is harmless.
 */
export async function openInfluxStore(options: InfluxOptions): Promise<InfluxStore> {
  const { url, flavour, installation, log } = options;
  if (!/^[0-9a-f]{8}$/.test(installation)) throw new RangeError("installation must be 8 hexadecimal digits");
  const raw = createInfluxClient(options);
  const place = createPlace({ client: raw, flavour, installation, now: Date.now, log });
  const queries = createQueries(installation);
  let closed = false;
  function prove(): Promise<Place> {
    if (closed) return Promise.reject(new StoreError("unavailable", "the store is closed"));
    return place.prove();
  }
  const client = atPlace(raw, { doubt: place.doubt, prove });
  const memory = options.rollups ?? createMemory();
  const apart = openApart(options, { isClosed: () => closed, doubt: () => rollupsPlace.doubt() });
  const rollupsPlace: RollupsPlace = createRollupsPlace({
    raw: client,
    own: apart.client,
    prove: apart.prove,
    queries,
    installation,
    memory,
    log,
    keeps: () => ({ raw: place.limits()?.keepsMs, own: apart.limits()?.keepsMs }),
    isClosed: () => closed,
    now: Date.now,
  });
  function limits(): StoreLimits | undefined {
    const known = place.limits();
    return known && { ...known, rollups: rollupsPlace.found() };
  }
  const latest = createLatestReadings({
    newest: () => loadNewest(client, queries),
    lastTimes: (kind, from) => lastTimes(client, queries, kind, from),
    find: (kind, keys) => findKeys(client, queries, kind, keys),
  });

  const proven = place.prove().catch((error: StoreError) => {
    const [host, reason] = [new URL(url).host, error.message];
    if (error.kind === "unavailable") log.warn({ host, reason }, "reading store is away; readings wait in the journal");
    else log.error({ host, reason }, "reading store cannot be used; readings wait in the journal");
  });
  // A server that says nothing holds up no start: whoever asks it next waits for the same proof.
  const started = new AbortController();
  await Promise.race([proven, pause(START_WAIT_MS, undefined, started).catch(() => {})]);
  started.abort();

  return {
    name: "influxdb",
    place: placeOf(url, flavour),
    repeatable: true,
    writeReadingsMax: LINES_PER_REQUEST_MAX,
    async write(readings, { without } = {}) {
      const left = without ? readings.map((one) => withoutMetrics(one, without)) : readings;
      for (let start = 0; start < left.length; start += LINES_PER_REQUEST_MAX) {
        const batch = left.slice(start, start + LINES_PER_REQUEST_MAX);
        await client.write(batch.map((reading) => toLine(reading, installation)));
        latest.note(batch);
      }
    },
    find: (kind, keys) => findKeys(client, queries, kind, keys),
    newest: latest.newest,
    latest: latest.latest,
    stream: (query) => streamRange(client, queries, query),
    scan: (query) => scanStreams((range) => streamRange(client, queries, range), query),
    aggregate: (query) => aggregateRange(client, queries, query),
    count: (filter) => countReadings(client, queries, filter?.sensorId),
    countBySensor: (filter = {}) => countBySensor(client, queries, installation, filter),
    countByDay: (kind, from, to, filter) => countByDay(client, queries, kind, { from, to, ...filter }),
    async deleteBefore(kind, time) {
      for (const mark of await goneMarks(client, queries, kind, { installation, before: time }))
        await client.remove({ measurement: kind, mark, before: time });
      await latest.forget(kind, ({ measuredAt, receivedAt }) => measuredAt < time && receivedAt < time);
      return undefined;
    },
    rollups: createRollups(client, rollupsPlace, queries, installation, log),
    copyTo: async () => false,
    copyCommand() {
      const readings = copyCommandOf(url, flavour, "influxdb-backup");
      if (!memory.isApart()) return readings;
      return `${readings} && ${copyCommandOf(url, rollupsFlavour(flavour), "influxdb-backup-rollups")}`;
    },
    async ping() {
      await collectSeries(client, queries.ping);
    },
    startedAt: raw.startedAt,
    examine: (keepDays) =>
      examine({ client: raw, flavour, prove: place.prove, rollups: rollupsPlace, keepDays, now: Date.now }),
    limits: {
      known: limits,
      async ask() {
        place.doubt();
        await prove();
        return limits();
      },
    },
    migrate: (migration, signal) =>
      migratePoints(
        client,
        { queries, installation, note: latest.note, rollups: rollupsPlace.writing },
        migration,
        signal,
      ),
    sentinel: createSentinel(client, queries, installation),
    async close() {
      closed = true;
    },
  };
}

/** The place rollups have for themselves, if it is there. */
function openApart(
  options: InfluxOptions,
  { isClosed, doubt }: { readonly isClosed: () => boolean; readonly doubt: () => void },
) {
  const { installation, log } = options;
  const flavour = rollupsFlavour(options.flavour);
  const client = createInfluxClient({ ...options, flavour });
  const place = createPlace({ client, flavour, beside: options.flavour, installation, now: Date.now, log });
  function prove(): Promise<Place> {
    if (isClosed()) return Promise.reject(new StoreError("unavailable", "the store is closed"));
    return place.prove();
  }
  function doubtAll(): void {
    place.doubt();
    doubt();
  }
  return { client: atPlace(client, { doubt: doubtAll, prove }), prove, limits: place.limits };
}

function createMemory(): RollupsMemory {
  let isApart = false;
  return {
    isApart: () => isApart,
    setApart() {
      isApart = true;
    },
    lost: () => {},
  };
}

/** The client at the proven place: asks before every request, which costs nothing while the proof holds. */
function atPlace(client: InfluxClient, { prove, doubt }: { prove(): Promise<Place>; doubt(): void }): Requests {
  function look(error: unknown): never {
    if (error instanceof StoreError && DOUBTS.test(error.reason)) doubt();
    throw error;
  }
  return {
    async write(lines) {
      await prove();
      await client.write(lines).catch(look);
    },
    async *query(text, values, patience, signal) {
      const { target } = await prove();
      try {
        yield* client.query(target, text, values, patience, signal);
      } catch (error) {
        look(error);
      }
    },
    async remove(points) {
      const { target, noRemoval } = await prove();
      if (noRemoval) throw noRemoval;
      await client.remove(target, points).catch(look);
    },
  };
}

function placeOf(url: string, flavour: InfluxFlavour): string {
  const name = "token" in flavour ? `${flavour.org}/${flavour.bucket}` : flavour.database;
  return `influxdb ${new URL(url).origin} ${name}`;
}

/** Its port for backups and the operator's token are not ours to have. */
function copyCommandOf(url: string, flavour: InfluxFlavour, folder: string): string {
  const quote = (text: string) => (/^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  if ("token" in flavour) {
    const { org, bucket } = flavour;
    return `influx backup --host ${new URL(url).origin} --org ${quote(org)} --bucket ${quote(bucket)} ${folder}`;
  }
  const host = `${new URL(url).hostname}:8088`;
  return `influxd backup -portable -host ${host} -database ${quote(flavour.database)} ${folder}`;
}

async function collectSeries(client: Requests, query: BoundQuery, signal?: AbortSignal): Promise<Series[]> {
  return Array.fromAsync(client.query(query.text, query.values, undefined, signal));
}

/** Once after a start, over all sensors and all shards (about 0.1 ms for each): nothing can be written before it ends. */
const LOAD_PATIENCE = 12;

async function loadNewest(client: Requests, queries: Queries): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const kind of KINDS) {
    for (const { text } of queries.newest(kind)) {
      for await (const series of client.query(text, {}, LOAD_PATIENCE))
        readings.push(...readingsOfSeries(kind, series, queries.receiptName));
    }
  }
  return readings;
}

/** Each moment once: that of one metric is mostly that of others, too. */
async function lastTimes(client: Requests, queries: Queries, kind: Kind, from: number): Promise<ReadingKey[]> {
  const keys = new Map<string, ReadingKey>();
  const { text, values } = queries.last(kind, from);
  for await (const series of client.query(text, values, LOAD_PATIENCE)) {
    const sensorId = series.tags?.sensorId ?? "";
    for (const [time] of series.values) keys.set(`${time} ${sensorId}`, { sensorId, measuredAt: Number(time) });
  }
  return [...keys.values()];
}

async function findKeys(
  client: Requests,
  queries: Queries,
  kind: Kind,
  keys: readonly ReadingKey[],
): Promise<(StoredReading | undefined)[]> {
  const keyText = (key: ReadingKey) => `${key.measuredAt} ${key.sensorId}`;
  const asked = new Set(keys.map(keyText));
  const found = new Map<string, Reading[]>();
  for (const { text, values } of queries.keys(kind, keys)) {
    for await (const series of client.query(text, values)) {
      for (const reading of readingsOfSeries(kind, series, queries.receiptName)) {
        const key = keyText(reading);
        if (!asked.has(key)) continue;
        const others = found.get(key);
        // Ranges of neighbouring keys may meet: a row that comes twice is one.
        if (!others?.some(({ journalSeq, part }) => journalSeq === reading.journalSeq && part === reading.part))
          found.set(key, [...(others ?? []), reading]);
      }
    }
  }
  return keys.map((key) => {
    const ofMoment = found.get(keyText(key));
    return ofMoment && joinMoment(ofMoment.toSorted((a, b) => a.journalSeq - b.journalSeq));
  });
}

function metricsOf(query: RangeQuery): readonly MetricName[] {
  return METRICS_OF[query.kind].filter((metric) => query.metrics?.includes(metric) ?? true);
}

function streamRange(client: Requests, queries: Queries, query: RangeQuery): AsyncGenerator<readonly Reading[]> {
  const points = streamPoints(client, queries, query);
  return query.byMessage ? points : joinChunks(points);
}

async function* streamPoints(
  client: Requests,
  queries: Queries,
  asked: RangeQuery,
): AsyncGenerator<readonly Reading[]> {
  const query = asked.metrics ? { ...asked, metrics: metricsOf(asked) } : asked;
  const { text, values } = queries.range(query);
  for await (const series of client.query(text, values, undefined, asked.signal)) {
    const readings = readingsOfSeries(query.kind, series, queries.receiptName);
    const chunk = query.metrics ? readings.filter((reading) => Object.keys(reading.values).length > 0) : readings;
    if (chunk.length > 0) yield chunk;
  }
}

async function aggregateRange(
  client: Requests,
  queries: Queries,
  query: RangeQuery & { readonly everyMs: number },
): Promise<Bucket[]> {
  const metrics = metricsOf(query);
  if (metrics.length === 0) return [];
  const parts = await collectSeries(client, queries.aggregates(query, metrics), query.signal);
  return parts.flatMap((series) => bucketsOfSeries(series, metrics));
}

async function countReadings(client: Requests, queries: Queries, sensorId: string | undefined): Promise<number> {
  const counts = (await collectSeries(client, queries.count(sensorId))).flatMap((series) =>
    series.values.map((row) => Number(row[1])),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function countBySensor(
  client: Requests,
  queries: Queries,
  installation: string,
  filter: CountFilter,
): Promise<Map<string, number>> {
  const { text, values } = queries.countBySensor(filter);
  const counts = new Map<string, number>();
  for await (const series of client.query(text, values, LOAD_PATIENCE, filter.signal)) {
    const { sensorId = "", installation: mark = "" } = series.tags ?? {};
    if (filter.past && !isGone(dayOfMark(installation, mark), filter.past.time)) continue;
    for (const row of series.values) counts.set(sensorId, (counts.get(sensorId) ?? 0) + Number(row[1]));
  }
  return counts;
}

async function countByDay(
  client: Requests,
  queries: Queries,
  kind: Kind,
  { outside, ...range }: { readonly from: number; readonly to: number } & DayFilter,
): Promise<Map<string, Map<number, number>>> {
  const { text, values } = queries.countByDay(kind, range, { ...(outside && { outside }) });
  const counts = new Map<string, Map<number, number>>();
  for await (const series of client.query(text, values, LOAD_PATIENCE)) {
    const sensorId = series.tags?.sensorId ?? "";
    const days = counts.get(sensorId) ?? new Map<number, number>();
    for (const [day, count] of series.values) days.set(Number(day), Number(count));
    if (days.size > 0) counts.set(sensorId, days);
  }
  return counts;
}

function createSentinel(client: Requests, queries: Queries, installation: string): Sentinel {
  return {
    async read() {
      const found = await collectSeries(client, queries.sentinel(Date.now()));
      const rank = ({ name, values: [row] }: Series) =>
        2 * Number(row?.[0]) + Number(name === sentinelOf(installation));
      const [series] = found.sort((a, b) => rank(b) - rank(a));
      const [, life, booked, run, beat] = series?.values[0] ?? [];
      if (typeof life !== "string") return undefined;
      return { life, booked: Number(booked), ...(typeof run === "string" && { run, beat: Number(beat) }) };
    },
    async write({ life, booked, run, beat = 0 }) {
      if (![life, run ?? life].every((one) => /^[a-z0-9]{1,64}$/.test(one)))
        throw new RangeError("life and run must be lowercase letters and digits");
      const hour = startOfHour(Date.now());
      const writer = run === undefined ? "" : `,run="${run}",beat=${beat}`;
      await client.write([
        `${sentinelOf(installation)},installation=${installation} life="${life}",booked=${booked}${writer} ${hour}`,
      ]);
    },
  };
}

const BLOCK_ROWS = 4_096;

/** `scan` for a store without columns: the streams of the kinds, each in order of time, merged and packed. */
async function* scanStreams(
  stream: ReadingStore["stream"],
  { kinds, ...range }: ScanQuery,
): AsyncGenerator<ReadingBlock> {
  const numbers = createOriginNumbers();
  let gathered: Reading[] = [];
  for await (const reading of merge(kinds.map((kind) => readingsOf(stream({ ...range, kind } as RangeQuery))))) {
    gathered.push(reading);
    if (gathered.length < BLOCK_ROWS) continue;
    yield packReadings(gathered, numbers);
    gathered = [];
  }
  if (gathered.length > 0) yield packReadings(gathered, numbers);
}

/** One after the other, those of the same moment in the order of the journal. */
async function* readingsOf(chunks: AsyncIterable<readonly Reading[]>): AsyncGenerator<Reading> {
  let moment: Reading[] = [];
  for await (const chunk of chunks) {
    for (const reading of chunk) {
      if (moment.length > 0 && moment[0]!.measuredAt !== reading.measuredAt) {
        yield* inJournalOrder(moment);
        moment = [];
      }
      moment.push(reading);
    }
  }
  yield* inJournalOrder(moment);
}

const inJournalOrder = (readings: Reading[]) =>
  readings.length > 1 ? readings.sort((a, b) => a.journalSeq - b.journalSeq) : readings;

async function* merge(sources: readonly AsyncGenerator<Reading>[]): AsyncGenerator<Reading> {
  try {
    const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })));
    for (;;) {
      let first: (typeof heads)[number] | undefined;
      for (const head of heads)
        if (!head.next.done && (!first || isBefore(head.next.value, first.next.value))) first = head;
      if (!first || first.next.done) return;
      yield first.next.value;
      first.next = await first.source.next();
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)));
  }
}

const isBefore = (a: Reading, b: Reading) =>
  a.measuredAt < b.measuredAt || (a.measuredAt === b.measuredAt && a.journalSeq < b.journalSeq);
