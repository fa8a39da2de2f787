import type { Kind } from "../model/kinds.ts";
import type { ReadingStore } from "./reading-store.ts";
import type { Records } from "./records.ts";

type Parts = { readonly store: Pick<ReadingStore, "countBySensor" | "deleteBefore">; readonly removals: Removals };
type Removals = Pick<Records["removals"], "plans" | "plan" | "settle">;

/**
 * Removes readings that are past their time and books it, so that stored = in the store + removed whatever happens in
 * between: the plan is on disk before the store is told, and a plan found open (a crash, or a store that went away half
 * through) is settled by what the store has left of it. Says how many are gone.
 */
export async function removeReadings({ store, removals }: Parts, kind: Kind, before: number): Promise<number> {
  const open = removals.plans().find((plan) => plan.kind === kind);
  let sum = 0;
  if (open) {
    const left = await store.countBySensor({ past: { kind, time: open.before } });
    const gone = new Map([...open.counts].map(([sensor, n]) => [sensor, Math.max(0, n - (left.get(sensor) ?? 0))]));
    removals.settle(kind, gone);
    sum += total(gone);
  }
  const counts = await store.countBySensor({ past: { kind, time: before } });
  if (counts.size === 0) return sum;
  removals.plan({ kind, before, counts });
  await store.deleteBefore(kind, before);
  removals.settle(kind, counts);
  return sum + total(counts);
}

const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
