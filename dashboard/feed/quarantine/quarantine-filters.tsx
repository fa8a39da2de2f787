import { useId } from "preact/hooks";
import { isId } from "../../../model/ids.ts";
import { REASON_NAMES } from "../../../model/rejection.ts";
import { messages } from "../../messages/messages.ts";
import { Choice } from "../../parts/choice.tsx";
import { setQuery } from "../../shell/router.ts";
import type { QuarantineFilter } from "./quarantine-state.ts";

const STATES = ["waiting", "redriven"] as const;

export function QuarantineFilters({ filter }: { filter: QuarantineFilter }) {
  const { feed } = messages.value;
  const t = feed.quarantine;
  const id = useId();
  const wrong = filter.sensor !== "" && !isId(filter.sensor);
  return (
    <search class="feed-filters" aria-label={feed.live.filters}>
      <input
        type="search"
        aria-label={t.sensor}
        placeholder={t.sensor}
        value={filter.sensor}
        spellcheck={false}
        aria-invalid={wrong || undefined}
        aria-describedby={wrong ? id : undefined}
        onInput={(event) => setQuery({ sensor: event.currentTarget.value.trim() })}
      />
      <Choice
        {...{ label: t.reason, any: t.any, value: filter.reason, among: REASON_NAMES }}
        say={(one) => feed.reasons[one]}
        onChoose={(reason) => setQuery({ reason })}
      />
      <Choice
        {...{ label: t.state, any: t.any, value: filter.state, among: STATES }}
        say={(one) => t[one]}
        onChoose={(state) => setQuery({ state })}
      />
      {wrong && (
        <small class="wrong" id={id} role="alert">
          {t.sensorWrong}
        </small>
      )}
    </search>
  );
}
