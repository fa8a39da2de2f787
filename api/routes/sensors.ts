import type { FastifyReply } from "fastify";
import { z } from "zod";
import { byId, pageOf } from "../../contract/common.ts";
import {
  BucketsBody,
  DistrictBody,
  ReadingBody,
  SensorBody,
  SensorReadingsQuery,
  SensorsQuery,
  type SensorView,
  viewReading,
} from "../../contract/reading.ts";
import { isMetricName, METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { isLate, type Reading } from "../../model/reading.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Bucket, RangeQuery, Resolution } from "../../store/reading-store.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import type { Api, Parts } from "../api.ts";
import { type Cell, csvStream } from "../csv.ts";
import { badCursor, decodeCursor, encodeCursor, pageInOrder } from "../paging.ts";
import { answers, invalid, media, notFound } from "../problems.ts";
import { checkBuckets, parseEvery, parseRange, type Range } from "../time-range.ts";
import type { Query as StoreQuery } from "../turns.ts";

/** With steps the number of steps is the limit, whatever the range: centuries are as good as none. */
const SPAN_MAX_MS = 1_000 * 366 * DAY_MS;

const tags = ["sensors"];

const list = {
  tags,
  summary: "All sensors",
  querystring: SensorsQuery,
  response: answers({ 200: pageOf(SensorBody) }),
};
const one = { tags, summary: "One sensor", params: byId, response: answers({ 200: SensorBody }, 404) };

const districts = {
  tags,
  summary: "The districts and how many sensors each has",
  response: answers({ 200: pageOf(DistrictBody) }),
};

export function addSensors(app: Api, { records, live }: Pick<Parts, "records" | "live">): void {
  app.get("/sensors", { schema: list }, async (request) => {
    const { limit, cursor, ...filter } = request.query;
    const page = pageInOrder(
      (id) => records.sensors.after(id, filter),
      (sensor) => sensor.id,
      limit,
      cursor,
    );
    return { ...page, items: page.items.map((sensor) => viewSensor(sensor, live)) };
  });

  app.get("/sensors/:id", { schema: one }, async (request) => {
    const sensor = records.sensors.get(request.params.id);
    if (!sensor) throw notFound("sensor", request.params.id);
    return viewSensor(sensor, live);
  });

  app.get("/districts", { schema: districts }, async () => ({ items: records.sensors.districts() }));
}

function viewSensor(sensor: Sensor, live: Parts["live"]): SensorView {
  const seen = live.seen(sensor.id);
  const latest = live.latest({ sensorId: sensor.id, kind: sensor.kind })[0];
  const lastSeenAt = seen?.lastSeenAt ?? latest?.receivedAt ?? 0;
  return {
    ...sensor,
    createdAt: new Date(sensor.createdAt).toISOString(),
    ...(seen?.online === undefined ? {} : { online: seen.online }),
    ...(lastSeenAt > 0 ? { lastSeen: new Date(lastSeenAt).toISOString() } : {}),
    ...(latest ? { latest: viewReading(latest) } : {}),
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
        "application/json": z.union([pageOf(ReadingBody), BucketsBody]),
        "text/csv": z.string(),
      }),
    },
    404,
    503,
  ),
};

type Asked = z.infer<typeof SensorReadingsQuery> & {
  sensor: Sensor;
  range: Range;
  names?: MetricName[];
  store: StoreQuery;
};

export function addSensorReadings(app: Api, parts: Parts): void {
  app.get("/sensors/:id/readings", { schema }, async (request, reply) => {
    const sensor = parts.records.sensors.get(request.params.id);
    if (!sensor) throw notFound("sensor", request.params.id);
    const { query } = request;
    const range = query.cursor
      ? parseRangeCursor(query.cursor)
      : parseRange(query, parts.now(), query.every === undefined ? parts.limits.spanMaxMs : SPAN_MAX_MS);
    const asked: Asked = {
      ...query,
      sensor,
      range,
      names: parseMetrics(query.metrics, sensor),
      store: parts.queries(request, reply),
    };
    return query.every === undefined
      ? sendReadings(asked, parts, reply)
      : sendBuckets(query.every, asked, parts, reply);
  });
}

