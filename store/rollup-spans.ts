import { DAY_MS, HOUR_MS } from "../model/time.ts";
import type { DuePart } from "../store/records/store-state.ts";
import type { RollupSpan } from "./reading-store.ts";

const STEP_MS = { hourly: HOUR_MS, daily: DAY_MS } as const;
/** One question to the store covers this much at most. */
const SPAN_MAX_MS = { hourly: DAY_MS, daily: 31 * DAY_MS } as const;

/**
 * Joins parts that lie near one another, so that a day is one question and not 24. What lies between them is computed
 * again, which changes nothing. Expects the order of `RollupRecords.due`.
 */
export function spansOf(due: readonly DuePart[]): { span: RollupSpan; parts: readonly DuePart[] }[] {
  const spans: { span: RollupSpan; parts: DuePart[] }[] = [];
  for (const part of due) {
    const { kind, resolution, receivedDay, start } = part;
    const to = start + STEP_MS[resolution];
    const last = spans.at(-1);
    if (last && isNear(last.span, part)) {
      last.span = { ...last.span, to };
      last.parts.push(part);
    } else spans.push({ span: { kind, resolution, receivedDay, from: start, to }, parts: [part] });
  }
  return spans;
}

function isNear(span: RollupSpan, { kind, resolution, receivedDay, start }: DuePart): boolean {
  const isSame = span.kind === kind && span.resolution === resolution && span.receivedDay === receivedDay;
  return isSame && start + STEP_MS[resolution] - span.from <= SPAN_MAX_MS[resolution];
}
