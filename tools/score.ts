import { basename } from "node:path";
import { z } from "zod";
import type { Audience, Transition } from "../model/alert.ts";
import { createZoneClock, localMs, localTimeReader } from "../model/local-time.ts";
import type { MetricName } from "../model/metrics.ts";
import { toId } from "../model/names.ts";
import type { Reading } from "../model/reading.ts";
import { DAY_MS } from "../model/time.ts";
import { fileSpec, type Mapping, RecordingError, type TableFile } from "../simulators/mapping.ts";

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

/** What people marked in a recording, with the recording's own names and times. */
export type RawLabel = {
  /** Without folder. */
  readonly file: string;
  /** undefined: every sensor of the file. */
  readonly column?: string;
  readonly type: LabelType;
  readonly from: string;
  readonly to: string;
  readonly floor: boolean;
};

/**
 * "event": something happened (a NAB window, a labelled mote). "flatline": one value again and again. "gap": values are
 * missing. "point": single implausible values.
 */
type LabelType = "event" | "flatline" | "gap" | "point";

/** The same in the service's terms. `to` is the time of the last value. */
export type Label = {
  readonly file: string;
  readonly sensorIds: readonly string[];
  /** undefined: whatever the sensor measures. */
  readonly metric?: MetricName;
  readonly type: LabelType;
  readonly from: number;
  readonly to: number;
  /** The value is the detection limit: a constant value that is no fault. */
  readonly floor: boolean;
};

const windows = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));
const fault = z.looseObject({
  dataset: z.string().optional(),
  file: z.string(),
  column: z.string().optional(),
  type: z.string(),
  start: z.string().optional(),
  end: z.string().optional(),
  likely_detection_floor: z.boolean().optional(),
});

/** What each word of a fault list means here; others (counts of inconsistent rows, …) have no time and are no labels. */
const TYPES: readonly (readonly [RegExp, LabelType])[] = [
  [/flatline/, "flatline"],
  [/gap/, "gap"],
  [/labelled_event|anomaly|event/, "event"],
  [/implausible|spike/, "point"],
];

/**
 * Labels in one of two shapes: NAB windows (`{"folder/file.csv": [["from", "to"], …]}`), or a list of faults
 * (`[{file, column, type, start, end, likely_detection_floor}]`, `dataset` picks those of one folder). Throws
 * `RecordingError`.
 */
export function parseLabels(value: unknown, dataset?: string): RawLabel[] {
  const nab = windows.safeParse(value);
  if (nab.success)
    return Object.entries(nab.data).flatMap(([path, spans]) =>
      spans.map(([from, to]) => ({ file: basename(path), type: "event" as const, from, to, floor: false })),
    );
  const faults = z.array(fault).safeParse(value);
  if (!faults.success)
    throw new RecordingError(
      'labels are {"file.csv": [["from", "to"], …]} or [{"file", "column", "type", "start", "end"}, …]',
    );
  return faults.data.flatMap((one) => {
    if (dataset !== undefined && one.dataset !== undefined && one.dataset !== dataset) return [];
    const type = TYPES.find(([pattern]) => pattern.test(one.type))?.[1];
    if (!type || one.start === undefined) return [];
    const { file, column, start: from, end: to = from, likely_detection_floor: floor = false } = one;
    return [{ file: basename(file), ...(column !== undefined && { column }), type, from, to, floor }];
  });
}

/**
 * A label in the service's terms, or why not: the column has no metric, the time cannot be read. `sensorIds`: the
 * sensors that were seen in this file. Times are read in the zone of the mapping; "row 12" counts from 0, "reading 12"
 * is the number in the index column.
 */
