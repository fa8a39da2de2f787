import type { MetricName } from "../../model/metrics.ts";
import { HEARD } from "../conditions/silence.ts";
import { recentTimes, setTimes } from "./stream.ts";
import { type Subject, streamFor, type Watch, watchesOf } from "./subject.ts";
import type { Active } from "./transition.ts";

/** A row of the records: opaque to them. State "" removes it. */
export type StateRow = { readonly rule: string; readonly subject: string; readonly state: string };

/** Rows that are not a rule's: no rule id can start with "~". */
export const CLOCKS = "~clocks";
export const LISTENING = "~listening";

type ClocksJson = { heardAt: number; imported: boolean; times: number[]; metrics: Record<string, number[]> };
type WatchJson = { fit: string; state: unknown; active?: Active };

export function clocksRow(subject: Subject): StateRow {
  const metrics = Object.fromEntries(subject.metrics.map(({ metric, stream }) => [metric, recentTimes(stream)]));
  const { heardAt, imported } = subject;
  const json: ClocksJson = { heardAt, imported, times: recentTimes(subject.stream), metrics };
  return { rule: CLOCKS, subject: subject.sensor.id, state: JSON.stringify(json) };
}

export function restoreClocks(subject: Subject, text: string): void {
  const { heardAt, imported, times, metrics } = JSON.parse(text) as ClocksJson;
  subject.heardAt = heardAt;
  subject.imported = imported;
  setTimes(subject.stream, times);
  for (const [metric, recent] of Object.entries(metrics)) {
    const stream = streamFor(subject, metric as MetricName);
    if (stream) setTimes(stream, recent);
  }
}

/** Nothing to remember: nearly every threshold of a city, at any time. */
export function isQuiet({ state, active, condition }: Watch): boolean {
  return !active && state === (condition ? condition.quiet : HEARD);
}

/** undefined: nothing to remember and no row to remove. */
export function watchRow(watch: Watch): StateRow | undefined {
  const row = { rule: watch.compiled.rule.id, subject: watch.subject.sensor.id };
  if (isQuiet(watch)) return watch.stored ? { ...row, state: "" } : undefined;
  const json: WatchJson = { fit: watch.compiled.fit, state: watch.state, active: watch.active };
  return { ...row, state: JSON.stringify(json) };
}

/** An alert whose rule or sensor is gone, or whose rule now says something else: someone has to end it. */
export type Orphan = { readonly row: StateRow; readonly startedAt: number | undefined };

/** True if the state was made under the rule as it is now; then the watch goes on from it. */
export function restoreWatch(subject: Subject, row: StateRow): boolean {
  const watch = watchesOf(subject).find(({ compiled }) => compiled.rule.id === row.rule);
  const { fit, state, active } = JSON.parse(row.state) as WatchJson;
  if (!watch || watch.compiled.fit !== fit) return false;
  Object.assign(watch, { state, active, stored: true });
  return true;
}

export function orphan(row: StateRow): Orphan {
  const { active } = JSON.parse(row.state) as WatchJson;
  return { row, startedAt: active?.startedAt };
}
