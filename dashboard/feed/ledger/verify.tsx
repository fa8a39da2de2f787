import { useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";
import { formatCount } from "../numbers.ts";
import type { CheckView, LedgerView } from "./ledger-data.ts";

/** Counts again what the store and the quarantine hold, and compares. */
export function Verify() {
  const t = messages.value.feed.ledger;
  const { busy, problem, attempt } = useAttempt();
  const [check, setCheck] = useState<CheckView | undefined>();
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

function Outcome({ check }: { check: CheckView }) {
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
