import type { AlertView } from "../../contract/alert.ts";
import type { PageOf } from "../../contract/common.ts";
import type { BucketsView, ReadingView } from "../../contract/reading.ts";
import type { MetricName } from "../../model/metrics.ts";
import { type Point, withGaps } from "../chart/chart-data.ts";
import { request, send } from "./client.ts";

export const acknowledgeAlert = (id: string) => send("POST", `/alerts/${encodeURIComponent(id)}/acknowledge`, {});

/** The alerts someone should look at: they fire, and nobody has closed them. */
export const OPEN_ALERTS = "/alerts?state=firing&handling=open,acknowledged,in-progress";

export function isOpen(alert: AlertView): boolean {
  return alert.state === "firing" && alert.handling !== "closed" && alert.mode !== "shadow";
}

/** What one metric of one sensor did, ready to be drawn. Times in epoch milliseconds. */
export type History = {
  readonly points: readonly Point[];
  /** Lowest and highest of each step; missing where the readings themselves are shown. */
  readonly range?: readonly (readonly [number, number])[];
  /** Times of values outside the plausible range; only where the readings themselves are shown. */
  readonly suspect: readonly number[];
};

const MINUTE = 60_000;
const STEPS: readonly (readonly [text: string, ms: number])[] = [
  ["1m", MINUTE],
  ["5m", 5 * MINUTE],
  ["15m", 15 * MINUTE],
  ["1h", 60 * MINUTE],
  ["6h", 360 * MINUTE],
  ["1d", 1_440 * MINUTE],
];
const POINTS_WANTED = 700;
const READINGS_MAX = 1_000;

/**
 * One metric over a time range: the readings themselves where they are few, else means with lowest and highest in steps
 * that the service computes.
 */
export async function loadHistory(
  sensorId: string,
  metric: MetricName,
  range: { readonly from: number; readonly to: number },
  signal?: AbortSignal,
): Promise<History> {
  const from = new Date(Math.floor(range.from)).toISOString();
  const to = new Date(Math.ceil(range.to)).toISOString();
  const path = `/sensors/${encodeURIComponent(sensorId)}/readings?from=${from}&to=${to}&metrics=${metric}`;
  if (range.to - range.from <= 36 * 60 * MINUTE) {
    const page = await request<PageOf<ReadingView>>("GET", `${path}&limit=${READINGS_MAX}`, undefined, signal);
    if (page.next === undefined) return historyOf(page.items, metric);
  }
  const [text, ms] = STEPS.find(([, step]) => (range.to - range.from) / step <= POINTS_WANTED) ?? STEPS.at(-1)!;
  const { items } = await request<BucketsView>("GET", `${path}&every=${text}`, undefined, signal);
  const found = items.flatMap(({ start, values }) =>
    values[metric] ? [{ at: Date.parse(start), ...values[metric] }] : [],
  );
  const points = found.map(({ at, mean }): Point => [at + ms / 2, mean]);
  return { points, range: found.map(({ min, max }) => [min, max] as const), suspect: [] };
}

function historyOf(readings: readonly ReadingView[], metric: MetricName): History {
  const mine = readings.filter(({ values }) => values[metric] !== undefined);
  const points = mine.map(({ measuredAt, values }): Point => [Date.parse(measuredAt), values[metric]]);
  const suspect = mine.filter(({ quality }) => quality?.[metric] === "suspect");
  return { points: withGaps(points), suspect: suspect.map(({ measuredAt }) => Date.parse(measuredAt)) };
}
