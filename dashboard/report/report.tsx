import type { AlertView } from "../../contract/alert.ts";
import type { ReportLineView, ReportView, TookView } from "../../contract/report.ts";
import { tell, titleOf } from "../words/tell.ts";
import "./report.css";
import { useMemo } from "preact/hooks";
import { SEVERITIES } from "../../model/alert.ts";
import { HOUR_MS } from "../../model/time.ts";
import { ApiProblem, request } from "../api/client.ts";
import "../handover/handover.css";
import { Note } from "../handover/handover.tsx";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { Figures, SeverityMark } from "../parts/show.tsx";
import { Loading, Problem, useLoaded } from "../parts/state.tsx";
import { type Column, numbers, Table, type TableRow } from "../parts/table.tsx";
import { navigate, query } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { describeMs, districtName, metricLabel } from "../words/words.ts";
import { csvStyle, fromLocalInput, toLocalInput, zone } from "../words/zone.ts";

/** `/report`: what happened in a shift, to hand over or to print. */
export function ReportPage() {
  const t = messages.value;
  const address = query.value.toString();
  const asked = useMemo(() => askedOf(new URLSearchParams(address), Date.now()), [address]);
  const { found, problem } = useLoaded(
    (signal) => request<ReportView>("GET", addressOf(asked), undefined, signal),
    [asked],
  );
  const refused = problem instanceof ApiProblem && problem.status === 400;
  return (
    <div class="report page">
      <h1 tabIndex={-1}>{t.report.title}</h1>
      <RangeForm asked={asked} wrong={refused ? (problem.errors[0]?.detail ?? problem.message) : undefined} />
      {!refused && <Problem of={problem} />}
      {found ? <Body report={found} /> : problem === undefined && <Loading />}
    </div>
  );
}

function Body({ report }: { report: ReportView }) {
  const t = messages.value.report;
  const { total, byDistrict, byRule, alerts, history, truncated, sensorsWithoutData } = report;
  return (
    <>
      <p class="quiet">
        <Moment at={report.from} as="time" /> – <Moment at={report.to} as="time" /> ·{" "}
        {messages.value.shell.zone(zone.value)}
      </p>
      <Figures
        label={t.total}
        rows={[
          [t.raised, total.raised],
          [t.resolved, total.resolved],
          [t.openAtEnd, total.openAtEnd],
          [t.suppressed, total.suppressed],
          [t.retracted, total.retracted],
          [t.toAcknowledge, describeTook(total.toAcknowledge)],
          [t.toResolve, describeTook(total.toResolve)],
          [t.reviewed, `${total.reviewed.right} / ${total.reviewed.wrong}`],
        ]}
      />
      {alerts.length === 0 && <p class="note">{t.quiet}</p>}
      {history !== undefined && history > 0 && <p class="note">{t.history(history)}</p>}
      {truncated && <p class="note">{t.truncated}</p>}
      <LineTable title={t.byDistrict} what="district" lines={byDistrict} />
      <LineTable title={t.byRule} what="rule" lines={byRule} />
      <HandoverNotes notes={report.handover} />
      <Annotations annotations={report.annotations} />
      <SilentTable sensors={sensorsWithoutData} />
      {alerts.length > 0 && <AlertTable alerts={alerts} />}
    </>
  );
}

function describeTook(took: TookView | undefined): string {
  const t = messages.value.report;
  if (!took) return t.none;
  return took.count === 1 ? describeMs(took.medianMs) : t.took(describeMs(took.medianMs), describeMs(took.p90Ms));
}

/** Which time: a shift, a day, a week, or from and to. It stands in the address, so that a report can be sent as a link. */
function RangeForm({ asked, wrong }: { asked: Asked; wrong: string | undefined }) {
  const t = messages.value.report;

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const [from, to] = ["from", "to"].map((name) => new Date(fromLocalInput(String(data.get(name)))));
    navigate(addressOf({ from: from!, to: to! }));
  }

  return (
    <form class="report-range cluster" onSubmit={(event) => submit(event as unknown as SubmitEvent)}>
      <nav class="cluster" aria-label={t.range}>
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
      <a class="button" href={`/api/v1${addressOf(asked)}&format=csv&${csvStyle()}`} download="report.csv">
        {t.csv}
      </a>
      <Button onClick={() => print()}>{t.print}</Button>
      <a class="button" href="/capture">
        {messages.value.pages.capture}
      </a>
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
        defaultValue={toLocalInput(at.getTime())}
        aria-invalid={wrong || undefined}
        aria-describedby={wrong ? "range-wrong" : undefined}
      />
    </label>
  );
}

const WORST_FIRST = SEVERITIES.toReversed();
type Named = ReportLineView & { readonly district?: string; readonly rule?: string; readonly title?: string };
type LineTableProps = { readonly title: string; readonly what: "district" | "rule"; readonly lines: readonly Named[] };

