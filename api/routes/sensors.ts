import type { FastifyReply } from "fastify";
import { z } from "zod";
import { byId, pageOf } from "../../contract/common.ts";
import {
  BucketsBody,
  ReadingsBody,
  RegisterQuery,
  SensorBody,
  SensorReadingsQuery,
  type SensorView,
  viewLatest,
  viewReading,
  viewWithRaw,
} from "../../contract/reading.ts";
import { merged } from "../../model/merged-readings.ts";
import { isMetricName, METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { isLate, type Reading } from "../../model/reading.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { UTC } from "../../model/zone.ts";
import type { Aggregate, Bucket, RangeQuery, Resolution } from "../../store/reading-store.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import type { Api, Parts } from "../api.ts";
import { type Cell, type CsvStyle, csvStream, styleOf } from "../csv.ts";
import { type Gap, gapsIn, type Heard, LEARNT_MIN, usualOf } from "../gaps.ts";
import { badCursor, decodeCursor, encodeCursor, pageInOrder } from "../paging.ts";
import { answers, invalid, media, notFound } from "../problems.ts";
import { lineOf, type Stretch } from "../register.ts";
import { checkBuckets, inZone, parseEvery, parseRange, parseZone, type Range, timeWriter } from "../time-range.ts";
import type { Query as StoreQuery } from "../turns.ts";

/** With steps the number of steps is the limit, whatever the range: centuries are as good as none. */
const SPAN_MAX_MS = 1_000 * 366 * DAY_MS;

const tags = ["sensors"];

const list = {
  tags,
  summary: "All sensors",
  querystring: RegisterQuery,
  response: answers({ 200: pageOf(SensorBody) }),
};
const one = { tags, summary: "One sensor", params: byId, response: answers({ 200: SensorBody }, 404) };

export function addSensors(
  app: Api,
  { records, live, latest, faults }: Pick<Parts, "records" | "live" | "latest" | "faults">,
): void {
  app.get("/sensors", { schema: list }, async (request) => {
    const { limit, cursor, retired, ...place } = request.query;
    await latest.settle();
    const filter = { ...place, isRetired: retired === "true" };
    const page = pageInOrder(
      (id) => records.sensors.after(id, filter),
      (sensor) => sensor.id,
      limit,
      cursor,
    );
    return { ...page, items: page.items.map((sensor) => viewSensor(sensor, live, latest)) };
  });

  app.get("/sensors/:id", { schema: one }, async (request) => {
    const sensor = knownSensor(records, request.params.id);
    await latest.settle();
    const own = faults.of(sensor.id);
    const shown = own.refused.length + own.notTaken.length > 0 ? { faults: viewFaults(own) } : {};
    return { ...viewSensor(sensor, live, latest), ...shown };
  });
}

/** With the times as the API writes them. */
export function viewFaults<T extends ReturnType<Parts["faults"]["of"]>>({ refused, notTaken, ...rest }: T) {
  const view = <F extends { readonly since: number; readonly lastAt: number }>(one: F) => {
    return { ...one, since: iso(one.since), lastAt: iso(one.lastAt) };
  };
  return { ...rest, refused: refused.map(view), notTaken: notTaken.map(view) };
}

/** Also one that was taken off the register: what it sent stays. Throws a 404 problem if there is none. */
function knownSensor({ sensors }: Parts["records"], id: string): Sensor {
  const sensor = sensors.get(id) ?? sensors.retired(id);
  if (!sensor) throw notFound("sensor", id);
  return sensor;
}

export function viewSensor(sensor: Sensor, live: Parts["live"], newest: Parts["latest"]): SensorView {
  const { places, replaces, retiredAt, createdAt, ...rest } = sensor;
  const seen = live.seen(sensor.id);
  const latest = newest.find(sensor.kind, sensor.id);
  const lastSeenAt = seen?.lastSeenAt ?? latest?.receivedAt ?? 0;
  return {
    ...rest,
    createdAt: iso(createdAt),
    ...(places && { places: places.map((place) => ({ ...place, from: iso(place.from) })) }),
    ...(replaces && { replaces: { ...replaces, from: iso(replaces.from) } }),
    ...(retiredAt !== undefined && { retiredAt: iso(retiredAt) }),
    ...(seen?.online === undefined ? {} : { online: seen.online }),
    ...(lastSeenAt > 0 ? { lastSeen: iso(lastSeenAt) } : {}),
    ...(latest ? { latest: viewLatest(latest) } : {}),
  };
}

const schema = {
  tags: ["readings"],
  summary: "The readings of one sensor",
  description:
    "As they are, or mean, min, max and count for each step of `every`. CSV comes whole, JSON in pages. Steps of whole " +
    "hours or days go back further than the readings are kept: `resolution` says what they were computed from.",
  params: byId,
  querystring: SensorReadingsQuery,
  response: answers(
    {
      200: media("Readings, or with `every` steps", {
        "application/json": z.union([ReadingsBody, BucketsBody]),
        "text/csv": z.string(),
      }),
    },
    404,
    503,
  ),
};

type Asked = Omit<z.infer<typeof SensorReadingsQuery>, "predecessors" | "gaps"> & {
  /** The metrics whose gaps are asked for. */
  gapsOf: readonly MetricName[];
  sensor: Sensor;
  /** Whose readings, oldest sensor first, each for its part of the range. */
  stretches: readonly (Stretch & Range)[];
  range: Range;
  names?: MetricName[];
  store: StoreQuery;
  style: CsvStyle;
  write: Write;
};

export function addSensorReadings(app: Api, parts: Parts): void {
  app.get("/sensors/:id/readings", { schema }, async (request, reply) => {
    const sensor = knownSensor(parts.records, request.params.id);
    const { query } = request;
    const zone = parseZone(query.zone);
    const spanMaxMs = query.every === undefined ? parts.limits.spanMaxMs : SPAN_MAX_MS;
    const range = query.cursor ? parseRangeCursor(query.cursor) : parseRange(query, parts.now(), spanMaxMs, zone);
    const line = query.predecessors === "true" ? lineOf(parts.records.sensors, sensor) : [{ sensor, to: range.to }];
    const names = parseMetrics(query.metrics, sensor);
    const asked: Asked = {
      ...query,
      sensor,
      stretches: within(line, range),
      range,
      names,
      gapsOf: query.gaps === "true" ? checkGaps(names) : [],
      store: parts.queries(request, reply),
      style: styleOf(query.locale),
      write: timeWriter(zone),
    };
    return query.every === undefined
      ? sendReadings(asked, parts, reply)
      : sendBuckets(query.every, asked, parts, reply);
  });
}

async function sendReadings(asked: Asked, parts: Parts, reply: FastifyReply) {
  const { store } = parts;
  const { sensor, stretches, range, names, limit, format, write } = asked;
  const { signal, stream } = asked.store;
  const marked = { withInvalid: asked.include === "invalid", withRaw: asked.raw === "true", write };
  const { withInvalid } = marked;
  const readings = (): AsyncIterable<readonly Reading[]> => {
    const metrics = names ? { metrics: names } : {};
    const streams = stretches.map(({ sensor, from, to }) => {
      const chunks = store.stream({
        kind: sensor.kind,
        sensorId: sensor.id,
        from,
        to,
        ...metrics,
        signal,
        withInvalid,
      });
      return { from, chunks };
    });
    return streams.length === 1 ? streams[0]!.chunks : merged(streams);
  };
  if (format === "json") {
    const page = await pageOfReadings(stream(readings()), range, limit);
    const items = page.items.map((reading) => inZone((marked.withRaw ? viewWithRaw : viewReading)(reading), write));
    const last = page.items.at(-1)?.measuredAt;
    const shown = { from: range.from, to: page.next === undefined || last === undefined ? range.to : last };
    const heard = (metric: MetricName) =>
      page.items.flatMap(({ measuredAt: at, values }) => (values[metric] === undefined ? [] : [{ at, count: 1 }]));
    return reply.send({ ...page, items, ...(await viewGaps(asked, parts, shown, 0, heard)) });
  }
  const columns = columnsOf(sensor, names);
  const rows = readingRows(await asked.store.export(readings()), columns, marked);
  return sendCsv(reply, sensor, csvStream(readingHeader(columns, marked), rows, asked.style));
}

async function sendBuckets(every: string, asked: Asked, parts: Parts, reply: FastifyReply) {
  const { store, limits, zone = UTC } = parts;
  const { sensor, range, names, format, write } = asked;
  const everyMs = parseEvery(every);
  // A mean of what is invalid would be no answer, and leaving it out in silence neither.
  const ofReadings = asked.include ? "include" : asked.raw ? "raw" : undefined;
  if (ofReadings) throw invalid(`#/query/${ofReadings}`, `${ofReadings} is for single readings: leave every out.`);
  checkBuckets(range, everyMs, limits.bucketsMax);
  const found: Bucket[][] = [];
  for (const { sensor, from, to } of asked.stretches) {
    const query = { kind: sensor.kind, sensorId: sensor.id, from, to, everyMs, ...(names ? { metrics: names } : {}) };
    found.push([...(await asked.store.ask((signal) => store.aggregate({ ...query, signal })))]);
  }
  const buckets = joinSteps(found);
  if (format === "json") {
    const items = buckets.map(({ start, values, days }) => ({
      start: write(start),
      values,
      ...(days && { days }),
    }));
    const ofDays = everyMs % DAY_MS === 0 && { zone: zone.name };
    const heard = (metric: MetricName) =>
      buckets.flatMap(({ start: at, values }) => (values[metric] ? [{ at, count: values[metric].count }] : []));
    const gaps = await viewGaps(asked, parts, range, everyMs, heard);
    return reply.send({ items, resolution: coarsestOf(buckets), ...ofDays, ...gaps });
  }
  const columns = columnsOf(sensor, names);
  return sendCsv(reply, sensor, csvStream(bucketHeader(columns), bucketRows(buckets, columns, write), asked.style));
}

const GAPS_METRICS_MAX = 5;

function checkGaps(names: readonly MetricName[] | undefined): readonly MetricName[] {
  if (names && names.length <= GAPS_METRICS_MAX) return names;
  throw invalid("#/query/gaps", `Say of which metrics, ${GAPS_METRICS_MAX} at most: metrics=pm25.`);
}

/** When each of the metrics was not heard although it should have been. Empty where nobody asked. */
async function viewGaps(
  { gapsOf, store, sensor, write }: Asked,
  parts: Parts,
  range: Range,
  stepMs: number,
  heardOf: (metric: MetricName) => readonly Heard[],
) {
  if (gapsOf.length === 0) return {};
  const to = Math.min(range.to, parts.now());
  const gaps: (Gap & { readonly metric: MetricName })[] = [];
  for (const metric of gapsOf) {
    const heard = heardOf(metric);
    const isShort = heard.length <= LEARNT_MIN;
    const intervalMs = isShort ? await intervalAround({ store, sensor }, parts, metric, range) : undefined;
    for (const gap of gapsIn(heard, { from: range.from, to, stepMs, intervalMs })) gaps.push({ metric, ...gap });
  }
  return { gaps: gaps.map(({ metric, from, to }) => ({ metric, from: write(from), to: write(to) })) };
}

const AROUND_MS = 7 * DAY_MS;

/** As declared, else as it was in the weeks before and after a range with too few readings to say. */
async function intervalAround(
  { store, sensor }: Pick<Asked, "store" | "sensor">,
  parts: Pick<Parts, "store">,
  metric: MetricName,
  { from, to }: Range,
): Promise<number | undefined> {
  if (sensor.intervalS !== undefined) return sensor.intervalS * 1_000;
  const around = { from: from - AROUND_MS, to: Math.min(to, from + AROUND_MS) + AROUND_MS };
  const query = { kind: sensor.kind, sensorId: sensor.id, ...around, everyMs: HOUR_MS, metrics: [metric] };
  const hours = await store.ask((signal) => parts.store.aggregate({ ...query, signal }));
  const steps = hours
    .slice(1)
    .map(({ start }, i) => (start - hours[i]!.start) / (hours[i]!.values[metric]?.count ?? 1));
  return steps.length === 0 ? undefined : usualOf(steps);
}

/** Oldest first. */
function within(line: readonly Stretch[], range: Range): (Stretch & Range)[] {
  return line
    .map(({ sensor, to }) => ({ sensor, from: range.from, to: Math.min(to, range.to) }))
    .filter(({ from, to }) => from < to)
    .reverse();
}

/** A step in which one sensor took another's place, or measured beside it, is told by both. */
export function joinSteps(parts: readonly (readonly Bucket[])[]): Bucket[] {
  const joined: Bucket[] = [];
  for (const bucket of parts.flat().sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last?.start === bucket.start) joined[joined.length - 1] = joinStep(last, bucket);
    else joined.push(bucket);
  }
  return joined;
}

