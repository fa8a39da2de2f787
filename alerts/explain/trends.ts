import type { ChangeSpec } from "../../model/conditions.ts";
import { amount, type Case, spanText, subject, timeText } from "./words.ts";

export function explainChange({ rule, sensor, outcome: { value, evidence } }: Case): string {
  const { rise, fall, within } = rule.condition as ChangeSpec;
  const [from, to] = evidence;
  const by = amount(rule, Math.abs(to!.value! - from!.value!));
  const moved = `${subject(rule, sensor)} ${rise === undefined ? "fell" : "rose"} by ${by}, from ${amount(rule, from!.value)} at ${timeText(from!.measuredAt)}`;
  const limit = `${amount(rule, rise ?? fall)} or more within ${spanText(within)} counts`;
  return `${moved} to ${amount(rule, value)} at ${timeText(to!.measuredAt)}; ${limit}.`;
}
