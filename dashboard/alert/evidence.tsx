import { metricRow } from "../../model/metrics.ts";
import type { AlertView } from "../api/alerts.ts";
import { messages } from "../messages/messages.ts";
import { Moment } from "../words/time.tsx";
import { formatValue, metricLabel } from "../words/units.ts";

/** The readings and windows an alert rests on, as they were at the time. */
export function Evidence({ alert }: { alert: AlertView }) {
  const t = messages.value.alert;
  if (alert.evidence.length === 0) return null;
  return (
    <section>
      <h2>{t.evidence}</h2>
      <table class="evidence">
        <thead>
          <tr>
            <th scope="col">{t.time}</th>
            <th scope="col">{t.value}</th>
            <th scope="col">{t.quality}</th>
          </tr>
        </thead>
        <tbody>
          {alert.evidence.map((one) => (
            <tr key={`${one.measuredAt} ${one.metric} ${one.note}`}>
              <th scope="row">
                <Moment at={one.measuredAt} as="time" />
              </th>
              <td>
                {one.value !== undefined && formatValue(one.value, one.metric, unitOf(alert, one.metric))}{" "}
                {one.metric !== undefined && one.metric !== alert.metric && metricLabel(one.metric)}
                {"window" in one && <span class="quiet"> {sayWindow(one.window)}</span>}
                {one.note !== undefined && <span class="quiet"> {one.note}</span>}
              </td>
              <td>{one.value === undefined ? "" : one.quality === "suspect" ? t.suspect : t.good}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const unitOf = (alert: AlertView, metric: string | undefined) =>
  metric === undefined || metric === alert.metric ? alert.unit : metricRow(metric)?.unit;

function sayWindow({ samples, expected }: { samples: number; expected?: number }): string {
  const t = messages.value.alert;
  return expected === undefined ? t.windowMean(samples) : t.windowOf(samples, expected);
}
