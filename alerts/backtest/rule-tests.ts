import type { Transition } from "../../model/alert.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Reading, Values } from "../../model/reading.ts";
import type { Rejection } from "../../model/rejection.ts";
import { levelRules, type Rule } from "../../model/rule.ts";
import { parseDuration } from "../../model/time.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { createDetector, type Detector } from "../detector.ts";
import { zonedRules } from "../rules/zoned.ts";
import { type ExpectedData, type FoundTest, parseMoment, parseSeries, type TestData } from "./test-file.ts";

export type TestResult = {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly ok: boolean;
  readonly differences: readonly Difference[];
  /** A rule that threw, or one that the test names and the files do not have. */
  readonly failures: readonly string[];
};

/** Runs one test on the rules of its file with the same detector that runs live. Shadow rules speak as if they were live. */
export function runRuleTest({ data, at }: FoundTest, rules: readonly Rule[]): TestResult {
  const only = data.only === undefined ? undefined : [data.only].flat();
  const unknown = (only ?? []).filter((id) => !byName(rules, id));
  const named = only === undefined ? rules : rules.filter(({ id }) => only.includes(id));
  const formers = (only ?? []).flatMap((id) => (named.some((rule) => rule.id === id) ? [] : (byName(rules, id) ?? [])));
  const chosen = zonedRules([...named, ...formers], data.zone).map((rule) => ({ ...rule, mode: "live" as const }));
  const feed = feedOf(data);
  const detector = createDetector({ rules: chosen, sensor: (id) => feed.sensors.get(id) });
  const said = playLive(detector, feed);
  const differences = compare(said, data.expect, feed.start);
  const failures = [
    ...unknown.map((id) => `there is no rule "${id}" in the files that this test names`),
    ...detector.failures().map(({ rule, failure }) => `rule ${rule} failed: ${failure}`),
  ];
  const ok = failures.length === 0 && differences.every(({ mark }) => mark === "same");
  return { name: data.name, file: at.file, line: at.line, ok, differences, failures };
}

/** A rule that has become a level of another is tried as it was, by itself. */
function byName(rules: readonly Rule[], name: string): Rule | undefined {
  const known = rules.find(({ id }) => id === name);
  if (known) return known;
  const level = rules.flatMap(levelRules).find(({ formerly }) => formerly === name);
  return level && { ...level, id: name, formerly: undefined, levels: undefined };
}

/** What a test plays. */
type TestFeed = {
  readonly sensors: ReadonlyMap<string, WatchedSensor>;
  /** In the order they are received. */
  readonly received: readonly (Reading | Rejection)[];
  readonly start: number;
  readonly until: number;
};

/** Midnight UTC, a Monday: where a test starts that says nothing. */
const START = Date.UTC(2026, 0, 5);
const OWN_KEYS = new Set(["sensor", "start", "every", "at", "received"]);
type Draft = { measuredAt: number; receivedAt: number; values: Values; quality: Record<string, "suspect"> };

function feedOf(test: TestData): TestFeed {
  const start = startOf(test);
  const sensors = new Map(test.sensors.map((one) => [one.id, watched(one)]));
  const drafts = test.readings.flatMap((item) =>
    seriesDrafts(item, start).map((draft) => ({ draft, id: item.sensor })),
  );
  for (const item of test.late ?? []) drafts.push({ draft: lateDraft(item, start), id: item.sensor });
  drafts.sort((a, b) => a.draft.receivedAt - b.draft.receivedAt || a.draft.measuredAt - b.draft.measuredAt);
  const readings = drafts.map(({ draft, id }, index) => toReading(draft, sensors.get(id)!, index + 1));
  const refused = (test.refused ?? []).flatMap((item) => refusedOf(item, sensors.get(item.sensor)!, start));
  const received = [...refused, ...readings].sort((a, b) => a.receivedAt - b.receivedAt);
  const until = test.until === undefined ? undefined : parseMoment(test.until, start);
  return { sensors, received, start, until: until ?? received.at(-1)?.receivedAt ?? start };
}

function refusedOf(item: NonNullable<TestData["refused"]>[number], sensor: WatchedSensor, start: number): Rejection[] {
  const { at, every, times, reason, metric, detail } = item;
  const [from, everyMs] = [parseMoment(at, start)!, every === undefined ? 0 : parseDuration(every)!];
  const { id: sensorId, kind, district } = sensor;
  const source = { via: "mqtt", role: "device", name: sensorId } as const;
  const one = { reason, detail, source, topic: `city/${district}/${kind}/${sensorId}`, sensorId, kind, district };
  return Array.from({ length: times }, (_, i) => ({
    ...one,
    ...(metric === undefined ? {} : { metric }),
    journalSeq: 0,
    index: 0,
    receivedAt: from + i * everyMs,
  }));
}

const startOf = ({ start }: TestData): number => (start === undefined ? START : (parseMoment(start, START) ?? START));

function watched({ interval, delay, tags = {}, ...sensor }: TestData["sensors"][number]): WatchedSensor {
  const intervalS = interval === undefined ? undefined : parseDuration(interval)! / 1_000;
  return { ...sensor, intervalS, tags: delay === undefined ? tags : { delay, ...tags } };
}

/** Series of several metrics give one reading for each time. A time at which all are missing gives none. */
function seriesDrafts(item: TestData["readings"][number], start: number): Draft[] {
  const from = item.start === undefined ? start : parseMoment(item.start, start)!;
  const everyMs = parseDuration(item.every)!;
  const drafts: Draft[] = [];
  for (const [metric, text] of Object.entries(item).filter(([key]) => !OWN_KEYS.has(key))) {
    const places = parseSeries(String(text));
    if (typeof places === "string") continue;
    places.forEach((place, index) => {
      if (!place) return;
      const at = from + index * everyMs;
      drafts[index] ??= { measuredAt: at, receivedAt: at, values: {}, quality: {} };
      drafts[index].values[metric as MetricName] = place.value;
      if (place.suspect) drafts[index].quality[metric] = "suspect";
    });
  }
  return drafts.filter((draft) => draft !== undefined);
}

