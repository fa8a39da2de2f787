import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { Flag, Id, KindName, pageOf, paging, Time } from "../../contract/common.ts";
import { formatSource } from "../../model/message.ts";
import { REASON_NAMES, type Reason } from "../../model/rejection.ts";
import type { QuarantineItem } from "../../store/records.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { viewPayload } from "../payload-view.ts";
import { invalid, notFound } from "../problems.ts";

const tags = ["quarantine"];
const ReasonName = z.enum(REASON_NAMES as unknown as [Reason, ...Reason[]]);
const Item = z
  .object({
    id: z.number().int(),
    reason: ReasonName,
    detail: z.string(),
    receivedAt: Time,
    source: z.string().meta({ examples: ["mqtt:gateway:gw-north"] }),
    topic: z.string(),
    sensorId: z.string().optional(),
    district: z.string().optional(),
    kind: KindName.optional(),
    journalSeq: z.number().int(),
    index: z.number().int().describe("Place of the reading in its message"),
    redrivenAt: Time.optional(),
    redrivenBy: z.string().optional(),
    payload: z
      .object({ text: z.string().optional(), base64: z.string().optional(), bytes: z.number(), truncated: z.boolean() })
      .optional()
      .describe("Only for one item, and never for personal data"),
  })
  .meta({ id: "QuarantineItem" });

const list = {
  tags,
  summary: "Messages that could not become readings, newest first",
  querystring: z.strictObject({ ...paging, reason: ReasonName.optional(), sensor: Id.optional(), redriven: Flag }),
  response: answers({ 200: pageOf(Item) }),
};
const one = {
  tags,
  summary: "One of them, with its payload",
  params: z.object({ id: z.coerce.number().int().min(1) }),
  response: answers({ 200: Item }, 404),
};
const redrive = {
  tags,
  summary: "Send them through again, after a fix",
  description: "By ids, or all of a reason that were not sent through yet (up to 10,000 at a time).",
  body: z.strictObject({
    ids: z.array(z.number().int().min(1)).min(1).max(1_000).optional(),
    reason: ReasonName.optional(),
  }),
  response: answers({ 200: z.object({ redriven: z.number().int() }) }, 413, 415, 503),
};

export function addQuarantine(app: Api, parts: Parts): void {
  const { quarantine, audit } = parts.records;
  // What could not become readings may be anything, so who looked at it is written down.
  const noteRead = (request: FastifyRequest, target: string) =>
    parts.auth.bursts.note({ by: parts.auth.account(request).name, what: "quarantine.read", target });

  app.get("/quarantine", { schema: list }, async (request) => {
    const { limit, cursor, reason, sensor, redriven } = request.query;
    const filter = { reason, sensorId: sensor, redriven: redriven === undefined ? undefined : redriven === "true" };
    const page = quarantine.list(filter, limit, cursor);
    noteRead(request, "list");
    return { ...page, items: page.items.map(viewItem) };
  });

  app.get("/quarantine/:id", { schema: one }, async (request) => {
    const item = quarantine.get(request.params.id);
    if (!item) throw notFound("quarantined message", String(request.params.id));
    noteRead(request, `message ${item.id}`);
    const { payload, reason } = item.rejection;
    if (!payload || reason === "personal_data") return viewItem(item);
    return { ...viewItem(item), payload: viewPayload(payload, parts.limits.payloadShownBytes) };
  });

  app.post("/quarantine/redrive", { schema: redrive }, async (request) => {
    const { ids, reason } = request.body;
    if ((ids === undefined) === (reason === undefined)) throw invalid("", "Give either ids or a reason.");
    const by = parts.auth.account(request).name;
    const redriven = await parts.redrive(ids ?? idsOf(parts, reason!), by);
    audit.add({
      at: parts.now(),
      by,
      what: "quarantine.redrive",
      target: reason ?? "ids",
      detail: `${redriven} messages`,
    });
    return { redriven };
  });
}

function idsOf({ records, limits }: Parts, reason: Reason): number[] {
  const ids: number[] = [];
  let cursor: string | undefined;
  do {
    const page = records.quarantine.list({ reason, redriven: false }, 1_000, cursor);
    ids.push(...page.items.map((item) => item.id));
    cursor = page.next;
  } while (cursor !== undefined && ids.length < limits.redriveMax);
  return ids.slice(0, limits.redriveMax);
}

function viewItem({ id, rejection, redrivenAt, redrivenBy }: QuarantineItem) {
  const { payload: _hidden, source, receivedAt, ...rest } = rejection;
  return {
    id,
    ...rest,
    source: formatSource(source),
    receivedAt: new Date(receivedAt).toISOString(),
    ...(redrivenAt === undefined ? {} : { redrivenAt: new Date(redrivenAt).toISOString(), redrivenBy }),
  };
}
