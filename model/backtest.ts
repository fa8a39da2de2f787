import type { Alert } from "./alert.ts";
import { HOUR_MS } from "./time.ts";

/** `from <= time < to`, epoch milliseconds. */
export type Span = { readonly from: number; readonly to: number };

/** What is compared of an alert; times in ISO 8601. */
type ToldAlert = Pick<Alert, "rule" | "subject" | "state"> & {
  readonly startedAt: string;
  readonly firedAt?: string;
  readonly resolvedAt?: string;
};

type Moved<A> = { readonly old: A; readonly new: A };
export type BacktestDiff<A> = {
  readonly unchanged: number;
  readonly added: readonly A[];
  readonly removed: readonly A[];
  /** The same trouble, told at another time. */
  readonly moved: readonly Moved<A>[];
};

/** Alerts of one rule and subject that begin within this time of each other's span are about the same trouble. */
const NEAR_MS = HOUR_MS;

/** Compares what two sets of rules would have said of the same readings, by rule and subject. */
export function diffBacktests<A extends ToldAlert>(old: readonly A[], next: readonly A[]): BacktestDiff<A> {
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

function diffSubject<A extends ToldAlert>(old: readonly A[], next: readonly A[]): BacktestDiff<A> {
  const same = new Set(old.map(timesOf));
  const unchanged = next.filter((one) => same.has(timesOf(one)));
  const still = new Set(unchanged.map(timesOf));
  const left = old.filter((one) => !still.has(timesOf(one)));
  const added: A[] = [];
  const moved: Moved<A>[] = [];
  for (const one of next.filter((candidate) => !same.has(timesOf(candidate)))) {
    const at = left.findIndex((candidate) => isNear(candidate, one));
    if (at < 0) added.push(one);
    else moved.push({ old: left.splice(at, 1)[0]!, new: one });
  }
  return { unchanged: unchanged.length, added, removed: left, moved };
}

const keyOf = ({ rule, subject }: ToldAlert) =>
  [rule.id, subject.sensorId, subject.district, subject.gateway, subject.tag?.value].join("\n");
const timesOf = ({ startedAt, firedAt, resolvedAt, state }: ToldAlert) =>
  `${startedAt} ${firedAt} ${resolvedAt} ${state === "retracted"}`;

function isNear(a: ToldAlert, b: ToldAlert): boolean {
  const [first, second] = a.startedAt <= b.startedAt ? [a, b] : [b, a];
  const end = first.resolvedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(first.resolvedAt);
  return Date.parse(second.startedAt) <= Math.max(end, Date.parse(first.startedAt) + NEAR_MS);
}

const byStart = (a: ToldAlert, b: ToldAlert) => (a.startedAt < b.startedAt ? -1 : 1);