function joinStep(a: Bucket, b: Bucket): Bucket {
  const values: Partial<Record<MetricName, Aggregate>> = { ...a.values };
  for (const [metric, two] of Object.entries(b.values) as [MetricName, Aggregate][]) {
    const one = values[metric];
    values[metric] = one ? joinAggregates(one, two) : two;
  }
  const resolution = [a, b].some((one) => one.resolution === "daily") ? "daily" : (a.resolution ?? b.resolution);
  return { ...a, values, ...(resolution && { resolution }) };
}

function joinAggregates(a: Aggregate, b: Aggregate): Aggregate {
  const count = a.count + b.count;
  const mean = (a.mean * a.count + b.mean * b.count) / count;
  return { mean, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), count };
}

const coarsestOf = (buckets: readonly Bucket[]): Resolution =>
  (["daily", "hourly"] as const).find((one) => buckets.some(({ resolution }) => resolution === one)) ?? "raw";

function sendCsv(reply: FastifyReply, sensor: Sensor, stream: ReturnType<typeof csvStream>) {
  reply.header("content-disposition", `attachment; filename="${sensor.id}.csv"`);
  return reply.type("text/csv; charset=utf-8").send(stream);
}

/** "pm25,no2" → the names; throws a problem for one that this kind of sensor does not have. */
export function parseMetrics(text: string | undefined, sensor: Sensor): MetricName[] | undefined {
  if (text === undefined) return undefined;
  const names = [...new Set(text.split(","))];
  const wrong = names.find((name) => !isMetricName(name) || !METRICS_OF[sensor.kind].includes(name));
  if (wrong === undefined) return names as MetricName[];
  const known = METRICS_OF[sensor.kind].join(", ");
  throw invalid("#/query/metrics", `Metrics of ${sensor.kind} sensors are ${known}.`);
}

