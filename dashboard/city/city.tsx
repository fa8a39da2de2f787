import type { CityView } from "../../contract/alert.ts";
import { tell } from "../words/tell.ts";
import "./city.css";
import { SEVERITIES } from "../../model/alert.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { SeverityMark } from "../parts/show.tsx";
import { Absent, isMissing, useLoaded } from "../parts/state.tsx";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";

const ASK_EVERY_MS = 30_000;
const WORST_FIRST = SEVERITIES.toReversed();

/** What anyone may see: the districts, and what is going on in the city. */
export function CityPage() {
  const t = messages.value;
  const { found: city, problem } = useLoaded(() => request<CityView>("GET", "/city"), [], ASK_EVERY_MS);
  if (!city || isMissing(problem)) return <Absent problem={problem} missing={t.city.off} />;
  return (
    <div class="city page">
      <h1 tabIndex={-1}>{t.city.title}</h1>
      <p class="quiet">
        {t.city.asOf} <Moment at={city.at} as="time" />
      </p>
      <ul class="grid">
        {city.districts.map((one) => (
          <District key={one.district} {...one} />
        ))}
      </ul>
      <h2>{t.city.alerts}</h2>
      {city.alerts.length === 0 && <p>{t.city.quiet}</p>}
      <ul class="lines">
        {city.alerts
          .map(({ title, ...alert }) => ({ ...alert, told: tell({ ...alert, rule: { title } }) }))
          .map((alert) => (
            <li key={`${alert.told.title} ${alert.district} ${alert.startedAt} ${alert.explanation}`}>
              <SeverityMark severity={alert.severity} />
              <div>
                <strong>{alert.told.title}</strong>{" "}
                <span class="quiet">{alert.district && districtName(alert.district)}</span>
                <p>{alert.told.explanation}</p>
                <small class="quiet">
                  {t.desk.since} <Moment at={alert.startedAt} as="time" /> · {alert.source}
                </small>
              </div>
            </li>
          ))}
      </ul>
    </div>
  );
}

function District({ district, sensors, alerts }: CityView["districts"][number]) {
  const t = messages.value;
  const worst = WORST_FIRST.find((severity) => alerts[severity] > 0);
  const open = SEVERITIES.reduce((sum, severity) => sum + alerts[severity], 0);
  return (
    <li class={`edge box stack ${worst ?? "calm"}`}>
      <strong>{districtName(district)}</strong>
      <span>{open > 0 ? t.city.open(open) : t.words.noAlerts}</span>
      <small class="quiet">{t.city.sensors(sensors)}</small>
    </li>
  );
}
