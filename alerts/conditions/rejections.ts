import type { Spec } from "../../model/conditions.ts";
import { REASONS, type Reason } from "../../model/rejection.ts";
import type { Rule } from "../../model/rule.ts";
import { asText, type Sentence, say } from "../../model/sentence.ts";
import { parseDuration, SECOND_MS } from "../../model/time.ts";
import { noted } from "../says.ts";
import { type Case, NOTHING, type Outcome, type Step } from "./condition.ts";

export type RejectionsParams = { readonly count: number; readonly withinMs: number; readonly keepForMs: number };

/** A message, or one value of it, that arrived and was refused. `at`: when it arrived, for its own time may be the fault. */
export type Refused = { readonly at: number; readonly reason: Reason; readonly detail: string };

type Recent = readonly [at: number, reason: Reason];

/** `recent`: at most `count`, oldest first. Once it fires, how many there were since it began, and the newest of them. */
type RejectionsState = {
  readonly recent: readonly Recent[];
  readonly firing?: { readonly since: number; readonly total: number; readonly lastAt: number };
};

const QUIET: RejectionsState = { recent: [] };
const DETAIL_LENGTH_MAX = 300;

/** Everything of a type of condition that watches what is refused of one sensor. */
export type OverRejections = {
  readonly over: "rejections";
  params(spec: Spec<"rejections">): RejectionsParams;
  readonly quiet: RejectionsState;
  step(params: RejectionsParams, state: RejectionsState, refused: Refused): Step<RejectionsState>;
  /** The clock: everything up to `time` has been taken. */
  advance(params: RejectionsParams, state: RejectionsState, time: number): Step<RejectionsState>;
  readonly unit: string;
  limit(params: RejectionsParams): number;
  explain(about: Case<"rejections", RejectionsParams>): Sentence;
  explainEnd(about: Pick<Case<"rejections">, "rule" | "outcome">): Sentence;
  deed(rule: Rule): Sentence;
};

/**
 * `count` messages of a sensor refused within `within`; with a metric, so many values of it. Ends once none was refused
 * for `keepFor`. A sensor that sends what cannot be taken is no silent one: it has a fault that nobody finds at its power
 * supply. Source: practice.
 *
 * In the time of receipt, and by the clock: what is refused has no other time that could be relied on.
 */
export const rejections: OverRejections = {
  over: "rejections",
  params({ count, within, keepFor }) {
    const withinMs = parseDuration(within)!;
    return { count, withinMs, keepForMs: keepFor === undefined ? withinMs : parseDuration(keepFor)! };
  },
  unit: "refused",
  limit: ({ count }) => count,
  explain({ rule: { metric }, sensor: { id, name }, outcome: { value, startedAt, at, evidence } }) {
    const much = { count: value!, within: Math.max(at - startedAt, SECOND_MS), at };
    const shared = { where: name ?? id, ...much, example: asText(evidence.at(-1)!.note!) };
    if (metric) return say("rejections.values", { metric, ...shared });
    return say("rejections", { reason: evidence[0]!.note as Reason, ...shared });
  },
  explainEnd({ rule, outcome: { at, value } }) {
    return say(rule.metric ? "rejections.valuesEnded" : "rejections.ended", { at, count: value! });
  },
  deed: ({ metric }) => (metric ? say("deed.refusedValues", { metric }) : say("deed.refused", {})),
  quiet: QUIET,
  step(params, state, refused) {
    const [before, ended] = advance(params, state, refused.at);
    const [next, outcomes] = before.firing ? goOn(before, refused) : gather(params, before, refused);
    return [next, ended.length > 0 ? [...ended, ...outcomes] : outcomes];
  },
  advance,
};

function advance({ keepForMs }: RejectionsParams, state: RejectionsState, time: number): Step<RejectionsState> {
  const { firing } = state;
  if (!firing || time - firing.lastAt < keepForMs) return [state, NOTHING];
  const { since: startedAt, total: value, lastAt } = firing;
  const evidence = [{ measuredAt: lastAt, ...noted(say("note.lastRefused", {})) }];
  return [QUIET, [{ what: "resolved", at: lastAt + keepForMs, startedAt, value, evidence, why: "cleared" }]];
}

function goOn(state: RejectionsState, { at }: Refused): Step<RejectionsState> {
  const { since, total, lastAt } = state.firing!;
  return [{ recent: [], firing: { since, total: total + 1, lastAt: Math.max(lastAt, at) } }, NOTHING];
}

function gather(
  { count, withinMs }: RejectionsParams,
  { recent }: RejectionsState,
  { at, reason, detail }: Refused,
): Step<RejectionsState> {
  const near = [...recent.filter(([time]) => at - time <= withinMs), [at, reason] as const];
  if (near.length < count) return [{ recent: near }, NOTHING];
  const since = Math.min(at, ...near.map(([time]) => time));
  const example = `${REASONS[reason]} ${detail}`.slice(0, DETAIL_LENGTH_MAX);
  const evidence = [
    { measuredAt: since, note: commonest(near) },
    { measuredAt: at, note: example },
  ];
  const fired: Outcome = { what: "firing", at, startedAt: since, value: near.length, evidence };
  return [{ recent: [], firing: { since, total: near.length, lastAt: at } }, [fired]];
}

/** Of those that are as frequent the first. */
function commonest(recent: readonly Recent[]): string {
  const groups = [...Map.groupBy(recent, ([, reason]) => reason)];
  return groups.reduce((most, one) => (one[1].length > most[1].length ? one : most))[0];
}
