import { AUDIENCES, SEVERITIES } from "../../../model/alert.ts";
import { sensors } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { Choice } from "../../parts/choice.tsx";
import { SeverityMark } from "../../parts/severity.tsx";
import { districtName } from "../../words/units.ts";
import type { Desk } from "../desk-state.ts";
import { ALERT_KINDS, WHO } from "../filters.ts";

/** What the list is narrowed to. Every change is in the address at once. */
export function FilterBar({ desk }: { desk: Desk }) {
  const { desk: t, words } = messages.value;
  const filters = desk.filters.value;
  const districts = [...new Set([...sensors.value.values()].map((one) => one.district))].sort();
  return (
    <search class="filters" aria-label={t.filters}>
      <input
        id="desk-search"
        type="search"
        aria-label={t.search}
        placeholder={t.searchHint}
        value={filters.text}
        onInput={(event) => desk.setFilters({ text: event.currentTarget.value })}
      />
      <Severities desk={desk} />
      <div class="choices">
        <Choice
          {...{ label: t.kind, any: t.any, value: filters.kind, among: ALERT_KINDS }}
          say={(one) => words.kind[one]}
          onChoose={(kind) => desk.setFilters({ kind })}
        />
        <Choice
          {...{ label: t.district, any: t.any, value: filters.district, among: districts }}
          say={districtName}
          onChoose={(district) => desk.setFilters({ district })}
        />
        <Choice
          {...{ label: t.audience, any: t.any, value: filters.audience, among: AUDIENCES }}
          say={(one) => words.audience[one]}
          onChoose={(audience) => desk.setFilters({ audience })}
        />
        <Choice
          {...{ label: t.who, any: t.any, value: filters.who, among: WHO }}
          say={(one) => (one === "me" ? t.mine : t.nobody)}
          onChoose={(who) => desk.setFilters({ who })}
        />
      </div>
    </search>
  );
}

/** One switch for each severity, with how many there are; none pressed is all of them. */
function Severities({ desk }: { desk: Desk }) {
  const { desk: t, words } = messages.value;
  const { severities } = desk.filters.value;
  const open = desk.open.value;
  return (
    <fieldset class="severities">
      <legend class="hidden">{t.severity}</legend>
      {SEVERITIES.toReversed().map((severity) => {
        const on = severities.has(severity);
        const next = new Set(severities);
        if (on) next.delete(severity);
        else next.add(severity);
        return (
          <button
            key={severity}
            type="button"
            class="button"
            aria-pressed={on}
            title={words.severity[severity]}
            onClick={() => desk.setFilters({ severities: next })}
          >
            <SeverityMark severity={severity} />
            {open.filter((alert) => alert.severity === severity).length}
          </button>
        );
      })}
    </fieldset>
  );
}
