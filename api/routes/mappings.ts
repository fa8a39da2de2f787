import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { byId, pageOf, paging } from "../../contract/common.ts";
import {
  BaseBody,
  MAPPING_CHARS_MAX,
  MappingBody,
  type MappingChange,
  MappingChangeBody,
  type MappingChangeView,
  MappingCheckBody,
  MappingText,
  MappingTrial,
  MappingTrialBody,
  type MappingView,
  NewMapping,
  SAMPLE_CHARS_MAX,
  SeenMessageBody,
  SuggestionBody,
  SuggestionQuery,
  UnmappedBody,
  type UnmappedView,
} from "../../contract/mapping.ts";
import { Reason as ReasonBody } from "../../contract/rule.ts";
import { type Message, parseSource } from "../../model/message.ts";
import type { Reason } from "../../model/rejection.ts";
import { filterMatches } from "../../model/topic-filter.ts";
import type { Api, Parts } from "../api.ts";
import type { MappingEntry } from "../deps.ts";
import { pageByKey } from "../paging.ts";
import { answers, invalid, notFound, ProblemError } from "../problems.ts";

const tags = ["mappings"];
/** Escaped. */
const BODY_BYTES_MAX = 3 * MAPPING_CHARS_MAX;
const TRIAL_BYTES_MAX = BODY_BYTES_MAX + 3 * SAMPLE_CHARS_MAX;

const list = {
  tags,
  summary: "The mappings in force: how messages of other makers become readings",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(MappingBody) }),
};
const one = {
  tags,
  summary: "One mapping, with its text",
  description: "The ETag is the version: send it back as If-Match with a change.",
  params: byId,
  response: answers({ 200: MappingBody }, 404),
};
const put = {
  tags,
  summary: "Make a mapping, or a new version of one",
  description:
    "In force at once, for what is received from now on. Drive again what is in quarantine to have it read by it. 400 names every mistake with its line and column.",
  params: byId,
  body: NewMapping,
  response: answers({ 200: MappingBody }, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Take a mapping out of use; its versions stay",
  params: byId,
  body: ReasonBody,
  response: answers({ 204: z.undefined() }, 404, 409, 413, 415),
};
const versions = {
  tags,
  summary: "The versions of a mapping, newest first",
  params: byId,
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(MappingChangeBody) }),
};
const check = {
  tags,
  summary: "The mistakes of a mapping, with line and column",
  body: MappingText,
  response: answers({ 200: MappingCheckBody }, 413, 415),
};
const trial = {
  tags,
  summary: "What a mapping makes of a message; nothing is kept",
  description: "Every sensor is taken for registered. `mapping` names one in force, `yaml` is one that is not.",
  body: MappingTrial,
  response: answers({ 200: MappingTrialBody }, 404, 413, 415),
};
const unmapped = {
  tags,
  summary: "Seen, but not mapped: senders whose messages no mapping takes, with the last one",
  description: "Those heard last, up to 1,000, since the service started. The messages are in quarantine (`unmapped`).",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(UnmappedBody) }),
};
const suggestion = {
  tags,
  summary: "The mapping that would take one of them, with it in it; nothing is changed",
  description:
    "Where its message came to a mapping, that one with one more sensor; else a new one. Where its district is not known it is left to be said.",
  querystring: SuggestionQuery,
  response: answers({ 200: SuggestionBody }, 404),
};
const messages = {
  tags,
  summary: "Real messages to look at a mapping with",
  description:
    "The last one it has read, the last one of each sender it does not know, and the newest 20 in quarantine that it would read, driven again.",
  params: byId,
  response: answers({ 200: pageOf(SeenMessageBody) }),
};
const bases = {
  tags,
  summary: "Mappings that come along, to be named as a base",
  response: answers({ 200: pageOf(BaseBody) }),
};

type MappingParts = Pick<Parts, "mappings" | "auth" | "now" | "records" | "limits">;

const QUARANTINED_MAX = 20;
/** What no mapping mends. */
const FOR_EVER: ReadonlySet<Reason> = new Set(["not_allowed", "simulated", "too_large", "personal_data"]);

