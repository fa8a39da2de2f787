import { useMemo, useState } from "preact/hooks";
import type { AlertView } from "../../contract/alert.ts";
import type { CorrectionView } from "../../contract/correction.ts";
import { METRICS, type MetricName } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import type { ChartData, Point } from "../chart/chart-data.ts";
import { heightMinOf, levelsOfRule } from "../chart/levels.ts";
import { type ChartKey, TimeChart } from "../chart/time-chart.tsx";
import { type History, type NamedHistory, seriesOf, useHistory } from "../chart/use-history.ts";
import { messages } from "../messages/messages.ts";
import { Check, Field } from "../parts/fields.tsx";
import { Problem } from "../parts/state.tsx";
import { query, setQuery } from "../shell/router.ts";
import { formatValue, metricLabel, titleOfChart } from "../words/words.ts";
import { SPANS, sentBy, spanOf, type WholeSensor } from "./sensor-state.ts";

type HistoryProps = {
  readonly sensor: WholeSensor;
  readonly metric: MetricName;
  /** All that were ever made. */
  readonly corrections: readonly CorrectionView[];
  /** Of the sensor, and the rules that watch it. */
  readonly alerts: readonly AlertView[];
  readonly rules: readonly Rule[];
  readonly choose: (name: string) => void;
};

/** One metric over time, from minutes to a year: draw across a span to see it larger. */
export function HistoryOf({ sensor, metric, corrections, alerts, rules, choose }: HistoryProps) {
  const t = messages.value;
  const address = query.value.toString();
  const span = useMemo(() => spanOf(new URLSearchParams(address), Date.now()), [address]);
  const [withNeighbours, setWithNeighbours] = useState(false);
  const active = corrections.filter(({ revokedAt, metrics }) => !revokedAt && (metrics?.includes(metric) ?? true));
  const state = active.map(({ id }) => id).join();
  const { history, neighbours, problem } = useHistory(sensor.id, metric, span, withNeighbours, state);
  const name = sensor.name ?? sensor.id;
  const data = useMemo(() => {
    const shown = { name, metric, span, neighbours, changedAt: sensor.replaces?.from, active };
    const judged = { alerts: alerts.filter((one) => one.metric === metric), levels: levelsOf(metric, rules) };
    return history && historyChart({ ...shown, ...judged, history });
  }, [name, metric, span, history, neighbours, sensor.replaces?.from, state, alerts, rules]);

  return (
    <section>
      <div class="section-head">
        <h2>{t.sensor.history}</h2>
        <Field
          class="inline"
          label={t.sensor.metric}
          name="metric"
          value={metric}
          onChoose={choose}
          options={sentBy(sensor).map((one) => [one, metricLabel(one)] as const)}
        />
        <nav class="cluster" aria-label={t.sensor.spanLabel}>
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
        <Check label={t.alert.neighbours} checked={withNeighbours} onChange={setWithNeighbours} />
      </div>
      <Problem of={problem} />
      {history?.points.length === 0 && <p class="note">{t.chart.noData}</p>}
      {data && (
        <TimeChart
          label={t.sensor.chartLabel(metricLabel(metric), name)}
          title={titleOfChart(metric)}
          data={data}
          legend={legendOf(data)}
          onZoom={(from, to) =>
            setQuery({ span: undefined, from: String(Math.round(from)), to: String(Math.round(to)) })
          }
        />
      )}
      <p class="quiet">
        {t.sensor.zoomHint}{" "}
        <a href={`/compare?sensors=${encodeURIComponent(sensor.id)}&metric=${metric}`}>{t.pages.compare}</a>
      </p>
    </section>
  );
}

const LEVELS_MAX = 6;

/** The limits of the rules that judge single values of the metric, each once, and where their alerts end. */
function levelsOf(metric: MetricName, rules: readonly Rule[]): NonNullable<ChartData["levels"]> {
  const t = messages.value.chart;
  const say = (value: number) => formatValue(value, metric);
  const found = new Map(
    rules
      .filter((rule) => rule.metric === metric && rule.mode === "live")
      .flatMap((rule) => levelsOfRule(rule))
      .sort((a, b) => Number(b.clears) - Number(a.clears))
      .map((one) => [`${one.value} ${one.clears}`, one] as const),
  );
  return [...found.values()].slice(-LEVELS_MAX).map(({ value, severity, clears }) => ({
    value,
    label: clears ? t.clear(say(value)) : t.limit(say(value)),
    tone: clears ? "quiet" : severity,
  }));
}

