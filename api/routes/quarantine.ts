import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { pageOf } from "../../contract/common.ts";
import {
  QuarantineItemBody,
  type QuarantineItemView,
  QuarantineQuery,
  Redrive,
  RedrivenBody,
} from "../../contract/ledger.ts";
import { formatSource } from "../../model/message.ts";
import type { Reason } from "../../model/rejection.ts";
import type { QuarantineItem } from "../../store/records.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { viewPayload } from "../payload-view.ts";
import { invalid, notFound } from "../problems.ts";

const tags = ["quarantine"];

const list = {
  tags,
  summary: "Messages that could not become readings, newest first",
  querystring: QuarantineQuery,
  response: answers({ 200: pageOf(QuarantineItemBody) }),
};
const one = {
  tags,
  summary: "One of them, with its payload",
  params: z.object({ id: z.coerce.number().int().min(1) }),
  response: answers({ 200: QuarantineItemBody }, 404),
};
const redrive = {
  tags,
  summary: "Send them through again, after a fix",
  description: "By ids, or all of a reason that were not sent through yet (up to 10,000 at a time).",
  body: Redrive,
  response: answers({ 200: RedrivenBody }, 413, 415, 503),
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

function viewItem({ id, rejection, redrivenAt, redrivenBy }: QuarantineItem): QuarantineItemView {
  const { payload: _hidden, source, receivedAt, ...rest } = rejection;
  return {
    id,
    ...rest,
    source: formatSource(source),
    receivedAt: new Date(receivedAt).toISOString(),
    ...(redrivenAt === undefined ? {} : { redrivenAt: new Date(redrivenAt).toISOString(), redrivenBy }),
  };
}
