import { KINDS } from "../../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../../model/metrics.ts";
import { sensors } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { Choice } from "../../parts/choice.tsx";
import { setQuery } from "../../shell/router.ts";
import { districtName, metricLabel } from "../../words/units.ts";
import type { FeedFilter } from "./feed-filter.ts";

/** What the feed is narrowed to. Every change is in the address at once. */
export function FeedFilters({ filter }: { filter: FeedFilter }) {
  const { feed, words } = messages.value;
  const t = feed.live;
  const districts = [...new Set([...sensors.value.values()].map((one) => one.district))].sort();
  const kinds = filter.kind ? [filter.kind] : KINDS;
  const metrics = [...new Set<MetricName>(kinds.flatMap((kind) => METRICS_OF[kind]))];
  return (
    <search class="feed-filters" aria-label={t.filters}>
      <input
        type="search"
        aria-label={t.sensor}
        placeholder={t.sensorHint}
        value={filter.sensor}
        spellcheck={false}
        onInput={(event) => setQuery({ sensor: event.currentTarget.value })}
      />
      <Choice
        {...{ label: t.kind, any: t.any, value: filter.kind, among: KINDS }}
        say={(one) => words.kind[one]}
        onChoose={(kind) => setQuery({ kind })}
      />
      <Choice
        {...{ label: t.district, any: t.any, value: filter.district, among: districts }}
        say={districtName}
        onChoose={(district) => setQuery({ district })}
      />
      <Choice
        {...{ label: t.metric, any: t.any, value: filter.metric, among: metrics }}
        say={metricLabel}
        onChoose={(metric) => setQuery({ metric })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={filter.suspect}
          onChange={(event) => setQuery({ suspect: event.currentTarget.checked ? "yes" : undefined })}
        />
        {t.onlySuspect}
      </label>
    </search>
  );
}