export function resolveLabel(raw: RawLabel, mapping: Mapping, sensorIds: ReadonlySet<string>): Label | string {
  const { file, column, type, floor } = raw;
  if (mapping.form === "native") return resolveNative(raw, sensorIds);
  const { spec, groups } = fileSpec(mapping, file);
  const from = timeOf(raw.from, spec);
  const to = timeOf(raw.to, spec);
  if (from === undefined || to === undefined) return `the times ${raw.from} and ${raw.to} cannot be read`;
  if (column === undefined) return { file, sensorIds: [...sensorIds], type, from, to, floor };
  if (sensorIds.has(toId(column))) return { file, sensorIds: [toId(column)], type, from, to, floor };
  const found = sourceOf(column, spec, groups);
  if (!found) return `no metric for the column ${column}`;
  const ids = [...sensorIds].filter((id) => found.pattern.test(id));
  return ids.length === 0
    ? `no sensor for the column ${column}`
    : { file, sensorIds: ids, metric: found.metric, type, from, to, floor };
}

function resolveNative(
  { file, column, type, floor, ...raw }: RawLabel,
  sensorIds: ReadonlySet<string>,
): Label | string {
  const from = Date.parse(raw.from);
  const to = Date.parse(raw.to);
  if (Number.isNaN(from) || Number.isNaN(to)) return `the times ${raw.from} and ${raw.to} cannot be read`;
  if (column === undefined) return { file, sensorIds: [...sensorIds], type, from, to, floor };
  return sensorIds.has(column) ? { file, sensorIds: [column], type, from, to, floor } : `no sensor ${column}`;
}

/** Which metric a column became, and what the ids of its sensors look like. */
function sourceOf(column: string, spec: TableFile, groups: Readonly<Record<string, string>>) {
  for (const reading of spec.readings) {
    if ("metrics" in reading) {
      const one = reading.metrics.find((metric) => metric.column.toLowerCase() === column.toLowerCase());
      if (one) return { metric: one.metric, pattern: idPattern(reading.sensor, groups) };
      continue;
    }
    const match = new RegExp(reading.eachColumn, "i").exec(column);
    if (match)
      return { metric: reading.metric, pattern: idPattern(reading.sensor, { ...groups, column, ...match.groups }) };
  }
  return undefined;
}

/** "beijing-{station}" with the station in the row: any id of that form. */
function idPattern(template: string, known: Readonly<Record<string, string>>): RegExp {
  const parts = template.split(/(\{[^}]+\})/).map((part) => {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    const text = name === undefined ? part : known[name];
    return text === undefined ? ".+" : text.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  });
  return new RegExp(`^${parts.join("")}$`);
}

function timeOf(text: string, { time }: TableFile): number | undefined {
  const counted = /^(row|reading) (\d+)$/.exec(text);
  if (counted && !("columns" in time)) {
    const start = Temporal.PlainDateTime.from(time.start).toZonedDateTime(time.zone).epochMilliseconds;
    const step = Number(counted[2]) - (counted[1] === "reading" ? time.indexFrom : 0);
    return start + step * time.stepS * 1000;
  }
  const said = localTimeReader("YYYY-MM-DD HH:mm:ss")(text.replace("T", " ").replace(/\.\d+$/, ""));
  const local = said && localMs(said);
  return local === undefined ? undefined : createZoneClock(time.zone ?? "UTC")(local).at;
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
export type Claims = ReadonlyMap<string, "silence" | "flatline" | "limit" | "unusual">;

type Judged = { readonly alert: Fired; readonly is: Judgement; readonly labels: readonly Label[] };

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
  const falseForCrews = judged.filter(
    ({ alert, is }) => alert.audience === "crews" && (is === "false" || is === "floor" || is === "limit"),
  ).length;
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
    falseForCrews,
    falseForCrewsPerSensorWeek: sensorWeeks > 0 ? falseForCrews / sensorWeeks : 0,
    unusable,
  };
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
    const delays = all.flatMap(({ alert, labels }) => labels.map(({ from }) => alert.firedAt - from));
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
    falseForCrews,
    falseForCrewsPerSensorWeek: sensorWeeks > 0 ? falseForCrews / sensorWeeks : 0,
    unusable: [],
  };
}
