import type { AlertView } from "../../contract/alert.ts";
import { noteOf, sourceOf, tell } from "../words/tell.ts";
import { type FollowedAlert, followAlert, isCharted } from "./alert-state.ts";
import "./alert.css";
import { useEffect, useMemo } from "preact/hooks";
import { returnedIn } from "../../model/alert.ts";
import { metricRow } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { isOpen, sensors } from "../live/live.ts";
import { SmallMap } from "../map/small-map.tsx";
import { messages } from "../messages/messages.ts";
import { Fact, SeverityMark } from "../parts/show.tsx";
import { Absent, isMissing } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import type { PageProps } from "../shell/router.ts";
import { mayHandle } from "../shell/session.ts";
import { clock, formatTime, Moment } from "../words/time.tsx";
import { districtName, formatValue, metricLabel } from "../words/words.ts";
import { Actions, ReviewForm } from "./actions.tsx";
import { AlertChart } from "./alert-chart.tsx";
import { Incident } from "./incident.tsx";

/** `/alerts/:id`: why the service says this, and what people do about it. */
export function AlertPage({ params }: PageProps) {
  const id = params.id!;
  const followed = useMemo(() => followAlert(id), [id]);
  useEffect(() => followed.close, [followed]);

  const alert = followed.alert.value;
  const problem = followed.problem.value;
  if (!alert || isMissing(problem)) return <Absent problem={problem} missing={messages.value.alert.notFound} />;
  return <Loaded followed={followed} alert={alert} />;
}

function Loaded({ followed, alert }: { followed: FollowedAlert; alert: AlertView }) {
  const t = messages.value.alert;
  return (
    <div class="alert-page page">
      <Head alert={alert} rule={followed.rule.value} />
      <div class="columns">
        <div class="stack">
          {alert.incident !== undefined && <Incident id={alert.incident} alert={alert} />}
          {isCharted(alert) && <AlertChart alert={alert} rule={followed.rule.value} />}
          <Evidence alert={alert} />
          <section>
            <h2>{t.timeline}</h2>
            <Timeline alert={alert} />
          </section>
        </div>
        <aside class="stack">
          {mayHandle.value && <Actions followed={followed} alert={alert} />}
          <Facts alert={alert} rule={followed.rule.value} />
          <Where alert={alert} />
          {mayHandle.value && <ReviewForm followed={followed} alert={alert} />}
        </aside>
      </div>
    </div>
  );
}

/** Where its sensor stands. */
function Where({ alert: { subject, severity } }: { alert: AlertView }) {
  const sensor = sensors.value.get(subject.sensorId ?? "");
  if (sensor?.lat === undefined || sensor.lon === undefined) return null;
  const label = messages.value.map.where(sensor.name ?? sensor.id);
  return <SmallMap place={{ lat: sensor.lat, lon: sensor.lon }} label={label} severity={severity} />;
}

function Head({ alert, rule }: { alert: AlertView; rule: Rule | undefined }) {
  const { words, alert: t } = messages.value;
  const told = tell(alert);
  // Of an alert of an earlier version: what its rule says today.
  const advice = told.advice ?? rule?.advice;
  const { severity, state, handling, assignee, audience, verdict, suppressedBy, mode } = alert;
  return (
    <header class={`page-head stack ${isOpen(alert) ? alert.severity : "calm"}`}>
      <p class="alert-chips cluster">
        <SeverityMark severity={severity} />
        <span class="chip">{words.state[state]}</span>
        <span class="chip">
          {words.handling[handling]}
          {assignee && `: ${assignee}`}
        </span>
        <span class="chip">{words.audience[audience]}</span>
        {verdict && verdict.is !== "event" && <span class="chip">{words.verdict[verdict.is]}</span>}
        {suppressedBy !== undefined && <span class="chip">{words.suppressed}</span>}
        {mode === "history" && <span class="chip">{words.history}</span>}
      </p>
      <h1 tabIndex={-1}>{told.title}</h1>
      {advice && (
        <p class="sentence advice">
          <strong>{t.advice}:</strong> {advice}
        </p>
      )}
      <Returned alert={alert} />
      <Glance alert={alert} />
      <p class="quiet">{told.explanation}</p>
    </header>
  );
}

