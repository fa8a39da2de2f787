import { recordText } from "../../messages/messages.ts";
import type { Evidence, Transition, Verdict } from "../../model/alert.ts";
import type { Spec } from "../../model/conditions.ts";
import { METRICS, type MetricName } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS, parseDuration } from "../../model/time.ts";
import { alertId } from "../alert-id.ts";
import { noted, saysOf } from "../says.ts";
import type { OverSeveral, WatchedSensor } from "./condition.ts";
import { isNearFloor, median, robustSigma } from "./statistics.ts";

const DAYS_KEPT = 31;
/** A day counts if six hours of it at least have a value, and they lie over half a day. */
const HOURS_MIN = 6;
const SPREAD_MIN_HOURS = 12;

/** One UTC day being filled: the first value of each hour. Which that is does not depend on the order of arrival. */
type OpenDay = { readonly day: number; readonly at: (number | null)[]; readonly value: (number | null)[] };

/**
 * The daily medians of one metric of one sensor. `days`: [number of the UTC day, median], oldest first. `bias`: the share
 * by which it usually is above (below: negative) its neighbours, learnt from so many days.
 */
export type Daily = {
  days: (readonly [day: number, median: number])[];
  open: OpenDay[];
  bias?: { readonly off: number; readonly days: number };
};

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

function medianOn({ days }: Daily, day: number): number | undefined {
  for (let i = days.length - 1; i >= 0 && days[i]![0] >= day; i--) if (days[i]![0] === day) return days[i]![1];
  return undefined;
}

const COMMON_DAYS_MIN = 5;

/** Pearson's correlation of the daily medians on common days; undefined for fewer than five, or where nothing moved. */
function correlation(a: Daily, b: Daily): number | undefined {
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

/**
 * One day of a sensor beside its neighbours. `off`: the share by which it is above (below: negative) their median;
 * `change`: the same from what it usually shows beside them.
 */
export type Compared = {
  readonly day: number;
  readonly value: number;
  readonly around: number;
  readonly count: number;
  readonly off: number;
  readonly change: number;
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
    const change = (1 + off) / (1 + (own.bias?.off ?? 0)) - 1;
    const spread = robustSigma(others, middle) / middle;
    return [{ day, value, around: middle, count: others.length, off, change, spread }];
  });
}

/** Before so many days nobody can tell a drift from what a place always shows. */
const BIAS_MIN_DAYS = 7;
/** A difference that stays is what the place shows after about two months. */
const BIAS_DAYS = 60;

/**
 * A rural station shows less than the city every day, one at a kerb more: chronic differences are learnt and no fault.
 * Answers whether the bias was known before this day. A slow drift is faster than what is learnt of it.
 */
export function learnBias({ ratio }: Spec<"drift">, own: Daily, days: readonly Compared[], day: number): boolean {
  const { bias } = own;
  const last = days.at(-1);
  if (!bias) {
    if (days.length >= BIAS_MIN_DAYS) own.bias = { off: median(days.map(({ off }) => off)), days: days.length };
    return false;
  }
  if (last?.day === day) {
    const share = 1 / (Math.abs(last.change) > ratio ? BIAS_DAYS : Math.min(BIAS_DAYS, bias.days + 1));
    own.bias = { off: bias.off + share * (last.off - bias.off), days: Math.min(BIAS_DAYS, bias.days + 1) };
  }
  return true;
}

/** The days in a row, up to the newest, on which it was off by more than `ratio` to the same side: drift if long enough. */
export function driftRun(spec: Spec<"drift">, days: readonly Compared[], to: number): Compared[] | undefined {
  const last = days.at(-1);
  if (!last || last.day !== to) return undefined;
  const isOff = ({ change }: Compared) => Math.abs(change) > spec.ratio && Math.sign(change) === Math.sign(last.change);
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
  if (isFresh && last.every(({ change }) => Math.abs(change) <= spec.ratio)) return "back";
  return to - seenDay > LOST_DAYS ? "no-data" : undefined;
}

/** A daily value that stays off the neighbours'; `districts/drift.ts` compares the days. */
export const drift: OverSeveral = { over: "several" };

const EVIDENCE_MAX = 10;

/** The alert of a drift that has been found. `run`: the days it rests on, oldest first. */
export function driftAlert(
  { rule, fit }: { readonly rule: Rule; readonly fit: string },
  sensor: WatchedSensor,
  run: readonly Compared[],
): Transition["alert"] {
  const { id, version, title, source, severity, audience, mode, condition } = rule;
  const metric = rule.metric as MetricName;
  const last = run.at(-1)!;
  const startedAt = run[0]!.day * DAY_MS;
  const [is, whySentence] = verdictOf(run, condition.type === "drift" ? condition.ratio : 0);
  const verdict = { is, why: recordText([whySentence]) };
  const explanation = [sentence(metric, sensor, run)];
  return {
    id: alertId(id, sensor.id, startedAt, fit),
    rule: { id, version, title, source: source.text },
    subject: { sensorId: sensor.id, district: sensor.district },
    kind: sensor.kind,
    severity,
    audience: verdict.is === "sensor-fault" ? "crews" : audience,
    state: "firing",
    startedAt,
    firedAt: (last.day + 1) * DAY_MS,
    metric,
    value: round(last.value),
    limit: round(last.around),
    unit: METRICS[metric].unit,
    explanation: recordText(explanation, rule.zone),
    says: { ...saysOf(rule, explanation), verdict: whySentence },
    evidence: run.slice(-EVIDENCE_MAX).map((one) => toEvidence(metric, one)),
    verdict,
    ...(mode === "shadow" ? { mode } : {}),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

/** Neighbours that do not agree among themselves prove nothing. */
function verdictOf(run: readonly Compared[], ratio: number): [is: Verdict["is"], why: Sentence] {
  const { count: neighbours } = run.at(-1)!;
  const agree = run.filter(({ spread }) => spread <= ratio).length >= run.length / 2;
  return agree
    ? ["sensor-fault", say("verdict.driftAlone", { neighbours })]
    : ["unclear", say("verdict.driftAmong", { neighbours })];
}

function sentence(metric: MetricName, { id, name }: WatchedSensor, run: readonly Compared[]): Sentence {
  const last = run.at(-1)!;
  const mean = run.reduce((sum, { off }) => sum + off, 0) / run.length;
  const amount = (value: number) => ({ value: round(value), of: metric });
  return say("drift", {
    metric,
    where: name ?? id,
    off: Math.round(Math.abs(mean) * 100) / 100,
    side: mean > 0 ? "above" : "below",
    neighbours: last.count,
    days: last.day - run[0]!.day + 1,
    day: last.day * DAY_MS,
    value: amount(last.value),
    around: amount(last.around),
  });
}

function toEvidence(metric: MetricName, { day, value, around }: Compared): Evidence {
  return {
    measuredAt: day * DAY_MS,
    metric,
    value: round(value),
    ...noted(say("note.dayMedian", { around: round(around) })),
  };
}