async function sendReadings(asked: Asked, { store }: Parts, reply: FastifyReply) {
  const { sensor, range, names, limit, format } = asked;
  const { signal, stream } = asked.store;
  const query = { kind: sensor.kind, sensorId: sensor.id, ...range, ...(names ? { metrics: names } : {}), signal };
  if (format === "json") {
    const page = await pageOfReadings(stream(store.stream(query)), query, limit);
    return reply.send({ ...page, items: page.items.map(viewReading) });
  }
  const columns = columnsOf(sensor, names);
  const rows = readingRows(await asked.store.export(store.stream(query)), columns);
  return sendCsv(reply, sensor, csvStream(readingHeader(columns), rows));
}

async function sendBuckets(every: string, asked: Asked, { store, limits }: Parts, reply: FastifyReply) {
  const { sensor, range, names, format } = asked;
  const everyMs = parseEvery(every);
  checkBuckets(range, everyMs, limits.bucketsMax);
  const query = { kind: sensor.kind, sensorId: sensor.id, ...range, everyMs, ...(names ? { metrics: names } : {}) };
  const buckets = await asked.store.ask((signal) => store.aggregate({ ...query, signal }));
  if (format === "json") {
    const items = buckets.map(({ start, values }) => ({ start: new Date(start).toISOString(), values }));
    return reply.send({ items, resolution: coarsestOf(buckets) });
  }
  const columns = columnsOf(sensor, names);
  return sendCsv(reply, sensor, csvStream(bucketHeader(columns), bucketRows(buckets, columns)));
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

/** One page in order of time. The cursor carries the rest of the range, so "until now" does not move while paging. */
export async function pageOfReadings(
  chunks: AsyncIterable<readonly Reading[]>,
  query: Pick<RangeQuery, "to">,
  limit: number,
): Promise<{ items: Reading[]; next?: string }> {
  const items: Reading[] = [];
  for await (const chunk of chunks) {
    for (const reading of chunk) {
      if (items.length === limit) return { items, next: encodeCursor(`${items.at(-1)!.measuredAt + 1}:${query.to}`) };
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

const iso = (time: number) => new Date(time).toISOString();

/** One column for each metric of the kind, or those asked for, in the order of the table. */
export function columnsOf(sensor: Sensor, metrics: readonly MetricName[] | undefined): readonly MetricName[] {
  return metrics ?? METRICS_OF[sensor.kind];
}

export function readingHeader(columns: readonly MetricName[]): string[] {
  return ["sensorId", "kind", "district", "measuredAt", "receivedAt", ...columns, "suspect", "late"];
}

export async function* readingRows(chunks: AsyncIterable<readonly Reading[]>, columns: readonly MetricName[]) {
  for await (const chunk of chunks) yield chunk.map((reading) => readingRow(reading, columns));
}

function readingRow(reading: Reading, columns: readonly MetricName[]): Cell[] {
  const { sensorId, kind, district, measuredAt, receivedAt, values, quality } = reading;
  const suspect = quality ? Object.keys(quality).join(" ") : undefined;
  const cells = columns.map((name) => values[name]);
  return [
    sensorId,
    kind,
    district,
    iso(measuredAt),
    iso(receivedAt),
    ...cells,
    suspect,
    isLate(reading) ? "late" : undefined,
  ];
}

export function bucketHeader(columns: readonly MetricName[]): string[] {
  return ["start", ...columns.flatMap((name) => [`${name}_mean`, `${name}_min`, `${name}_max`, `${name}_count`])];
}

export async function* bucketRows(buckets: readonly Bucket[], columns: readonly MetricName[]) {
  yield buckets.map(({ start, values }): Cell[] => [
    iso(start),
    ...columns.flatMap((name) => {
      const value = values[name];
      return [value?.mean, value?.min, value?.max, value?.count];
    }),
  ]);
}
