import { useState } from "preact/hooks";
import { ApiProblem, request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { Field } from "../../parts/field.tsx";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";
import { parseMoment, type TraceView } from "./ledger-data.ts";

/** Where one reading is: by its sensor and when it was measured. */
export function TraceForm() {
  const { ledger: t, quarantine } = messages.value.feed;
  const { busy, problem, attempt } = useAttempt();
  const [timeWrong, setTimeWrong] = useState(false);
  const [trace, setTrace] = useState<TraceView | undefined>();

  function submit(form: HTMLFormElement): void {
    const data = new FormData(form);
    const measuredAt = parseMoment(String(data.get("measuredAt")));
    setTimeWrong(measuredAt === undefined);
    setTrace(undefined);
    if (measuredAt === undefined) return;
    const asked = new URLSearchParams({ sensor: String(data.get("sensor")).trim(), measuredAt });
    void attempt(async () => setTrace(await request<TraceView>("GET", `/ledger/trace?${asked}`)));
  }

  const wrong =
    problem instanceof ApiProblem ? problem.errors.find(({ pointer }) => /sensor/.test(pointer)) : undefined;
  return (
    <section class="feed-section">
      <h2>{t.trace}</h2>
      <form
        class="feed-form"
        onSubmit={(event) => {
          event.preventDefault();
          submit(event.currentTarget);
        }}
      >
        <Field label={t.sensor} name="sensor" wrong={wrong && quarantine.sensorWrong} />
        <Field
          label={t.measuredAt}
          name="measuredAt"
          hint={t.measuredAtHint}
          wrong={timeWrong ? t.timeWrong : undefined}
        />
        <button type="submit" class="button" disabled={busy}>
          {t.search}
        </button>
      </form>
      <div role="status">{trace && <Found trace={trace} />}</div>
      {problem !== undefined && !wrong && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
    </section>
  );
}

function Found({ trace }: { trace: TraceView }) {
  const { ledger: t, reasons } = messages.value.feed;
  return (
    <div class="note">
      <strong>{t.found[trace.found]}</strong>
      <p>{trace.sentence}</p>
      {trace.quarantined.map(({ id, reason, detail }) => (
        <p key={id}>
          {reasons[reason]}: {detail}
        </p>
      ))}
    </div>
  );
}