/** Who was there and could not do it: whoever gives the work reads that before anything else. */
function Returned({ alert: { timeline } }: { alert: AlertView }) {
  const returned = returnedIn(timeline);
  if (!returned) return null;
  const time = formatTime(Date.parse(returned.at), clock.value);
  return (
    <p class="note returned">
      <strong>{messages.value.alert.returned(returned.by ?? "", time)}:</strong> {returned.note}
    </p>
  );
}

/** How it is, where the limit is, since when. */
function Glance({ alert: { metric, unit, value, limit, startedAt, resolvedAt } }: { alert: AlertView }) {
  const t = messages.value.alert;
  const say = (one: number) => formatValue(one, metric, unit);
  return (
    <dl class="glance cluster">
      {value !== undefined && <Fact name={resolvedAt === undefined ? t.now : t.last}>{say(value)}</Fact>}
      {limit !== undefined && <Fact name={t.limit}>{say(limit)}</Fact>}
      <Fact name={t.began}>
        <Moment at={startedAt} as="time" /> (<Moment at={startedAt} />)
      </Fact>
      {resolvedAt !== undefined && (
        <Fact name={t.ended}>
          <Moment at={resolvedAt} as="time" />
        </Fact>
      )}
    </dl>
  );
}

/** What else one wants to know, and where to read on. */
function Facts({ alert, rule }: { alert: AlertView; rule: Rule | undefined }) {
  const { alert: t, words } = messages.value;
  const { subject, verdict, expected, suppressedBy, correctedBy, children = [] } = alert;
  const told = tell(alert);
  return (
    <dl class="facts panel">
      {subject.sensorId !== undefined && (
        <Fact name={t.sensor}>
          <a href={`/sensors/${encodeURIComponent(subject.sensorId)}`}>
            {sensors.value.get(subject.sensorId)?.name ?? subject.sensorId}
          </a>
        </Fact>
      )}
      {subject.district !== undefined && <Fact name={t.place}>{placeOf(alert)}</Fact>}
      {expected && <Fact name={t.expected}>{describeExpected(expected)}</Fact>}
      {verdict && (
        <Fact name={t.cityOrSensor}>
          <strong>{words.verdict[verdict.is]}</strong> {told.verdict}
        </Fact>
      )}
      {suppressedBy !== undefined && <Fact name={t.suppressedBy}>{describeSuppressed(suppressedBy)}</Fact>}
      {correctedBy && (
        <Fact name={t.correctedBy}>
          {correctedBy.sensorId}, <Moment at={correctedBy.measuredAt} as="time" />
        </Fact>
      )}
      {children.length > 0 && (
        <Fact name={t.children(children.length)}>
          <ul class="children">
            {children.map((id) => (
              <li key={id}>
                <a href={`/alerts/${encodeURIComponent(id)}`}>{id}</a>
              </li>
            ))}
          </ul>
        </Fact>
      )}
      <Fact name={t.rule}>
        {rule ? <a href={`/rules/${encodeURIComponent(rule.id)}`}>{told.title}</a> : told.title}
      </Fact>
      <Fact name={t.source}>
        {rule?.source.url ? (
          <a href={rule.source.url} target="_blank" rel="noreferrer">
            {sourceOf(alert.rule)}
          </a>
        ) : (
          sourceOf(alert.rule)
        )}
      </Fact>
    </dl>
  );
}

function placeOf({ subject: { district, gateway, tag } }: AlertView): string {
  return [districtName(district ?? ""), gateway, tag && `${tag.name} ${tag.value}`].filter(Boolean).join(", ");
}

function describeExpected({ at, from, to }: NonNullable<AlertView["expected"]>): string {
  const say = (time: string) => formatTime(Date.parse(time), clock.value);
  return messages.value.alert.expectedBetween(say(at), say(from), say(to));
}

