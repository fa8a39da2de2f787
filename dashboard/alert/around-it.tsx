import { useEffect, useMemo, useState } from "preact/hooks";
import type { MetricName } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import type { AlertView } from "../api/alerts.ts";
import { type History, loadHistory } from "../api/readings.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { sensors } from "../live/live.ts";
import { neighboursOf } from "../live/neighbours.ts";
import { messages } from "../messages/messages.ts";
import { sayProblem } from "../words/problems.ts";
import { metricLabel } from "../words/units.ts";
import { chartOf, rangeAround } from "./alert-chart.ts";

/** The metric around the alert, drawn: with its limit, what it rests on, and the neighbours if asked for. */
export function AroundIt({ alert, rule }: { alert: AlertView; rule: Rule | undefined }) {
  const t = messages.value;
  const [history, setHistory] = useState<History | undefined>();
  const [neighbours, setNeighbours] = useState<{ name: string; history: History }[]>([]);
  const [withNeighbours, setWithNeighbours] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const sensorId = alert.subject.sensorId!;
  const metric = alert.metric as MetricName;
  // New evidence, or its end, moves what is shown; a comment does not.
  const range = useMemo(() => rangeAround(alert, Date.now()), [alert.id, alert.resolvedAt, alert.evidence.length]);

  useEffect(() => {
    const leaving = new AbortController();
    const failed = (error: unknown) => leaving.signal.aborted || setProblem(error);
    loadHistory(sensorId, metric, range, leaving.signal).then(setHistory, failed);
    return () => leaving.abort();
  }, [sensorId, metric, range]);

  useEffect(() => {
    if (!withNeighbours) return setNeighbours([]);
    const leaving = new AbortController();
    const near = neighboursOf(sensorId);
    Promise.all(
      near.map(async ({ id, name }) => ({
        name: name ?? id,
        history: await loadHistory(id, metric, range, leaving.signal),
      })),
    ).then(setNeighbours, (error: unknown) => leaving.signal.aborted || setProblem(error));
    return () => leaving.abort();
  }, [withNeighbours, sensorId, metric, range]);

  const name = sensors.value.get(sensorId)?.name ?? sensorId;
  const data = useMemo(
    () => history && chartOf({ alert, rule, range, history, neighbours, name }),
    [alert, rule, range, history, neighbours, name],
  );
  return (
    <section>
      <div class="section-head">
        <h2>{t.alert.chart}</h2>
        <label class="check">
          <input type="checkbox" checked={withNeighbours} onChange={() => setWithNeighbours(!withNeighbours)} />
          {t.alert.neighbours}
        </label>
      </div>
      {problem !== undefined && <p class="wrong">{sayProblem(problem)}</p>}
      {data && (
        <TimeChart
          label={t.alert.chartLabel(metricLabel(metric), name)}
          data={data}
          legend={[{ tone: alert.severity, text: t.chart.firing }]}
        />
      )}
    </section>
  );
}
