import type { History } from "../api/readings.ts";
import type { ChartData, Point } from "../chart/chart-data.ts";

type Shown = {
  readonly name: string;
  readonly unit: string;
  readonly span: { readonly from: number; readonly to: number };
  readonly history: History;
  readonly neighbours: readonly { readonly name: string; readonly history: History }[];
};

/** History with its neighbours; times without data and implausible values as bands behind it. */
export function historyChart({ name, unit, span, history, neighbours }: Shown): ChartData {
  const { points, range, suspect } = history;
  return {
    ...{ from: span.from, to: span.to, unit },
    series: [
      { label: name, tone: "accent", points, ...(range ? { range } : {}) },
      ...neighbours.map((one) => ({
        label: one.name,
        tone: "calm" as const,
        dashed: true as const,
        points: one.history.points,
      })),
    ],
    bands: [
      ...gapsOf(points).map((gap) => ({ ...gap, tone: "quiet" as const })),
      ...spansOf(suspect, stepOf(points)).map((one) => ({ ...one, tone: "warning" as const })),
    ],
  };
}

type Stretch = { readonly from: number; readonly to: number };

/** Between a break in the line and the next value. */
export function gapsOf(points: readonly Point[]): Stretch[] {
  return points.flatMap(([at, value], i): Stretch[] => {
    const next = points[i + 1];
    return value === undefined && next ? [{ from: points[i - 1]?.[0] ?? at, to: next[0] }] : [];
  });
}

/** Neighbouring moments as one stretch; a single one gets the width of a step. */
export function spansOf(times: readonly number[], stepMs: number): Stretch[] {
  const stretches: { from: number; to: number }[] = [];
  for (const at of times) {
    const last = stretches.at(-1);
    if (last && at - last.to <= stepMs) last.to = at + stepMs / 2;
    else stretches.push({ from: at - stepMs / 2, to: at + stepMs / 2 });
  }
  return stretches;
}

function stepOf(points: readonly Point[]): number {
  const first = points[0];
  const last = points.at(-1);
  return first && last && points.length > 1 ? (last[0] - first[0]) / (points.length - 1) : 60_000;
}
