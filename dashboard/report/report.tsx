import type { AlertView } from "../../contract/alert.ts";
import type { ReportLineView, ReportView, TookView } from "../../contract/report.ts";
import { HOUR_MS } from "../../model/time.ts";
import "./report.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import { SEVERITIES } from "../../model/alert.ts";
import { ApiProblem, request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { SeverityMark } from "../parts/facts.tsx";
import { navigate, query } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { districtName, sayMs, sayProblem } from "../words/words.ts";

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

function sayTook(took: TookView | undefined): string {
  const t = messages.value.report;
  if (!took) return t.none;
  return took.count === 1 ? sayMs(took.medianMs) : t.took(sayMs(took.medianMs), sayMs(took.p90Ms));
}

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

const WORST_FIRST = SEVERITIES.toReversed();
type Named = ReportLineView & { readonly district?: string; readonly rule?: string; readonly title?: string };

/** One line per district or rule, those with the most alerts first. */
export function LineTable({
  title,
  what,
  lines,
}: {
  title: string;
  what: "district" | "rule";
  lines: readonly Named[];
}) {
  const t = messages.value;
  if (lines.length === 0) return null;
  return (
    <Table title={title}>
      <thead>
        <tr>
          <th scope="col">{t.report[what]}</th>
          <Numbers names={[t.report.raised, ...WORST_FIRST.map((severity) => t.words.severity[severity])]} />
          <Numbers names={[t.report.resolved, t.report.suppressed, t.report.toAcknowledge, t.report.toResolve]} />
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.rule ?? line.district}>
            <th scope="row">{line.title ?? nameOf(line.district)}</th>
            <td class="number">{line.raised}</td>
            {WORST_FIRST.map((severity) => (
              <td key={severity} class="number">
                {line.bySeverity[severity]}
              </td>
            ))}
            <td class="number">{line.resolved}</td>
            <td class="number">{line.suppressed}</td>
            <td class="number">{sayMedian(line.toAcknowledge)}</td>
            <td class="number">{sayMedian(line.toResolve)}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

const nameOf = (district = "") => (district === "" ? messages.value.report.service : districtName(district));
const sayMedian = (took: TookView | undefined) => (took ? sayMs(took.medianMs) : messages.value.report.none);

function Numbers({ names }: { names: readonly string[] }) {
  return (
    <>
      {names.map((name) => (
        <th key={name} scope="col" class="number">
          {name}
        </th>
      ))}
    </>
  );
}

/** A wide table scrolls by itself, and by the keyboard. */
function Table({ title, hint, children }: { title: string; hint?: string; children: preact.ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      {hint && <p class="quiet">{hint}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
      <section class="report-scroll" tabIndex={0} aria-label={title}>
        <table>{children}</table>
      </section>
    </section>
  );
}

export function SilentTable({ sensors }: { sensors: ReportView["sensorsWithoutData"] }) {
  const t = messages.value.report;
  if (sensors.length === 0) {
    return (
      <section>
        <h2>{t.silent}</h2>
        <p>{t.silentNone}</p>
      </section>
    );
  }
  return (
    <Table title={`${t.silent} (${sensors.length})`} hint={t.silentHint}>
      <thead>
        <tr>
          <th scope="col">{t.sensor}</th>
          <th scope="col">{t.district}</th>
          <th scope="col">{t.lastReading}</th>
        </tr>
      </thead>
      <tbody>
        {sensors.map(({ sensorId, district, lastReadingAt }) => (
          <tr key={sensorId}>
            <th scope="row">
              <a href={`/sensors/${encodeURIComponent(sensorId)}`}>{sensorId}</a>
            </th>
            <td>{districtName(district)}</td>
            <td>{lastReadingAt ? <Moment at={lastReadingAt} as="time" /> : t.never}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

export function AlertTable({ alerts }: { alerts: readonly AlertView[] }) {
  const t = messages.value;
  return (
    <Table title={t.report.alerts}>
      <thead>
        <tr>
          {[t.report.alert, t.report.district, t.report.began, t.report.ended, t.report.whoHasIt].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {alerts.map((alert) => (
          <tr key={alert.id}>
            <th scope="row" class="report-alert">
              <SeverityMark severity={alert.severity} />
              <span>
                <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{alert.rule.title}</a>
                <small class="quiet">{alert.explanation}</small>
              </span>
            </th>
            <td>{nameOf(alert.subject.district)}</td>
            <td>
              <Moment at={alert.startedAt} as="time" />
            </td>
            <td>{alert.resolvedAt ? <Moment at={alert.resolvedAt} as="time" /> : t.words.state[alert.state]}</td>
            <td>
              {t.words.handling[alert.handling]}
              {alert.assignee && `, ${alert.assignee}`}
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

/** The hours of the presets: a shift, a day, a week. */
export const PRESETS: readonly number[] = [8, 24, 168];

export type Asked = { readonly from: Date; readonly to: Date; readonly hours?: number };

/** What the address asks for: `?hours=8` moves on with the clock, `?from&to` stays. Without anything, a shift. */
export function askedOf(query: URLSearchParams, now: number): Asked {
  const [from, to] = [query.get("from"), query.get("to")].map((text) => new Date(text ?? Number.NaN));
  if (Number.isFinite(from!.getTime()) && Number.isFinite(to!.getTime())) return { from: from!, to: to! };
  const hours = Number(query.get("hours")) || PRESETS[0]!;
  return { from: new Date(now - hours * HOUR_MS), to: new Date(now), hours };
}

export function addressOf({ from, to }: Asked): string {
  return `/report?from=${encodeURIComponent(from.toISOString())}&to=${encodeURIComponent(to.toISOString())}`;
}

/** For `<input type="datetime-local">`, which knows no zone: the viewer's own. */
export function toLocalInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
