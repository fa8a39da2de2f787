import type { RuleData } from "../model/rule.ts";
import type { RuleAuthor, RuleChange, RuleEntry, RuleOutcome } from "../model/rule-change.ts";

/** What the API needs of the rules. */
export type RuleDeps = {
  entries(): readonly RuleEntry[];
  entry(id: string): RuleEntry | undefined;
  /** Rules that are out of use because they threw. */
  failures(): readonly { readonly rule: string; readonly failure: string }[];
  /**
   * The mistakes of a rules file that is not in force, with their places: the answer of `POST /rules/check` as JSON.
   * Rejects with an Error named `RulesTooHard`, or with the signal's reason; so does `parse`.
   */
  check(yaml: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Rules as data, or the mistakes of the first that has some. */
  parse(rules: readonly unknown[], signal: AbortSignal): Promise<ParsedRules>;
  put(id: string, value: unknown, author: RuleAuthor): RuleOutcome;
  promote(id: string, author: RuleAuthor): RuleOutcome;
  /** Back to the file's version, or gone if it stands in no file. */
  remove(id: string, author: RuleAuthor): RuleOutcome;
  versions(id: string, limit: number, cursor?: string): { readonly items: RuleChange[]; readonly next?: string };
  /** A `BacktestView` as JSON. Rejects with an Error named `BacktestBusy`, or with the signal's reason. */
  backtest(question: BacktestQuestion, signal: AbortSignal): Promise<Uint8Array>;
};

export type ParsedRules =
  | { readonly rules: readonly RuleData[] }
  | { readonly mistakes: readonly { index: number; path: readonly (string | number)[]; message: string }[] };

export type BacktestQuestion = {
  /** Rules they count the alerts of are added where they are in force. */
  readonly rules: readonly RuleData[];
  readonly from: number;
  readonly to: number;
  readonly warmUpMs: number;
  readonly sensorId?: string;
  readonly by: string;
};
