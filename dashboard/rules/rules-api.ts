import type { SentPath } from "../../contract/calls.ts";
import type { Because, RulesCheckView, RuleView } from "../../contract/rule.ts";
import type { RuleData } from "../../model/rule.ts";
import { ask, type Body, request, send } from "../api/client.ts";

/** The page checks one text, so no file is named. */
export type Mistake = Omit<RulesCheckView["mistakes"][number], "file">;

export const ruleHref = (id: string): `/rules/${string}` => `/rules/${encodeURIComponent(id)}`;
export const editHref = (id: string): string => `${ruleHref(id)}/edit`;

export const loadRule = (id: string, signal?: AbortSignal): Promise<RuleView> =>
  request<RuleView>("GET", ruleHref(id), undefined, signal);

export const checkYaml = (yaml: string, signal?: AbortSignal): Promise<RulesCheckView> =>
  send("POST", "/rules/check", { yaml }, signal);

/** `over`: the version it is laid over, or undefined where there may be no such rule yet. Throws `ApiProblem`; 409 says who was first. */
export const saveRule = (rule: RuleData, because: Because, over: string | undefined): Promise<void> =>
  change("PUT", ruleHref(rule.id), { rule, ...because }, over);

export const promoteRule = (id: string, because: Because, over: string): Promise<void> =>
  change("POST", `${ruleHref(id)}/promote`, because, over);

/** Back to the version of its file, or gone where it stands in none. */
export const removeRule = (id: string, reason: string, over: string): Promise<void> =>
  change("DELETE", ruleHref(id), { reason }, over);

async function change<M extends "PUT" | "POST" | "DELETE", P extends SentPath<M>>(
  method: M,
  path: P,
  body: Body<M, P>,
  over: string | undefined,
) {
  await ask(method, path, body, undefined, over === undefined ? { "if-none-match": "*" } : { "if-match": `"${over}"` });
}

const TRIAL = "-try";
/** The id under which a change of a live rule is tried as a shadow, while the rule itself goes on. */
export const trialIdOf = (id: string): string => `${id.slice(0, 64 - TRIAL.length)}${TRIAL}`;
/** The rule that this one tries a change of, by its id; undefined if it tries none. */
export const triedBy = (id: string): string | undefined =>
  id.endsWith(TRIAL) ? id.slice(0, -TRIAL.length) : undefined;

/** The rule as it was handed in: without what the service adds when it shows it. */
export function dataOf(view: RuleView): RuleData {
  const { version: _, state: _1, failure: _2, file: _3, changed: _4, stats: _5, shadow: _6, ...data } = view;
  return data;
}
