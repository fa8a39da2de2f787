import type { MetricName } from "../../model/metrics.ts";
import { type History, loadHistory } from "../api/data.ts";
import { neighboursOf } from "../live/live.ts";
import { useLoaded } from "../parts/state.tsx";
import type { Series } from "./chart-data.ts";

type Range = { readonly from: number; readonly to: number };
export type NamedHistory = { readonly name: string; readonly history: History };

/** What a metric of a sensor did, and, if asked for, of the sensors near it. */
export function useHistory(sensorId: string, metric: MetricName, range: Range, withNeighbours: boolean) {
  const own = useLoaded((signal) => loadHistory(sensorId, metric, range, signal), [sensorId, metric, range]);
  const others = useLoaded(
    (signal) => {
      const near = withNeighbours ? neighboursOf(sensorId) : [];
      return Promise.all(
        near.map(async ({ id, name }): Promise<NamedHistory> => {
          return { name: name ?? id, history: await loadHistory(id, metric, range, signal) };
        }),
      );
    },
    [withNeighbours, sensorId, metric, range],
  );
  return { history: own.found, neighbours: others.found ?? NONE, problem: own.problem ?? others.problem };
}

const NONE: readonly NamedHistory[] = [];

export function seriesOf(name: string, history: History, neighbours: readonly NamedHistory[]): Series[] {
  const { points, range } = history;
  const others = neighbours.map(
    (one): Series => ({ label: one.name, tone: "calm", dashed: true, points: one.history.points }),
  );
  return [{ label: name, tone: "accent", points, ...(range ? { range } : {}) }, ...others];
}
