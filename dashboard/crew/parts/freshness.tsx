import { messages } from "../../messages/messages.ts";
import { clock, formatAgo, formatTime } from "../../words/time.tsx";
import type { CrewState } from "../crew-state.ts";

/** Is this how it is now, or how it was? The time is said once; how long ago that is goes on counting in silence. */
export function Freshness({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;
  const reach = crew.reach.value;
  const time = formatTime(crew.savedAt.value, clock.value);
  const { failed, lost, asking, upToDate: here } = t;
  const text = reach === "here" ? here : `${{ failed, lost, asking }[reach]} ${t.keptAt(time)}`;
  return (
    <div class={`crew-fresh ${reach}`}>
      <p role="status">{text}</p>
      {reach !== "here" && <span>{formatAgo(crew.savedAt.value, clock.value)}</span>}
      {reach !== "asking" && (
        <button type="button" class="button" onClick={() => void crew.refresh()}>
          {t.refresh}
        </button>
      )}
    </div>
  );
}
