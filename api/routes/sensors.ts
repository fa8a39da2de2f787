import { byId, pageOf } from "../../contract/common.ts";
import { DistrictBody, SensorBody, SensorsQuery, type SensorView, viewReading } from "../../contract/reading.ts";
import type { Sensor } from "../../store/records.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { pageInOrder } from "../paging.ts";
import { notFound } from "../problems.ts";

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
