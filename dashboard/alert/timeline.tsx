import type { AlertView } from "../api/alerts.ts";
import { messages } from "../messages/messages.ts";
import { clock, formatTime, Moment } from "../words/time.tsx";

/** From this on it matters that the service knew later than it was. */
const LATE_MS = 10 * 60_000;

/** What happened and what people did, oldest first. */
export function Timeline({ entries }: { entries: AlertView["timeline"] }) {
  const t = messages.value.alert;
  return (
    <ol class="timeline">
      {entries.map((entry, i) => (
        <li key={`${i} ${entry.what}`} class={entry.by === undefined ? "engine" : "people"}>
          <Moment at={entry.at} as="time" />
          <div>
            <strong>{t.what[entry.what] ?? entry.what}</strong>
            {entry.by !== undefined && ` ${t.by(entry.by)}`}
            {isLate(entry) && (
              <span class="quiet"> {t.knownLater(formatTime(Date.parse(entry.knownAt), clock.value))}</span>
            )}
            {entry.note !== undefined && <p>{entry.note}</p>}
          </div>
        </li>
      ))}
    </ol>
  );
}

const isLate = ({ at, knownAt }: { at: string; knownAt: string }) => Date.parse(knownAt) - Date.parse(at) > LATE_MS;
