import { z } from "zod";
import { AlertBody } from "../../contract/alert.ts";
import { Flag, Id, KindName, listOf, pageOf, paging, splitList } from "../../contract/common.ts";
import { AUDIENCES, HANDLINGS, SEVERITIES, STATES } from "../../model/alert.ts";
import { viewAlert } from "../../model/alert-view.ts";
import { answers } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { notFound } from "../problems.ts";

const tags = ["alerts"];
const list = {
  tags,
  summary: "Alerts, newest start first",
  description:
    "Pending ones are left out unless asked for with state=pending. The header x-last-event-id is where GET /events should begin to miss nothing.",
  querystring: z.strictObject({
    ...paging,
    state: listOf(STATES),
    handling: listOf(HANDLINGS),
    severity: listOf(SEVERITIES),
    audience: z.enum(AUDIENCES).optional(),
    district: Id.optional(),
    kind: KindName.optional(),
    rule: Id.optional(),
    sensor: Id.optional(),
    suppressed: Flag.describe("Only alerts kept from being told, or only the others"),
    mode: z.enum(["live", "shadow"]).optional().describe("shadow: alerts of rules that are being tried out"),
  }),
  response: answers({ 200: pageOf(AlertBody) }),
};

export const byAlertId = z.object({ id: z.string().min(1).max(100) });
const one = {
  tags,
  summary: "One alert: what it rests on and what was done",
  params: byAlertId,
  response: answers({ 200: AlertBody }, 404),
};

export function addAlerts(app: Api, { records }: Pick<Parts, "records">): void {
  app.get("/alerts", { schema: list }, async (request, reply) => {
    // Read before the list: a stream that begins here misses nothing, and may say something twice.
    reply.header("x-last-event-id", records.events.newestId());
    const { limit, cursor, state, handling, severity, suppressed, ...rest } = request.query;
    const lists = { state: splitList(state), handling: splitList(handling), severity: splitList(severity) };
    const flag = suppressed === undefined ? {} : { suppressed: suppressed === "true" };
    const page = records.alerts.list({ ...rest, ...lists, ...flag } as never, limit, cursor);
    return { ...page, items: page.items.map(viewAlert) };
  });

  app.get("/alerts/:id", { schema: one }, async (request) => {
    const alert = records.alerts.get(request.params.id);
    if (!alert) throw notFound("alert", request.params.id);
    return viewAlert(alert);
  });
}
