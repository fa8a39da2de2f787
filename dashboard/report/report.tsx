import { useEffect, useMemo, useState } from "preact/hooks";
import type { Took } from "../../model/report.ts";
import { ApiProblem, request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { query } from "../shell/router.ts";
import { sayProblem } from "../words/problems.ts";
import { sayMs } from "../words/span.ts";
import { Moment } from "../words/time.tsx";
import { RangeForm } from "./range-form.tsx";
import { addressOf, askedOf, type ReportView } from "./report-data.ts";
import { AlertTable, LineTable, SilentTable } from "./tables.tsx";
import "./report.css";

/** `/report`: what happened in a shift, to hand over or to print. */
export function ReportPage() {
  const t = messages.value;
  const address = query.value.toString();
  const asked = useMemo(() => askedOf(new URLSearchParams(address), Date.now()), [address]);
  const [report, setReport] = useState<ReportView | undefined>();
  const [problem, setProblem] = useState<unknown>();

  useEffect(() => {
    const leaving = new AbortController();
    setProblem(undefined);
    request<ReportView>("GET", addressOf(asked), undefined, leaving.signal).then(setReport, (error) => {
      if (!leaving.signal.aborted) setProblem(error);
    });
    return () => leaving.abort();
  }, [asked]);

  const refused = problem instanceof ApiProblem && problem.status === 400;
  return (
    <div class="report">
      <h1 tabIndex={-1}>{t.report.title}</h1>
      <RangeForm asked={asked} wrong={refused ? (problem.errors[0]?.detail ?? problem.message) : undefined} />
      {problem !== undefined && !refused && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      {report ? <Body report={report} /> : problem === undefined && <p class="quiet loading">{t.shell.loading}</p>}
    </div>
  );
}

function Body({ report }: { report: ReportView }) {
  const t = messages.value.report;
  const { total, byDistrict, byRule, alerts, truncated, sensorsWithoutData } = report;
  return (
    <>
      <p class="quiet">
        <Moment at={report.from} as="time" /> – <Moment at={report.to} as="time" />
      </p>
      <dl class="report-total" aria-label={t.total}>
        <Figure label={t.raised} value={total.raised} />
        <Figure label={t.resolved} value={total.resolved} />
        <Figure label={t.openAtEnd} value={total.openAtEnd} />
        <Figure label={t.suppressed} value={total.suppressed} />
        <Figure label={t.retracted} value={total.retracted} />
        <Figure label={t.toAcknowledge} value={sayTook(total.toAcknowledge)} />
        <Figure label={t.toResolve} value={sayTook(total.toResolve)} />
        <Figure label={t.reviewed} value={`${total.reviewed.right} / ${total.reviewed.wrong}`} />
      </dl>
      {alerts.length === 0 && <p class="note">{t.quiet}</p>}
      {truncated && <p class="note">{t.truncated}</p>}
      <LineTable title={t.byDistrict} what="district" lines={byDistrict} />
      <LineTable title={t.byRule} what="rule" lines={byRule} />
      <SilentTable sensors={sensorsWithoutData} />
      {alerts.length > 0 && <AlertTable alerts={alerts} />}
    </>
  );
}

function Figure({ label, value }: { label: string; value: string | number }) {
  return (
    <div class="card calm">
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function sayTook(took: Took | undefined): string {
  const t = messages.value.report;
  if (!took) return t.none;
  return took.count === 1 ? sayMs(took.medianMs) : t.took(sayMs(took.medianMs), sayMs(took.p90Ms));
}
