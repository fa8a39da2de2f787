import type { FlatlineSpec, SpikeSpec } from "../../model/conditions.ts";
import { formatSpan } from "../../model/time.ts";
import { amount, type Case, ordinal, spanText, subject, timeText } from "./words.ts";

export function explainFlatline({ rule, sensor, outcome }: Case): string {
  const { at, startedAt, value, evidence } = outcome;
  const { tolerance } = rule.condition as FlatlineSpec;
  const near = tolerance > 0 ? `within ${amount(rule, tolerance)} of ` : "at ";
  const stayed = `${subject(rule, sensor)} has stayed ${near}${amount(rule, value)} since ${timeText(startedAt)}`;
  const note = evidence[0]?.note ?? "without a change";
  return `${stayed}, for ${formatSpan(at - startedAt)} (${note}); the sensor is probably stuck.`;
}

export function explainSpike({ rule, sensor, outcome: { evidence, value } }: Case): string {
  const { above, count, within } = rule.condition as SpikeSpec;
  const [before, middle, after] = evidence;
  const neighbours = `between ${amount(rule, before?.value)} and ${amount(rule, after?.value)}`;
  const one = `${subject(rule, sensor)} was ${amount(rule, value)} for one value at ${timeText(middle!.measuredAt)}, ${neighbours}`;
  const off = `more than ${amount(rule, above)} off the values beside it`;
  return count === 1
    ? `${one}: ${off}.`
    : `${one}: ${off}, the ${ordinal(count)} such spike within ${spanText(within)}.`;
}

export function explainRegister({ rule, sensor, outcome: { value, limit, evidence } }: Case): string {
  const [former, newest] = evidence;
  const span = `from ${amount(rule, former?.value)} to ${amount(rule, value)} between ${timeText(former!.measuredAt)} and ${timeText(newest!.measuredAt)}`;
  const register = `The register of ${subject(rule, sensor).replace(/^./, (first) => first.toLowerCase())}`;
  if (value! < former!.value!) {
    return `${register} fell ${span}; a register never falls, unless the meter was exchanged or reset.`;
  }
  return `${register} rose ${span}; with the power of its connection it could stand at ${amount(rule, limit)} at most.`;
}
