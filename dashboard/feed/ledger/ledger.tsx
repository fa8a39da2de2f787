import { useEffect, useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { mayManage } from "../../shell/session.ts";
import { sayProblem } from "../../words/problems.ts";
import { formatCount } from "../numbers.ts";
import { DaysTable } from "./days-table.tsx";
import { type LedgerView, TERMS } from "./ledger-data.ts";
import { TraceForm } from "./trace-form.tsx";
import { Verify } from "./verify.tsx";

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
