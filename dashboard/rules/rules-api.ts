import type { Figures } from "../../model/backtest.ts";
import type { RuleData } from "../../model/rule.ts";
import type { RuleChange } from "../../model/rule-change.ts";
import type { RuleStats } from "../../model/rule-stats.ts";
import { ask, request } from "../api/client.ts";
import type { AlertView } from "../api/data.ts";

/** As `GET /rules` shows it. */
export type RuleView = RuleData & {
  readonly version: string;
  readonly state: "ok" | "error";
  /** Why it is out of use. */
  readonly failure?: string;
  readonly file?: string;
  readonly changed?: Pick<ChangeView, "at" | "by" | "what" | "reason">;
  readonly stats?: RuleStats;
  readonly shadow?: { readonly alerts: number; readonly firing: number; readonly last: readonly AlertView[] };
};

export type ChangeView = Omit<RuleChange, "at"> & { readonly at: string };

export type Mistake = { readonly line: number; readonly column: number; readonly message: string };
export type CheckView = {
  readonly ok: boolean;
  readonly mistakes: readonly Mistake[];
  /** The rules without a mistake, with what they leave out filled in. */
  readonly found: readonly RuleData[];
};

export const ruleHref = (id: string): string => `/rules/${encodeURIComponent(id)}`;
export const editHref = (id: string): string => `${ruleHref(id)}/edit`;

export const loadRule = (id: string, signal?: AbortSignal): Promise<RuleView> =>
  request<RuleView>("GET", ruleHref(id), undefined, signal);

export const checkYaml = (yaml: string, signal?: AbortSignal): Promise<CheckView> =>
  request<CheckView>("POST", "/rules/check", { yaml }, signal);

type Because = { readonly reason: string; readonly figures?: Figures };

/** `over`: the version it is laid over, or undefined where there may be no such rule yet. Throws `ApiProblem`; 409 says who was first. */
export const saveRule = (rule: RuleData, because: Because, over: string | undefined): Promise<void> =>
  change("PUT", ruleHref(rule.id), { rule, ...because }, over);

export const promoteRule = (id: string, because: Because, over: string): Promise<void> =>
  change("POST", `${ruleHref(id)}/promote`, because, over);

/** Back to the version of its file, or gone where it stands in none. */
export const removeRule = (id: string, reason: string, over: string): Promise<void> =>
  change("DELETE", ruleHref(id), { reason }, over);

async function change(method: "PUT" | "POST" | "DELETE", path: string, body: object, over: string | undefined) {
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
