import { z } from "zod";
import { byId } from "../../contract/common.ts";
import {
  NewRecording,
  NewRun,
  RecordingBody,
  type RecordingNow,
  RecordingsBody,
  type RecordingView,
  type Run,
  RunBody,
  type RunQuestion,
  type RunView,
  SimulationsBody,
} from "../../contract/simulation.ts";
import { SCENARIO_NAMES, SimulationRefused } from "../../model/simulation.ts";
import type { Api, Parts } from "../api.ts";
import { answers, invalid, media, notFound, ProblemError } from "../problems.ts";

const tags = ["simulations"];
const list = {
  tags,
  summary: "What can be played, and what is",
  response: answers({ 200: SimulationsBody }),
};
const start = {
  tags,
  summary: "Start a scenario, or play a recording",
  description:
    "Through the broker, by a gateway of its own, as sensors and districts called sim-…; they are removed 15 minutes after " +
    "the end. Rules run on them and alerts are told. One at a time (409), at most 4 hours.",
  body: NewRun,
  response: answers({ 201: RunBody }, 404, 409, 413, 415, 503),
};
const stop = {
  tags,
  summary: "Stop it; what was sent is still booked",
  params: byId,
  response: answers({ 204: z.undefined() }, 404),
};

const listRecordings = {
  tags,
  summary: "Recordings of the live feed, newest first",
  response: answers({ 200: RecordingsBody }),
};
const startRecording = {
  tags,
  summary: "Record what comes in",
  description: "One at a time (409), at most 24 hours and 64 MiB each, 20 in all. They lie in <data>/recordings.",
  body: NewRecording,
  response: answers({ 201: RecordingBody }, 409, 413, 415),
};
const one = { params: byId };
const stopRecording = { ...one, tags, summary: "Stop recording", response: answers({ 204: z.undefined() }, 404) };
const removeRecording = { ...one, tags, summary: "Delete a recording", response: answers({ 204: z.undefined() }, 404) };
const download = {
  ...one,
  tags,
  summary: "A recording: one reading a line",
  description: "`./lamppost replay FILE --mapping native` plays it.",
  response: answers({ 200: media("NDJSON", { "application/x-ndjson": z.string() }) }, 404),
};

export function addSimulations(app: Api, { simulations, records, auth, now }: Parts): void {
  app.get("/simulations", { schema: list }, async () => {
    const [refused, current, last] = [simulations.refusal(), simulations.current(), simulations.last()];
    return {
      ...(refused === undefined ? {} : { refused }),
      scenarios: SCENARIO_NAMES,
      districts: simulations.districts(),
      ...(current ? { current: viewRun(current) } : {}),
      ...(last ? { last: viewRun(last) } : {}),
    };
  });

  app.post("/simulations", { schema: start }, async (request, reply) => {
    const refused = simulations.refusal();
    if (refused !== undefined) throw new ProblemError("unavailable", refused);
    const asked = questionOf(request.body);
    const { recording } = request.body;
    const known = simulations.recordings.list().map(({ name }) => name);
    if (recording !== undefined && !known.includes(recording)) throw notFound("recording", recording);
    const by = auth.account(request).name;
    const run = orConflict(() => simulations.start(asked, by));
    const target = request.body.scenario ?? `recording ${recording}`;
    records.audit.add({ at: now(), by, what: "simulation.start", target, detail: `${run.id}, speed ${run.speed}` });
    return reply.code(201).send(viewRun(run));
  });

  app.delete("/simulations/:id", { schema: stop }, async (request, reply) => {
    const { id } = request.params;
    if (!simulations.stop(id)) throw notFound("running simulation", id);
    records.audit.add({ at: now(), by: auth.account(request).name, what: "simulation.stop", target: id });
    return reply.code(204).send();
  });
}

function questionOf({ scenario, recording, districts, ...rest }: z.infer<typeof NewRun>): RunQuestion {
  if ((scenario === undefined) === (recording === undefined))
    throw invalid("", "Name either a scenario or a recording.");
  const source = scenario === undefined ? { recording: recording! } : { scenario };
  return { ...rest, source, ...(districts ? { districts } : {}) };
}

/** What is refused is refused because of something that is there already. */
function orConflict<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SimulationRefused) throw new ProblemError("conflict", error.message);
    throw error;
  }
}

export function addRecordings(app: Api, { simulations: { recordings }, records, auth, queries, now }: Parts): void {
  const note = (by: string, what: string, target: string) => records.audit.add({ at: now(), by, what, target });

  app.get("/recordings", { schema: listRecordings }, async () => {
    const current = recordings.current();
    const items = recordings.list().map((file) => ({ ...file, at: iso(file.at) }));
    return { items, ...(current ? { current: viewRecording(current) } : {}) };
  });

  app.post("/recordings", { schema: startRecording }, async (request, reply) => {
    const by = auth.account(request).name;
    const recording = orConflict(() => recordings.start(request.body, by));
    note(by, "recording.start", recording.name);
    return reply.code(201).send(viewRecording(recording));
  });

  app.post("/recordings/:id/stop", { schema: stopRecording }, async (request, reply) => {
    const { id } = request.params;
    if (!recordings.stop(id)) throw notFound("recording under way", id);
    note(auth.account(request).name, "recording.stop", id);
    return reply.code(204).send();
  });

  app.get("/recordings/:id", { schema: download }, async (request, reply) => {
    const { id } = request.params;
    await queries(request, reply).download();
    const stream = recordings.read(id);
    if (!stream) throw notFound("recording", id);
    return reply
      .type("application/x-ndjson")
      .header("content-disposition", `attachment; filename="${id}.ndjson"`)
      .send(stream);
  });

  app.delete("/recordings/:id", { schema: removeRecording }, async (request, reply) => {
    const { id } = request.params;
    if (!recordings.remove(id)) throw notFound("recording", id);
    note(auth.account(request).name, "recording.remove", id);
    return reply.code(204).send();
  });
}

const iso = (at: number) => new Date(at).toISOString();

function viewRun({ source, minutes: _, districts, startedAt, endsAt, ended, ...rest }: Run): RunView {
  return {
    ...rest,
    ...source,
    ...(districts ? { districts } : {}),
    startedAt: iso(startedAt),
    endsAt: iso(endsAt),
    ...(ended ? { ended: { ...ended, at: iso(ended.at) } } : {}),
  };
}

function viewRecording({ minutes: _, sensors, districts, startedAt, endsAt, ...rest }: RecordingNow): RecordingView {
  return {
    ...rest,
    ...(sensors ? { sensors } : {}),
    ...(districts ? { districts } : {}),
    startedAt: iso(startedAt),
    endsAt: iso(endsAt),
  };
}
