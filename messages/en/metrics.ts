import { DERIVED, METRICS, type RuleMetric } from "../../model/metrics.ts";

/** What is measured, in words. The model's table has them in English. */
export const metrics = Object.fromEntries(
  Object.entries({ ...METRICS, ...DERIVED }).map(([name, { label }]) => [name, label]),
) as Readonly<Record<RuleMetric, string>>;
