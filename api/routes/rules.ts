import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { viewAlert } from "../../contract/alert.ts";
import { BacktestBody, BacktestMany, BacktestOne } from "../../contract/backtest.ts";
import { byId, pageOf, paging, type View } from "../../contract/common.ts";
import {
  Because,
  ChangeBody,
  CheckBody,
  NewRule,
  NO_VERSION,
  Reason,
  RULE_STATS_DAYS,
  type RuleAuthor,
  RuleBody,
  type RuleChange,
  type RuleChangeView,
  RuleDetailBody,
  type RuleEntry,
  type RuleOutcome,
  RuleStatsBody,
  RuleStatsQuery,
  type RuleStatsView,
  RulesYaml,
  type RuleView,
} from "../../contract/rule.ts";
import { RULES_MAX, type RuleData, ruleSchema } from "../../model/rule.ts";
import { DAY_MS, parseDuration } from "../../model/time.ts";
import type { Api, Parts } from "../api.ts";
import type { BacktestQuestion } from "../deps.ts";
import { pageByKey } from "../paging.ts";
import { answers, invalid, media, notFound, ProblemError } from "../problems.ts";
import { leaving, patient } from "../turns.ts";
import { pointerOf } from "../validation.ts";

const tags = ["rules"];
/** A text of 1 MiB, escaped. */
export const RULES_BODY_BYTES_MAX = 3 * 1_048_576;
/** One rule, with all that may be in it. */
const RULE_BODY_BYTES_MAX = 256 * 1024;
const SHADOW_SHOWN_MAX = 10;
const SHADOW_COUNT_MAX = 1_000;
/** A page of rules is shown often and its figures change slowly. */
const STATS_FRESH_MS = 10_000;
const RULES_SCHEMA = z.toJSONSchema(z.strictObject({ rules: z.array(ruleSchema).max(RULES_MAX) }), { io: "input" });

const list = {
  tags,
  summary: "The rules in force",
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(RuleBody) }),
};
const one = {
  tags,
  summary: "One rule; of a shadow rule also what it would have said",
  description: "The ETag is the version: send it back as If-Match with a change.",
  params: byId,
  response: answers({ 200: RuleDetailBody }, 404),
};
const put = {
  tags,
  summary: "Make a rule, or lay another over that of the files",
  description:
    "In force at once. With If-Match, 409 says who changed it in between; with `If-None-Match: *`, that there is one.",
  params: byId,
  body: NewRule,
  response: answers({ 200: RuleBody }, 409, 413, 415),
};
const promote = {
  tags,
  summary: "From shadow to live",
  params: byId,
  body: Because,
  response: answers({ 200: RuleBody }, 404, 409, 413, 415),
};
const remove = {
  tags,
  summary: "Back to the version of the files; a rule that stands in no file goes",
  params: byId,
  body: Reason,
  response: answers({ 200: RuleBody, 204: z.undefined() }, 404, 409, 413, 415),
};
const versions = {
  tags,
  summary: "What people changed of a rule, newest first",
  params: byId,
  querystring: z.strictObject(paging),
  response: answers({ 200: pageOf(ChangeBody) }),
};
const check = {
  tags,
  summary: "The mistakes of a rules file, with line and column",
  description: "The first 100 of them. A file has at most 1 MiB and 1,000 rules, and is read in 10 s or refused.",
  body: RulesYaml,
  response: answers({ 200: media("The mistakes and the rules", { "application/json": CheckBody }) }, 413, 415),
};

const schema = {
  tags,
  summary: "The JSON Schema of a rules file",
  description:
    "For editors that complete and check as one types. What fields must be to each other, only a check knows.",
  response: answers({ 200: z.looseObject({}) }),
};

const stats = {
  tags,
  summary: "How a rule does: what people thought of its alerts, how fast they were dealt with, how much noise it made",
  params: byId,
  querystring: RuleStatsQuery,
  response: answers({ 200: RuleStatsBody }, 404),
};