function lateDraft(item: NonNullable<TestData["late"]>[number], start: number): Draft {
  const values = Object.fromEntries(Object.entries(item).filter(([key]) => !OWN_KEYS.has(key))) as Values;
  return {
    measuredAt: parseMoment(item.at, start)!,
    receivedAt: parseMoment(item.received, start)!,
    values,
    quality: {},
  };
}

function toReading(draft: Draft, { id, kind, district }: WatchedSensor, journalSeq: number): Reading {
  const { measuredAt, receivedAt, values, quality } = draft;
  const suspect = Object.keys(quality).length > 0 ? { quality } : {};
  return { sensorId: id, kind, district, measuredAt, receivedAt, values, journalSeq, ...suspect };
}

/** How often the clock speaks in a test: more often than once a minute would change nothing. */
const TICK_MS = 60_000;
const TICKS_MAX = 20_000;

/**
 * Readings as a running service would get them, in the order they were received, with its clock ticking in between
 * until `until`. Pure: the clock is the test's.
 */
function playLive(detector: Detector, { received, start, until }: TestFeed): Transition[] {
  const stepMs = Math.max(TICK_MS, (until - start) / TICKS_MAX);
  const said: Transition[] = [];
  let now = start;
  const tickTo = (time: number) => {
    for (; now + stepMs < time; now += stepMs) said.push(...detector.tick(now + stepMs));
  };
  detector.listen(start);
  for (const one of received) {
    tickTo(one.receivedAt);
    said.push(...("reason" in one ? detector.refuse([one]) : detector.observe([one])));
  }
  tickTo(until);
  said.push(...detector.tick(until));
  return said;
}

/** One line of a comparison. `because`: what differs where time, rule and subject are right. */
export type Difference = {
  readonly mark: "missing" | "unexpected" | "different" | "same";
  readonly what: string;
  readonly at: string;
  readonly rule: string;
  readonly subject: string;
  readonly because?: string;
};

/** What is compared unless a test names another: what people are told. */
const COMPARED = ["firing", "resolved", "retracted"];

/**
 * Compares what was said with what a test expects. Every firing, resolved and retracted entry must be expected; entries
 * of other kinds (pending, verdict, …) only in a test that names one of that kind, and the end of an alert that never
 * fired only in one that names pending. In the order of time.
 */
export function compare(said: readonly Transition[], expected: readonly ExpectedData[], start: number): Difference[] {
  const kinds = new Set([...COMPARED, ...expected.map(({ what }) => what)]);
  const pending = kinds.has("pending");
  const left = said.filter(({ alert, entry }) => kinds.has(entry.what) && (pending || alert.firedAt !== undefined));
  const lines: Difference[] = [];
  for (const one of expected) {
    const at = parseMoment(one.at, start)!;
    const found = bestOf(left, one, at);
    if (found) left.splice(left.indexOf(found), 1);
    lines.push(found ? settled(found, one) : missing(one, at));
  }
  for (const one of left) lines.push({ mark: "unexpected", ...lineOf(one), because: one.alert.explanation });
  return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Of those that fit in kind, time, rule and subject, one that fits in the rest, too. */
function bestOf(said: readonly Transition[], one: ExpectedData, at: number): Transition | undefined {
  const fits = said.filter(({ alert, entry }) => {
    const { sensorId, district, gateway } = alert.subject;
    if (entry.what !== one.what || entry.at !== at) return false;
    if (one.rule !== undefined && one.rule !== alert.rule.id) return false;
    if (one.sensor !== undefined && one.sensor !== sensorId) return false;
    if (one.district !== undefined && one.district !== district) return false;
    return one.gateway === undefined || one.gateway === gateway;
  });
  return fits.find((candidate) => flaw(candidate, one) === undefined) ?? fits[0];
}

function settled(found: Transition, one: ExpectedData): Difference {
  const because = flaw(found, one);
  return because === undefined ? { mark: "same", ...lineOf(found) } : { mark: "different", ...lineOf(found), because };
}

function flaw({ alert }: Transition, { explanation, value, verdict }: ExpectedData): string | undefined {
  if (explanation !== undefined && !matches(alert.explanation, explanation))
    return `the explanation is "${alert.explanation}", not ${explanation}`;
  if (value !== undefined && (alert.value === undefined || Math.abs(alert.value - value) > 1e-9))
    return `the value is ${alert.value}, not ${value}`;
  if (verdict !== undefined && alert.verdict?.is !== verdict)
    return `the verdict is ${alert.verdict?.is ?? "missing"}, not ${verdict}`;
  return undefined;
}

function matches(text: string, wanted: string): boolean {
  if (wanted.length < 3 || !wanted.startsWith("/") || !wanted.endsWith("/")) return text.includes(wanted);
  try {
    return new RegExp(wanted.slice(1, -1)).test(text);
  } catch {
    return false;
  }
}

function missing(one: ExpectedData, at: number): Difference {
  const subject = one.sensor ?? one.gateway ?? one.district ?? "any";
  return { mark: "missing", what: one.what, at: iso(at), rule: one.rule ?? "any", subject };
}

function lineOf({ alert, entry }: Transition) {
  const { sensorId, gateway, tag, district } = alert.subject;
  const subject = sensorId ?? gateway ?? tag?.value ?? district ?? "-";
  return { what: entry.what, at: iso(entry.at), rule: alert.rule.id, subject };
}

const iso = (time: number) => new Date(time).toISOString();
