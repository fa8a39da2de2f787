import { z } from "zod";
import { byId } from "../../contract/common.ts";
import { NewRecording, RecordingBody, RecordingFileBody } from "../../contract/simulation.ts";
import { answers, media } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { notFound } from "../problems.ts";
import { iso, orConflict, viewRecording } from "./simulations.ts";

const tags = ["simulations"];
const list = {
  tags,
  summary: "Recordings of the live feed, newest first",
  response: answers({
    200: z.object({ items: z.array(RecordingFileBody), current: RecordingBody.optional() }),
  }),
};
const start = {
  tags,
  summary: "Record what comes in",
  description: "One at a time (409), at most 24 hours and 64 MiB each, 20 in all. They lie in <data>/recordings.",
  body: NewRecording,
  response: answers({ 201: RecordingBody }, 409, 413, 415),
};
const one = { params: byId };
const stop = { ...one, tags, summary: "Stop recording", response: answers({ 204: z.undefined() }, 404) };
const remove = { ...one, tags, summary: "Delete a recording", response: answers({ 204: z.undefined() }, 404) };
const download = {
  ...one,
  tags,
  summary: "A recording: one reading a line",
  description: "`./lamppost replay FILE --mapping native` plays it.",
  response: answers({ 200: media("NDJSON", { "application/x-ndjson": z.string() }) }, 404),
};

export function addRecordings(app: Api, { simulations: { recordings }, records, auth, queries, now }: Parts): void {
  const note = (by: string, what: string, target: string) => records.audit.add({ at: now(), by, what, target });

  app.get("/recordings", { schema: list }, async () => {
    const current = recordings.current();
    const items = recordings.list().map((file) => ({ ...file, at: iso(file.at) }));
    return { items, ...(current ? { current: viewRecording(current) } : {}) };
  });

  app.post("/recordings", { schema: start }, async (request, reply) => {
    const by = auth.account(request).name;
    const recording = orConflict(() => recordings.start(request.body, by));
    note(by, "recording.start", recording.name);
    return reply.code(201).send(viewRecording(recording));
  });

  app.post("/recordings/:id/stop", { schema: stop }, async (request, reply) => {
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

  app.delete("/recordings/:id", { schema: remove }, async (request, reply) => {
    const { id } = request.params;
    if (!recordings.remove(id)) throw notFound("recording", id);
    note(auth.account(request).name, "recording.remove", id);
    return reply.code(204).send();
  });
}
