import type { RollupSpan } from "./reading-store.ts";
import type { DuePart } from "./records.ts";

const STEP_MS = { hourly: 3_600_000, daily: 86_400_000 } as const;
/** One question to the store covers this much at most: a day of hours, or a month of days. */
const PARTS_MAX = { hourly: 24, daily: 31 } as const;

/** Joins parts that follow one another, so that a day is one question and not 24. In the order of `RollupRecords.due`. */
export function spansOf(due: readonly DuePart[]): { span: RollupSpan; parts: readonly DuePart[] }[] {
  const spans: { span: RollupSpan; parts: DuePart[] }[] = [];
  for (const part of due) {
    const { kind, resolution, receivedDay, start } = part;
    const to = start + STEP_MS[resolution];
    const last = spans.at(-1);
    if (last && follows(last.span, part) && last.parts.length < PARTS_MAX[resolution]) {
      last.span = { ...last.span, to };
      last.parts.push(part);
    } else spans.push({ span: { kind, resolution, receivedDay, from: start, to }, parts: [part] });
  }
  return spans;
}

function follows(span: RollupSpan, { kind, resolution, receivedDay, start }: DuePart): boolean {
  const isSame = span.kind === kind && span.resolution === resolution && span.receivedDay === receivedDay;
  return isSame && span.to === start;
}
