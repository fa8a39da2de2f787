import { tell, titleOf } from "../words/tell.ts";
import { type FollowedSensor, followSensor, newestValue, sentBy, type WholeSensor } from "./sensor-state.ts";
import "./sensor.css";
import { useEffect, useMemo } from "preact/hooks";
import type { SilenceView } from "../../contract/silence.ts";
import { SEVERITIES } from "../../model/alert.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { isOpen } from "../live/live.ts";
import { SmallMap } from "../map/small-map.tsx";
import { messages } from "../messages/messages.ts";
import { Fact, SeverityMark } from "../parts/show.tsx";
import { Absent, isMissing, loadAll, useLoaded } from "../parts/state.tsx";
import type { PageProps } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { districtName, formatValue, metricLabel } from "../words/words.ts";
import { Calibrations } from "./calibrations.tsx";
import { Corrections, useCorrections } from "./corrections.tsx";
import { HistoryOf } from "./history.tsx";
import { Refused } from "./refused.tsx";
import { Past, Register } from "./register.tsx";

/** `/sensors/:id`: what a sensor says, what it said, and what the rules say of it. */
export function SensorPage({ params }: PageProps) {
  const id = params.id!;
  const followed = useMemo(() => followSensor(id), [id]);
  useEffect(() => followed.close, [followed]);

  const t = messages.value;
  const corrections = useCorrections(id);
  const sensor = followed.sensor.value;
  const problem = followed.problem.value;
  if (!sensor || isMissing(problem)) return <Absent problem={problem} missing={t.sensor.notFound} />;
  const metric = followed.metric.value;
  return (
    <div class="sensor-page page">
      <Head sensor={sensor} />
      <div class="columns">
        <div class="stack">
          {metric ? (
            followed.alertsAsked.value && (
              <HistoryOf
                sensor={sensor}
                metric={metric}
                corrections={corrections.items}
                alerts={followed.alerts.value}
                rules={followed.rules.value}
                choose={followed.choose}
              />
            )
          ) : (
            <p class="note">{t.sensor.nothingYet}</p>
          )}
          <Alerts followed={followed} />
          <Register sensor={sensor} followed={followed} />
        </div>
        <aside class="stack">
          <Refused sensor={sensor} />
          <Latest sensor={sensor} followed={followed} />
          <Where sensor={sensor} followed={followed} />
          <Corrections sensor={sensor} metric={metric} corrections={corrections} />
          <Calibrations sensor={sensor} metric={metric} />
          <Past sensor={sensor} />
          {sensor.retiredAt === undefined && <Rules followed={followed} />}
        </aside>
      </div>
    </div>
  );
}

/** Where it stands, in the colour of its worst open alert. */
function Where({ sensor: { id, name, lat, lon }, followed }: { sensor: WholeSensor; followed: FollowedSensor }) {
  if (lat === undefined || lon === undefined) return null;
  const open = followed.alerts.value.filter(isOpen).map(({ severity }) => severity);
  const severity = SEVERITIES.findLast((one) => open.includes(one));
  return <SmallMap place={{ lat, lon }} label={messages.value.map.where(name ?? id)} severity={severity} />;
}

function Head({ sensor }: { sensor: WholeSensor }) {
  const { sensor: t, words, desk } = messages.value;
  const { id, name, kind, district, online, lastSeen, intervalS, gateway, tags, retiredAt } = sensor;
  const { found = [] } = useLoaded(
    (signal) => loadAll<SilenceView>("/silences?ended=false", signal),
    [id],
    ASK_EVERY_MS,
  );
  const covered = found.find((one) => one.state === "active" && coversSensor(one.matchers, sensor));
  return (
    <header>
      <h1 tabIndex={-1}>{name ?? id}</h1>
      <p class="quiet">
        {[name && id, words.kind[kind], districtName(district), gateway].filter(Boolean).join(" · ")}
        {lastSeen && (
          <>
            {` · ${desk.lastReading}: `}
            <Moment at={lastSeen} />
          </>
        )}
        {intervalS !== undefined && ` · ${t.every(intervalS)}`}
      </p>
      <p class="cluster">
        {covered && (
          <a class="chip quieted-chip" href="/admin?tab=silences" title={covered.reason}>
            {t.quiet[covered.kind]}
          </a>
        )}
        {retiredAt !== undefined && <span class="chip">{messages.value.admin.register.off}</span>}
        {online !== undefined && <span class="chip">{online ? t.online : t.offline}</span>}
        {Object.entries(tags).map(([key, value]) => (
          <span key={key} class="chip">
            {key}: {value}
          </span>
        ))}
      </p>
    </header>
  );
}

