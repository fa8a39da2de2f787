import { computed } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import { SEVERITIES } from "../../model/alert.ts";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check } from "../parts/fields.tsx";
import { formatValue, metricLabel } from "../words/words.ts";
import { KIND_ICONS } from "./icons.ts";
import { changeMap, mapSettings } from "./map-settings.ts";
import { rangeOf, STEPS } from "./value-scale.ts";

export function KindIcon({ kind }: { kind: Kind }) {
  return (
    <svg class="kind-icon" viewBox="0 0 12 12" aria-hidden="true">
      <path d={KIND_ICONS[kind]} />
    </svg>
  );
}

/** The metrics that sensors here have sent, in the order of the table. */
function useMetrics() {
  return useMemo(
    () =>
      computed(() => {
        const sent = new Set([...sensors.value.values()].flatMap(({ latest }) => Object.keys(latest?.values ?? {})));
        return [...new Set(KINDS.flatMap((kind) => METRICS_OF[kind]))].filter((name) => sent.has(name));
      }),
    [],
  );
}

/** What of the city the map shows, and what its signs mean. */
export function MapPanel() {
  const { map: t, words, shell } = messages.value;
  const [open, setOpen] = useState(false);
  const { kinds, alerts, maintenance, coverage, legend, metric } = mapSettings.value;
  const metrics = useMetrics().value;
  const toggle = (kind: Kind, on: boolean) =>
    changeMap({ kinds: KINDS.filter((one) => (one === kind ? on : kinds.includes(one))) });
  return (
    <>
      <button
        type="button"
        class="button small map-layers-button"
        aria-expanded={open}
        aria-controls="map-layers"
        onClick={() => setOpen(!open)}
      >
        {t.layers}
      </button>
      {open && (
        <section id="map-layers" class="panel map-layers" aria-label={t.layers}>
          <div class="sensor-card-head">
            <h2>{t.layers}</h2>
            <Button class="quiet" aria-label={shell.close} onClick={() => setOpen(false)}>
              ✕
            </Button>
          </div>
          <fieldset>
            <legend>{t.kinds}</legend>
            {KINDS.map((kind) => (
              <Check
                key={kind}
                label={words.kind[kind]}
                checked={kinds.includes(kind)}
                onChange={(on) => toggle(kind, on)}
              />
            ))}
          </fieldset>
          <fieldset>
            <legend>{t.shown}</legend>
            <Check label={t.alerts} checked={alerts} onChange={(on) => changeMap({ alerts: on })} />
            <Check label={t.maintenance} checked={maintenance} onChange={(on) => changeMap({ maintenance: on })} />
            <Check label={t.coverage} checked={coverage} onChange={(on) => changeMap({ coverage: on })} />
            <Check label={t.legend} checked={legend} onChange={(on) => changeMap({ legend: on })} />
          </fieldset>
          <label class="field">
            <span>{t.values}</span>
            <select
              value={metric ?? ""}
              onChange={({ currentTarget: { value } }) =>
                changeMap({ metric: (value || undefined) as MetricName | undefined })
              }
            >
              <option value="">{t.noValues}</option>
              {metrics.map((name) => (
                <option key={name} value={name}>
                  {metricLabel(name)}
                </option>
              ))}
            </select>
          </label>
        </section>
      )}
      {legend && <Legend />}
    </>
  );
}

/** What the newest value of each shown sensor is, and between which values they lie. */
export function shownValues() {
  const { metric, kinds } = mapSettings.value;
  if (metric === undefined) return undefined;
  const values = new Map<string, number>();
  for (const { id, kind, latest } of sensors.value.values()) {
    const value = latest?.values[metric];
    if (value !== undefined && kinds.includes(kind)) values.set(id, value);
  }
  const range = rangeOf([...values.values()]);
  return { metric, values, range };
}

function Legend() {
  const { map: t, words } = messages.value;
  const { alerts, maintenance, coverage, kinds } = mapSettings.value;
  const shown = useMemo(() => computed(shownValues), []).value;
  return (
    <aside class="map-legend" aria-label={t.legend}>
      {alerts && !shown && (
        <ul>
          {SEVERITIES.toReversed().map((severity) => (
            <li key={severity}>
              <span class={`severity ${severity}`} aria-hidden="true" /> {words.severity[severity]}
            </li>
          ))}
          <li>
            <span class="legend-dot" aria-hidden="true" /> {t.calm}
          </li>
          {maintenance && (
            <li>
              <span class="legend-dot quieted" aria-hidden="true" /> {t.maintenance}
            </li>
          )}
        </ul>
      )}
      <ul>
        {kinds.map((kind) => (
          <li key={kind}>
            <KindIcon kind={kind} /> {words.kind[kind]}
          </li>
        ))}
        {coverage && (
          <li>
            <span class="legend-area" aria-hidden="true" /> {t.coverageHint}
          </li>
        )}
      </ul>
      {shown && (
        <div class="legend-scale">
          <span>{metricLabel(shown.metric)}</span>
          {shown.range ? (
            <div>
              <small>{formatValue(shown.range.low, shown.metric)}</small>
              {STEPS.map((colour, i) => (
                <i key={colour} class={`step-${i}`} />
              ))}
              <small>{formatValue(shown.range.high, shown.metric)}</small>
            </div>
          ) : (
            <small>{t.nothingSent}</small>
          )}
        </div>
      )}
    </aside>
  );
}
