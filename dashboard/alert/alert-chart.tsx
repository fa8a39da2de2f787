import { useMemo, useState } from "preact/hooks";
import type { AlertView } from "../../contract/alert.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Rule, RuleData } from "../../model/rule.ts";
import { HOUR_MS } from "../../model/time.ts";
import type { ChartData } from "../chart/chart-data.ts";
import { heightMinOf, levelsOfRule } from "../chart/levels.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { type History, type NamedHistory, seriesOf, useHistory } from "../chart/use-history.ts";
import { sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Check } from "../parts/fields.tsx";
import { Problem } from "../parts/state.tsx";
import { formatValue, metricLabel, titleOfChart } from "../words/words.ts";

/** The metric around the alert, drawn: with its limit, what it rests on, and the neighbours if asked for. */
export function AlertChart({ alert, rule }: { alert: AlertView; rule: Rule | undefined }) {
  const t = messages.value;
  const [withNeighbours, setWithNeighbours] = useState(false);
  const sensorId = alert.subject.sensorId!;
  const metric = alert.metric as MetricName;
  // New evidence, or its end, moves what is shown; a comment does not.
  const range = useMemo(() => rangeAround(alert, Date.now()), [alert.id, alert.resolvedAt, alert.evidence.length]);

  const { history, neighbours, problem } = useHistory(sensorId, metric, range, withNeighbours);
  const name = sensors.value.get(sensorId)?.name ?? sensorId;
  const data = useMemo(
    () => history && chartOf({ alert, rule, range, history, neighbours, name }),
    [alert, rule, range, history, neighbours, name],
  );
  return (
    <section>
      <div class="section-head">
        <h2>{t.alert.chart}</h2>
        <Check label={t.alert.neighbours} checked={withNeighbours} onChange={setWithNeighbours} />
      </div>
      <Problem of={problem} />
      {data && (
        <TimeChart
          label={t.alert.chartLabel(metricLabel(metric), name)}
          title={titleOfChart(metric)}
          data={data}
          legend={[
            { tone: alert.severity, text: t.chart.firing },
            ...(data.bands?.some(({ tone }) => tone === "quiet")
              ? [{ tone: "quiet" as const, text: t.chart.gap }]
              : []),
          ]}
        />
      )}
    </section>
  );
}

/** The time to show around an alert: as long again before and after, an hour at least, and not beyond now. */
function rangeAround({ startedAt, resolvedAt, evidence }: AlertView, now: number): { from: number; to: number } {
  const begins = [startedAt, ...evidence.map((one) => one.window?.from ?? one.measuredAt)];
  const from = Math.min(...begins.map(Date.parse));
  const to = resolvedAt === undefined ? now : Date.parse(resolvedAt);
  const air = Math.max(HOUR_MS, (to - from) / 2);
  return { from: from - air, to: Math.min(now, to + air) };
}

type Shown = {
  readonly alert: AlertView;
  readonly rule: Pick<RuleData, "condition" | "levels" | "severity"> | undefined;
  readonly range: { readonly from: number; readonly to: number };
  readonly history: History;
  readonly neighbours: readonly NamedHistory[];
  readonly name: string;
};

/** The metric around the alert: limit, clear level, windows, the readings it rests on, and the neighbours if asked for. */
export function chartOf({ alert, rule, range, history, neighbours, name }: Shown): ChartData {
  const unit = alert.unit ?? "";
  return {
    ...range,
    unit,
    series: seriesOf(name, history, neighbours),
    levels: levelsOf(alert, rule),
    heightMin: Math.max(heightMinOf(alert.metric), toLimit(alert)),
    bands: [
      ...history.gaps.map((gap) => ({ ...gap, tone: "quiet" as const })),
      ...windowsOf(alert),
      firingOf(alert, range.to),
    ],
    spans: [firingOf(alert, range.to)],
    marks: alert.evidence.flatMap((one) => {
      if (one.value === undefined || "window" in one || one.metric !== alert.metric) return [];
      return [{ at: Date.parse(one.measuredAt), value: one.value, tone: alert.severity }];
    }),
  };
}

/** As far from its limit as an alert's value is, both are to be seen. */
const toLimit = ({ limit, value }: AlertView): number =>
  limit === undefined || value === undefined ? 0 : 1.2 * Math.abs(limit - value);

function levelsOf({ limit, severity, metric, unit }: AlertView, rule: Shown["rule"]): ChartData["levels"] {
  if (limit === undefined || metric === undefined) return [];
  const t = messages.value.chart;
  const say = (value: number) => formatValue(value, metric, unit);
  const own = { value: limit, label: t.limit(say(limit)), tone: severity } as const;
  const clears = rule ? levelsOfRule(rule).filter((one) => one.clears) : [];
  return [own, ...clears.map(({ value }) => ({ value, label: t.clear(say(value)), tone: "quiet" as const }))];
}

function windowsOf({ evidence }: AlertView): NonNullable<ChartData["bands"]> {
  return evidence.flatMap((one) => {
    if (!one.window) return [];
    return [{ from: Date.parse(one.window.from), to: Date.parse(one.measuredAt), tone: "info" as const }];
  });
}

function firingOf({ startedAt, resolvedAt, severity }: AlertView, end: number) {
  return { from: Date.parse(startedAt), to: resolvedAt === undefined ? end : Date.parse(resolvedAt), tone: severity };
}
