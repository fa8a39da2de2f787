import type { Audience, Transition } from "../model/alert.ts";
import type { Reading } from "../model/reading.ts";
import { DAY_MS } from "../model/time.ts";
import type { Label } from "./score-labels.ts";

type Times = ReturnType<typeof createTimes>;

/** When each sensor was heard, and each of its values: to check what rules say of gaps without asking the rules. */
export function createTimes() {
  const heard = new Map<string, number[]>();
  let readings = 0;

  function note(key: string, at: number): void {
    const times = heard.get(key);
    if (times) times.push(at);
    else heard.set(key, [at]);
  }

  function add({ sensorId, measuredAt, values }: Reading): void {
    readings += 1;
    note(sensorId, measuredAt);
    for (const metric in values) note(`${sensorId} ${metric}`, measuredAt);
  }

  /** ms between the last time before `at` and the next one from then on; 0 where one of them is missing. */
  function gapAround(sensorId: string, metric: string | undefined, at: number): number {
    const times = heard.get(metric === undefined ? sensorId : `${sensorId} ${metric}`) ?? [];
    const next = times.findIndex((time) => time >= at);
    return next > 0 ? times[next]! - times[next - 1]! : 0;
  }

  const sensors = () => [...heard.keys()].filter((key) => !key.includes(" "));

  /** Sum over the sensors of the time between first and last reading. */
  function watchedMs(): number {
    return sensors().reduce((sum, id) => sum + span(heard.get(id)!), 0);
  }

  /** Every hole of `atLeastMs` or more in what a sensor says. */
  function gaps(atLeastMs: number): { sensorId: string; from: number; to: number }[] {
    return sensors().flatMap((sensorId) => {
      const times = heard.get(sensorId)!;
      return times
        .slice(1)
        .flatMap((to, i) => (to - times[i]! >= atLeastMs ? [{ sensorId, from: times[i]!, to }] : []));
    });
  }

  return { add, gapAround, sensors, watchedMs, gaps, readings: () => readings, end: () => lastOf(heard) };
}

const span = (times: readonly number[]) => Math.max(0, times.at(-1)! - times[0]!);

function lastOf(heard: ReadonlyMap<string, readonly number[]>): number {
  let last = 0;
  for (const times of heard.values()) last = Math.max(last, times.at(-1)!);
  return last;
}

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
type Judgement = "hit" | "confirmed" | "floor" | "limit" | "false";

/** What a rule claims, by the type of its condition. */
type Claim = "silence" | "flatline" | "limit" | "unusual";
export type Claims = ReadonlyMap<string, Claim>;

type Judged = {
  readonly alert: Fired;
  readonly claim: Claim;
  readonly is: Judgement;
  readonly labels: readonly Label[];
};

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
    const claim = claimOf(claims, alert);
    done.set(alert.id, { alert, claim, is: commonest(children), labels: children.flatMap((child) => child.labels) });
  }
  return alerts.map(({ id }) => done.get(id)!);
}

const claimOf = (claims: Claims, { rule }: Fired): Claim => claims.get(rule) ?? "unusual";

function judgeOne(alert: Fired, near: readonly Label[], claims: Claims, times: Times, hasEvents: boolean) {
  const claim = claimOf(claims, alert);
  const meant = near.filter((label) => !label.floor && MEANT[claim].includes(label.type));
  if (meant.length > 0) return { claim, is: "hit" as const, labels: meant };
  const none = { claim, labels: [] as Label[] };
  if (claim === "flatline" && near.some(({ floor }) => floor)) return { is: "floor" as const, ...none };
  const gap = claim === "silence" ? times.gapAround(alert.sensorId ?? "", alert.metric, alert.startedAt) : 0;
  if (gap > GAP_MS) return { is: "confirmed" as const, ...none };
  // Where people labelled what happened, a limit passed at another time is a false alarm; elsewhere nobody can say.
  return { is: claim === "limit" && !hasEvents ? ("limit" as const) : ("false" as const), ...none };
}

