import { DAY_MS } from "../model/time.ts";
import type { Judged, Judgement } from "./score.ts";
import type { Label } from "./score-labels.ts";
import type { Times } from "./score-times.ts";

/** 24 hourly values span 23 hours from the first to the last. */
const LONG_MS = DAY_MS - 60 * 60_000;

export type RuleScore = { readonly rule: string; readonly alerts: number; readonly delayMs?: number } & Readonly<
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
  const sensorWeeks = (times.watchedMs() / 7) * DAY_MS;
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
      ...{ rule, alerts: all.length, hit: count("hit"), confirmed: count("confirmed"), floor: count("floor") },
      ...{ limit: count("limit"), false: count("false"), ...(delayMs !== undefined && { delayMs }) },
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
    ...{ dataset: "all", sensors: add((score) => score.sensors), readings: add((score) => score.readings) },
    ...{ sensorWeeks, rules: [], events: join((score) => score.events) },
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
