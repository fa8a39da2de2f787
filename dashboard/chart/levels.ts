import type { Severity } from "../../model/alert.ts";
import { metricRow } from "../../model/metrics.ts";
import type { RuleData } from "../../model/rule.ts";

type RuleLevel = { readonly value: number; readonly severity: Severity; readonly clears: boolean };
type Limits = { readonly above?: unknown; readonly below?: unknown; readonly clear?: unknown };

/** Where a rule begins to fire and where it ends, as far as these are numbers and not a tag of each sensor. */
export function levelsOfRule({
  condition,
  severity,
  levels = [],
}: Pick<RuleData, "condition" | "levels" | "severity">) {
  const own = (limits: Limits, severity: Severity): RuleLevel[] => [
    ...[limits.above, limits.below].flatMap((value) =>
      typeof value === "number" ? [{ value, severity, clears: false }] : [],
    ),
    ...(typeof limits.clear === "number" ? [{ value: limits.clear, severity, clears: true }] : []),
  ];
  return [...own(condition as Limits, severity ?? "info"), ...levels.flatMap((one) => own(one, one.severity))];
}

const NOISE_SHARE = 0.01;
/** Ranges that wide are of meters and networks of any size, and say nothing of one of them. */
const RANGE_MAX = 12_000;

/** A hundredth of what is usual for the metric: what moves by less is drawn as still. */
export function heightMinOf(metric: string | undefined): number {
  const [low, high] = metricRow(metric ?? "")?.suspect ?? [0, 0];
  return high - low > RANGE_MAX ? 0 : NOISE_SHARE * (high - low);
}
