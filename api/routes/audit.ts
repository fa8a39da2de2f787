import { z } from "zod";
import { pageOf, paging, Time } from "../../contract/common.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";

const tags = ["audit"];
const Entry = z
  .object({
    id: z.number().int(),
    at: Time,
    by: z.string(),
    what: z.string(),
    target: z.string(),
    detail: z.string().optional(),
    hash: z.string().describe("SHA-256 over the entry before and this one"),
  })
  .meta({ id: "AuditEntry" });

const list = {
  tags,
  summary: "Who did what, newest first",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(Entry) }),
};
const verify = {
  tags,
  summary: "Is the chain of entries whole?",
  response: answers({
    200: z.object({
      entries: z.number().int(),
      intact: z.boolean(),
      brokenAt: z.number().int().optional().describe("The first entry whose hash does not fit"),
    }),
  }),
};

export function addAudit(app: Api, { records, auth }: Pick<Parts, "records" | "auth">): void {
  app.get("/audit", { schema: list }, async (request) => {
    auth.bursts.flush();
    const page = records.audit.list(request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })) };
  });

  app.get("/audit/verify", { schema: verify }, async () => {
    const result = records.audit.verify();
    return { ...result, intact: result.brokenAt === undefined };
  });
}
