import type { BacktestAlertView } from "./backtest.ts";
import { HOUR_MS } from "./time.ts";

export type Moved = { readonly old: BacktestAlertView; readonly new: BacktestAlertView };
export type BacktestDiff = {
  readonly unchanged: number;
  readonly added: readonly BacktestAlertView[];
  readonly removed: readonly BacktestAlertView[];
  /** The same trouble, told at another time. */
  readonly moved: readonly Moved[];
};

/** Alerts of one rule and subject that begin within this time of each other's span are about the same trouble. */
const NEAR_MS = HOUR_MS;

/** Compares what two sets of rules would have said of the same readings, by rule and subject. */
export function diffBacktests(old: readonly BacktestAlertView[], next: readonly BacktestAlertView[]): BacktestDiff {
  const before = Map.groupBy(old, keyOf);
  const after = Map.groupBy(next, keyOf);
  const parts = [...new Set([...before.keys(), ...after.keys()])].map((key) =>
    diffSubject(before.get(key) ?? [], after.get(key) ?? []),
  );
  return {
    unchanged: parts.reduce((sum, part) => sum + part.unchanged, 0),
    added: parts.flatMap(({ added }) => added).sort(byStart),
    removed: parts.flatMap(({ removed }) => removed).sort(byStart),
    moved: parts.flatMap(({ moved }) => moved).sort((a, b) => byStart(a.new, b.new)),
  };
}

function diffSubject(old: readonly BacktestAlertView[], next: readonly BacktestAlertView[]): BacktestDiff {
  const same = new Set(old.map(timesOf));
  const unchanged = next.filter((one) => same.has(timesOf(one)));
  const still = new Set(unchanged.map(timesOf));
  const left = old.filter((one) => !still.has(timesOf(one)));
  const added: BacktestAlertView[] = [];
  const moved: Moved[] = [];
  for (const one of next.filter((candidate) => !same.has(timesOf(candidate)))) {
    const at = left.findIndex((candidate) => isNear(candidate, one));
    if (at < 0) added.push(one);
    else moved.push({ old: left.splice(at, 1)[0]!, new: one });
  }
  return { unchanged: unchanged.length, added, removed: left, moved };
}

const keyOf = ({ rule, subject }: BacktestAlertView) =>
  [rule.id, subject.sensorId, subject.district, subject.gateway, subject.tag?.value].join("\n");
const timesOf = ({ startedAt, firedAt, resolvedAt, state }: BacktestAlertView) =>
  `${startedAt} ${firedAt} ${resolvedAt} ${state === "retracted"}`;

function isNear(a: BacktestAlertView, b: BacktestAlertView): boolean {
  const [first, second] = a.startedAt <= b.startedAt ? [a, b] : [b, a];
  const end = first.resolvedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(first.resolvedAt);
  return Date.parse(second.startedAt) <= Math.max(end, Date.parse(first.startedAt) + NEAR_MS);
}

const byStart = (a: BacktestAlertView, b: BacktestAlertView) => (a.startedAt < b.startedAt ? -1 : 1);
