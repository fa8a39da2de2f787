import type { Spec } from "../../model/conditions.ts";
import type { MetricName } from "../../model/metrics.ts";
import { DAY_MS, parseDuration } from "../../model/time.ts";
import { correlation, type Daily, medianOn } from "./daily.ts";
import { isNearFloor, median, robustSigma } from "./robust.ts";

/** One day of a sensor beside its neighbours. `off`: the share by which it is above (below: negative) their median. */
export type Compared = {
  readonly day: number;
  readonly value: number;
  readonly around: number;
  readonly count: number;
  readonly off: number;
  /** The neighbours' own spread as a share of their median. */
  readonly spread: number;
};

/** So many days in a row near the neighbours end it; so many days without any comparison, too. */
const BACK_DAYS = 3;
const LOST_DAYS = 14;
/** Of the days of `for`, so many at least can be compared. */
const CAPTURE = 0.75;

/**
 * The days known of a sensor beside those neighbours whose days moved alike (Pearson's r of the daily medians at least
 * `correlation`). A day counts with enough of them, and where their median is clear of the detection limit.
 */
export function compareDays(
  metric: MetricName,
  spec: Spec<"drift">,
  own: Daily,
  around: readonly Daily[],
  to: number,
): Compared[] {
  const alike = around.filter((other) => (correlation(own, other) ?? -1) >= spec.correlation);
  if (alike.length < spec.neighbours) return [];
  return own.days.flatMap(([day, value]): Compared[] => {
    if (day > to) return [];
    const others = alike.map((other) => medianOn(other, day)).filter((one) => one !== undefined);
    if (others.length < spec.neighbours) return [];
    const middle = median(others);
    if (middle <= 0 || isNearFloor(metric, middle)) return [];
    const off = value / middle - 1;
    return [{ day, value, around: middle, count: others.length, off, spread: robustSigma(others, middle) / middle }];
  });
}

/** The days in a row, up to the newest, on which it was off by more than `ratio` to the same side: drift if long enough. */
export function driftRun(spec: Spec<"drift">, days: readonly Compared[], to: number): Compared[] | undefined {
  const last = days.at(-1);
  if (!last || last.day !== to) return undefined;
  const isOff = ({ off }: Compared) => Math.abs(off) > spec.ratio && Math.sign(off) === Math.sign(last.off);
  const firstIn = days.findLastIndex((one) => !isOff(one)) + 1;
  const run = days.slice(firstIn);
  const needed = parseDuration(spec.for)! / DAY_MS;
  const lasts = run.length > 0 && to - run[0]!.day + 1 >= needed;
  return lasts && run.length >= CAPTURE * (to - run[0]!.day + 1) ? run : undefined;
}

/** Whether a drift is over: near its neighbours again, or nobody left to compare it with since `seenDay`. */
export function driftEnd(
  spec: Spec<"drift">,
  days: readonly Compared[],
  seenDay: number,
  to: number,
): "back" | "no-data" | undefined {
  const last = days.slice(-BACK_DAYS);
  const isFresh = last.length === BACK_DAYS && last.at(-1)!.day === to;
  if (isFresh && last.every(({ off }) => Math.abs(off) <= spec.ratio)) return "back";
  return to - seenDay > LOST_DAYS ? "no-data" : undefined;
}
