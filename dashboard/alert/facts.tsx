import type { Rule } from "../../model/rule.ts";
import type { AlertView } from "../api/alerts.ts";
import { sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Fact } from "../parts/fact.tsx";
import { clock, formatTime, Moment } from "../words/time.tsx";
import { districtName } from "../words/units.ts";

/** What one wants to know at a glance, and where to read on. */
export function Facts({ alert, rule }: { alert: AlertView; rule: Rule | undefined }) {
  const { alert: t, words } = messages.value;
  const { subject, verdict, expected, suppressedBy, correctedBy, children = [] } = alert;
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
      <Fact name={t.began}>
        <Moment at={alert.startedAt} as="time" /> (<Moment at={alert.startedAt} />)
      </Fact>
      {alert.resolvedAt !== undefined && (
        <Fact name={t.ended}>
          <Moment at={alert.resolvedAt} as="time" />
        </Fact>
      )}
      {expected && <Fact name={t.expected}>{sayExpected(expected)}</Fact>}
      {verdict && (
        <Fact name={t.cityOrSensor}>
          <strong>{words.verdict[verdict.is]}</strong> {verdict.why}
        </Fact>
      )}
      {suppressedBy !== undefined && <Fact name={t.suppressedBy}>{saySuppressed(suppressedBy)}</Fact>}
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
        {rule ? <a href={`/rules/${encodeURIComponent(rule.id)}`}>{alert.rule.title}</a> : alert.rule.title}
      </Fact>
      <Fact name={t.source}>
        {rule?.source.url ? (
          <a href={rule.source.url} target="_blank" rel="noreferrer">
            {alert.rule.source}
          </a>
        ) : (
          alert.rule.source
        )}
      </Fact>
      {rule?.advice && <Fact name={t.advice}>{rule.advice}</Fact>}
    </dl>
  );
}

function placeOf({ subject: { district, gateway, tag } }: AlertView): string {
  return [districtName(district ?? ""), gateway, tag && `${tag.name} ${tag.value}`].filter(Boolean).join(", ");
}

function sayExpected({ at, from, to }: NonNullable<AlertView["expected"]>): string {
  const say = (time: string) => formatTime(Date.parse(time), clock.value);
  return messages.value.alert.expectedBetween(say(at), say(from), say(to));
}

function saySuppressed(by: string): string {
  const t = messages.value.alert.suppressed;
  const [what, id = ""] = by.split(":");
  if (what === "rule") return t.rule(id);
  return what === "flapping" ? t.flapping : t.silence;
}