/** One line per district or rule, those with the most alerts first. */
function LineTable({ title, what, lines }: LineTableProps) {
  const { report: t, words } = messages.value;
  if (lines.length === 0) return null;
  return (
    <Part
      title={title}
      columns={[
        t[what],
        ...numbers(t.raised, ...WORST_FIRST.map((severity) => words.severity[severity])),
        ...numbers(t.resolved, t.suppressed, t.toAcknowledge, t.toResolve),
      ]}
      rows={lines.map((line) => ({
        key: line.rule ?? line.district ?? "",
        cells: [
          ...[line.title ?? nameOf(line.district), line.raised],
          ...WORST_FIRST.map((severity) => line.bySeverity[severity]),
          ...[line.resolved, line.suppressed, describeMedian(line.toAcknowledge), describeMedian(line.toResolve)],
        ],
      }))}
    />
  );
}

const nameOf = (district = "") => (district === "" ? messages.value.report.service : districtName(district));
const describeMedian = (took: TookView | undefined) => (took ? describeMs(took.medianMs) : messages.value.report.none);

type PartProps = {
  readonly title: string;
  readonly hint?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
};

function Part({ title, hint, columns, rows }: PartProps) {
  return (
    <section>
      <h2>{title}</h2>
      {hint && <p class="quiet">{hint}</p>}
      {rows.length > 0 && <Table label={title} columns={columns} rows={rows} />}
    </section>
  );
}

function SilentTable({ sensors }: { sensors: ReportView["sensorsWithoutData"] }) {
  const t = messages.value.report;
  const none = sensors.length === 0;
  return (
    <Part
      title={none ? t.silent : `${t.silent} (${sensors.length})`}
      hint={none ? t.silentNone : t.silentHint}
      columns={[t.sensor, t.district, t.lastReading]}
      rows={sensors.map(({ sensorId, district, lastReadingAt }) => ({
        key: sensorId,
        cells: [
          <a href={`/sensors/${encodeURIComponent(sensorId)}`}>{sensorId}</a>,
          districtName(district),
          lastReadingAt ? <Moment at={lastReadingAt} as="time" /> : t.never,
        ],
      }))}
    />
  );
}

function HandoverNotes({ notes }: { notes: ReportView["handover"] }) {
  const t = messages.value.handover;
  if (notes.length === 0) return null;
  return (
    <section>
      <h2>{t.title}</h2>
      <ul class="handover-notes">
        {notes.map((note) => (
          <Note key={note.id} note={note} />
        ))}
      </ul>
    </section>
  );
}

function Annotations({ annotations }: { annotations: ReportView["annotations"] }) {
  const { annotations: t, report } = messages.value;
  if (annotations.length === 0) return null;
  return (
    <Part
      title={t.title}
      columns={[report.sensor, t.text, report.from, report.to, t.by]}
      rows={annotations.map(({ id, sensorId, metric, text, from, to, by }) => ({
        key: id,
        cells: [
          <a href={`/sensors/${encodeURIComponent(sensorId)}`}>{sensorId}</a>,
          <span class="report-text">{metric ? `${metricLabel(metric)}: ${text}` : text}</span>,
          <Moment at={from} as="time" />,
          <Moment at={to} as="time" />,
          by,
        ],
      }))}
    />
  );
}

function AlertTable({ alerts }: { alerts: readonly AlertView[] }) {
  const { report: t, words } = messages.value;
  return (
    <Part
      title={t.alerts}
      columns={[t.alert, t.district, t.began, t.ended, t.whoHasIt]}
      rows={alerts.map((alert) => ({
        key: alert.id,
        cells: [
          <div class="report-alert">
            <SeverityMark severity={alert.severity} />
            <span>
              <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{titleOf(alert)}</a>
              <small class="quiet">{tell(alert).explanation}</small>
            </span>
          </div>,
          nameOf(alert.subject.district),
          <Moment at={alert.startedAt} as="time" />,
          alert.resolvedAt ? <Moment at={alert.resolvedAt} as="time" /> : words.state[alert.state],
          `${words.handling[alert.handling]}${alert.assignee ? `, ${alert.assignee}` : ""}`,
        ],
      }))}
    />
  );
}

/** The hours of the presets: a shift, a day, a week. */
const PRESETS: readonly number[] = [8, 24, 168];

type Asked = { readonly from: Date; readonly to: Date; readonly hours?: number };

/** What the address asks for: `?hours=8` moves on with the clock, `?from&to` stays. Without anything, a shift. */
function askedOf(query: URLSearchParams, now: number): Asked {
  const [from, to] = [query.get("from"), query.get("to")].map((text) => new Date(text ?? Number.NaN));
  if (Number.isFinite(from!.getTime()) && Number.isFinite(to!.getTime())) return { from: from!, to: to! };
  const hours = Number(query.get("hours")) || PRESETS[0]!;
  return { from: new Date(now - hours * HOUR_MS), to: new Date(now), hours };
}

function addressOf({ from, to }: Asked): string {
  return `/report?from=${encodeURIComponent(from.toISOString())}&to=${encodeURIComponent(to.toISOString())}`;
}
