import { useEffect, useMemo, useState } from "preact/hooks";
import { METRICS, type MetricName } from "../../model/metrics.ts";
import { type History, loadHistory } from "../api/data.ts";
import type { ChartData, Point } from "../chart/chart-data.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { neighboursOf } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { query, setQuery } from "../shell/router.ts";
import { metricLabel, sayProblem } from "../words/words.ts";
import { SPANS, sentBy, spanOf, type WholeSensor } from "./sensor-state.ts";

type HistoryProps = {
  readonly sensor: WholeSensor;
  readonly metric: MetricName;
  readonly choose: (name: string) => void;
};

/** One metric over time, from minutes to a year: draw across a span to see it larger. */
export function HistoryOf({ sensor, metric, choose }: HistoryProps) {
  const t = messages.value;
  const address = query.value.toString();
  const span = useMemo(() => spanOf(new URLSearchParams(address), Date.now()), [address]);
  const [withNeighbours, setWithNeighbours] = useState(false);
  const { history, neighbours, problem } = useHistory(sensor.id, metric, span, withNeighbours);
  const name = sensor.name ?? sensor.id;
  const { unit } = METRICS[metric];
  const data = useMemo(
    () => history && historyChart({ name, unit, span, history, neighbours }),
    [name, unit, span, history, neighbours],
  );

  return (
    <section>
      <div class="section-head">
        <h2>{t.sensor.history}</h2>
        <label class="field inline">
          <span>{t.sensor.metric}</span>
          <select value={metric} onChange={(event) => choose(event.currentTarget.value)}>
            {sentBy(sensor).map((one) => (
              <option key={one} value={one}>
                {metricLabel(one)}
              </option>
            ))}
          </select>
        </label>
        <nav class="spans" aria-label={t.sensor.spanLabel}>
          {SPANS.map(([one]) => (
            <button
              key={one}
              type="button"
              class="button"
              aria-pressed={span.name === one}
              onClick={() => setQuery({ span: one, from: undefined, to: undefined })}
            >
              {t.sensor.spans[one]}
            </button>
          ))}
        </nav>
        <label class="check">
          <input type="checkbox" checked={withNeighbours} onChange={() => setWithNeighbours(!withNeighbours)} />
          {t.alert.neighbours}
        </label>
      </div>
      {problem !== undefined && <p class="wrong">{sayProblem(problem)}</p>}
      {history?.points.length === 0 && <p class="note">{t.chart.noData}</p>}
      {data && (
        <TimeChart
          label={t.sensor.chartLabel(metricLabel(metric), name)}
          data={data}
          legend={legendOf(data.bands ?? [])}
          onZoom={(from, to) =>
            setQuery({ span: undefined, from: String(Math.round(from)), to: String(Math.round(to)) })
          }
        />
      )}
      <p class="quiet">{t.sensor.zoomHint}</p>
    </section>
  );
}

function legendOf(bands: readonly { readonly tone: string }[]) {
  const t = messages.value.chart;
  return [
    ...(bands.some(({ tone }) => tone === "quiet") ? [{ tone: "quiet" as const, text: t.gap }] : []),
    ...(bands.some(({ tone }) => tone === "warning") ? [{ tone: "warning" as const, text: t.suspect }] : []),
  ];
}

type Span = { readonly from: number; readonly to: number };

function useHistory(sensorId: string, metric: MetricName, span: Span, withNeighbours: boolean) {
  const [history, setHistory] = useState<History | undefined>();
  const [neighbours, setNeighbours] = useState<{ name: string; history: History }[]>([]);
  const [problem, setProblem] = useState<unknown>();

  useEffect(() => {
    const { signal, ...leaving } = leave();
    setProblem(undefined);
    loadHistory(sensorId, metric, span, signal).then(
      setHistory,
      (error: unknown) => signal.aborted || setProblem(error),
    );
    return leaving.now;
  }, [sensorId, metric, span]);

  useEffect(() => {
    if (!withNeighbours) return setNeighbours([]);
    const { signal, ...leaving } = leave();
    const each = neighboursOf(sensorId).map(async ({ id, name }) => ({
      name: name ?? id,
      history: await loadHistory(id, metric, span, signal),
    }));
    Promise.all(each).then(setNeighbours, (error: unknown) => signal.aborted || setProblem(error));
    return leaving.now;
  }, [withNeighbours, sensorId, metric, span]);

  return { history, neighbours, problem };
}

function leave() {
  const controller = new AbortController();
  return { signal: controller.signal, now: () => controller.abort() };
}

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
