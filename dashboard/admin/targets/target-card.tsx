import { useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";
import { Moment } from "../../words/time.tsx";
import type { TargetView } from "./target-data.ts";

type TargetCardProps = {
  readonly target: TargetView;
  readonly others: readonly TargetView[];
  readonly onEdit: () => void;
  readonly onRemove: () => void;
  readonly onTested: () => void;
};

type TestResult = { readonly sent: boolean; readonly error?: string };

export function TargetCard({ target, others, onEdit, onRemove, onTested }: TargetCardProps) {
  const { admin: t } = messages.value;
  const { name, type, url, to } = target;
  const { busy, problem, attempt } = useAttempt();
  const [result, setResult] = useState<TestResult>();

  async function test(): Promise<void> {
    setResult(undefined);
    const path = `/targets/${encodeURIComponent(target.id)}/test`;
    await attempt(async () => setResult(await request<TestResult>("POST", path, {})));
    onTested();
  }

  return (
    <li class="admin-card">
      <div class="admin-card-head">
        <h3>{name}</h3>
        <span class="chip">{t.types[type]}</span>
        <StateChip target={target} />
        <div class="buttons">
          <button type="button" class="button" aria-label={`${t.test}: ${name}`} disabled={busy} onClick={test}>
            {busy ? t.testing : t.test}
          </button>
          <button type="button" class="button" aria-label={`${t.edit}: ${name}`} onClick={onEdit}>
            {t.edit}
          </button>
          <button type="button" class="button quiet" aria-label={`${t.remove}: ${name}`} onClick={onRemove}>
            {t.remove}
          </button>
        </div>
      </div>
      <p class="quiet">{url ?? to}</p>
      <Hears {...{ target, others }} />
      <HowItGoes target={target} />
      <p role="status" class={result?.sent === false || problem !== undefined ? "wrong" : ""}>
        {problem !== undefined && sayProblem(problem)}
        {result && (result.sent ? t.testSent : t.testFailed(result.error ?? ""))}
      </p>
    </li>
  );
}

function StateChip({ target }: { target: TargetView }) {
  const { admin: t } = messages.value;
  if (target.disabledBecause !== undefined) return <span class="chip bad">{t.gone}</span>;
  if (!target.enabled) return <span class="chip">{t.off}</span>;
  if (target.failures > 0) return <span class="chip bad">{t.fails(target.failures)}</span>;
  return target.lastSentAt ? <span class="chip on">{t.works}</span> : <span class="chip">{t.unused}</span>;
}

function Hears({ target, others }: Pick<TargetCardProps, "target" | "others">) {
  const { admin: t, words } = messages.value;
  const { severityMin, audience, districts, rules, quietHours, escalateAfter, escalateTo } = target;
  const nameOf = (id: string) => others.find((other) => other.id === id)?.name ?? id;
  const said = [
    t.hears(words.severity[severityMin], audience ? words.audience[audience] : t.everyone),
    districts && `${t.districts}: ${districts.join(", ")}.`,
    rules && `${t.rules}: ${rules.join(", ")}.`,
    quietHours && t.quietFromTo(quietHours.from, quietHours.to, quietHours.timeZone),
    escalateAfter && escalateTo && t.escalates(escalateAfter, nameOf(escalateTo)),
  ];
  return <p>{said.filter(Boolean).join(" ")}</p>;
}

function HowItGoes({ target }: { target: TargetView }) {
  const { admin: t } = messages.value;
  const { pending, lastError, lastErrorAt, lastSentAt, disabledBecause } = target;
  return (
    <>
      {disabledBecause !== undefined && <p class="wrong">{`${t.disabledBecause}: ${disabledBecause}`}</p>}
      {lastError !== undefined && (
        <p>
          {t.lastError} {lastErrorAt && <Moment at={lastErrorAt} />}: {lastError}
        </p>
      )}
      <p class="quiet">
        {pending > 0 && `${t.pending(pending)}. `}
        {lastSentAt && (
          <>
            {t.lastSent}: <Moment at={lastSentAt} />
          </>
        )}
      </p>
    </>
  );
}
