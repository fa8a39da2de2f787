import type { BucketsView, ReadingsView } from "../../contract/reading.ts";
import type { MetricName } from "../../model/metrics.ts";
import { MINUTE_MS } from "../../model/time.ts";
import { request } from "../api/client.ts";
import { corrected, neighboursOf } from "../live/live.ts";
import { useLoaded } from "../parts/state.tsx";
import { breakAt, type Gap, OTHERS, type Point, type Series } from "./chart-data.ts";

/** What one metric of one sensor did, ready to be drawn. Times in epoch milliseconds. */
export type History = {
  readonly points: readonly Point[];
  /** When nothing came, as the service says, which knows how often the sensor speaks. */
  readonly gaps: readonly Gap[];
  /** Lowest and highest of each step; missing where the readings themselves are shown. */
  readonly range?: readonly (readonly [number, number] | undefined)[];
  /** Times of values outside the plausible range; only where the readings themselves are shown. */
  readonly suspect: readonly number[];
  /** Of corrections, single values; only there, too. Invalid ones are not among the points. */
  readonly corrected: readonly (readonly [at: number, value: number])[];
  readonly invalid: readonly (readonly [at: number, value: number])[];
};

const STEPS: readonly (readonly [text: string, ms: number])[] = [
  ["1m", MINUTE_MS],
  ["5m", 5 * MINUTE_MS],
  ["15m", 15 * MINUTE_MS],
  ["1h", 60 * MINUTE_MS],
  ["6h", 360 * MINUTE_MS],
  ["1d", 1_440 * MINUTE_MS],
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
  range: Range,
  signal?: AbortSignal,
  more = "",
): Promise<History> {
  const from = new Date(Math.floor(range.from)).toISOString();
  const to = new Date(Math.ceil(range.to)).toISOString();
  const path = `/sensors/${encodeURIComponent(sensorId)}/readings?from=${from}&to=${to}&metrics=${metric}&gaps=true${more}`;
  // Shown, so that it can be seen what was taken out; steps leave them out.
  const readings = `${path}&include=invalid&limit=${READINGS_MAX}`;
  if (range.to - range.from <= 36 * 60 * MINUTE_MS) {
    const page = await request<ReadingsView>("GET", readings, undefined, signal);
    if (page.next === undefined) return historyOf(page, metric);
  }
  const [text, ms] = STEPS.find(([, step]) => (range.to - range.from) / step <= POINTS_WANTED) ?? STEPS.at(-1)!;
  const { items, gaps } = await request<BucketsView>("GET", `${path}&every=${text}`, undefined, signal);
  const found = items.flatMap(({ start, values }) =>
    values[metric] ? [{ at: Date.parse(start), ...values[metric] }] : [],
  );
  const ofStep = new Map(found.map(({ at, min, max }) => [at + ms / 2, [min, max] as const]));
  const steps = found.map(({ at, mean }): Point => [at + ms / 2, mean]);
  const told = gapsOf(gaps);
  const points = breakAt(steps, told);
  const lowAndHigh = points.map(([at]) => ofStep.get(at));
  return { points, gaps: told, range: lowAndHigh, suspect: [], corrected: [], invalid: [] };
}

const gapsOf = (gaps: ReadingsView["gaps"] = []): Gap[] =>
  gaps.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }));

function historyOf({ items, gaps }: ReadingsView, metric: MetricName): History {
  const mine = items.flatMap(({ measuredAt, values, quality }) => {
    const value = values[metric];
    return value === undefined ? [] : [{ point: [Date.parse(measuredAt), value] as const, is: quality?.[metric] }];
  });
  const those = (of: string) => mine.filter(({ is }) => is === of).map(({ point }) => point);
  const points = mine.filter(({ is }) => is !== "invalid").map(({ point }): Point => point);
  const told = gapsOf(gaps);
  return {
    points: breakAt(points, told),
    gaps: told,
    suspect: those("suspect").map(([at]) => at),
    corrected: those("corrected"),
    invalid: those("invalid"),
  };
}

type Range = { readonly from: number; readonly to: number };
export type NamedHistory = { readonly id: string; readonly name: string; readonly history: History };

/** What a metric of a sensor did, and, if asked for, of the sensors near it. */
export function useHistory(
  sensorId: string,
  metric: MetricName,
  range: Range,
  withNeighbours: boolean,
  /** What else the history of the sensor itself depends on: asked for anew when it changes. */
  state?: unknown,
) {
  const changes = corrected.value;
  // With the history of a sensor whose place it took.
  const own = useLoaded(
    (signal) => loadHistory(sensorId, metric, range, signal, "&predecessors=true"),
    [sensorId, metric, range, state, changes.get(sensorId)],
  );
  const others = useLoaded(
    (signal) => {
      const near = withNeighbours ? neighboursOf(sensorId) : [];
      return Promise.all(
        near.map(async ({ id, name }): Promise<NamedHistory> => {
          return { id, name: name ?? id, history: await loadHistory(id, metric, range, signal) };
        }),
      );
    },
    [withNeighbours, sensorId, metric, range, withNeighbours && changes],
  );
  return { history: own.found, neighbours: others.found ?? NONE, problem: own.problem ?? others.problem };
}

const NONE: readonly NamedHistory[] = [];

export function seriesOf(name: string, history: History, neighbours: readonly NamedHistory[]): Series[] {
  const { points, range } = history;
  const labels = distinct([{ id: "", name }, ...neighbours]);
  const others = neighbours.map(
    (one, i): Series => ({
      label: labels[i + 1]!,
      tone: OTHERS[i % OTHERS.length]!,
      dash: DASHES[i % DASHES.length]!,
      points: one.history.points,
    }),
  );
  return [{ label: labels[0]!, tone: "accent", points, ...(range ? { range } : {}) }, ...others];
}

/** To be told apart without their colours, too. */
const DASHES = [
  [6, 3],
  [2, 3],
  [10, 3, 2, 3],
  [10, 5],
] as const;

/** Two may have the same name: then their ids say which is which. */
function distinct(all: readonly { readonly id: string; readonly name: string }[]): string[] {
  return all.map(({ id, name }) =>
    id !== "" && id !== name && all.filter((one) => one.name === name).length > 1 ? `${name} (${id})` : name,
  );
}