/** One page in order of time, and somewhat longer where several sensors have a reading of its last moment. The cursor carries the rest of the range, so "until now" does not move while paging. */
export async function pageOfReadings(
  chunks: AsyncIterable<readonly Reading[]>,
  query: Pick<RangeQuery, "to">,
  limit: number,
): Promise<{ items: Reading[]; next?: string }> {
  const items: Reading[] = [];
  for await (const chunk of chunks) {
    for (const reading of chunk) {
      const last = items.at(-1)?.measuredAt;
      if (items.length >= limit && reading.measuredAt !== last)
        return { items, next: encodeCursor(`${last! + 1}:${query.to}`) };
      items.push(reading);
    }
  }
  return { items };
}

export function parseRangeCursor(cursor: string): Range {
  const parts = /^(-?\d{1,16}):(-?\d{1,16})$/.exec(decodeCursor(cursor));
  if (!parts) throw badCursor();
  return { from: Number(parts[1]), to: Number(parts[2]) };
}

/** How times are written. */
type Write = (at: number) => string;

const iso = (time: number) => new Date(time).toISOString();

/** One column for each metric of the kind, or those asked for, in the order of the table. */
export function columnsOf(sensor: Sensor, metrics: readonly MetricName[] | undefined): readonly MetricName[] {
  return metrics ?? METRICS_OF[sensor.kind];
}

