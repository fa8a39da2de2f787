import { z } from "zod";
import { byId } from "../../contract/common.ts";
import { RuleStatsBody } from "../../contract/rule.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { notFound } from "../problems.ts";
import { STATS_DAYS } from "../rule-stats.ts";

const stats = {
  tags: ["rules"],
  summary: "How a rule does: what people thought of its alerts, how fast they were dealt with, how much noise it made",
  params: byId,
  querystring: z.strictObject({ days: z.coerce.number().int().min(1).max(365).default(STATS_DAYS) }),
  response: answers({ 200: RuleStatsBody }, 404),
};

export function addRuleStats(app: Api, { rules, records, now }: Pick<Parts, "rules" | "records" | "now">): void {
  app.get("/rules/:id/stats", { schema: stats }, async (request) => {
    const { id } = request.params;
    if (!rules().some((rule) => rule.id === id)) throw notFound("rule", id);
    return records.ruleStats.of(id, now(), request.query.days);
  });
}
