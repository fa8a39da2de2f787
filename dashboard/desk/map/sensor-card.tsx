import type { MetricName } from "../../../model/metrics.ts";
import type { SensorView } from "../../api/sensors.ts";
import { messages } from "../../messages/messages.ts";
import { SeverityMark } from "../../parts/severity.tsx";
import { Moment } from "../../words/time.tsx";
import { districtName, formatValue, metricLabel } from "../../words/units.ts";
import type { Desk } from "../desk-state.ts";

const VALUES_MAX = 6;

/** The sensor that was pointed at: what it last said, and its open alerts. */
export function SensorCard({ desk, sensor, onClose }: { desk: Desk; sensor: SensorView; onClose: () => void }) {
  const { desk: t, shell, words } = messages.value;
  const { latest } = sensor;
  const open = desk.open.value.filter(({ subject }) => subject.sensorId === sensor.id);
  const values = Object.entries(latest?.values ?? {}).slice(0, VALUES_MAX) as [MetricName, number][];
  return (
    <aside class="panel sensor-card" aria-label={t.sensor}>
      <div class="sensor-card-head">
        <div>
          <h2>{sensor.name ?? sensor.id}</h2>
          <p class="quiet">
            {words.kind[sensor.kind]} · {districtName(sensor.district)}
          </p>
        </div>
        <button type="button" class="button quiet" aria-label={shell.close} onClick={onClose}>
          ✕
        </button>
      </div>
      {open.map((alert) => (
        <p key={alert.id} class="sensor-alert">
          <SeverityMark severity={alert.severity} />
          <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{alert.rule.title}</a>
        </p>
      ))}
      {latest ? (
        <dl>
          {values.map(([metric, value]) => (
            <div key={metric}>
              <dt>{metricLabel(metric)}</dt>
              <dd>{formatValue(value, metric)}</dd>
            </div>
          ))}
          <div class="quiet">
            <dt>{t.lastReading}</dt>
            <dd>
              <Moment at={latest.measuredAt} />
            </dd>
          </div>
        </dl>
      ) : (
        <p class="quiet">{t.noReading}</p>
      )}
      <a href={`/sensors/${sensor.id}`}>{t.toSensor}</a>
    </aside>
  );
}