export function readingHeader(columns: readonly MetricName[], { withInvalid, withRaw }: Marked = {}): string[] {
  return [
    ...["sensorId", "kind", "district", "measuredAt", "receivedAt", ...columns, "suspect", "late"],
    ...(withInvalid || withRaw ? ["corrected", "invalid"] : []),
    ...(withRaw ? columns.map((name) => `${name}_raw`) : []),
  ];
}

/** What is asked for beside the values: what was found out about them, and what the device said. */
type Marked = { readonly withInvalid?: boolean; readonly withRaw?: boolean; readonly write?: Write };

export async function* readingRows(
  chunks: AsyncIterable<readonly Reading[]>,
  columns: readonly MetricName[],
  marked: Marked = {},
) {
  for await (const chunk of chunks) yield chunk.map((reading) => readingRow(reading, columns, marked));
}

function markCells(
  { marks = {}, raw }: Reading,
  columns: readonly MetricName[],
  { withInvalid, withRaw }: Marked,
): Cell[] {
  const of = (mark: string) =>
    Object.entries(marks)
      .filter((entry) => entry[1] === mark)
      .map(([name]) => name)
      .join(" ") || undefined;
  return [
    ...(withInvalid || withRaw ? [of("corrected"), of("invalid")] : []),
    ...(withRaw ? columns.map((name) => raw?.[name]) : []),
  ];
}

function readingRow(reading: Reading, columns: readonly MetricName[], marked: Marked): Cell[] {
  const { write = iso } = marked;
  const { sensorId, kind, district, measuredAt, receivedAt, values, quality } = reading;
  const suspect = quality ? Object.keys(quality).join(" ") : undefined;
  const cells = columns.map((name) => values[name]);
  return [
    sensorId,
    kind,
    district,
    write(measuredAt),
    write(receivedAt),
    ...cells,
    suspect,
    isLate(reading) ? "late" : undefined,
    ...markCells(reading, columns, marked),
  ];
}

export function bucketHeader(columns: readonly MetricName[]): string[] {
  return ["start", ...columns.flatMap((name) => [`${name}_mean`, `${name}_min`, `${name}_max`, `${name}_count`])];
}

export async function* bucketRows(buckets: readonly Bucket[], columns: readonly MetricName[], write: Write = iso) {
  yield buckets.map(({ start, values }): Cell[] => [
    write(start),
    ...columns.flatMap((name) => {
      const value = values[name];
      return [value?.mean, value?.min, value?.max, value?.count];
    }),
  ]);
}
