/** Of the values of a metric in an hour. */
export type Sums = { readonly sum: number; readonly min: number; readonly max: number; readonly count: number };

/** Sums of the same values in another order differ in their last digits. */
export const SUM_SLACK = 1e-9;

/**
 * What of an hour's values is new, where the readings of those that are known are gone: a device sends an old buffer
 * again, with some values more. Undefined: nothing, as many are known and none lies beyond them. The difference of both,
 * with the minimum and maximum of all, where the new ones contain the known ones as far as sums can tell: one value more
 * is the difference of the sums, and with it the known minimum and maximum are the new ones; of several more the mean must
 * lie among the values, and the minimum or the maximum is the known one. All of them otherwise. `store/duckdb/rollups.ts`
 * says the same in SQL.
 */
export function newOf(found: Sums, known: Sums): Sums | undefined {
  const more = found.count - known.count;
  const isWithin = (a: Sums, b: Sums) => b.min <= a.min && b.max >= a.max;
  if (more <= 0) return isWithin(found, known) ? undefined : found;
  if (!isWithin(known, found)) return found;
  const sum = found.sum - known.sum;
  const slack = SUM_SLACK * (1 + Math.abs(found.sum) + Math.abs(known.sum));
  const isNear = (a: number, b: number) => Math.abs(a - b) <= slack;
  const isContained =
    more === 1
      ? isNear(found.min, Math.min(known.min, sum)) && isNear(found.max, Math.max(known.max, sum))
      : (found.min === known.min || found.max === known.max) &&
        sum / more >= found.min - slack &&
        sum / more <= found.max + slack;
  return isContained ? { ...found, sum, count: more } : found;
}
