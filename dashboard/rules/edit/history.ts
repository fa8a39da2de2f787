import { computed, signal } from "@preact/signals";
import type { BacktestView } from "../../../model/backtest.ts";
import { type BacktestDiff, diffBacktests } from "../../../model/backtest-diff.ts";
import type { RuleData } from "../../../model/rule.ts";
import { DAY_MS } from "../../../model/time.ts";
import { request } from "../../api/client.ts";
import { dataOf, type RuleView, ruleHref } from "../rules-api.ts";

export const DAYS = [1, 7, 30] as const;
/** So long the answer for the present version is used again: whoever tries one limit after the other waits half as long. */
const FRESH_MS = 10 * 60_000;

export type Comparison = {
  readonly days: number;
  /** undefined: a new rule. */
  readonly before: BacktestView | undefined;
  readonly after: BacktestView;
  readonly diff: BacktestDiff;
  /** What was tried. */
  readonly rule: RuleData;
};
type Step = "before" | "after";

/** The present rule and the edited one over the same history, one after the other, because the service runs one at a time. */
export function openHistory() {
  const days = signal<(typeof DAYS)[number]>(7);
  const comparison = signal<Comparison | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const step = signal<Step | undefined>(undefined);
  const startedAt = signal(0);
  let before:
    | { readonly version: string; readonly days: number; readonly at: number; readonly view: BacktestView }
    | undefined;
  let running: AbortController | undefined;

  async function run(rule: RuleData, present: RuleView | undefined): Promise<void> {
    stop();
    const mine = new AbortController();
    running = mine;
    problem.value = undefined;
    comparison.value = undefined;
    startedAt.value = Date.now();
    try {
      const wanted = days.peek();
      const known = before && before.version === present?.version && before.days === wanted ? before : undefined;
      const fresh = known && Date.now() - known.at < FRESH_MS ? known.view : undefined;
      const to = fresh?.to ?? new Date().toISOString();
      const span = { from: new Date(Date.parse(to) - wanted * DAY_MS).toISOString(), to };
      const ask = (tried: RuleData) =>
        request<BacktestView>("POST", `${ruleHref(rule.id)}/backtest`, { ...span, rule: tried }, mine.signal);
      if (present && !fresh) {
        step.value = "before";
        const view = await ask(dataOf(present));
        before = { version: present.version, days: wanted, at: Date.now(), view };
      }
      step.value = "after";
      const old = fresh ?? (present ? before?.view : undefined);
      const after = await ask(rule);
      comparison.value = {
        days: wanted,
        before: old,
        after,
        diff: diffBacktests(old?.alerts ?? [], after.alerts),
        rule,
      };
    } catch (error) {
      if (!mine.signal.aborted) problem.value = error;
    } finally {
      if (running === mine) step.value = undefined;
    }
  }

  /** The service ends it when nobody waits for it any more. */
  function stop(): void {
    running?.abort();
    running = undefined;
    step.value = undefined;
  }

  return { days, comparison, problem, step, startedAt, busy: computed(() => step.value !== undefined), run, stop };
}

export type RuleHistory = ReturnType<typeof openHistory>;
