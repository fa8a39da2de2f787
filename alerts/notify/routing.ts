import type { Alert } from "../../model/alert.ts";
import { SEVERITIES } from "../../model/alert.ts";
import type { Notice } from "../../model/notice.ts";
import { durationMs, type Target } from "../../model/target.ts";
import { quietUntil } from "./quiet-hours.ts";

/** Whether the beginning of this alert is told there. */
export function isFor(target: Target, alert: Alert): boolean {
  const { enabled, audience, severityMin, districts, rules } = target;
  if (!enabled || alert.mode === "shadow") return false;
  if (audience !== undefined && audience !== alert.audience) return false;
  if (SEVERITIES.indexOf(alert.severity) < SEVERITIES.indexOf(severityMin)) return false;
  if (districts && !(alert.subject.district !== undefined && districts.includes(alert.subject.district))) return false;
  return !rules || rules.includes(alert.rule.id);
}

export type Plan = { readonly dueAt: number; readonly groupKey?: string };

/** When and with what a notice is told. Critical ones are told at once and alone, whatever the hour. */
export function planOf(target: Target, { alert, what }: Notice, now: number): Plan {
  if (alert.severity === "critical" || what === "escalated") return { dueAt: now };
  const until = target.quietHours && quietUntil(target.quietHours, now);
  if (until !== undefined) return { dueAt: until, groupKey: `quiet ${until}` };
  if (target.groupBy === undefined) return { dueAt: now };
  return { dueAt: now + durationMs(target.groupWait), groupKey: groupKeyOf(target.groupBy, alert) };
}

function groupKeyOf(by: NonNullable<Target["groupBy"]>, { rule, subject }: Alert): string {
  if (by === "rule") return `rule ${rule.id}`;
  return `${by} ${subject[by] ?? ""}`;
}
