import type { FastifyReply, FastifyRequest } from "fastify";
import { BacktestBody, BacktestMany, BacktestOne } from "../../contract/backtest.ts";
import { byId } from "../../contract/common.ts";
import type { RuleData } from "../../model/rule.ts";
import { DAY_MS, parseDuration } from "../../model/time.ts";
import { answers, media } from "../answers.ts";
import type { Api, Parts } from "../api.ts";
import { invalid, notFound, ProblemError } from "../problems.ts";
import type { BacktestQuestion } from "../rule-deps.ts";
import { leaving, patient } from "../turns.ts";
import { pointerOf } from "../validation.ts";
import { RULES_BODY_BYTES_MAX } from "./rules.ts";

const tags = ["rules"];
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

  async function alone(request: FastifyRequest, reply: FastifyReply, body: Body, pointer: string) {
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

type Body = {
  readonly from: string;
  readonly to: string;
  readonly warmUp: string;
  readonly sensor?: string;
  readonly rules: readonly object[];
};

async function run(
  { ruleBook, auth, turns, limits }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Body,
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

function spanOf({ from, to, warmUp }: Body, spanMaxMs: number) {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(start)) throw invalid("/from", "A time in ISO 8601 with its zone.");
  if (Number.isNaN(end)) throw invalid("/to", "A time in ISO 8601 with its zone.");
  if (end <= start) throw invalid("/to", "`to` is not after `from`.");
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