export function addRules(app: Api, parts: Parts): void {
  const { ruleBook: rules, records, auth, turns, now } = parts;
  const figures = createRuleFigures({ records, now });
  const view = (entry: RuleEntry) => viewEntry(entry, rules.failures());

  app.get("/rules", { schema: list }, async (request) => {
    const failures = rules.failures();
    const page = pageByKey(rules.entries(), ({ rule }) => rule.id, request.query.limit, request.query.cursor);
    return {
      ...page,
      items: page.items.map((entry) => ({ ...viewEntry(entry, failures), stats: figures.of(entry.rule.id) })),
    };
  });

  app.get("/rules/:id", { schema: one }, async (request, reply) => {
    const entry = rules.entry(request.params.id);
    if (!entry) throw notFound("rule", request.params.id);
    reply.header("etag", `"${entry.rule.version}"`);
    const stats = figures.of(entry.rule.id);
    return {
      ...view(entry),
      stats,
      ...(entry.rule.mode === "shadow" ? { shadow: shadowOf(entry.rule.id, parts) } : {}),
    };
  });

  /** Answers with what came of it. */
  function settle(reply: FastifyReply, outcome: RuleOutcome) {
    if ("refused" in outcome) throw refusal(outcome.refused);
    if ("removed" in outcome) return reply.code(204).send() as never;
    reply.header("etag", `"${outcome.rule.version}"`);
    return view(outcome);
  }

  app.put("/rules/:id", { schema: put, bodyLimit: RULE_BODY_BYTES_MAX }, async (request, reply) => {
    const { rule, ...because } = request.body;
    return settle(reply, rules.put(request.params.id, rule, authorOf(parts, request, because)));
  });

  app.post("/rules/:id/promote", { schema: promote }, async (request, reply) =>
    settle(reply, rules.promote(request.params.id, authorOf(parts, request, request.body))),
  );

  app.delete("/rules/:id", { schema: remove }, async (request, reply) =>
    settle(reply, rules.remove(request.params.id, authorOf(parts, request, request.body))),
  );

  app.get("/rules/:id/versions", { schema: versions }, async (request) => {
    const page = rules.versions(request.params.id, request.query.limit, request.query.cursor);
    return { ...page, items: page.items.map(viewChange) };
  });

  app.get("/rules/:id/stats", { schema: stats }, async (request) => {
    const { id } = request.params;
    if (!rules.entry(id)) throw notFound("rule", id);
    return records.ruleStats.of(id, now(), request.query.days);
  });

  app.get("/schemas/rules", { schema }, () => RULES_SCHEMA);

  app.post("/rules/check", { schema: check, bodyLimit: RULES_BODY_BYTES_MAX }, async (request, reply) => {
    const signal = leaving(reply);
    const checked = () => rules.check(request.body.yaml, signal);
    const body = await turns.checks.run(auth.account(request).name, signal, checked);
    return reply.type("application/json; charset=utf-8").send(Buffer.from(body.buffer as ArrayBuffer));
  });
}

function viewEntry({ rule, file, change }: RuleEntry, failures: ReturnType<Parts["ruleBook"]["failures"]>): RuleView {
  const failure = failures.find((one) => one.rule === rule.id)?.failure;
  const changed = change && { at: iso(change.at), by: change.by, what: change.what, reason: change.reason };
  return {
    ...rule,
    state: failure === undefined ? ("ok" as const) : ("error" as const),
    ...(failure === undefined ? {} : { failure }),
    ...(file === undefined ? {} : { file }),
    ...(changed ? { changed } : {}),
  };
}

function shadowOf(rule: string, { records }: Pick<Parts, "records">): RuleView["shadow"] {
  const filter = { rule, mode: ["shadow"] } as const;
  const last = records.alerts.list(filter, SHADOW_SHOWN_MAX).items.map(viewAlert);
  const firing = records.alerts.list({ ...filter, state: ["firing"] }, SHADOW_COUNT_MAX).items.length;
  return { alerts: records.alerts.countsByRule(filter)[rule] ?? 0, firing, last };
}

