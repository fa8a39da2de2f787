import type { ConsecutiveSpec, Limit, ThresholdSpec } from "../../model/conditions.ts";
import { wordsOf } from "../../model/metrics.ts";
import { formatSpan } from "../../model/time.ts";
import type { SilenceParams } from "../conditions/silence.ts";
import type { ThresholdParams } from "../conditions/threshold.ts";
import { amount, type Case, numberText, ordinal, subject, timeText, windowUnit, windowWord } from "./words.ts";

export function explainThreshold({ rule, params, sensor, outcome }: Case): string {
  const { what, at, startedAt, value } = outcome;
  const spec = rule.condition as ThresholdSpec;
  const { side, limit, forMs } = params as ThresholdParams;
  const over = `${side} ${amount(rule, limit)}${share((spec.above ?? spec.below)!)}`;
  const measured = `${subject(rule, sensor)} ${measure(spec, at, amount(rule, value))}`;
  if (forMs === 0) return `${measured}, ${over}.`;
  const since = `it has been ${over} since ${timeText(startedAt)}`;
  if (what === "pending") return `${measured}; ${since} and counts once that has lasted ${formatSpan(forMs)}.`;
  return `${measured}; ${since}, for ${formatSpan(at - startedAt)}.`;
}

function measure({ window, aggregate }: ThresholdSpec, at: number, value: string): string {
  if (window === undefined) return `was ${value} at ${timeText(at)}`;
  const verb = { mean: "averaged", min: "was at least", max: "reached" }[aggregate];
  return `${verb} ${value} over the ${windowWord(window)} to ${timeText(at)}`;
}

/** Where the limit of this one sensor comes from. */
export function share(limit: Limit): string {
  return typeof limit === "object" ? ` (${numberText(limit.times * 100)} % of its ${limit.tag})` : "";
}

export function explainConsecutive({ rule, sensor, outcome: { at, value } }: Case): string {
  const { window, above, count } = rule.condition as ConsecutiveSpec;
  const mean = `${subject(rule, sensor)} averaged ${amount(rule, value)} over the ${windowWord(window)} to ${timeText(at)}`;
  const limit = `above ${amount(rule, above)}`;
  return count === 1 ? `${mean}, ${limit}.` : `${mean}, the ${ordinal(count)} ${windowUnit(window)} in a row ${limit}.`;
}

export function explainSilence({ rule, sensor: { id, name }, params, outcome }: Case): string {
  const { afterMs } = params as SilenceParams;
  const limit = formatSpan((outcome.limit ?? afterMs / 60_000) * 60_000);
  const since = timeText(outcome.evidence[0]!.measuredAt);
  if (rule.metric)
    return `No value of ${wordsOf(rule.metric).label} from ${name ?? id} since ${since}, while it sends others; it counts as missing after ${limit}.`;
  return `No reading from ${name ?? id} since ${since}; it counts as silent after ${limit}.`;
}
