import { messages } from "../../messages/messages.ts";
import type { StatusView } from "./status-history.ts";

/** Each part in its own words; what to do stands there in the service's language. */
export function HealthTable({ status }: { status: StatusView }) {
  const t = messages.value.feed.throughput;
  return (
    <section class="feed-section">
      <h2>{t.health}</h2>
      <p class={status.ready ? "feed-verdict good" : "feed-verdict bad"}>{status.ready ? t.ready : t.notReady}</p>
      <div class="feed-table">
        <table>
          <thead>
            <tr>
              <th scope="col">{t.part}</th>
              <th scope="col">{t.state}</th>
              <th scope="col">{t.reason}</th>
            </tr>
          </thead>
          <tbody>
            {status.parts.map(({ part, state, reason }) => (
              <tr key={part}>
                <th scope="row">{part}</th>
                <td>
                  <span class={`feed-health ${state}`}>{t.states[state]}</span>
                </td>
                <td>{reason ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
