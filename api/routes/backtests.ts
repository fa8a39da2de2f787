import type { FastifyReply, FastifyRequest } from "fastify";
import { parseDuration } from "../../model/duration.ts";
import { type RuleData, ruleSchema } from "../../model/rule.ts";
import type { Api, Parts } from "../api.ts";
import { invalid, notFound, ProblemError } from "../problems.ts";
import type { BacktestQuestion } from "../rule-deps.ts";
import { answers, media } from "../schemas/answers.ts";
import { byId } from "../schemas/common.ts";
import { BacktestBody, BacktestMany, BacktestOne } from "../schemas/rule.ts";
import { RULES_BODY_BYTES_MAX } from "./rules.ts";

const tags = ["rules"];
const description =
  "Reads the store in a thread of its own; one at a time (409), at most five years and 4 minutes. Closing the connection ends it.";
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
const WARM_UP_MS_MAX = 90 * 86_400_000;

export function addBacktests(app: Api, parts: Parts): void {
  app.post("/rules/:id/backtest", { schema: ofOne }, async (request, reply) => {
    const { rule, ...span } = request.body;
    const entry = parts.ruleBook.entry(request.params.id);
    if (!rule && !entry) throw notFound("rule", request.params.id);
    return run(parts, request, reply, { ...span, rules: [rule ?? withoutVersion(entry!.rule)] }, rule ? "/rule" : "");
  });

  app.post("/rules/backtest", { schema: ofMany, bodyLimit: RULES_BODY_BYTES_MAX }, async (request, reply) =>
    run(parts, request, reply, request.body, "/rules"),
  );
}

const withoutVersion = ({ version: _, ...data }: { version: string } & RuleData) => data;

type Body = { readonly from: string; readonly to: string; readonly warmUp: string; readonly sensor?: string };

async function run(
  { ruleBook, auth, limits }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Body & { readonly rules: readonly object[] },
  pointer: string,
) {
  const span = spanOf(body, limits.backtestSpanMaxMs);
  const question: BacktestQuestion = {
    ...span,
    rules: body.rules.map((rule, index) => ruleOf(rule, pointer === "/rules" ? `${pointer}/${index}` : pointer)),
    by: auth.account(request).name,
    ...(body.sensor === undefined ? {} : { sensorId: body.sensor }),
  };
  const leaving = new AbortController();
  // It takes longer than an idle connection may last.
  request.raw.socket.setTimeout?.(0); // a request made up by a test has no such thing
  reply.raw.once("close", () => leaving.abort(new ProblemError("unavailable", "The client has gone.")));
  try {
    const result = await ruleBook.backtest(question, leaving.signal);
    return reply.type("application/json; charset=utf-8").send(Buffer.from(result.buffer as ArrayBuffer));
  } catch (error) {
    if ((error as Error).name === "BacktestBusy") throw new ProblemError("conflict", `${(error as Error).message}.`);
    throw error;
  }
}

function spanOf({ from, to, warmUp }: Body, spanMaxMs: number) {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(start)) throw invalid("/from", "A time in ISO 8601 with its zone.");
  if (Number.isNaN(end)) throw invalid("/to", "A time in ISO 8601 with its zone.");
  if (end <= start) throw invalid("/to", "`to` is not after `from`.");
  if (end - start > spanMaxMs) throw invalid("/to", `At most ${spanMaxMs / 86_400_000} days.`);
  const warmUpMs = parseDuration(warmUp) ?? 0;
  if (warmUpMs > WARM_UP_MS_MAX) throw invalid("/warmUp", "At most 90 days.");
  return { from: start, to: end, warmUpMs };
}

function ruleOf(value: object, pointer: string): RuleData {
  const parsed = ruleSchema.safeParse(value);
  if (parsed.success) return parsed.data as RuleData;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    pointer: [pointer, ...path].join("/"),
    detail: message,
  }));
  throw new ProblemError("invalid-request", "The rule is not valid.", { errors });
}
