import { useEffect, useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { sayProblem } from "../../words/problems.ts";
import { sayMs } from "../../words/span.ts";
import { ComparisonView } from "./comparison.tsx";
import type { Draft } from "./draft.ts";
import { DAYS, type RuleHistory } from "./history.ts";

/** What the rule would have said, tried before it is saved. */
export function HistoryPanel({ draft, history }: { draft: Draft; history: RuleHistory }) {
  const t = messages.value.ruleEditor;
  const rule = draft.rule.value;
  const comparison = history.comparison.value;
  const stale = comparison !== undefined && comparison.rule !== rule;
  return (
    <section class="panel history" aria-label={t.history}>
      <div class="section-head">
        <h2>{t.history}</h2>
        <fieldset class="tabs history-days">
          <legend class="hidden">{t.span}</legend>
          {DAYS.map((days) => (
            <label key={days}>
              <input
                type="radio"
                name="days"
                checked={history.days.value === days}
                onChange={() => {
                  history.days.value = days;
                }}
              />
              <span>{t.days(days)}</span>
            </label>
          ))}
        </fieldset>
        {history.busy.value ? (
          <button type="button" class="button" onClick={history.stop}>
            {t.stop}
          </button>
        ) : (
          <button
            type="button"
            class="button primary"
            disabled={!rule}
            onClick={() => rule && void history.run(rule, draft.present.value)}
          >
            {t.run}
          </button>
        )}
      </div>
      {history.busy.value && <Running history={history} />}
      {history.problem.value !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(history.problem.value)}
        </p>
      )}
      {!comparison && !history.busy.value && <p class="quiet">{rule ? t.historyHint : t.historyWaits}</p>}
      {stale && <p class="note">{t.stale}</p>}
      {comparison && <ComparisonView comparison={comparison} />}
    </section>
  );
}

function Running({ history }: { history: RuleHistory }) {
  const t = messages.value.ruleEditor;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.floor((now - history.startedAt.value) / 1_000));
  return (
    <p>
      <span role="status">{history.step.value === "before" ? t.runningBefore : t.runningAfter}</span>
      {seconds > 1 && <span class="quiet"> {sayMs(seconds * 1_000)}</span>}
    </p>
  );
}
