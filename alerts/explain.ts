import type { ConsecutiveSpec, ThresholdSpec } from "../model/conditions.ts";
import { formatSpan, parseDuration } from "../model/duration.ts";
import { wordsOf } from "../model/metrics.ts";
import type { Rule } from "../model/rule.ts";
import type { Outcome } from "./conditions/sample.ts";
import type { SilenceParams } from "./conditions/silence.ts";
import type { ThresholdParams } from "./conditions/threshold.ts";
import type { Params, WatchedSensor } from "./engine/compile.ts";

type Case = { readonly rule: Rule; readonly params: Params; readonly sensor: WatchedSensor; readonly outcome: Outcome };

/** One plain sentence for an operator: what, where, when, how much, against which limit. For pending and firing. */
export function explain({ rule, params, sensor, outcome }: Case): string {
  switch (rule.condition.type) {
    case "threshold":
      return explainThreshold(rule, rule.condition, params as ThresholdParams, sensor, outcome);
    case "consecutive":
      return explainConsecutive(rule, rule.condition, sensor, outcome);
    case "silence":
      return explainSilence(sensor, params as SilenceParams, outcome);
    default:
      return rule.title;
  }
}

/** How it ended, as a sentence of its own. */
export function explainEnd({ rule, outcome }: Pick<Case, "rule" | "outcome">): string {
  const { at, value, why } = outcome;
  const { condition } = rule;
  if (condition.type === "silence")
    return `A reading came again at ${timeText(outcome.evidence[0]?.measuredAt ?? at)}.`;
  if (why === "no-data") return `It ended at ${timeText(at)} because no valid data followed.`;
  const ended = `It ended at ${timeText(at)} with ${amount(rule, value)}`;
  const held = condition.type === "threshold" ? condition.for : undefined;
  return why === "not-held" && held ? `${ended}, before it had held for ${spanText(held)}.` : `${ended}.`;
}

function explainThreshold(
  rule: Rule,
  spec: ThresholdSpec,
  params: ThresholdParams,
  sensor: WatchedSensor,
  { what, at, startedAt, value }: Outcome,
): string {
  const over = `${params.side} ${amount(rule, params.limit)}${share(spec)}`;
  const measured = `${subject(rule, sensor)} ${measure(spec, at, amount(rule, value))}`;
  if (params.forMs === 0) return `${measured}, ${over}.`;
  const since = `it has been ${over} since ${timeText(startedAt)}`;
  if (what === "pending") return `${measured}; ${since} and counts once that has lasted ${formatSpan(params.forMs)}.`;
  return `${measured}; ${since}, for ${formatSpan(at - startedAt)}.`;
}

function measure({ window, aggregate }: ThresholdSpec, at: number, value: string): string {
  if (window === undefined) return `was ${value} at ${timeText(at)}`;
  const verb = { mean: "averaged", min: "was at least", max: "reached" }[aggregate];
  return `${verb} ${value} over the ${windowWord(window)} to ${timeText(at)}`;
}

/** Where the limit of this one sensor comes from. */
function share({ above, below }: ThresholdSpec): string {
  const limit = above ?? below;
  return typeof limit === "object" ? ` (${numberText(limit.times * 100)} % of its ${limit.tag})` : "";
}

function explainConsecutive(rule: Rule, spec: ConsecutiveSpec, sensor: WatchedSensor, { at, value }: Outcome): string {
  const word = windowWord(spec.window);
  const mean = `${subject(rule, sensor)} averaged ${amount(rule, value)} over the ${word} to ${timeText(at)}`;
  const limit = `above ${amount(rule, spec.above)}`;
  if (spec.count === 1) return `${mean}, ${limit}.`;
  const unit = word === "hour" || word === "day" ? word : `${word} period`;
  return `${mean}, the ${ordinal(spec.count)} ${unit} in a row ${limit}.`;
}

function explainSilence({ id, name }: WatchedSensor, { afterMs }: SilenceParams, outcome: Outcome): string {
  const limit = formatSpan((outcome.limit ?? afterMs / 60_000) * 60_000);
  return `No reading from ${name ?? id} since ${timeText(outcome.evidence[0]!.measuredAt)}; it counts as silent after ${limit}.`;
}

function subject({ metric }: Rule, { id, name }: WatchedSensor): string {
  const { label } = wordsOf(metric!);
  return `${label.charAt(0).toUpperCase()}${label.slice(1)} at ${name ?? id}`;
}

function amount({ metric }: Rule, value: number | undefined): string {
  return value === undefined ? "no value" : `${numberText(value)} ${wordsOf(metric!).unit}`.trimEnd();
}

function numberText(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** "2026-11-21 14:00 UTC"; seconds only where there are some. */
function timeText(time: number): string {
  const iso = new Date(time).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, iso.slice(17, 19) === "00" ? 16 : 19)} UTC`;
}

const spanText = (duration: string) => formatSpan(parseDuration(duration)!);

function windowWord(window: string): string {
  const ms = parseDuration(window)!;
  if (ms === 3_600_000) return "hour";
  return ms === 86_400_000 ? "day" : formatSpan(ms);
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];

function ordinal(count: number): string {
  if (count <= ORDINALS.length) return ORDINALS[count - 1]!;
  const last = count % 100 >= 11 && count % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${last}`;
}