function authorOf(
  { auth }: Pick<Parts, "auth">,
  request: FastifyRequest,
  because: Pick<RuleAuthor, "reason" | "figures">,
): RuleAuthor {
  const header = request.headers["if-match"];
  const named = header === undefined || header.trim() === "*" ? undefined : header.trim().replace(/^W\/|"/g, "");
  const ifVersion = request.headers["if-none-match"] === undefined ? named : NO_VERSION;
  return { by: auth.account(request).name, ...because, ...(ifVersion === undefined ? {} : { ifVersion }) };
}

function refusal({ why, detail, errors = [] }: Extract<RuleOutcome, { refused: unknown }>["refused"]): ProblemError {
  const name = why === "invalid" ? "invalid-request" : why === "missing" ? "not-found" : "conflict";
  return new ProblemError(name, detail, {
    errors: errors.map(({ pointer, detail }) => ({ pointer: `/rule${pointer}`, detail })),
  });
}

const viewChange = (change: RuleChange): RuleChangeView => ({ ...change, at: iso(change.at) });
const iso = (time: number) => new Date(time).toISOString();

/** How each rule does, over the last 30 days unless asked otherwise; kept for some seconds. */
function createRuleFigures({ records, now }: Pick<Parts, "records" | "now">) {
  const kept = new Map<string, { readonly at: number; readonly stats: RuleStatsView }>();

  function of(rule: string): RuleStatsView {
    const known = kept.get(rule);
    if (known && Math.abs(now() - known.at) < STATS_FRESH_MS) return known.stats;
    const stats = records.ruleStats.of(rule, now(), RULE_STATS_DAYS);
    // Rules come and go: those that are gone are not kept for ever.
    if (kept.size >= 2 * RULES_MAX) kept.clear();
    kept.set(rule, { at: now(), stats });
    return stats;
  }

  return { of };
}

const description =
  "Reads the store in a thread of its own; one at a time (409 for one's own, somebody else's is waited for), at most five years and 4 minutes. Closing the connection ends it.";
const response = answers(
  { 200: media("What they would have said", { "application/json": BacktestBody }) },
  404,
  409,
  413,
  415,
  503,
);
const ofOne = {
  tags,
  summary: "What a rule, or a change of it, would have said over history",
  description,
  params: byId,
  body: BacktestOne,
  response,
};
const ofMany = {
  tags,
  summary: "What these rules would have said over history",
  description,
  body: BacktestMany,
  response,
};
const WARM_UP_MS_MAX = 90 * DAY_MS;

export function addBacktests(app: Api, parts: Parts): void {
  /** Since when an account has one, from the moment it asked: of two that come together, one is let in. */
  const asked = new Map<string, number>();

  async function alone(request: FastifyRequest, reply: FastifyReply, body: View<typeof BacktestMany>, pointer: string) {
    const by = parts.auth.account(request).name;
    const since = asked.get(by);
    if (since !== undefined) {
      const detail = `${by} is running a backtest since ${new Date(since).toISOString()}.`;
      throw new ProblemError("conflict", detail, { retryAfterS: 30 });
    }
    asked.set(by, parts.now());
    try {
      return await run(parts, request, reply, body, pointer);
    } finally {
      asked.delete(by);
    }
  }

  app.post("/rules/:id/backtest", { schema: ofOne }, async (request, reply) => {
    const { rule, ...span } = request.body;
    const entry = parts.ruleBook.entry(request.params.id);
    if (!rule && !entry) throw notFound("rule", request.params.id);
    return alone(request, reply, { ...span, rules: [rule ?? withoutVersion(entry!.rule)] }, rule ? "/rule" : "");
  });

  app.post("/rules/backtest", { schema: ofMany, bodyLimit: RULES_BODY_BYTES_MAX }, async (request, reply) =>
    alone(request, reply, request.body, "/rules"),
  );
}

const withoutVersion = ({ version: _, ...data }: { version: string } & RuleData) => data;

async function run(
  { ruleBook, auth, turns, limits }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  body: View<typeof BacktestMany>,
  pointer: string,
) {
  const span = spanOf(body, limits.backtestSpanMaxMs);
  const by = auth.account(request).name;
  const signal = leaving(reply);
  const rules = await turns.checks.run(by, signal, () => rulesOf(ruleBook, body.rules, pointer, signal));
  const sensor = body.sensor === undefined ? {} : { sensorId: body.sensor };
  const question: BacktestQuestion = { ...span, rules, by, ...sensor };
  // It takes longer than an idle connection may last.
  patient(request, 0);
  const result = await turns.backtests.run(by, signal, () => ruleBook.backtest(question, signal));
  patient(request, limits.stalledMs);
  return reply.type("application/json; charset=utf-8").send(Buffer.from(result.buffer as ArrayBuffer));
}

function spanOf({ from, to, warmUp }: View<typeof BacktestMany>, spanMaxMs: number) {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(start)) throw invalid("/from", "Write an ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z.");
  if (Number.isNaN(end)) throw invalid("/to", "Write an ISO 8601 time with a zone, such as 2026-11-21T10:00:00Z.");
  if (end <= start) throw invalid("/to", "to must be after from.");
  if (end - start > spanMaxMs) throw invalid("/to", `At most ${spanMaxMs / DAY_MS} days.`);
  const warmUpMs = parseDuration(warmUp) ?? 0;
  if (warmUpMs > WARM_UP_MS_MAX) throw invalid("/warmUp", "At most 90 days.");
  return { from: start, to: end, warmUpMs };
}

/** Read where what people send is read: `/rules` has many of them. */
async function rulesOf(
  ruleBook: Parts["ruleBook"],
  values: readonly object[],
  pointer: string,
  signal: AbortSignal,
): Promise<readonly RuleData[]> {
  const parsed = await ruleBook.parse(values, signal);
  if ("rules" in parsed) return parsed.rules;
  const errors = parsed.mistakes.map(({ index, path, message }) => ({
    pointer: `${pointer}${pointerOf(pointer === "/rules" ? [index, ...path] : path)}`,
    detail: message,
  }));
  throw new ProblemError("invalid-request", "The rule is not valid.", { errors });
}
