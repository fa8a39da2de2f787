import type { FastifyReply } from "fastify";
import { z } from "zod";
import { byId, pageOf } from "../../contract/common.ts";
import { BucketsBody, ReadingBody, SensorReadingsQuery, viewReading } from "../../contract/reading.ts";
import type { MetricName } from "../../model/metrics.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Bucket, Resolution } from "../../store/reading-store.ts";
import type { Sensor } from "../../store/records.ts";
import { answers, media } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { csvStream } from "../csv.ts";
import { notFound } from "../problems.ts";
import type { Query as StoreQuery } from "../queries.ts";
import { bucketHeader, bucketRows, columnsOf, readingHeader, readingRows } from "../sensor-csv.ts";
import { pageOfReadings, parseMetrics, parseRangeCursor, startStream } from "../sensor-range.ts";
import { checkBuckets, parseEvery, parseRange, type Range } from "../time-range.ts";

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

/** With steps the number of steps is the limit, whatever the range: centuries are as good as none. */
const SPAN_MAX_MS = 1_000 * 366 * DAY_MS;

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
  const { signal, stream, download } = asked.store;
  const query = { kind: sensor.kind, sensorId: sensor.id, ...range, ...(names ? { metrics: names } : {}), signal };
  if (format === "json") {
    const page = await pageOfReadings(stream(store.stream(query)), query, limit);
    return reply.send({ ...page, items: page.items.map(viewReading) });
  }
  const columns = columnsOf(sensor, names);
  await download();
  const rows = readingRows(await startStream(stream(store.stream(query))), columns);
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
