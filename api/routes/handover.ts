import { z } from "zod";
import { pageOf, paging } from "../../contract/common.ts";
import { HandoverBody, NewHandover, viewHandover } from "../../contract/handover.ts";
import type { Api, Parts } from "../api.ts";
import { decodeCursor, encodeCursor } from "../paging.ts";
import { answers, notFound } from "../problems.ts";

const tags = ["handover"];

const list = {
  tags,
  summary: "What the shifts told each other, the newest first",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(HandoverBody) }),
};
const add = {
  tags,
  summary: "Leave a note for the next shift",
  description: "It belongs to no alert. It stays as it was written: a mistake is put right by another note.",
  body: NewHandover,
  response: answers({ 201: HandoverBody }, 413, 415),
};
const see = {
  tags,
  summary: "Say that you have read it",
  params: z.object({ id: z.coerce.number().int() }),
  body: z.strictObject({}).nullish(),
  response: answers({ 200: HandoverBody }, 404, 413, 415),
};

type HandoverParts = Pick<Parts, "records" | "auth" | "now" | "streams">;

export function addHandover(app: Api, { records, auth, now, streams }: HandoverParts): void {
  app.get("/handover", { schema: list }, async (request) => {
    const { limit, cursor } = request.query;
    const notes = records.handover.list(
      limit + 1,
      cursor === undefined ? undefined : Number(decodeCursor(cursor)) || 0,
    );
    const items = notes.slice(0, limit).map(viewHandover);
    return { items, ...(notes.length > limit ? { next: encodeCursor(String(items.at(-1)!.id)) } : {}) };
  });

  app.post("/handover", { schema: add }, async (request, reply) => {
    const [at, by] = [now(), auth.account(request).name];
    const note = records.transaction(() => {
      const added = records.handover.add({ at, by, text: request.body.text });
      records.audit.add({ at, by, what: "handover.add", target: String(added.id) });
      return added;
    });
    const shown = viewHandover(note);
    streams.pushHandover(shown);
    return reply.code(201).send(shown);
  });

  app.post("/handover/:id/seen", { schema: see }, async (request) => {
    const { id } = request.params;
    const note = records.handover.see(id, auth.account(request).name, now());
    if (!note) throw notFound("handover note", String(id));
    const shown = viewHandover(note);
    streams.pushHandover(shown);
    return shown;
  });
}
