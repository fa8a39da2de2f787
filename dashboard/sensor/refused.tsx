import type { PageOf } from "../../contract/common.ts";
import type { QuarantineItemView } from "../../contract/ledger.ts";
import { DAY_MS } from "../../model/time.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { useLoaded } from "../parts/state.tsx";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { metricLabel } from "../words/words.ts";

const LOOKED_AT = 200;
const ASK_EVERY_MS = 30_000;

/** What this sensor sends and the service does not take, of the last day: reason, how often, an example. */
export function Refused({ id }: { id: string }) {
  const t = messages.value;
  const { found } = useLoaded(
    async (signal) => {
      if (!mayManage.peek()) return undefined;
      const path = `/quarantine?sensor=${encodeURIComponent(id)}&limit=${LOOKED_AT}`;
      return request<PageOf<QuarantineItemView>>("GET", path, undefined, signal);
    },
    [id],
    ASK_EVERY_MS,
  );
  const recent = (found?.items ?? []).filter(({ receivedAt }) => Date.parse(receivedAt) > Date.now() - DAY_MS);
  if (recent.length === 0) return null;
  const groups = Map.groupBy(recent, ({ reason, metric = "" }) => `${reason} ${metric}`);
  return (
    <section class="panel sensor-refused">
      <h2>{t.admin.register.refused}</h2>
      <p class="quiet">{t.admin.register.refusedHint}</p>
      <ul>
        {[...groups].map(([key, [newest, ...others]]) => (
          <li key={key}>
            <strong>
              {t.feed.reasons[newest!.reason]}
              {newest!.metric && `: ${metricLabel(newest!.metric)}`}
            </strong>{" "}
            <span class="quiet">
              {t.admin.register.times(others.length + 1, found?.next !== undefined)} ·{" "}
              <Moment at={newest!.receivedAt} />
            </span>
            <p>{newest!.detail}</p>
          </li>
        ))}
      </ul>
      <p>
        <a href={`/feed?tab=quarantine&sensor=${encodeURIComponent(id)}`}>{t.admin.register.toQuarantine}</a>
      </p>
    </section>
  );
}
