import { useState } from "preact/hooks";
import type { LedgerCheckView, LedgerView, TraceView } from "../../contract/ledger.ts";
import { isId } from "../../model/ids.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Problem, useLoaded } from "../parts/state.tsx";
import { numbers, Table } from "../parts/table.tsx";
import { mayManage } from "../shell/session.ts";
import { formatCount, parseMoment, TERMS } from "./formats.ts";

const ASK_EVERY_MS = 5_000;

/** The books: where everything that was ever received ended. */
export function Ledger() {
  const t = messages.value.feed.ledger;
  const { found: books, problem } = useLoaded(
    (signal) => request<LedgerView>("GET", "/ledger", undefined, signal),
    [],
    ASK_EVERY_MS,
  );
  return (
    <>
      <p class="quiet">{t.intro}</p>
      <Problem of={problem} />
      {books && (
        <>
          <Whole books={books} />
          {mayManage.value && (
            <div class="halves">
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
    <section class="stack" aria-label={t.identity}>
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
    <section class="stack">
      <h2>{t.ledger.reasons}</h2>
      <ul class="feed-reasons cluster">
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

/** Counts again what the store and the quarantine hold, and compares. */
function Verify() {
  const t = messages.value.feed.ledger;
  const { busy, problem, attempt } = useAttempt();
  const [check, setCheck] = useState<LedgerCheckView | undefined>();
  const verify = async () => setCheck((await request<LedgerView>("GET", "/ledger?verify=true")).verified);
  return (
    <section class="stack">
      <h2>{t.verify}</h2>
      <p class="quiet">{t.verifyHint}</p>
      <div>
        <Button disabled={busy} onClick={() => void attempt(verify)}>
          {busy ? t.verifying : t.verify}
        </Button>
      </div>
      <div role="status">{check && !busy && <Outcome check={check} />}</div>
      <Problem of={problem} />
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
function TraceForm() {
  const { ledger: t, quarantine } = messages.value.feed;
  const [timeWrong, setTimeWrong] = useState(false);
  const [sensorWrong, setSensorWrong] = useState(false);
  const [trace, setTrace] = useState<TraceView | undefined>();

  async function submit(data: FormData): Promise<void> {
    const measuredAt = parseMoment(String(data.get("measuredAt")));
    const sensor = typed(data, "sensor") ?? "";
    setTimeWrong(measuredAt === undefined);
    setSensorWrong(!isId(sensor));
    setTrace(undefined);
    if (measuredAt === undefined || !isId(sensor)) return;
    setTrace(await request<TraceView>("GET", `/ledger/trace?${new URLSearchParams({ sensor, measuredAt })}`));
  }

  return (
    <section class="stack">
      <h2>{t.trace}</h2>
      <Form submitLabel={t.search} onSubmit={submit}>
        <Field label={t.sensor} name="sensor" wrong={sensorWrong ? quarantine.sensorWrong : undefined} required />
        <Field
          label={t.measuredAt}
          name="measuredAt"
          hint={t.measuredAtHint}
          required
          wrong={timeWrong ? t.timeWrong : undefined}
        />
      </Form>
      <div role="status">{trace && <Found trace={trace} />}</div>
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

function DaysTable({ days, settled }: { days: LedgerView["days"]; settled: boolean }) {
  const t = messages.value.feed.ledger;
  if (days.length === 0) return null;
  const terms = ["received", ...TERMS] as const;
  return (
    <section class="stack">
      <h2>{t.days}</h2>
      {settled && <p class="note">{t.settled}</p>}
      <Table
        label={t.days}
        columns={[t.day, ...numbers(...terms.map((term) => t[term])), t.books]}
        rows={days.map((line) => ({
          key: line.day,
          cells: [
            line.day,
            ...terms.map((term) => formatCount(line[term])),
            <span class={`health ${line.balanced ? "ok" : "failed"}`}>
              {line.balanced ? t.balanced : t.notBalanced}
            </span>,
          ],
        }))}
      />
    </section>
  );
}
