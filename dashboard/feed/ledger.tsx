import { useEffect, useState } from "preact/hooks";
import type { LedgerCheckView, LedgerView, TraceView } from "../../contract/ledger.ts";
import { ApiProblem, request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Field } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { mayManage } from "../shell/session.ts";
import { sayProblem } from "../words/words.ts";
import { formatCount, parseMoment, TERMS } from "./formats.ts";

const ASK_EVERY_MS = 5_000;

/** The books: where everything that was ever received ended. */
export function Ledger() {
  const t = messages.value.feed.ledger;
  const { books, problem } = useBooks();
  return (
    <>
      <p class="quiet">{t.intro}</p>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      {books && (
        <>
          <Whole books={books} />
          {mayManage.value && (
            <div class="feed-columns">
              <Verify />
              <TraceForm />
            </div>
          )}
          <Reasons books={books} />
          <DaysTable days={books.days} settled={books.scope === "settled"} />
        </>
      )}
    </>
  );
}

/** The identity as a sum that one can check in one's head. */
function Whole({ books }: { books: LedgerView }) {
  const t = messages.value.feed.ledger;
  return (
    <section class="feed-section" aria-label={t.identity}>
      <p class={books.balanced ? "feed-verdict good" : "feed-verdict bad"}>
        {books.balanced ? t.balanced : t.notBalanced}
      </p>
      <dl class="feed-identity">
        <div class="whole">
          <dt>{t.received}</dt>
          <dd>{formatCount(books.received)}</dd>
        </div>
        {TERMS.map((term, i) => (
          <div key={term} data-sign={i === 0 ? "=" : "+"}>
            <dt>{t[term]}</dt>
            <dd>{formatCount(books[term])}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">{t.identity}</p>
    </section>
  );
}

function Reasons({ books }: { books: LedgerView }) {
  const t = messages.value.feed;
  const reasons = Object.entries(books.reasons).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return null;
  return (
    <section class="feed-section">
      <h2>{t.ledger.reasons}</h2>
      <ul class="feed-reasons">
        {reasons.map(([reason, count]) => (
          <li key={reason}>
            <a href={`/feed?tab=quarantine&reason=${reason}`}>{t.reasons[reason as keyof typeof t.reasons]}</a>{" "}
            {formatCount(count)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function useBooks() {
  const [books, setBooks] = useState<LedgerView | undefined>();
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const ask = () =>
      request<LedgerView>("GET", "/ledger", undefined, signal).then(
        (answer) => {
          setBooks(answer);
          setProblem(undefined);
        },
        (error: unknown) => signal.aborted || setProblem(error),
      );
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, []);
  return { books, problem };
}

/** Counts again what the store and the quarantine hold, and compares. */
export function Verify() {
  const t = messages.value.feed.ledger;
  const { busy, problem, attempt } = useAttempt();
  const [check, setCheck] = useState<LedgerCheckView | undefined>();
  const verify = async () => setCheck((await request<LedgerView>("GET", "/ledger?verify=true")).verified);
  return (
    <section class="feed-section">
      <h2>{t.verify}</h2>
      <p class="quiet">{t.verifyHint}</p>
      <div>
        <button type="button" class="button" disabled={busy} onClick={() => void attempt(verify)}>
          {busy ? t.verifying : t.verify}
        </button>
      </div>
      <div role="status">{check && !busy && <Outcome check={check} />}</div>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
    </section>
  );
}

function Outcome({ check }: { check: LedgerCheckView }) {
  const t = messages.value.feed.ledger;
  if (check.ok) {
    const { readings, quarantine } = check;
    return <p class="feed-verdict good">{t.verified(formatCount(readings.found), formatCount(quarantine.found))}</p>;
  }
  return (
    <>
      <p class="feed-verdict bad">{t.differs(check.differing)}</p>
      <ul>
        {check.differences.slice(0, 20).map((one) => (
          <li key={`${one.what} ${one.day} ${one.sensorId}`}>
            {[t.differences[one.what], one.day, one.sensorId].filter(Boolean).join(", ")}:{" "}
            {t.difference(formatCount(one.booked), formatCount(one.found))}
          </li>
        ))}
      </ul>
    </>
  );
}

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

export function DaysTable({ days, settled }: { days: LedgerView["days"]; settled: boolean }) {
  const t = messages.value.feed.ledger;
  if (days.length === 0) return null;
  return (
    <section class="feed-section">
      <h2>{t.days}</h2>
      {settled && <p class="note">{t.settled}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
      <section class="feed-table" tabIndex={0} aria-label={t.days}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.day}</th>
              {(["received", ...TERMS] as const).map((term) => (
                <th key={term} scope="col" class="number">
                  {t[term]}
                </th>
              ))}
              <th scope="col">{t.books}</th>
            </tr>
          </thead>
          <tbody>
            {days.map((line) => (
              <tr key={line.day}>
                <th scope="row">{line.day}</th>
                {(["received", ...TERMS] as const).map((term) => (
                  <td key={term} class="number">
                    {formatCount(line[term])}
                  </td>
                ))}
                <td>
                  <span class={`feed-health ${line.balanced ? "ok" : "failed"}`}>
                    {line.balanced ? t.balanced : t.notBalanced}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}
