import { messages } from "../../messages/messages.ts";
import type { CrewState } from "../crew-state.ts";

/** What was pressed and has not reached the service yet. */
export function Waiting({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;
  const waiting = crew.waiting.value;
  if (crew.notKept.value) {
    return (
      <p class="crew-refused" role="alert">
        {t.notKept}
      </p>
    );
  }
  if (waiting.length === 0) return null;
  return (
    <section class="crew-waiting" aria-labelledby="crew-waiting">
      <h2 id="crew-waiting">{t.waitingTitle(waiting.length)}</h2>
      <p class="quiet">{crew.queue.value?.lasting ? t.waitingText : t.notLasting}</p>
      <ul>
        {waiting.map(({ key, action, title, place, note, tries }) => (
          <li key={key}>
            <span>
              <strong>{t.actions[action]}</strong>: {title}, {place}
              {note !== undefined && <q>{note}</q>}
            </span>
            {tries === 0 && (
              <button type="button" class="button" onClick={() => void crew.queue.value?.remove(key)}>
                {t.undo}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
