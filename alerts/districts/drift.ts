import type { Transition } from "../../model/alert.ts";
import type { Spec } from "../../model/conditions.ts";
import { isDerived, METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { LATE_AFTER_MS, type Reading } from "../../model/reading.ts";
import type { Rule } from "../../model/rule.ts";
import { type Sentence, say } from "../../model/sentence.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { isWorkedOn, type WatchedSensor, type WorksOn } from "../conditions/condition.ts";
import {
  type Compared,
  closeDays,
  compareDays,
  createDaily,
  type Daily,
  dayOf,
  driftAlert,
  driftEnd,
  driftRun,
  learnBias,
  noteHour,
} from "../conditions/drift.ts";
import { type CompiledRule, compileRule } from "../engine/plan.ts";
import type { StateRow, States } from "../engine/states.ts";
import { noted, sayAlso } from "../says.ts";
import { distanceKm, isPlaced } from "./neighbours.ts";

const DAILY = "~daily";
const DRIFT = "~drift";

/** The days of one sensor. Changed in place. */
export type Diary = { sensor: WatchedSensor; readonly metrics: Map<MetricName, Daily>; readonly noted: Noted[] };
/** The value that stands for the hour that is on: nothing later in this hour is looked at. */
type Noted = { readonly metric: MetricName; firstAt: number; hourEnd: number };
type DiaryJson = { district: string; closedTo: number; metrics: Record<string, Daily> };
/** A drift that fires, and the last day on which it could be compared. */
type Found = { readonly alert: Transition["alert"]; readonly seenDay: number };
type DriftJson = Found & { fit: string };

/**
 * Drift against neighbours: the daily median of a sensor stays off the median of its neighbours. Looked at once per
 * district and UTC day, when the day and the allowed lateness are over, so that nothing of it changes afterwards.
 * Sensors without neighbours that moved alike are not judged. A new `calibratedAt` among the tags begins anew.
 *
 * `restoreSensor`: a sensor of the last life, bound as it is now; undefined if there is none such any more. `others`:
 * metrics of which the days are kept for those who ask `dailyOf`. What a sensor shows while people work on it (`worksOn`)
 * is no part of its days.
 */
export function createDrift(
  rules: readonly Rule[],
  states: States,
  restoreSensor: (id: string) => WatchedSensor | undefined,
  others: readonly MetricName[] = [],
  worksOn: WorksOn = () => [],
) {
  const compiled = rules.filter(({ condition }) => condition.type === "drift").map(compileRule);
  const drifting = compiled.flatMap(({ rule: { metric } }) => (metric && !isDerived(metric) ? [metric] : []));
  const metrics = new Set([...drifting, ...others]);
  const diaries = new Map<string, Diary>();
  /** Per district: days before this one are closed. */
  const closedTo = new Map<string, number>();
  const firing = new Map<string, Found>();
  const days = states.open<string>({
    names: [DAILY],
    keys: () => diaries.keys(),
    rowsOf: (id) => [dayRow(id)],
    load(rows) {
      for (const { subject, state } of rows) {
        const sensor = restoreSensor(subject);
        if (sensor) loadDays(sensor, JSON.parse(state) as DiaryJson);
      }
    },
  });
  const alerts = states.open<string>({
    names: [DRIFT],
    keys: () => firing.keys(),
    rowsOf: (key) => [alertRow(key)],
    load: (rows) => rows.forEach(loadAlert),
  });

  const keyOf = (rule: string, sensorId: string) => `${rule} ${sensorId}`;
  const isUsed = metrics.size > 0;

  function diaryOf(sensor: WatchedSensor): Diary {
    const diary = diaries.get(sensor.id) ?? { sensor, metrics: new Map<MetricName, Daily>(), noted: notedOf(sensor) };
    diaries.set(sensor.id, diary);
    return diary;
  }

  const notedOf = ({ kind }: WatchedSensor): Noted[] =>
    METRICS_OF[kind].filter((metric) => metrics.has(metric)).map((metric) => ({ metric, firstAt: 0, hourEnd: 0 }));

  function note(diary: Diary, { measuredAt, values }: Reading): void {
    const { noted } = diary;
    for (let i = 0; i < noted.length; i++) {
      const one = noted[i]!;
      const value = values[one.metric];
      if (value === undefined || (measuredAt >= one.firstAt && measuredAt < one.hourEnd)) continue;
      noteFirst(diary, one, measuredAt, value);
    }
  }

  function noteFirst(diary: Diary, one: Noted, at: number, value: number): void {
    if (isWorkedOn({ works: worksOn(diary.sensor, at) }, at, at)) return;
    const daily = diary.metrics.get(one.metric) ?? createDaily();
    diary.metrics.set(one.metric, daily);
    if (!noteHour(daily, at, value, closedTo.get(diary.sensor.district) ?? 0)) return;
    days.mark(diary.sensor.id);
    const hourEnd = (Math.floor(at / HOUR_MS) + 1) * HOUR_MS;
    if (hourEnd < one.hourEnd) return;
    one.firstAt = at;
    one.hourEnd = hourEnd;
  }

  /** Closes what is over in a district at this event time, day by day. */
  function review(district: string, time: number, knownAt: number): Transition[] {
    const from = closedTo.get(district);
    const to = dayOf(time - LATE_AFTER_MS);
    const own = [...diaries.values()].filter(({ sensor }) => sensor.district === district);
    const all = own.sort((a, b) => (a.sensor.id < b.sensor.id ? -1 : 1));
    closedTo.set(district, Math.max(from ?? to, to));
    if (from === undefined || to <= from) return [];
    const said: Transition[] = [];
    // After an outage of the district only the days that were measured are looked at.
    const open = all.flatMap(({ metrics: of }) =>
      [...of.values()].flatMap((daily) => daily.open.map(({ day }) => day)),
    );
    const over = [...new Set([...open.filter((day) => day < to), to - 1])].sort((a, b) => a - b);
    for (const day of over) {
      for (const diary of all)
        for (const daily of diary.metrics.values()) if (closeDays(daily, day + 1)) days.mark(diary.sensor.id);
      for (const one of compiled) for (const diary of all) said.push(...judge(one, diary, all, day, knownAt));
    }
    return said;
  }

  function judge(one: CompiledRule, diary: Diary, all: readonly Diary[], day: number, knownAt: number): Transition[] {
    const { rule, matches } = one;
    const { sensor } = diary;
    const metric = rule.metric as MetricName;
    const own = diary.metrics.get(metric);
    const spec = rule.condition as Spec<"drift">;
    const active = firing.get(keyOf(rule.id, sensor.id));
    if (!own || (!active && !matches(sensor))) return [];
    const around = near(sensor, spec, all).flatMap((other) => other.metrics.get(metric) ?? []);
    const compared = compareDays(metric, spec, own, around, day);
    const isKnown = learnBias(spec, own, compared, day);
    if (active) return end(rule, active, compared, day, knownAt);
    const run = isKnown ? driftRun(spec, compared, day) : undefined;
    if (!run) return [];
    const alert = driftAlert(one, sensor, run);
    set(keyOf(rule.id, sensor.id), { alert, seenDay: day });
    return [{ alert, entry: { at: alert.firedAt!, knownAt, what: "firing" } }];
  }

  function end(rule: Rule, found: Found, compared: readonly Compared[], day: number, knownAt: number): Transition[] {
    const { alert } = found;
    const key = keyOf(rule.id, alert.subject.sensorId!);
    const seenDay = compared.at(-1)?.day === day ? day : found.seenDay;
    const why = driftEnd(rule.condition as Spec<"drift">, compared, seenDay, day);
    if (!why) {
      if (seenDay !== found.seenDay) set(key, { alert, seenDay });
      return [];
    }
    const end = say(why === "back" ? "drift.back" : "drift.noData", { day: day * DAY_MS });
    return [finish(key, alert, (day + 1) * DAY_MS, knownAt, end)];
  }

  function finish(
    key: string,
    alert: Transition["alert"],
    time: number,
    knownAt: number,
    sentence: Sentence,
  ): Transition {
    set(key, undefined);
    const at = Math.max(time, alert.firedAt ?? alert.startedAt);
    return {
      alert: { ...sayAlso(alert, sentence), state: "resolved", resolvedAt: at },
      entry: { at, knownAt, what: "resolved", ...noted(sentence) },
    };
  }

  function set(key: string, found: Found | undefined): void {
    alerts.mark(key);
    if (found) firing.set(key, found);
    else firing.delete(key);
  }

  /** The sensor's entry is new, or it is gone (undefined). A calibration, another district: its days begin anew. */
  function updateSensor(
    former: WatchedSensor,
    sensor: WatchedSensor | undefined,
    at: number,
    knownAt: number,
  ): Transition[] {
    const diary = diaries.get(former.id);
    const same = sensor?.district === former.district && sensor.tags.calibratedAt === former.tags.calibratedAt;
    if (same && diary) diary.sensor = sensor;
    const ended = compiled.flatMap(({ rule, matches }): Transition[] => {
      const alert = firing.get(keyOf(rule.id, former.id))?.alert;
      if (!alert || (same && matches(sensor))) return [];
      const why = !sensor
        ? say("end.sensorRemoved", {})
        : same
          ? say("end.unwatched", {})
          : say("end.sensorChanged", {});
      return [finish(keyOf(rule.id, former.id), alert, at, knownAt, why)];
    });
    if (same) return ended;
    days.mark(former.id);
    diaries.delete(former.id);
    return ended;
  }

  function dayRow(subject: string): StateRow {
    const diary = diaries.get(subject);
    if (!diary) return { rule: DAILY, subject, state: "" };
    const { district } = diary.sensor;
    const json = { district, closedTo: closedTo.get(district) ?? 0, metrics: Object.fromEntries(diary.metrics) };
    return { rule: DAILY, subject, state: JSON.stringify(json satisfies DiaryJson) };
  }

  function alertRow(key: string): StateRow {
    const found = firing.get(key);
    const fit = compiled.find(({ rule: { id } }) => id === found?.alert.rule.id)?.fit;
    const json = found && fit !== undefined ? { ...found, fit } : undefined;
    return { rule: DRIFT, subject: key, state: json ? JSON.stringify(json satisfies DriftJson) : "" };
  }

  function loadDays(sensor: WatchedSensor, json: DiaryJson): void {
    if (json.district !== sensor.district) return;
    closedTo.set(sensor.district, Math.max(closedTo.get(sensor.district) ?? 0, json.closedTo));
    const diary = diaryOf(sensor);
    for (const [metric, daily] of Object.entries(json.metrics)) {
      if (!metrics.has(metric as MetricName)) continue;
      diary.metrics.set(metric as MetricName, daily);
    }
  }

  function loadAlert(row: StateRow): void {
    const { fit, alert, seenDay } = JSON.parse(row.state) as DriftJson;
    if (compiled.some((one) => one.rule.id === alert.rule.id && one.fit === fit)) {
      firing.set(row.subject, { alert, seenDay });
    } else states.put({ ...row, state: "" });
  }

  /** Ends what is of a sensor that its rule no longer watches. `sensorOf`: as it is now. */
  function reconcile(at: number, sensorOf: (id: string) => WatchedSensor | undefined): Transition[] {
    return [...firing].flatMap(([key, { alert }]) => {
      const sensor = sensorOf(alert.subject.sensorId!);
      const rule = compiled.find((one) => one.rule.id === alert.rule.id);
      if (sensor && rule?.matches(sensor)) return [];
      const why = sensor ? say("end.unwatched", {}) : say("end.sensorRemoved", {});
      return [finish(key, alert, at, at, why)];
    });
  }

  /** Ends what fires under rules that are not as they were. */
  function endChanged(next: readonly Rule[], at: number): Transition[] {
    const fits = new Map(next.map((rule) => [rule.id, compileRule(rule).fit]));
    return [...firing].flatMap(([key, { alert }]) => {
      const { id } = alert.rule;
      if (compiled.some(({ rule, fit }) => rule.id === id && fits.get(id) === fit)) return [];
      return [finish(key, alert, at, at, fits.has(id) ? say("end.ruleChanged", {}) : say("end.ruleDeleted", {}))];
    });
  }

  /** When the next day of a district is over and complete: `review` has nothing to say before. */
  const nextAt = (district: string) => {
    if (!isUsed) return Number.POSITIVE_INFINITY;
    const next = closedTo.get(district);
    return next === undefined ? Number.NEGATIVE_INFINITY : (next + 1) * DAY_MS + LATE_AFTER_MS;
  };

  const dailyOf = (sensorId: string, metric: MetricName) => diaries.get(sensorId)?.metrics.get(metric);

  return {
    isUsed,
    diaryOf,
    dailyOf,
    nextAt,
    note,
    review,
    updateSensor,
    endChanged,
    reconcile,
    held: () => [...firing.values()].map(({ alert }) => alert.id),
    tables: [days, alerts],
  };
}

/** The sensors to compare with: those within the radius where places are known, else those of the district. */
function near(sensor: WatchedSensor, { radiusKm }: Spec<"drift">, all: readonly Diary[]): Diary[] {
  const others = all.filter((one) => one.sensor.id !== sensor.id);
  if (!isPlaced(sensor) || !others.some((one) => isPlaced(one.sensor))) return others;
  const reachLat = radiusKm / 110;
  return others.filter(
    ({ sensor: other }) =>
      isPlaced(other) && Math.abs(other.lat - sensor.lat) <= reachLat && distanceKm(sensor, other) <= radiusKm,
  );
}
