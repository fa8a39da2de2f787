import type { MetricName } from "../../model/metrics.ts";
import type { Reading, Values } from "../../model/reading.ts";
import { parseDuration } from "../../model/time.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { parseMoment } from "../rules/moment.ts";
import { parseSeries } from "../rules/series.ts";
import type { TestData } from "../rules/test-schema.ts";

/** What a test plays: sensors, and readings in the order they are received. */
type TestFeed = {
  readonly sensors: ReadonlyMap<string, WatchedSensor>;
  readonly readings: readonly Reading[];
  readonly start: number;
  readonly until: number;
};

/** Midnight UTC, a Monday: where a test starts that says nothing. */
const START = Date.UTC(2026, 0, 5);
const OWN_KEYS = new Set(["sensor", "start", "every", "at", "received"]);
type Draft = { measuredAt: number; receivedAt: number; values: Values; quality: Record<string, "suspect"> };

export function feedOf(test: TestData): TestFeed {
  const start = startOf(test);
  const sensors = new Map(test.sensors.map((one) => [one.id, watched(one)]));
  const drafts = test.readings.flatMap((item) =>
    seriesDrafts(item, start).map((draft) => ({ draft, id: item.sensor })),
  );
  for (const item of test.late ?? []) drafts.push({ draft: lateDraft(item, start), id: item.sensor });
  drafts.sort((a, b) => a.draft.receivedAt - b.draft.receivedAt || a.draft.measuredAt - b.draft.measuredAt);
  const readings = drafts.map(({ draft, id }, index) => toReading(draft, sensors.get(id)!, index + 1));
  const until = test.until === undefined ? undefined : parseMoment(test.until, start);
  return { sensors, readings, start, until: until ?? readings.at(-1)?.receivedAt ?? start };
}

export const startOf = ({ start }: TestData): number =>
  start === undefined ? START : (parseMoment(start, START) ?? START);

function watched({ interval, tags = {}, ...sensor }: TestData["sensors"][number]): WatchedSensor {
  const intervalS = interval === undefined ? undefined : parseDuration(interval)! / 1_000;
  return { ...sensor, intervalS, tags };
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
