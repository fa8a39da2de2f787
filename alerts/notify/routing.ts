import { type Alert, type Notice, SEVERITIES } from "../../model/alert.ts";
import { durationMs, type QuietHours, type Target } from "../../model/target.ts";
import { DAY_MS, WEEKDAYS } from "../../model/time.ts";
import type { NoiseRow } from "../../store/records/noise.ts";

/** Whether the beginning of this alert is told there. */
export function isFor(target: Target, alert: Alert): boolean {
  return alert.mode === undefined && isAbout(target, { ...alert, rule: alert.rule.id, formerly: alert.rule.formerly });
}

/** The same by what is known of the alert without looking at it. */
export function isAbout(target: Target, alert: NoiseRow["about"]): boolean {
  const { enabled, audience, severityMin, districts, rules } = target;
  if (!enabled) return false;
  if (audience !== undefined && audience !== alert.audience) return false;
  if (SEVERITIES.indexOf(alert.severity) < SEVERITIES.indexOf(severityMin)) return false;
  if (districts && !(alert.subject.district !== undefined && districts.includes(alert.subject.district))) return false;
  return !rules || rules.includes(alert.rule) || (alert.formerly !== undefined && rules.includes(alert.formerly));
}

/** By a silence or by what explains it. Flapping is told as such. */
export const isKeptQuiet = ({ suppressedBy }: Pick<Alert, "suppressedBy">) =>
  suppressedBy !== undefined && suppressedBy !== "flapping";

/** Why a notice that has waited is no news any more, as the alert is now; undefined: it is. */
export function staleBecause(what: Notice["what"], alert: Alert): string | undefined {
  if (what === "resolved" || what === "retracted") return undefined;
  if (alert.state !== "firing") return "the alert ended before it was told";
  if (alert.handling === "closed") return "the alert was closed before it was told";
  if (what !== "firing" && alert.handling !== "open") return "somebody acknowledged the alert before it was told";
  return isKeptQuiet(alert) ? `the alert was kept quiet (${alert.suppressedBy}) before it was told` : undefined;
}

type Plan = { readonly dueAt: number; readonly groupKey?: string };

/** When and with what a notice is told. Critical ones are told at once and alone, whatever the hour. */
/** `cityZone`: of quiet hours that name none. */
export function planOf(target: Target, { alert, what }: Notice, now: number, cityZone: string): Plan {
  if (alert.severity === "critical" || what === "escalated") return { dueAt: now };
  const until = target.quietHours && quietUntil(target.quietHours, now, cityZone);
  if (until !== undefined) return { dueAt: until, groupKey: `quiet ${until}` };
  if (target.groupBy === undefined) return { dueAt: now };
  return { dueAt: now + durationMs(target.groupWait), groupKey: groupKeyOf(target.groupBy, alert) };
}

function groupKeyOf(by: NonNullable<Target["groupBy"]>, { rule, subject }: Alert): string {
  if (by === "rule") return `rule ${rule.id}`;
  return `${by} ${subject[by] ?? ""}`;
}

/** A chain of windows that touch ends after a week at the latest. */
const CHAIN_MAX = 8;

/** When the quiet hours that hold at this moment are over; undefined outside of them. */
export function quietUntil(quiet: QuietHours, now: number, cityZone: string): number | undefined {
  let until: number | undefined;
  for (let turn = 0; turn < CHAIN_MAX; turn += 1) {
    const end = windowEnd(quiet, until ?? now, cityZone);
    if (end === undefined) return until;
    until = end;
  }
  return until;
}

function windowEnd(quiet: QuietHours, now: number, cityZone: string): number | undefined {
  const { timeZone = cityZone, from, to, days } = quiet;
  // Taken by former versions, and then kept from everybody what happened for eight days.
  if (from === to) return undefined;
  // The calendar day there, as the UTC midnight of the same date.
  const today = Math.floor((now + zoneOffset(timeZone, now)) / DAY_MS) * DAY_MS;
  for (const day of [today - DAY_MS, today]) {
    const weekday = WEEKDAYS[(new Date(day).getUTCDay() + 6) % 7]!;
    if (days !== undefined && !days.includes(weekday)) continue;
    const start = toUtc(day + ofDay(from), timeZone);
    const end = toUtc(day + ofDay(to) + (ofDay(to) < ofDay(from) ? DAY_MS : 0), timeZone);
    if (now >= start && now < end) return end;
  }
  return undefined;
}

function ofDay(clock: string): number {
  const [hours, minutes] = clock.split(":") as [string, string];
  return (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** A local time, written as if it were UTC, as UTC. One that the clocks skip comes out an hour later. */
function toUtc(local: number, timeZone: string): number {
  const guess = local - zoneOffset(timeZone, local);
  return local - zoneOffset(timeZone, guess);
}

/** Local time less UTC at this moment, in ms. */
function zoneOffset(timeZone: string, at: number): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((one) => one.type === type)!.value);
  const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return local - Math.floor(at / 1_000) * 1_000;
}
