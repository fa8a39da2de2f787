import type { AnomalySpec, ChangeSpec, ForecastSpec } from "../../model/conditions.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { share } from "./limits.ts";
import { amount, type Case, ordinal, spanText, subject, timeText, windowUnit, windowWord } from "./words.ts";

export function explainChange({ rule, sensor, outcome: { value, evidence } }: Case): string {
  const { rise, fall, within } = rule.condition as ChangeSpec;
  const [from, to] = evidence;
  const by = amount(rule, Math.abs(to!.value! - from!.value!));
  const moved = `${subject(rule, sensor)} ${rise === undefined ? "fell" : "rose"} by ${by}, from ${amount(rule, from!.value)} at ${timeText(from!.measuredAt)}`;
  const limit = `${amount(rule, rise ?? fall)} or more within ${spanText(within)} counts`;
  return `${moved} to ${amount(rule, value)} at ${timeText(to!.measuredAt)}; ${limit}.`;
}

export function explainAnomaly({ rule, sensor, outcome: { at, value, limit, evidence } }: Case): string {
  const { window, count } = rule.condition as AnomalySpec;
  const mean = `${subject(rule, sensor)} averaged ${amount(rule, value)} over the ${windowWord(window)} to ${timeText(at)}`;
  const side = `${value! > limit! ? "above" : "below"} ${amount(rule, limit)}`;
  const run = count === 1 ? side : `the ${ordinal(count)} ${windowUnit(window)} in a row out of the usual, now ${side}`;
  return `${mean}, ${run} (${evidence.at(-1)!.note}).`;
}

/** "Battery at Station 4 is expected to fall below 10 % in 6 to 9 days (most likely 2026-11-28 12:00 UTC), …" */
export function explainForecast({ rule, sensor, outcome: { at, value, limit, evidence, expected } }: Case): string {
  const { above, below, over } = rule.condition as ForecastSpec;
  const bound = `${amount(rule, limit)}${share((above ?? below)!)}`;
  const passes = above === undefined ? `fall below ${bound}` : `rise above ${bound}`;
  const when = `${spanBetween(expected!.from - at, expected!.to - at)} (most likely ${timeText(Math.round(expected!.at / 60_000) * 60_000)})`;
  const from = `it stands at ${amount(rule, value)}, with a ${evidence.at(-1)!.note}, taken from the last ${spanText(over)}`;
  return `${subject(rule, sensor)} is expected to ${passes} ${when}; ${from}.`;
}

const SPANS = [
  [DAY_MS, "day"],
  [HOUR_MS, "hour"],
  [60_000, "minute"],
] as const;

/** "in 6 to 9 days", "in about 40 minutes", "within a minute": in the largest unit of which there are two. */
export function spanBetween(fromMs: number, toMs: number): string {
  const [unitMs, unit] = SPANS.find(([ms]) => toMs >= 2 * ms) ?? SPANS[2]!;
  const from = Math.max(0, Math.floor(fromMs / unitMs));
  const to = Math.max(0, Math.ceil(toMs / unitMs));
  if (to <= 1) return `within a ${unit}`;
  return from === to ? `in about ${to} ${unit}s` : `in ${from} to ${to} ${unit}s`;
}
