import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { median } from "./robust.ts";

const DAYS_KEPT = 31;
/** A day counts if six hours of it at least have a value, and they lie over half a day. */
const HOURS_MIN = 6;
const SPREAD_MIN_HOURS = 12;

/** One UTC day being filled: the first value of each hour. Which that is does not depend on the order of arrival. */
type OpenDay = { readonly day: number; readonly at: (number | null)[]; readonly value: (number | null)[] };

/** The daily medians of one metric of one sensor. `days`: [number of the UTC day, median], oldest first. */
export type Daily = { days: (readonly [day: number, median: number])[]; open: OpenDay[] };

export const createDaily = (): Daily => ({ days: [], open: [] });

export const dayOf = (at: number) => Math.floor(at / DAY_MS);

/** Notes a value of a day that is not closed yet. Answers whether it changed anything. */
export function noteHour({ open }: Daily, at: number, value: number, closedTo: number): boolean {
  const day = dayOf(at);
  if (day < closedTo) return false;
  let entry = open.find((one) => one.day === day);
  if (!entry) {
    entry = { day, at: Array(24).fill(null), value: Array(24).fill(null) };
    open.push(entry);
  }
  const hour = Math.floor((at - day * DAY_MS) / HOUR_MS);
  const first = entry.at[hour] ?? null;
  if (first !== null && (at > first || (at === first && value <= entry.value[hour]!))) return false;
  entry.at[hour] = at;
  entry.value[hour] = value;
  return true;
}

/** Closes every day before `closedTo`: their medians are kept, of the last 31 days that count. */
export function closeDays(daily: Daily, closedTo: number): boolean {
  const over = daily.open.filter(({ day }) => day < closedTo).sort((a, b) => a.day - b.day);
  if (over.length === 0) return false;
  daily.open = daily.open.filter(({ day }) => day >= closedTo);
  const counted = over.flatMap((one) => {
    const hours = one.value.flatMap((value, hour) => (value === null ? [] : [hour]));
    if (hours.length < HOURS_MIN || hours.at(-1)! - hours[0]! < SPREAD_MIN_HOURS) return [];
    return [[one.day, median(one.value.filter((value) => value !== null))] as const];
  });
  daily.days = [...daily.days, ...counted].slice(-DAYS_KEPT);
  return true;
}

export function medianOn({ days }: Daily, day: number): number | undefined {
  for (let i = days.length - 1; i >= 0 && days[i]![0] >= day; i--) if (days[i]![0] === day) return days[i]![1];
  return undefined;
}

const COMMON_DAYS_MIN = 5;

/** Pearson's correlation of the daily medians on common days; undefined for fewer than five, or where nothing moved. */
export function correlation(a: Daily, b: Daily): number | undefined {
  const pairs = a.days.flatMap(([day, x]) => {
    const y = medianOn(b, day);
    return y === undefined ? [] : [[x, y] as const];
  });
  if (pairs.length < COMMON_DAYS_MIN) return undefined;
  const mean = (index: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[index], 0) / pairs.length;
  const [x0, y0] = [mean(0), mean(1)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    xx += (x - x0) ** 2;
    yy += (y - y0) ** 2;
    xy += (x - x0) * (y - y0);
  }
  return xx === 0 || yy === 0 ? undefined : xy / Math.sqrt(xx * yy);
}