function legendOf({ bands = [], marks = [], spans = [] }: ChartData): ChartKey[] {
  const t = messages.value.chart;
  const has = (wanted: string) => marks.some(({ shape }) => shape === wanted);
  return [
    ...(spans.length > 0 ? [{ tone: spans[0]!.tone, text: t.alerts }] : []),
    ...(bands.some(({ tone }) => tone === "quiet") ? [{ tone: "quiet" as const, text: t.gap }] : []),
    ...(bands.some(({ isMoment }) => isMoment) ? [{ tone: "info" as const, text: t.replaced }] : []),
    ...(bands.some(({ tone }) => tone === "warning") ? [{ tone: "warning" as const, text: t.suspect }] : []),
    ...(bands.some(({ tone, isMoment }) => tone === "info" && !isMoment) || has("ring")
      ? [{ tone: "info" as const, text: t.corrected, ...(has("ring") ? { shape: "ring" as const } : {}) }]
      : []),
    ...(bands.some(({ tone }) => tone === "critical") || has("cross")
      ? [{ tone: "critical" as const, text: t.invalid, ...(has("cross") ? { shape: "cross" as const } : {}) }]
      : []),
  ];
}

type Shown = {
  readonly name: string;
  readonly metric: MetricName;
  readonly span: { readonly from: number; readonly to: number };
  readonly history: History;
  readonly neighbours: readonly NamedHistory[];
  /** When it took the place of another, whose values come before. */
  readonly changedAt: string | undefined;
  /** Corrections of this metric that count. */
  readonly active: readonly CorrectionView[];
  readonly alerts: readonly AlertView[];
  readonly levels: NonNullable<ChartData["levels"]>;
};

/** History with its neighbours; times without data, implausible and corrected values as bands behind it. */
function historyChart(shown: Shown): ChartData {
  const { name, metric, span, history, neighbours, changedAt, active, alerts, levels } = shown;
  const { unit } = METRICS[metric];
  const { points, gaps, suspect, corrected, invalid } = history;
  const [own, ...others] = seriesOf(name, history, neighbours);
  return {
    from: span.from,
    to: span.to,
    unit,
    levels,
    heightMin: heightMinOf(metric),
    spans: alerts.flatMap((one) => firingIn(one, span)).reverse(),
    series: [{ ...own!, notes: notesOf(history, unit) }, ...others],
    marks: [
      ...corrected.map(([at, value]) => ({ at, value, tone: "info" as const, shape: "ring" as const })),
      ...invalid.map(([at, value]) => ({ at, value, tone: "critical" as const, shape: "cross" as const })),
    ],
    bands: [
      ...gaps.map((gap) => ({ ...gap, tone: "quiet" as const })),
      ...spansOf(suspect, stepOf(points)).map((one) => ({ ...one, tone: "warning" as const })),
      ...active.flatMap((one) => correctedIn(one, span)),
      ...changeOf(changedAt, span).map((one) => ({ ...one, tone: "info" as const, isMoment: true as const })),
    ],
  };
}

/** What the table says of values that are not simply good. */
function notesOf({ suspect, corrected, invalid }: History, unit: string): ReadonlyMap<number, string> {
  const t = messages.value.sensor;
  return new Map([
    ...suspect.map((at) => [at, t.suspect] as const),
    ...corrected.map(([at]) => [at, t.corrected] as const),
    ...invalid.map(([at, value]) => [at, `${t.invalid}: ${formatValue(value, undefined, unit)}`] as const),
  ]);
}

/** As wide as one can see at least: there may be a single value in it. */
function correctedIn({ what, from, to, shiftS = 0 }: CorrectionView, span: Shown["span"]) {
  const [start, end] = [Date.parse(from) + shiftS * 1_000, Date.parse(to) + shiftS * 1_000];
  if (end <= span.from || start >= span.to) return [];
  const air = Math.max(0, (span.to - span.from) / 300 - (end - start)) / 2;
  const tone = what === "invalid" ? ("critical" as const) : ("info" as const);
  return [{ from: Math.max(span.from, start - air), to: Math.min(span.to, end + air), tone }];
}

/** A line as wide as one can see. */
function changeOf(changedAt: string | undefined, { from, to }: Shown["span"]): Stretch[] {
  const at = changedAt === undefined ? Number.NaN : Date.parse(changedAt);
  const width = (to - from) / 300;
  return at > from && at < to ? [{ from: at - width / 2, to: at + width / 2 }] : [];
}

type Stretch = { readonly from: number; readonly to: number };

/** The milder ones are drawn first. */
function firingIn({ startedAt, resolvedAt, severity }: AlertView, span: Shown["span"]) {
  const [from, to] = [Date.parse(startedAt), resolvedAt === undefined ? span.to : Date.parse(resolvedAt)];
  return to < span.from || from > span.to ? [] : [{ from, to, tone: severity }];
}

/** Neighbouring moments as one stretch; a single one gets the width of a step. */
function spansOf(times: readonly number[], stepMs: number): Stretch[] {
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
