import type { Audience, Transition } from "../model/alert.ts";
import type { Label } from "./score-labels.ts";
import type { Times } from "./score-times.ts";

/** An alert that fired, as it stood in the end. */
export type Fired = {
  readonly id: string;
  readonly rule: string;
  readonly audience: Audience;
  readonly sensorId?: string;
  readonly metric?: string;
  readonly startedAt: number;
  readonly firedAt: number;
  readonly endedAt: number;
  readonly children: readonly string[];
};

/**
 * What became of an alert: it met a label ("hit"); the recording itself shows the gap it speaks of ("confirmed"); it
 * took a detection limit for a fault ("floor"); it says that a stated limit was passed, which needs no label ("limit");
 * or none of these ("false").
 */
export type Judgement = "hit" | "confirmed" | "floor" | "limit" | "false";

/** What a rule claims, by the type of its condition. */
export type Claims = ReadonlyMap<string, "silence" | "flatline" | "limit" | "unusual">;

export type Judged = { readonly alert: Fired; readonly is: Judgement; readonly labels: readonly Label[] };

/** The alerts in the order they fired, without those that were taken back. */
export function firedAlerts(transitions: readonly Transition[], recordingEnd: number): Fired[] {
  const last = new Map<string, Transition["alert"]>();
  for (const { alert } of transitions) last.set(alert.id, alert);
  const alerts = [...last.values()].flatMap((alert): Fired[] => {
    const { id, rule, audience, subject, metric, startedAt, firedAt, resolvedAt = recordingEnd, state } = alert;
    if (firedAt === undefined || state === "retracted" || alert.mode === "shadow") return [];
    const who = { id, rule: rule.id, audience, children: alert.children ?? [] };
    const what = { ...(subject.sensorId && { sensorId: subject.sensorId }), ...(metric && { metric }) };
    return [{ ...who, ...what, startedAt, firedAt, endedAt: Math.max(resolvedAt, firedAt) }];
  });
  return alerts.sort((a, b) => a.firedAt - b.firedAt);
}

/** Gaps shorter than this need no explanation: no rule speaks of them. */
const GAP_MS = 30 * 60_000;

/** Judges every alert. A quorum's alert is what most of its children are. */
export function judge(alerts: readonly Fired[], labels: readonly Label[], claims: Claims, times: Times): Judged[] {
  const bySensor = new Map<string, Label[]>();
  for (const label of labels) for (const id of label.sensorIds) bySensor.set(id, [...(bySensor.get(id) ?? []), label]);
  const withEvents = new Set(labels.filter(({ type }) => type === "event").flatMap(({ sensorIds }) => sensorIds));
  const done = new Map<string, Judged>();
  for (const alert of alerts.filter(({ children }) => children.length === 0)) {
    const near = (bySensor.get(alert.sensorId ?? "") ?? []).filter((label) => concerns(label, alert));
    done.set(alert.id, { alert, ...judgeOne(alert, near, claims, times, withEvents.has(alert.sensorId ?? "")) });
  }
  for (const alert of alerts.filter(({ children }) => children.length > 0)) {
    const children = alert.children.flatMap((id) => done.get(id) ?? []);
    done.set(alert.id, { alert, is: commonest(children), labels: children.flatMap((child) => child.labels) });
  }
  return alerts.map(({ id }) => done.get(id)!);
}

function judgeOne(alert: Fired, near: readonly Label[], claims: Claims, times: Times, hasEvents: boolean) {
  const claim = claims.get(alert.rule) ?? "unusual";
  const meant = near.filter((label) => !label.floor && MEANT[claim].includes(label.type));
  if (meant.length > 0) return { is: "hit" as const, labels: meant };
  const none = { labels: [] as Label[] };
  if (claim === "flatline" && near.some(({ floor }) => floor)) return { is: "floor" as const, ...none };
  const gap = claim === "silence" ? times.gapAround(alert.sensorId ?? "", alert.metric, alert.startedAt) : 0;
  if (gap > GAP_MS) return { is: "confirmed" as const, ...none };
  // Where people labelled what happened, a limit passed at another time is a false alarm; elsewhere nobody can say.
  return { is: claim === "limit" && !hasEvents ? ("limit" as const) : ("false" as const), ...none };
}

const MEANT: Readonly<Record<"silence" | "flatline" | "limit" | "unusual", readonly Label["type"][]>> = {
  silence: ["gap"],
  flatline: ["flatline", "event"],
  limit: ["event", "point"],
  unusual: ["event", "point", "flatline"],
};

/** A value an hour old still belongs to its hour. */
const SLACK_MS = 60 * 60_000;

/**
 * Does the alert speak of this label? An event must be told while it lasts (NAB: within its window). A fault must be
 * told while it lasts, or by the first value after it (a gap in a recording is only seen from its end).
 */
export function concerns(label: Label, alert: Fired): boolean {
  if (label.metric !== undefined && alert.metric !== undefined && label.metric !== alert.metric) return false;
  if (label.type === "event") return alert.firedAt >= label.from && alert.firedAt <= label.to;
  return alert.firedAt >= label.from && alert.firedAt <= label.to + SLACK_MS && alert.startedAt <= label.to + SLACK_MS;
}

function commonest(children: readonly Judged[]): Judgement {
  const counts = new Map<Judgement, number>();
  for (const { is } of children) counts.set(is, (counts.get(is) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "false";
}
