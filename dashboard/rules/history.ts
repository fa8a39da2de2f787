import { computed, signal } from "@preact/signals";
import type { BacktestAlertView, BacktestView } from "../../contract/backtest.ts";
import type { RuleView } from "../../contract/rule.ts";
import { type BacktestDiff, diffBacktests } from "../../model/backtest.ts";
import type { RuleData } from "../../model/rule.ts";
import { DAY_MS } from "../../model/time.ts";
import { send } from "../api/client.ts";
import { dataOf, ruleHref } from "./rules-api.ts";

export const DAYS = [1, 7, 30] as const;
/** So long the answer for the present version is used again: whoever tries one limit after the other waits half as long. */
const FRESH_MS = 10 * 60_000;

export type Comparison = {
  readonly days: number;
  /** undefined: a new rule. */
  readonly before: BacktestView | undefined;
  readonly after: BacktestView;
  readonly diff: BacktestDiff<BacktestAlertView>;
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
        send("POST", `${ruleHref(rule.id)}/backtest`, { ...span, rule: tried }, mine.signal);
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

export const DIFFERENCES = ["same", "moved", "removed", "added"] as const;
export type Difference = (typeof DIFFERENCES)[number];
export type Bar = { readonly from: number; readonly to: number; readonly is: Difference };
/** One subject: what was said of it before, and what would be said. */
export type Lane = {
  readonly subject: BacktestAlertView["subject"];
  readonly before: readonly Bar[];
  readonly after: readonly Bar[];
  /** Alerts that are not the same. */
  readonly differences: number;
};
/** One line of the table: an alert that is in one of them or in both. */
export type Line = {
  readonly is: Difference;
  readonly before?: BacktestAlertView;
  readonly after?: BacktestAlertView;
};

/** Every alert of both runs once, by time. */
export function linesOf({ before, after, diff }: Comparison): Line[] {
  const removed = new Set(diff.removed);
  const added = new Set(diff.added);
  const moved = new Map(diff.moved.map((pair) => [pair.new, pair.old]));
  const movedAway = new Set(moved.values());
  const old = (before?.alerts ?? []).filter((one) => !removed.has(one) && !movedAway.has(one));
  const sames = new Map(old.map((one) => [keyOf(one) + one.startedAt, one]));
  const lines: Line[] = after.alerts.map((one) => {
    if (added.has(one)) return { is: "added", after: one };
    const from = moved.get(one);
    if (from) return { is: "moved", before: from, after: one };
    const same = sames.get(keyOf(one) + one.startedAt);
    return { is: "same", ...(same ? { before: same } : {}), after: one };
  });
  for (const one of diff.removed) lines.push({ is: "removed", before: one });
  return lines.sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
}

const startOf = ({ before, after }: Line): string => (after ?? before)!.startedAt;

/** By subject, those with the most differences first. */
export function lanesOf(lines: readonly Line[], span: { readonly from: number; readonly to: number }): Lane[] {
  const bySubject = Map.groupBy(lines, (line) => keyOf((line.after ?? line.before)!));
  const lanes = [...bySubject.values()].map((own): Lane => {
    const { subject } = (own[0]!.after ?? own[0]!.before)!;
    const bars = (which: "before" | "after") =>
      own.flatMap((line) => (line[which] ? [barOf(line[which], line.is, span)] : []));
    const differences = own.filter(({ is }) => is !== "same").length;
    return { subject, before: merge(bars("before"), span), after: merge(bars("after"), span), differences };
  });
  return lanes.sort((a, b) => b.differences - a.differences || b.after.length - a.after.length);
}

/** When people would have been told, and not when the condition began to hold. */
export const firedAt = (alert: BacktestAlertView): string => alert.firedAt ?? alert.startedAt;

function barOf(alert: BacktestAlertView, is: Difference, span: { from: number; to: number }): Bar {
  const end = alert.resolvedAt === undefined ? span.to : Date.parse(alert.resolvedAt);
  return { from: Math.max(span.from, Date.parse(firedAt(alert))), to: Math.min(span.to, end), is };
}

/** Bars nearer to each other than anybody can see are one: a noisy rule has thousands. */
function merge(bars: readonly Bar[], { from, to }: { from: number; to: number }): Bar[] {
  const near = (to - from) / 800;
  const merged: Bar[] = [];
  for (const bar of bars) {
    const last = merged.at(-1);
    if (last && last.is === bar.is && bar.from - last.to < near)
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, bar.to) };
    else merged.push(bar);
  }
  return merged;
}

const keyOf = ({ subject }: BacktestAlertView): string =>
  [subject.sensorId, subject.district, subject.gateway, subject.tag?.value].join("\n");