const MEANT: Readonly<Record<Claim, readonly Label["type"][]>> = {
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
function concerns(label: Label, alert: Fired): boolean {
  if (label.metric !== undefined && alert.metric !== undefined && label.metric !== alert.metric) return false;
  if (label.type === "event") return alert.firedAt >= label.from && alert.firedAt <= label.to;
  return alert.firedAt >= label.from && alert.firedAt <= label.to + SLACK_MS && alert.startedAt <= label.to + SLACK_MS;
}

function commonest(children: readonly Judged[]): Judgement {
  const counts = new Map<Judgement, number>();
  for (const { is } of children) counts.set(is, (counts.get(is) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "false";
}

/** 24 hourly values span 23 hours from the first to the last. */
const LONG_MS = DAY_MS - 60 * 60_000;

type RuleScore = { readonly rule: string; readonly alerts: number; readonly delayMs?: number } & Readonly<
  Record<Judgement, number>
>;
/** `found` of `of`; `misses` in plain words, for those who want to look. */
export type Found = { readonly found: number; readonly of: number; readonly misses: readonly string[] };

export type DatasetScore = {
  readonly dataset: string;
  readonly sensors: number;
  readonly readings: number;
  readonly sensorWeeks: number;
  readonly rules: readonly RuleScore[];
  readonly events: Found;
  /** Constant values of a day and more that are no detection limit. */
  readonly longFlatlines: Found;
  readonly otherFlatlines: Found;
  /** Labelled detection limits that no rule took for a fault. */
  readonly floors: Found;
  readonly gaps: Found;
  /** Sensors that said nothing for a day and more, taken from the recording itself. */
  readonly outages: Found;
  /** From what happened to the first alert of each window that was found, ascending; told before counts as none. */
  readonly eventDelaysMs: readonly number[];
  /** Everything said to people, right or wrong, and how much of it was silence. */
  readonly told: number;
  readonly silences: number;
  /** What no label and no gap in the data explains, whoever was told. */
  readonly wrong: number;
  /** Alerts for crews that no label and no gap in the data explains, and how many that is per sensor and week. */
  readonly falseForCrews: number;
  readonly falseForCrewsPerSensorWeek: number;
  readonly unusable: readonly string[];
};

export type Run = {
  readonly dataset: string;
  readonly judged: readonly Judged[];
  readonly labels: readonly Label[];
  readonly unusable: readonly string[];
  readonly times: Times;
};

export function scoreOf({ dataset, judged, labels, unusable, times }: Run): DatasetScore {
  const sensorWeeks = times.watchedMs() / (7 * DAY_MS);
  const count = (isMeant: (one: Judged) => boolean) => judged.filter(isMeant).length;
  const falseForCrews = count(
    ({ alert, is }) => alert.audience === "crews" && (is === "false" || is === "floor" || is === "limit"),
  );
  const hits = new Map<Label, Judged[]>();
  for (const one of judged) for (const label of one.labels) hits.set(label, [...(hits.get(label) ?? []), one]);
  const flat = labels.filter(({ type, floor }) => type === "flatline" && !floor);
  const isLong = ({ from, to }: Label) => to - from >= LONG_MS;
  const found = (some: readonly Label[]) => foundOf(some, (label) => hits.has(label));
  return {
    dataset,
    sensors: times.sensors().length,
    readings: times.readings(),
    sensorWeeks,
    rules: ruleScores(judged),
    events: found(labels.filter(({ type }) => type === "event")),
    longFlatlines: found(flat.filter(isLong)),
    otherFlatlines: found(flat.filter((label) => !isLong(label))),
    floors: foundOf(
      labels.filter(({ floor }) => floor),
      (label) => !judged.some(({ alert, is }) => is === "floor" && overlaps(label, alert)),
    ),
    gaps: found(labels.filter(({ type }) => type === "gap")),
    outages: outagesOf(judged, times),
    eventDelaysMs: eventDelays(labels, hits),
    told: judged.length,
    silences: count(({ claim }) => claim === "silence"),
    wrong: count(({ is }) => is === "false" || is === "floor"),
    falseForCrews,
    falseForCrewsPerSensorWeek: sensorWeeks > 0 ? falseForCrews / sensorWeeks : 0,
    unusable,
  };
}

function eventDelays(labels: readonly Label[], hits: ReadonlyMap<Label, readonly Judged[]>): number[] {
  const delays = labels.flatMap((label) => {
    const found = label.type === "event" ? hits.get(label) : undefined;
    return found ? [Math.max(0, Math.min(...found.map(({ alert }) => alert.firedAt)) - label.moment)] : [];
  });
  return delays.sort((a, b) => a - b);
}

function foundOf(labels: readonly Label[], isFound: (label: Label) => boolean): Found {
  const misses = labels.filter((label) => !isFound(label));
  return { found: labels.length - misses.length, of: labels.length, misses: misses.map(describe) };
}

const describe = ({ sensorIds, metric, from, to }: Label) =>
  `${sensorIds.join(",")} ${metric ?? "any metric"} ${new Date(from).toISOString().slice(0, 16)} to ${new Date(to).toISOString().slice(0, 16)}`;

function overlaps(label: Label, alert: Judged["alert"]): boolean {
  return (
    label.sensorIds.includes(alert.sensorId ?? "") &&
    label.metric === alert.metric &&
    alert.startedAt <= label.to &&
    alert.endedAt >= label.from
  );
}

function outagesOf(judged: readonly Judged[], times: Times): Found {
  const gaps = times.gaps(DAY_MS);
  const misses = gaps.filter(
    ({ sensorId, from, to }) =>
      !judged.some(
        ({ alert, is }) =>
          (is === "hit" || is === "confirmed") &&
          alert.sensorId === sensorId &&
          alert.metric === undefined &&
          alert.startedAt >= from &&
          alert.startedAt <= to,
      ),
  );
  const told = misses.map(({ sensorId, from }) => `${sensorId} from ${new Date(from).toISOString()}`);
  return { found: gaps.length - misses.length, of: gaps.length, misses: told };
}

function ruleScores(judged: readonly Judged[]): RuleScore[] {
  const byRule = new Map<string, Judged[]>();
  for (const one of judged) byRule.set(one.alert.rule, [...(byRule.get(one.alert.rule) ?? []), one]);
  return [...byRule].sort().map(([rule, all]) => {
    const count = (is: Judgement) => all.filter((one) => one.is === is).length;
    const delays = all.flatMap(({ alert, labels }) => labels.map(({ moment }) => Math.max(0, alert.firedAt - moment)));
    const delayMs = delays.sort((a, b) => a - b)[delays.length >> 1];
    return {
      rule,
      alerts: all.length,
      hit: count("hit"),
      confirmed: count("confirmed"),
      floor: count("floor"),
      limit: count("limit"),
      false: count("false"),
      ...(delayMs !== undefined && { delayMs }),
    };
  });
}

/** All data sets as one. */
export function sumOf(scores: readonly DatasetScore[]): DatasetScore {
  const add = (one: (score: DatasetScore) => number) => scores.reduce((sum, score) => sum + one(score), 0);
  const join = (one: (score: DatasetScore) => Found): Found => ({
    found: add((score) => one(score).found),
    of: add((score) => one(score).of),
    misses: scores.flatMap((score) => one(score).misses),
  });
  const sensorWeeks = add((score) => score.sensorWeeks);
  const falseForCrews = add((score) => score.falseForCrews);
  return {
    dataset: "all",
    sensors: add((score) => score.sensors),
    readings: add((score) => score.readings),
    sensorWeeks,
    rules: [],
    events: join((score) => score.events),
    longFlatlines: join((score) => score.longFlatlines),
    otherFlatlines: join((score) => score.otherFlatlines),
    floors: join((score) => score.floors),
    gaps: join((score) => score.gaps),
    outages: join((score) => score.outages),
    eventDelaysMs: scores.flatMap((score) => score.eventDelaysMs).sort((a, b) => a - b),
    told: add((score) => score.told),
    silences: add((score) => score.silences),
    wrong: add((score) => score.wrong),
    falseForCrews,
    falseForCrewsPerSensorWeek: sensorWeeks > 0 ? falseForCrews / sensorWeeks : 0,
    unusable: [],
  };
}
