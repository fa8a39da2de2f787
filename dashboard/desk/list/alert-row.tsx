import { type AlertView, isOpen } from "../../api/alerts.ts";
import { sensors } from "../../live/live.ts";
import { messages } from "../../messages/messages.ts";
import { SeverityMark } from "../../parts/severity.tsx";
import { mayHandle } from "../../shell/session.ts";
import { Moment } from "../../words/time.tsx";
import { districtName } from "../../words/units.ts";
import type { Desk } from "../desk-state.ts";
import { holderOf } from "../filters.ts";

type RowProps = {
  readonly desk: Desk;
  readonly alert: AlertView;
  /** Pixels from the top, and which of how many. */
  readonly place: { readonly top: number; readonly at: number; readonly of: number };
};

/** One alert: how bad, where, what in one sentence, since when, who has it. */
export function AlertRow({ desk, alert, place }: RowProps) {
  const t = messages.value.desk;
  const { id, severity, rule, explanation, startedAt } = alert;
  const state = [
    isOpen(alert) ? "" : "ended",
    desk.current.value === id ? "current" : "",
    desk.selected.value.has(id) ? "selected" : "",
  ].join(" ");
  return (
    <li
      class={`row ${severity} ${state}`}
      style={{ top: `${place.top}px` }}
      data-id={id}
      aria-setsize={place.of}
      aria-posinset={place.at}
      onFocusIn={() => (desk.current.value = id)}
    >
      {mayHandle.value && (
        <label class="target">
          <input
            type="checkbox"
            aria-label={t.select(rule.title)}
            checked={desk.selected.value.has(id)}
            onChange={() => desk.toggle(id)}
          />
        </label>
      )}
      <SeverityMark severity={severity} />
      <div class="row-text">
        <p class="row-title">
          <a href={`/alerts/${encodeURIComponent(id)}`}>{rule.title}</a>{" "}
          <span class="quiet" title={sensorOf(alert)}>
            {placeOf(alert)}
          </span>
        </p>
        <p class="row-sentence" title={explanation}>
          {explanation}
        </p>
      </div>
      <div class="row-end">
        <span class="quiet">
          <span class="hidden">{t.since}</span> <Moment at={startedAt} />
        </span>
        <Who desk={desk} alert={alert} />
      </div>
    </li>
  );
}

/** "Centre", or what else the rule watches. The sensor is in the sentence already. */
function placeOf({ subject: { district, gateway, tag, sensorId } }: AlertView): string {
  const place = district === undefined ? undefined : districtName(district);
  return [place, gateway, tag && `${tag.name} ${tag.value}`].filter(Boolean).join(", ") || (sensorId ?? "");
}

/** "Air station Market Square". */
function sensorOf({ subject: { sensorId } }: AlertView): string | undefined {
  return sensorId === undefined ? undefined : (sensors.value.get(sensorId)?.name ?? sensorId);
}

function Who({ desk, alert }: { desk: Desk; alert: AlertView }) {
  const { desk: t, words } = messages.value;
  if (alert.state !== "firing") return <span class="chip">{words.state[alert.state]}</span>;
  if (alert.suppressedBy !== undefined) return <span class="chip">{words.suppressed}</span>;
  if (alert.handling === "open" && alert.assignee === undefined) {
    if (!mayHandle.value) return <span class="quiet">{t.nobodyYet}</span>;
    return (
      <button
        type="button"
        class="button small"
        aria-label={t.acknowledge}
        onClick={() => void desk.acknowledge([alert.id])}
      >
        <span>{t.acknowledge}</span>
      </button>
    );
  }
  return (
    <span class="who">
      <span class="quiet">{words.handling[alert.handling]}</span> <b>{holderOf(alert)}</b>
    </span>
  );
}
