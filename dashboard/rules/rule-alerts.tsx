import type { AlertView } from "../api/alerts.ts";
import { messages } from "../messages/messages.ts";
import { Moment } from "../words/time.tsx";
import { ALERTS_SHOWN, type OpenRule } from "./rule-state.ts";
import type { RuleView } from "./rules-api.ts";

/** What it said last; of a shadow, what it would have said. */
export function RuleAlerts({ open, rule }: { open: OpenRule; rule: RuleView }) {
  const t = messages.value;
  const page = open.alerts.value;
  const title = rule.mode === "shadow" ? t.rules.shadowAlerts : t.rules.alerts;
  if (!page) return null;
  return (
    <section>
      <h2>{title}</h2>
      {page.items.length === 0 ? (
        <p class="quiet">{t.rules.noAlerts}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
        <section class="rule-scroll" tabIndex={0} aria-label={title}>
          <table class="rule-lines">
            <thead>
              <tr>
                <th scope="col">{t.rules.alert}</th>
                <th scope="col">{t.rules.began}</th>
                <th scope="col">{t.rules.ended}</th>
              </tr>
            </thead>
            <tbody>
              {page.items.map((alert) => (
                <Row key={alert.id} alert={alert} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {page.next !== undefined && <p class="quiet">{t.rules.newest(ALERTS_SHOWN)}</p>}
    </section>
  );
}

function Row({ alert }: { alert: AlertView }) {
  const { words } = messages.value;
  return (
    <tr>
      <th scope="row">
        <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{alert.explanation}</a>
      </th>
      <td>
        <Moment at={alert.startedAt} as="time" />
      </td>
      <td>{alert.resolvedAt === undefined ? words.state[alert.state] : <Moment at={alert.resolvedAt} as="time" />}</td>
    </tr>
  );
}
