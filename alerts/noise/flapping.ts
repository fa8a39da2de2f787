import { HOUR_MS } from "../../model/time.ts";
import type { NoiseRow, Records } from "../../store/records.ts";

export type FlappingOptions = {
  /** So many changes within `withinMs` (event time) are too many. */
  readonly changesMin: number;
  readonly withinMs: number;
  /** Calm again after so long without a change (service's clock). */
  readonly calmAfterMs: number;
};

/** Four changes an hour (docs/rules.md): at that pace nobody can follow what is told. */
export const FLAPPING: FlappingOptions = { changesMin: 4, withinMs: HOUR_MS, calmAfterMs: 30 * 60_000 };

type Series = Pick<Records["noise"], "changedSince" | "newestChange">;

/** Until when this rule and subject count as flapping; undefined if they do not. `row` is the newest of them. */
export function flapsUntil(records: Series, row: NoiseRow, options: FlappingOptions): number | undefined {
  const to = Math.max(row.firedAt, row.endedAt ?? row.firedAt);
  // Each of them that has changed by then counts once at least, and of those after it only the first may have begun
  // by then: a few say as much as the thousands of a series that flaps all the time.
  const changes = records
    .changedSince(row.series, to - options.withinMs, options.changesMin + 1)
    .flatMap(({ firedAt, endedAt }) => (endedAt === undefined ? [firedAt] : [firedAt, endedAt]))
    .filter((at) => at > to - options.withinMs && at <= to);
  return changes.length < options.changesMin ? undefined : calmAt(records, row, options);
}

/** When this rule and subject will have been without a change for long enough. */
export function calmAt(records: Series, row: NoiseRow, { calmAfterMs }: FlappingOptions): number {
  return (records.newestChange(row.series) ?? row.firedKnownAt) + calmAfterMs;
}
