import { messages } from "../messages/messages.ts";
import { navigate } from "../shell/router.ts";
import { type Asked, addressOf, PRESETS, toLocalInput } from "./report-data.ts";

/** Which time: a shift, a day, a week, or from and to. It stands in the address, so that a report can be sent as a link. */
export function RangeForm({ asked, wrong }: { asked: Asked; wrong: string | undefined }) {
  const t = messages.value.report;

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const { from, to } = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement)) as Record<
      string,
      string
    >;
    const [begin, end] = [new Date(from!), new Date(to!)];
    navigate(`/report?from=${encodeURIComponent(begin.toISOString())}&to=${encodeURIComponent(end.toISOString())}`);
  }

  return (
    <form class="report-range" onSubmit={(event) => submit(event as unknown as SubmitEvent)}>
      <nav class="report-presets" aria-label={t.range}>
        {PRESETS.map((hours) => (
          <a
            key={hours}
            class="button"
            href={`/report?hours=${hours}`}
            aria-current={asked.hours === hours ? "true" : undefined}
          >
            {t.lastHours(hours)}
          </a>
        ))}
      </nav>
      <RangeField name="from" label={t.from} at={asked.from} wrong={wrong !== undefined} />
      <RangeField name="to" label={t.to} at={asked.to} wrong={wrong !== undefined} />
      <button type="submit" class="button">
        {t.show}
      </button>
      <a class="button" href={`/api/v1${addressOf(asked)}&format=csv`} download="report.csv">
        {t.csv}
      </a>
      <button type="button" class="button" onClick={() => print()}>
        {t.print}
      </button>
      {wrong && (
        <p class="wrong" role="alert" id="range-wrong">
          {wrong}
        </p>
      )}
    </form>
  );
}

function RangeField({ name, label, at, wrong }: { name: string; label: string; at: Date; wrong: boolean }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        // A new time is a new field: what was typed in the old one is gone.
        key={at.getTime()}
        type="datetime-local"
        name={name}
        required
        defaultValue={toLocalInput(at)}
        aria-invalid={wrong || undefined}
        aria-describedby={wrong ? "range-wrong" : undefined}
      />
    </label>
  );
}