const ASK_EVERY_MS = 60_000;

/** All alerts of the sensor, whatever the rule: a silence for one rule is told at its alerts. */
function coversSensor(matchers: SilenceView["matchers"], { id, kind, district, gateway }: WholeSensor): boolean {
  const own: Readonly<Record<string, string | undefined>> = { sensor: id, kind, district, gateway };
  return Object.entries(matchers).every(([name, wanted]) => {
    const value = own[name];
    return value !== undefined && [wanted].flat().some((one) => one === value);
  });
}

/** What every device may say of itself comes last in the table of metrics: what kinds have in common. */
const HEALTH: ReadonlySet<MetricName> = new Set(METRICS_OF.air.filter((name) => METRICS_OF.energy.includes(name)));

function Latest({ sensor, followed }: { sensor: WholeSensor; followed: FollowedSensor }) {
  const t = messages.value.sensor;
  const sent = sentBy(sensor);
  const parts = [
    [t.values, sent.filter((name) => !HEALTH.has(name))],
    [t.device, sent.filter((name) => HEALTH.has(name))],
  ] as const;
  return (
    <section class="panel">
      {parts.map(
        ([title, names]) =>
          names.length > 0 && (
            <div key={title}>
              <h2>{title}</h2>
              <dl class="values">
                {names.map((name) => (
                  <Fact
                    key={name}
                    name={
                      <button type="button" class="link" onClick={() => followed.choose(name)}>
                        {metricLabel(name)}
                      </button>
                    }
                  >
                    <NewestValue of={sensor} name={name} />
                  </Fact>
                ))}
              </dl>
            </div>
          ),
      )}
      {sent.length === 0 && <p class="quiet">{messages.value.desk.noReading}</p>}
      <p class="cluster">
        {sensor.latest?.quality?.measuredAt === "clock" && <span class="chip">{t.clock}</span>}
        {sensor.latest?.late && <span class="chip">{t.late}</span>}
      </p>
    </section>
  );
}

/** With its age, if it did not come with the newest reading. */
function NewestValue({ of, name }: { of: WholeSensor; name: MetricName }) {
  const { value, quality, measuredAt } = newestValue(of, name)!;
  return (
    <>
      {formatValue(value, name)}
      <Quality of={quality} />
      {measuredAt !== undefined && (
        <span class="quiet">
          {" "}
          <Moment at={measuredAt} />
        </span>
      )}
    </>
  );
}

/** What is known of a value, in words; nothing where it is good. */
function Quality({ of }: { of: string | undefined }) {
  const t = messages.value.sensor;
  const words = { suspect: t.suspect, corrected: t.corrected, invalid: t.invalid } as Readonly<Record<string, string>>;
  return of === undefined || words[of] === undefined ? null : <span class="chip">{words[of]}</span>;
}

function Alerts({ followed }: { followed: FollowedSensor }) {
  const t = messages.value;
  const alerts = followed.alerts.value;
  return (
    <section>
      <h2>{t.sensor.alerts}</h2>
      {alerts.length === 0 && <p class="quiet">{t.sensor.noAlerts}</p>}
      <ul class="lines">
        {alerts.map((alert) => (
          <li key={alert.id} class={isOpen(alert) ? "open" : ""}>
            <SeverityMark severity={alert.severity} />
            <div>
              <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{titleOf(alert)}</a>{" "}
              <span class="quiet">
                <Moment at={alert.startedAt} as="time" /> · {t.words.state[alert.state]}
              </span>
              <p class="quiet">{tell(alert).explanation}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Rules({ followed }: { followed: FollowedSensor }) {
  const t = messages.value.sensor;
  const rules = followed.rules.value;
  return (
    <section class="panel">
      <details>
        <summary>{t.rules(rules.length)}</summary>
        <ul class="rules">
          {rules.map((rule) => (
            <li key={rule.id}>
              <a href={`/rules/${encodeURIComponent(rule.id)}`}>{rule.title}</a>
              {rule.metric !== undefined && <span class="quiet"> {metricLabel(rule.metric)}</span>}
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}
