import type { Told } from "./subject.ts";
import type { Active } from "./transition.ts";

/**
 * What has to be said of one rule on one sensor so that what was said becomes what is so. "said": an outcome as any
 * other. "late-confirmed": this alert is (again) so, and only a late reading shows it. "corrected": it is so, but
 * otherwise than was said. "retracted": it is not so.
 */
export type Difference = {
  readonly what: "said" | "late-confirmed" | "corrected" | "retracted";
  readonly state: "pending" | "firing" | "resolved" | "retracted";
  readonly active: Active;
  readonly resolvedAt: number | undefined;
  /** For "said". */
  readonly told?: Told;
};

/**
 * `before` was said since a moment at which `base` was active; `now` should have been. Alerts are the same if they began
 * at the same time. Takes back first, so that never two alerts of one rule and sensor are open. `isLate`: by a reading
 * that came late; then every change ends in an entry of its own, because an alert that was taken back may come again
 * with the very words it had before.
 */
export function differences(
  before: readonly Told[],
  now: readonly Told[],
  base: Active | undefined,
  isLate: boolean,
): Difference[] {
  if (same(before, now)) return [];
  const startOf = ({ outcome }: Told) => outcome.startedAt;
  const was = Map.groupBy(before, startOf);
  const is = Map.groupBy(now, startOf);
  const starts = [...new Set([...was.keys(), ...is.keys()])].sort((a, b) => a - b);
  const retracted: Difference[] = [];
  const others: Difference[] = [];
  for (const start of starts) {
    const old = was.get(start) ?? [];
    const next = is.get(start) ?? [];
    if (same(old, next)) continue;
    const goesOn = base?.startedAt === start ? base : undefined;
    if (next.length === 0 && !goesOn) retracted.push(takenBack(old.at(-1)!.active));
    else others.push(...changes(old, next, goesOn, isLate));
  }
  return [...retracted, ...others];
}

function changes(old: readonly Told[], next: readonly Told[], base: Active | undefined, isLate: boolean): Difference[] {
  const last = next.at(-1);
  if (!last) return [asBefore(base!)];
  const isPrefix = same(old, next.slice(0, old.length));
  if (!isPrefix) return [asNow("corrected", last)];
  const said = next.slice(old.length).map((told): Difference => ({ ...asNow("said", told), told }));
  if (!isLate) return said;
  if (old.length === 0 && !base) return [...said, asNow("late-confirmed", last)];
  return last.outcome.what === "firing" ? [...said, asNow("late-confirmed", last)] : [asNow("corrected", last)];
}

function asNow(what: Difference["what"], { outcome, active }: Told): Difference {
  return { what, state: outcome.what, active, resolvedAt: outcome.what === "resolved" ? outcome.at : undefined };
}

/** What ended it, or changed it, is not so: it is what it was. */
function asBefore(active: Active): Difference {
  const state = active.firedAt === undefined ? "pending" : "firing";
  return { what: "corrected", state, active, resolvedAt: undefined };
}

function takenBack(active: Active): Difference {
  return { what: "retracted", state: "retracted", active, resolvedAt: undefined };
}

function same(a: readonly Told[], b: readonly Told[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!isEqual(a[i]!.outcome, b[i]!.outcome)) return false;
  return true;
}

/** Of plain data. A field that is undefined is one that is not there. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const key of Object.keys(one)) if (!isEqual(one[key], other[key])) return false;
  for (const key of Object.keys(other)) if (other[key] !== undefined && one[key] === undefined) return false;
  return true;
}
