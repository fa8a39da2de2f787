import { messages } from "../messages/messages.ts";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { metricLabel } from "../words/words.ts";
import type { WholeSensor } from "./sensor-state.ts";

/** What this sensor sends and the service does not take: reason, how often, an example; fields that are no metrics. */
export function Refused({ sensor: { id, faults } }: { sensor: WholeSensor }) {
  const t = messages.value;
  const { refused = [], notTaken = [] } = faults ?? {};
  if (refused.length + notTaken.length === 0) return null;
  return (
    <section class="panel sensor-refused">
      {refused.length > 0 && (
        <>
          <h2>{t.admin.register.refused}</h2>
          <ul>
            {refused.map(({ reason, metric, count, since, lastAt, detail }) => (
              <li key={`${reason} ${metric ?? ""}`}>
                <strong>
                  {t.feed.reasons[reason]}
                  {metric && `: ${metricLabel(metric)}`}
                </strong>{" "}
                <span class="quiet">
                  {t.admin.register.times(count)} {t.admin.register.since} <Moment at={since} as="time" /> ·{" "}
                  <Moment at={lastAt} />
                </span>
                <p>{detail}</p>
              </li>
            ))}
          </ul>
        </>
      )}
      {notTaken.length > 0 && (
        <>
          <h2>{t.admin.register.notTaken}</h2>
          <ul>
            {notTaken.map(({ name, count, lastAt, detail }) => (
              <li key={name}>
                <strong>{name}</strong>{" "}
                <span class="quiet">
                  {t.admin.register.times(count)} · <Moment at={lastAt} />
                </span>
                {detail !== undefined && <p>{detail}</p>}
              </li>
            ))}
          </ul>
        </>
      )}
      {mayManage.value && refused.length > 0 && (
        <p>
          <a href={`/feed?tab=quarantine&sensor=${encodeURIComponent(id)}`}>{t.admin.register.toQuarantine}</a>
        </p>
      )}
    </section>
  );
}
