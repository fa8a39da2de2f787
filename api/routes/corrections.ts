import { z } from "zod";
import { byId, pageOf } from "../../contract/common.ts";
import {
  CorrectionBody,
  CorrectionDoneBody,
  type CorrectionDoneView,
  type CorrectionEffectView,
  CorrectionQuery,
  CorrectionsQuery,
  NewCorrectionBody,
  RevokeBody,
  viewCorrection,
} from "../../contract/correction.ts";
import { CORRECTION_SPAN_MAX_MS, explainImpossible, isPossible, type NewCorrection } from "../../model/correction.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { DAY_MS } from "../../model/time.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import type { Api, Parts } from "../api.ts";
import type { CorrectionEffect } from "../deps.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";
import { parseTime } from "../time-range.ts";

const tags = ["corrections"];
const byCorrectionId = z.object({ id: z.string().regex(/^\d{1,15}$/, "The id of a correction is a whole number.") });

const list = {
  tags,
  summary: "What was found out about a sensor's readings, the newest first",
  params: byId,
  querystring: CorrectionsQuery,
  response: answers({ 200: pageOf(CorrectionBody) }, 404),
};
const add = {
  tags,
  summary: "Correct readings: invalid, another value, another unit, another time",
  description:
    "Readings stay as they were received. What is read from now on passes through the correction; rollups are computed anew, and the rules judge again as far as they reach. The same asked for again changes nothing (200).",
  params: byId,
  querystring: CorrectionQuery,
  body: NewCorrectionBody,
  response: answers({ 200: CorrectionDoneBody, 201: CorrectionDoneBody }, 404, 409, 413, 415, 503),
};
const revoke = {
  tags,
  summary: "Revoke a correction: everything is read as before it",
  params: byCorrectionId,
  body: RevokeBody,
  response: answers({ 200: CorrectionDoneBody }, 404, 409, 413, 415, 503),
};

type CorrectionParts = Pick<Parts, "records" | "corrections" | "auth" | "queries" | "now">;

export function addCorrections(app: Api, { records, corrections, auth, queries, now }: CorrectionParts): void {
  /** What one sent that was taken off the register stays, and may be wrong. */
  function sensorOf(id: string): Sensor {
    const sensor = records.sensors.get(id) ?? records.sensors.retired(id);
    if (!sensor) throw notFound("sensor", id);
    return sensor;
  }

  app.get("/sensors/:id/corrections", { schema: list }, async (request) => {
    sensorOf(request.params.id);
    const page = records.corrections.list(request.params.id, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewCorrection) };
  });

  app.post("/sensors/:id/corrections", { schema: add }, async (request, reply) => {
    const sensor = sensorOf(request.params.id);
    const correction = toCorrection(request.body, sensor, now(), auth.account(request).name);
    const { ask } = queries(request, reply);
    if (request.query.dryRun === "true") {
      return reply.code(200).send({
        effect: viewEffect(await ask((signal) => refused(corrections.dryRun(sensor.kind, correction, signal)))),
      });
    }
    const done = await ask((signal) => refused(corrections.add(sensor.kind, correction, signal)));
    return reply.code(done.effect ? 201 : 200).send(viewDone(done));
  });

  app.post("/corrections/:id/revoke", { schema: revoke }, async (request, reply) => {
    const { id } = request.params;
    const { ask } = queries(request, reply);
    const kindOf = (sensorId: string) => sensorOf(sensorId).kind;
    const by = auth.account(request).name;
    const done = await ask((signal) =>
      refused(corrections.revoke(Number(id), kindOf, by, request.body.reason, signal)),
    );
    if (!done) throw notFound("correction", id);
    return viewDone(done);
  });
}