function describeSuppressed(by: string): string {
  const t = messages.value.alert.suppressed;
  const [what, id = ""] = by.split(":");
  if (what === "rule") return t.rule(id);
  return what === "flapping" ? t.flapping : t.silence;
}

/** The readings and windows an alert rests on, as they were at the time. */
function Evidence({ alert }: { alert: AlertView }) {
  const t = messages.value.alert;
  if (alert.evidence.length === 0) return null;
  return (
    <section>
      <h2>{t.evidence}</h2>
      <Table
        label={t.evidence}
        columns={[t.time, t.value, t.quality]}
        rows={alert.evidence.map((one) => ({
          key: `${one.measuredAt} ${one.metric} ${one.note}`,
          cells: [
            <Moment at={one.measuredAt} as="time" />,
            <>
              {one.value !== undefined && formatValue(one.value, one.metric, unitOf(alert, one.metric))}{" "}
              {one.metric !== undefined && one.metric !== alert.metric && metricLabel(one.metric)}
              {one.window && <span class="quiet"> {describeWindow(one.window)}</span>}
              {one.note !== undefined && <span class="quiet"> {noteOf(one)}</span>}
            </>,
            one.value === undefined ? "" : one.quality === "suspect" ? t.suspect : t.good,
          ],
        }))}
      />
    </section>
  );
}

const unitOf = (alert: AlertView, metric: string | undefined) =>
  metric === undefined || metric === alert.metric ? alert.unit : metricRow(metric)?.unit;

function describeWindow({ samples, expected }: { samples: number; expected?: number }): string {
  const t = messages.value.alert;
  return expected === undefined ? t.windowMean(samples) : t.windowOf(samples, expected);
}

/** From this on it matters that the service knew later than it was. */
const LATE_MS = 10 * 60_000;

/** What happened and what people did, oldest first. */
function Timeline({ alert: { id, timeline: entries } }: { alert: AlertView }) {
  const t = messages.value.alert;
  return (
    <ol class="timeline">
      {folded(entries).map(([entry, times], i) => (
        <li key={`${i} ${entry.what}`} class={entry.by === undefined ? "engine" : "people"}>
          <Moment at={entry.at} as="time" />
          <div>
            <strong>{t.what[entry.what] ?? entry.what}</strong>
            {times > 1 && <span class="quiet"> {t.times(times)}</span>}
            {entry.by !== undefined && ` ${t.by(entry.by)}`}
            {isLate(entry) && (
              <span class="quiet"> {t.knownLater(formatTime(Date.parse(entry.knownAt), clock.value))}</span>
            )}
            {entry.note !== undefined && <p>{noteOf(entry)}</p>}
            {entry.parts !== undefined && <p>{t.parts(entry.parts)}</p>}
            {entry.photos && <Photos alertId={id} ids={entry.photos} />}
          </div>
        </li>
      ))}
    </ol>
  );
}

/** What people took there; each opens by itself. */
function Photos({ alertId, ids }: { alertId: string; ids: readonly string[] }) {
  return (
    <ul class="photos cluster">
      {ids.map((id, i) => {
        const address = `/api/v1/alerts/${encodeURIComponent(alertId)}/photos/${id}`;
        return (
          <li key={id}>
            <a href={address} target="_blank" rel="noreferrer">
              <img src={address} alt={messages.value.alert.photo(i + 1)} loading="lazy" />
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** The same said again and again by late or corrected readings is one line, as it was said last. */
function folded(entries: AlertView["timeline"]): (readonly [AlertView["timeline"][number], number])[] {
  const lines: [AlertView["timeline"][number], number][] = [];
  for (const entry of entries) {
    const last = lines.at(-1);
    if (last && last[0].what === entry.what && entry.by === undefined && FOLDED.has(entry.what)) {
      lines[lines.length - 1] = [entry, last[1] + 1];
    } else lines.push([entry, 1]);
  }
  return lines;
}

const FOLDED: ReadonlySet<string> = new Set(["corrected", "readings-corrected", "late-confirmed", "verdict"]);

const isLate = ({ at, knownAt }: { at: string; knownAt: string }) => Date.parse(knownAt) - Date.parse(at) > LATE_MS;
