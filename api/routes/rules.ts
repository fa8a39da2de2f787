import { z } from "zod";
import { AUDIENCES, SEVERITIES } from "../../model/alert.ts";
import { KINDS } from "../../model/kinds.ts";
import type { Api, Parts } from "../api.ts";
import { pageByKey } from "../paging.ts";
import { notFound } from "../problems.ts";
import { answers } from "../schemas/answers.ts";
import { byId, pageOf, paging } from "../schemas/common.ts";

const tags = ["rules"];
const RuleBody = z
  .looseObject({
    id: z.string(),
    version: z.string(),
    title: z.string(),
    kind: z.enum([...KINDS, "any"]),
    metric: z.string().optional(),
    condition: z.looseObject({ type: z.string() }),
    severity: z.enum(SEVERITIES),
    audience: z.enum(AUDIENCES),
    source: z.object({ text: z.string(), url: z.string().optional() }).describe("Where the limit comes from"),
    mode: z.enum(["live", "shadow"]),
  })
  .meta({ id: "Rule" });

const list = {
  tags,
  summary: "The rules in force",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(RuleBody) }),
};
const one = { tags, summary: "One rule", params: byId, response: answers({ 200: RuleBody }, 404) };

export function addRules(app: Api, { rules }: Pick<Parts, "rules">): void {
  app.get("/rules", { schema: list }, async (request) =>
    pageByKey(rules(), (rule) => rule.id, request.query.limit, request.query.cursor),
  );

  app.get("/rules/:id", { schema: one }, async (request) => {
    const rule = rules().find((candidate) => candidate.id === request.params.id);
    if (!rule) throw notFound("rule", request.params.id);
    return rule;
  });
}
