import { z } from "zod";
import { CalibrationBody, NewCalibrationBody, viewCalibration } from "../../contract/calibration.ts";
import { byId, pageOf } from "../../contract/common.ts";
import { CALIBRATIONS_PER_SENSOR_MAX } from "../../model/calibration.ts";
import { METRICS_OF } from "../../model/metrics.ts";
import type { Api, Parts } from "../api.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";
import { momentOf } from "./corrections.ts";

const tags = ["corrections"];
const byCalibrationId = z.object({ id: z.string().regex(/^\d{1,15}$/, "The id of a calibration is a whole number.") });

const list = {
  tags,
  summary: "How a sensor is calibrated, and was, the newest first",
  params: byId,
  response: answers({ 200: pageOf(CalibrationBody) }, 404),
};
const add = {
  tags,
  summary: "Calibrate a metric of a sensor from now on",
  description:
    "What is received from now on is stored as value x factor + offset; what the device said is kept beside it.",
  params: byId,
  body: NewCalibrationBody,
  response: answers({ 201: CalibrationBody }, 404, 409, 413, 415),
};
const end = {
  tags,
  summary: "End a calibration; it stays in the list",
  params: byCalibrationId,
  response: answers({ 200: CalibrationBody }, 404),
};

export function addCalibrations(app: Api, { records, auth, now }: Pick<Parts, "records" | "auth" | "now">): void {
  const { calibrations, audit } = records;

  app.get("/sensors/:id/calibrations", { schema: list }, async (request) => {
    const { id } = request.params;
    if (!records.sensors.get(id) && !records.sensors.retired(id)) throw notFound("sensor", id);
    return { items: calibrations.of(id).toReversed().map(viewCalibration) };
  });

  app.post("/sensors/:id/calibrations", { schema: add }, async (request, reply) => {
    const sensor = records.sensors.get(request.params.id);
    if (!sensor) throw notFound("sensor", request.params.id);
    const { metric, factor, offset, from: since, to: until, certificate } = request.body;
    const at = now();
    const from = since === undefined ? at : momentOf(since, "/from");
    const to = until === undefined ? undefined : momentOf(until, "/to");
    if (!METRICS_OF[sensor.kind].includes(metric)) {
      throw invalid("/metric", `Metrics of ${sensor.kind} sensors are ${METRICS_OF[sensor.kind].join(", ")}.`);
    }
    if (factor === 0) throw invalid("/factor", "A factor of 0 would leave nothing.");
    if (to !== undefined && to <= from) throw invalid("/to", "It must be after from.");
    const open = calibrations.of(sensor.id).filter(({ endedAt }) => endedAt === undefined);
    if (open.length >= CALIBRATIONS_PER_SENSOR_MAX) {
      throw new ProblemError("conflict", `${sensor.id} has ${open.length} calibrations already: end some.`);
    }
    const by = auth.account(request).name;
    const added = records.transaction(() => {
      const one = calibrations.add({ sensorId: sensor.id, metric, factor, offset, from, to, certificate, by, at });
      const detail = `${metric} x ${factor} + ${offset}: ${certificate}`;
      audit.add({ at, by, what: "calibration.add", target: `${sensor.id} ${one.id}`, detail });
      return one;
    });
    return reply.code(201).send(viewCalibration(added));
  });

  app.post("/calibrations/:id/end", { schema: end }, async (request) => {
    const id = Number(request.params.id);
    const known = calibrations.get(id);
    if (!known) throw notFound("calibration", request.params.id);
    if (known.endedAt !== undefined) return viewCalibration(known);
    const [at, by] = [now(), auth.account(request).name];
    const ended = records.transaction(() => {
      audit.add({ at, by, what: "calibration.end", target: `${known.sensorId} ${id}` });
      return calibrations.end(id, at, by)!;
    });
    return viewCalibration(ended);
  });
}
