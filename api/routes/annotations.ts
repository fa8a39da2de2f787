import { z } from "zod";
import { AnnotationBody, AnnotationsQuery, type AnnotationView, NewAnnotation } from "../../contract/annotation.ts";
import { byId, pageOf } from "../../contract/common.ts";
import { DAY_MS } from "../../model/time.ts";
import { UTC } from "../../model/zone.ts";
import type { Annotation } from "../../store/records/annotations.ts";
import type { Api, Parts } from "../api.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";
import { parseRange } from "../time-range.ts";

/** Of one sensor: a chart with more cannot be read. */
const PER_SENSOR_MAX = 500;
const SPAN_MAX_MS = 1_000 * 366 * DAY_MS;
const tags = ["annotations"];

const list = {
  tags,
  summary: "What people wrote beside a sensor's charts, of a time",
  params: byId,
  querystring: AnnotationsQuery,
  response: answers({ 200: pageOf(AnnotationBody) }, 404),
};
const add = {
  tags,
  summary: "Write something beside a stretch of a sensor's charts",
  params: byId,
  body: NewAnnotation,
  response: answers({ 201: AnnotationBody }, 404, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Take it away: whoever wrote it, operators and admins",
  params: z.object({ id: z.coerce.number().int() }),
  response: answers({ 204: z.undefined() }, 404),
};

type AnnotationParts = Pick<Parts, "records" | "auth" | "now" | "zone">;

export function addAnnotations(app: Api, { records, auth, now, zone = UTC }: AnnotationParts): void {
  const { annotations, sensors } = records;
  const check = (id: string) => {
    if (!sensors.get(id) && !sensors.retired(id)) throw notFound("sensor", id);
  };

  app.get("/sensors/:id/annotations", { schema: list }, async (request) => {
    const { id } = request.params;
    check(id);
    const { from, to } = parseRange(request.query, now(), SPAN_MAX_MS, zone.name);
    return { items: annotations.of(id, from, to).map(viewAnnotation) };
  });

  app.post("/sensors/:id/annotations", { schema: add }, async (request, reply) => {
    const { id: sensorId } = request.params;
    check(sensorId);
    const { metric, text, ...time } = request.body;
    const [from, to] = [Date.parse(time.from), Date.parse(time.to ?? time.from)];
    if (from > to) throw invalid("/to", "to must not be before from.");
    if (annotations.count(sensorId) >= PER_SENSOR_MAX)
      throw new ProblemError("conflict", `${sensorId} has ${PER_SENSOR_MAX} annotations already: remove one first.`);
    const [at, by] = [now(), auth.account(request).name];
    const one = { sensorId, ...(metric ? { metric } : {}), from, to, text, at, by };
    const id = records.transaction(() => {
      records.audit.add({ at, by, what: "annotation.add", target: sensorId, detail: text.slice(0, 200) });
      return annotations.add(one);
    });
    return reply.code(201).send(viewAnnotation({ ...one, id }));
  });

  app.delete("/annotations/:id", { schema: remove }, async (request, reply) => {
    const one = annotations.get(request.params.id);
    if (!one) throw notFound("annotation", String(request.params.id));
    const { name: by, role } = auth.account(request);
    if (one.by !== by && role === "crew") throw new ProblemError("forbidden", `${one.by} wrote this.`);
    records.transaction(() => {
      annotations.remove(one.id);
      const detail = one.text.slice(0, 200);
      records.audit.add({ at: now(), by, what: "annotation.remove", target: one.sensorId, detail });
    });
    return reply.code(204).send();
  });
}

export function viewAnnotation({ from, to, at, ...rest }: Annotation): AnnotationView {
  return { ...rest, from: iso(from), to: iso(to), at: iso(at) };
}

const iso = (time: number) => new Date(time).toISOString();
