import { z } from "zod";
import { AuditCheckBody, AuditEntryBody } from "../../contract/account.ts";
import { pageOf, paging } from "../../contract/common.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";

const tags = ["audit"];
const list = {
  tags,
  summary: "Who did what, newest first",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(AuditEntryBody) }),
};
const verify = {
  tags,
  summary: "Is the chain of entries whole?",
  response: answers({ 200: AuditCheckBody }),
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
