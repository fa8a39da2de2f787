import { useState } from "preact/hooks";
import type { SilenceView, WindowsView } from "../../contract/silence.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { Problem, useLoaded } from "../parts/state.tsx";
import { language } from "../shell/preferences.ts";
import { clock } from "../words/time.tsx";
import { dayOf, fromLocalInput, zone } from "../words/zone.ts";
import "./calendar.css";

type Window = { readonly silence: SilenceView; readonly from: number; readonly to: number };
/** Days are counted at noon UTC: no change of the clocks moves them to another day. */
type Day = { readonly noon: number; readonly from: number; readonly to: number };

const DAY_MS = 86_400_000;
const PER_DAY = 4;

/** A month of silences and maintenance windows: seven columns, or on a phone the days on which something is. */
export function Calendar({ silences }: { silences: readonly SilenceView[] }) {
  const { calendar: t } = messages.value;
  const today = dayOf(clock.value);
  const [month, setMonth] = useState(today.slice(0, 7));
  const days = daysOf(month);
  const path = `/silences/windows?from=${isoOf(days[0]!.from)}&to=${isoOf(days.at(-1)!.to)}`;
  const { found, problem } = useLoaded(
    (signal) => request<WindowsView>("GET", path, undefined, signal),
    [path, silences],
  );
  const byId = new Map(silences.map((one) => [one.id, one]));
  const windows = (found?.items ?? []).flatMap(({ silence: id, from, to }): Window[] => {
    const silence = byId.get(id);
    const end = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to);
    return silence ? [{ silence, from: Date.parse(from), to: end }] : [];
  });
  const name = new Intl.DateTimeFormat(language.value, { month: "long", year: "numeric", timeZone: "UTC" });
  // The first of the month stands under its day of the week; weeks begin on Monday.
  const first = (new Date(days[0]!.noon).getUTCDay() + 6) % 7;
  const isQuiet = found !== undefined && windows.length === 0;
  return (
    <section class="calendar stack" aria-labelledby="calendar-title">
      <div class="section-head">
        <h3 id="calendar-title">
          {t.title}: <span aria-live="polite">{name.format(days[0]!.noon)}</span>
        </h3>
        <div class="cluster">
          <Button aria-label={t.previous} onClick={() => setMonth(moved(month, -1))}>
            ←
          </Button>
          {month !== today.slice(0, 7) && <Button onClick={() => setMonth(today.slice(0, 7))}>{t.today}</Button>}
          <Button aria-label={t.next} onClick={() => setMonth(moved(month, 1))}>
            →
          </Button>
        </div>
      </div>
      <Problem of={problem} />
      {isQuiet && <p class="note">{t.none}</p>}
      {found?.truncated && <p class="note">{t.truncated}</p>}
      <div class="calendar-week" aria-hidden="true">
        {weekdays().map((one) => (
          <span key={one}>{one}</span>
        ))}
      </div>
      <ol class="calendar-days" aria-busy={found === undefined && problem === undefined}>
        {days.map((day, i) => (
          <DayItem
            key={day.noon}
            day={day}
            column={i === 0 ? first + 1 : undefined}
            isToday={new Date(day.noon).toISOString().slice(0, 10) === today}
            windows={windows.filter(({ from, to }) => from < day.to && to > day.from)}
          />
        ))}
      </ol>
    </section>
  );
}

type DayItemProps = {
  readonly day: Day;
  readonly column: number | undefined;
  readonly isToday: boolean;
  readonly windows: readonly Window[];
};

function DayItem({ day, column, isToday, windows }: DayItemProps) {
  const { calendar: t } = messages.value;
  const full = new Intl.DateTimeFormat(language.value, { dateStyle: "full", timeZone: "UTC" }).format(day.noon);
  return (
    <li
      class={windows.length === 0 ? "empty" : ""}
      style={column === undefined ? undefined : { "--column": String(column) }}
      aria-current={isToday ? "date" : undefined}
    >
      <p class="calendar-day">
        <span class="calendar-full">{full}</span>
        <span class="calendar-number" aria-hidden="true">
          {new Date(day.noon).getUTCDate()}
        </span>
      </p>
      {windows.length > 0 && (
        <ul>
          {windows.slice(0, PER_DAY).map((one) => (
            <li key={`${one.silence.id} ${one.from}`}>
              <button type="button" class={`calendar-window ${one.silence.kind}`} onClick={() => show(one.silence)}>
                <b>{timeOn(one, day)}</b> {one.silence.reason}
              </button>
            </li>
          ))}
          {windows.length > PER_DAY && <li class="quiet">{t.more(windows.length - PER_DAY)}</li>}
        </ul>
      )}
    </li>
  );
}

export const cardIdOf = ({ id }: Pick<SilenceView, "id">) => `silence-${id}`;

function show(silence: SilenceView): void {
  const card = document.getElementById(cardIdOf(silence));
  card?.scrollIntoView({ block: "center" });
  card?.focus({ preventScroll: true });
}

function timeOn({ from, to }: Window, day: Day): string {
  const { calendar: t } = messages.value;
  const format = new Intl.DateTimeFormat(language.value, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone.value,
  });
  if (from <= day.from && to >= day.to) return t.allDay;
  if (from <= day.from) return t.until(format.format(to));
  return to > day.to ? format.format(from) : `${format.format(from)}–${format.format(to)}`;
}

const isoOf = (at: number) => encodeURIComponent(new Date(at).toISOString());

/** "2026-11" and so many months on. */
function moved(month: string, by: number): string {
  const [year, number] = month.split("-").map(Number) as [number, number];
  return new Date(Date.UTC(year, number - 1 + by, 1)).toISOString().slice(0, 7);
}

/** The days of a month on the city's clocks. */
function daysOf(month: string): Day[] {
  const days: Day[] = [];
  for (let noon = Date.parse(`${month}-01T12:00:00Z`); ; noon += DAY_MS) {
    const day = new Date(noon).toISOString().slice(0, 10);
    if (!day.startsWith(month)) return days;
    const next = new Date(noon + DAY_MS).toISOString().slice(0, 10);
    days.push({ noon, from: fromLocalInput(`${day}T00:00`), to: fromLocalInput(`${next}T00:00`) });
  }
}

/** Monday to Sunday, in short. */
function weekdays(): string[] {
  const format = new Intl.DateTimeFormat(language.value, { weekday: "short", timeZone: "UTC" });
  const monday = Date.UTC(2026, 0, 5, 12);
  return Array.from({ length: 7 }, (_, i) => format.format(monday + i * DAY_MS));
}