/** Throws a problem that says what to send instead. */
function toCorrection(
  body: z.infer<typeof NewCorrectionBody>,
  sensor: Pick<Sensor, "id" | "kind">,
  now: number,
  by: string,
): NewCorrection {
  const from = momentOf(body.from, "/from");
  const to = momentOf(body.to, "/to");
  if (from >= to) throw invalid("/to", "It must be after from.");
  if (from > now)
    throw invalid("/from", "This has not been measured yet: for what comes from now on use a calibration.");
  if (to > now + DAY_MS) throw invalid("/to", "At most a day ahead: for what comes from now on use a calibration.");
  if (to - from > CORRECTION_SPAN_MAX_MS) {
    throw invalid("/to", `At most ${CORRECTION_SPAN_MAX_MS / DAY_MS} days at a time.`);
  }
  const known: readonly MetricName[] = METRICS_OF[sensor.kind];
  const foreign = body.metrics?.find((name) => !known.includes(name));
  if (foreign !== undefined) {
    throw invalid("/metrics", `Metrics of ${sensor.kind} sensors are ${known.join(", ")}.`);
  }
  checkChange(body);
  const metrics = body.metrics && known.filter((name) => body.metrics!.includes(name));
  const impossible = metrics?.find((name) => body.value !== undefined && !isPossible(name, body.value));
  if (impossible) throw invalid("/value", explainImpossible(impossible, body.value!));
  const { what, value, factor, offset, shiftS, reason } = body;
  return { sensorId: sensor.id, from, to, metrics, what, value, factor, offset, shiftS, reason, by, at: now };
}

const NEEDS = { value: ["value"], factor: ["factor", "offset"], shift: ["shiftS"], invalid: [] } as const;

function checkChange(body: z.infer<typeof NewCorrectionBody>): void {
  const { what } = body;
  const own: readonly string[] = NEEDS[what];
  const given = (["value", "factor", "offset", "shiftS"] as const).filter((name) => body[name] !== undefined);
  const strange = given.find((name) => !own.includes(name));
  if (strange) throw invalid(`/${strange}`, `${strange} does not go with what: ${what}.`);
  if (own.length > 0 && given.length === 0) throw invalid(`/${own[0]}`, `what: ${what} needs ${own.join(" or ")}.`);
  if ((what === "value" || what === "factor") && !body.metrics) {
    throw invalid("/metrics", `what: ${what} needs the metrics it is for.`);
  }
  if (what === "shift" && body.metrics)
    throw invalid("/metrics", "A shift moves the whole reading: leave metrics out.");
  if (what === "shift" && body.shiftS === 0) throw invalid("/shiftS", "This moves nothing.");
  if (body.factor === 0) throw invalid("/factor", "A factor of 0 would leave nothing: mark the values as invalid.");
}

export function momentOf(value: string | number, pointer: string): number {
  try {
    return parseTime(String(value), pointer.slice(1));
  } catch {
    throw invalid(pointer, "ISO 8601 with a zone, like 2026-11-21T10:00:00Z, or epoch milliseconds.");
  }
}

/** What cannot be is wrong in what was asked for, or a conflict with what is there. */
export async function refused<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: Error & { readonly field?: string }) => {
    if (error.name !== "CorrectionRefused") throw error;
    throw error.field === undefined
      ? new ProblemError("conflict", error.message)
      : invalid(`/${error.field}`, error.message);
  });
}

const iso = (time: number) => new Date(time).toISOString();

function viewEffect({ examples, ...rest }: CorrectionEffect): CorrectionEffectView {
  const view = (one: CorrectionEffect["examples"][number]["before"]) =>
    one && { measuredAt: iso(one.measuredAt), values: one.values as Record<string, number> };
  return {
    ...rest,
    examples: examples.map(({ before, after }) => ({
      ...(before ? { before: view(before)! } : {}),
      ...(after ? { after: view(after)! } : {}),
    })),
  };
}

function viewDone({
  correction,
  effect,
}: {
  correction: Parameters<typeof viewCorrection>[0];
  effect?: CorrectionEffect;
}): CorrectionDoneView {
  return { correction: viewCorrection(correction), ...(effect ? { effect: viewEffect(effect) } : {}) };
}