/** What waits in quarantine and would be read by this mapping, newest first. */
export function waitingFor({ mappings, records }: Pick<MappingParts, "mappings" | "records">, id: string) {
  return records.quarantine
    .newestUndriven()
    .filter(({ rejection }) => !FOR_EVER.has(rejection.reason) && mappings.isFor(id, rejection));
}

export function addMappings(app: Api, parts: MappingParts): void {
  const { mappings, auth, now, records } = parts;
  app.get("/mappings", { schema: list }, async (request) => {
    const page = pageByKey(
      mappings.entries(),
      ({ change }) => change.mapping,
      request.query.limit,
      request.query.cursor,
    );
    return { ...page, items: page.items.map((entry) => view(entry)) };
  });

  app.get("/mappings/:id", { schema: one }, async (request, reply) => {
    const entry = mappings.entry(request.params.id);
    if (!entry) throw notFound("mapping", request.params.id);
    return { ...sendEntry(reply, entry), waiting: waitingFor(parts, request.params.id).length };
  });

  app.put("/mappings/:id", { schema: put, bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
    const { yaml, reason } = request.body;
    const outcome = mappings.put(request.params.id, yaml, authorOf(request, reason));
    if ("mistakes" in outcome) {
      const errors = outcome.mistakes.slice(0, 20).map(({ line, column, message }) => ({
        pointer: "/yaml",
        detail: `line ${line}, column ${column}: ${message}`,
      }));
      throw new ProblemError("invalid-request", errors[0]?.detail, { errors });
    }
    if ("refused" in outcome || "removed" in outcome) throw refusal(outcome);
    return sendEntry(reply, outcome);
  });

  app.delete("/mappings/:id", { schema: remove }, async (request, reply) => {
    const outcome = mappings.remove(request.params.id, authorOf(request, request.body.reason));
    if (!("removed" in outcome)) throw refusal(outcome);
    return reply.code(204).send() as never;
  });

  app.get("/mappings/:id/versions", { schema: versions }, async (request) => {
    const page = mappings.versions(request.params.id, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewChange) };
  });

  app.post("/mappings/check", { schema: check, bodyLimit: BODY_BYTES_MAX }, async (request) => {
    const mistakes = mappings.check(request.body.yaml);
    return { ok: mistakes.length === 0, mistakes };
  });

  app.post("/mappings/try", { schema: trial, bodyLimit: TRIAL_BYTES_MAX }, async (request) => {
    const { yaml, mapping, payload, base64, receivedAt, ...asked } = request.body;
    const at = receivedAt === undefined ? now() : Date.parse(receivedAt);
    if (Number.isNaN(at)) throw invalid("/receivedAt", "Write an ISO 8601 time with a zone.");
    const bytes = payload === undefined ? Buffer.from(base64!, "base64") : Buffer.from(payload);
    const tried = mappings.attempt(yaml === undefined ? { mapping: mapping! } : { yaml }, asked, bytes, at);
    if (!tried) throw notFound("mapping", mapping ?? "");
    return tried;
  });

  app.get("/unmapped", { schema: unmapped }, async (request) => {
    const all = mappings.unmapped().map(viewUnmapped);
    const { limit, cursor } = request.query;
    const start = cursor === undefined ? 0 : Number.parseInt(cursor, 10) || 0;
    const items = all.slice(start, start + limit);
    return { items, ...(start + limit < all.length && { next: String(start + limit) }) };
  });

  app.get("/unmapped/suggestion", { schema: suggestion }, async (request) => {
    const { device, mapping = "" } = request.query;
    const sender = mappings.unmapped().find((one) => one.device === device && one.mapping === mapping);
    const account = sender && gatewayOf(sender);
    const found = sender && (await mappings.suggest(sender, districtOf(account)));
    if (!found) throw notFound("unmapped sender", device);
    // What its gateway was given is looked for under that name only.
    const given = account?.accepts?.find(({ topics }) => topics.some((one) => filterMatches(one, sender.topic)));
    return { ...found, ...(found.isNew && given && { mapping: given.mapping }), sender: viewUnmapped(sender) };
  });

  app.get("/mappings/:id/messages", { schema: messages }, async (request) => {
    const { id } = request.params;
    const last = mappings.lastRead(id);
    const strangers = mappings.unmapped().filter(({ mapping, payload }) => mapping === id && payload.length > 0);
    const waiting = waitingFor(parts, id).filter(({ rejection }) => rejection.reason !== "unmapped");
    const quarantined = waiting.slice(0, QUARANTINED_MAX).flatMap(({ id: item }) => records.quarantine.get(item) ?? []);
    if (quarantined.length > 0)
      auth.bursts.note({ by: auth.account(request).name, what: "quarantine.read", target: id });
    const items = [
      ...(last ? [{ what: "read" as const, ...viewMessage(last) }] : []),
      ...strangers.map(({ device, topic, lastAt, payload }) => ({
        what: "unmapped" as const,
        device,
        ...viewMessage({ topic, receivedAt: lastAt, payload }),
      })),
      ...quarantined.map(({ id: item, rejection: { topic, receivedAt, payload, detail } }) => ({
        what: "refused" as const,
        quarantined: item,
        detail,
        ...viewMessage({ topic, receivedAt, payload: payload ?? new Uint8Array(0) }),
      })),
    ];
    return { items };
  });

  function gatewayOf({ sender }: { readonly sender: string }) {
    const { role, name } = parseSource(sender);
    const account = role === "gateway" ? records.credentials.byName(name)?.account : undefined;
    return account?.role === "gateway" ? account : undefined;
  }

  /** Where a gateway speaks for one district only, or the city has no other: else only a person knows. */
  function districtOf(gateway: ReturnType<typeof gatewayOf>): string | undefined {
    const own = gateway?.districts ?? records.sensors.districts().map(({ district }) => district);
    return own.length === 1 ? own[0] : undefined;
  }

  app.get("/mapping-bases", { schema: bases }, async () => ({ items: mappings.bases() }));

  function authorOf(request: FastifyRequest, reason: string) {
    const header = request.headers["if-match"]?.trim();
    const named = header === undefined || header === "*" ? undefined : Number(header.replace(/^W\/|"/g, ""));
    const ifVersion = request.headers["if-none-match"] === undefined ? named : 0;
    return { by: auth.account(request).name, reason, ...(ifVersion !== undefined && { ifVersion }) };
  }

  function sendEntry(reply: FastifyReply, entry: MappingEntry): MappingView {
    reply.header("etag", `"${entry.change.version}"`);
    return { ...view(entry), ...(entry.change.text !== undefined && { yaml: entry.change.text }) };
  }
}

function refusal(outcome: object): ProblemError {
  const { refused, detail } = outcome as { refused?: string; detail?: string };
  return new ProblemError(refused === "missing" ? "not-found" : "conflict", detail);
}

const iso = (time: number) => new Date(time).toISOString();

function view({ change, format, title, sensors, topics }: MappingEntry): MappingView {
  const { mapping: id, version, at, by, reason } = change;
  return { id, version, format, ...(title !== undefined && { title }), sensors, topics, at: iso(at), by, reason };
}

const viewChange = (change: MappingChange): MappingChangeView => ({ ...change, at: iso(change.at) });

function viewUnmapped(one: ReturnType<Parts["mappings"]["unmapped"]>[number]): UnmappedView {
  const { mapping, device, sender, topic, count, firstAt, lastAt, payload } = one;
  return {
    ...(mapping !== "" && { mapping }),
    device,
    sender,
    topic,
    count,
    firstSeen: iso(firstAt),
    lastSeen: iso(lastAt),
    ...textOf(payload),
  };
}

const viewMessage = ({ topic, receivedAt, payload }: Pick<Message, "topic" | "receivedAt" | "payload">) => ({
  topic,
  receivedAt: iso(receivedAt),
  ...textOf(payload),
});

function textOf(payload: Uint8Array): { payload: string; isText: boolean } {
  const text = new TextDecoder().decode(payload);
  const isText = !/[\ufffd\0]/.test(text);
  return { payload: isText ? text : Buffer.from(payload).toString("base64"), isText };
}
