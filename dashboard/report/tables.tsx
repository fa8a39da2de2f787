import { SEVERITIES } from "../../model/alert.ts";
import type { ReportLine, Took } from "../../model/report.ts";
import type { AlertView } from "../api/alerts.ts";
import { messages } from "../messages/messages.ts";
import { SeverityMark } from "../parts/severity.tsx";
import { sayMs } from "../words/span.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/units.ts";
import type { ReportView } from "./report-data.ts";

const WORST_FIRST = SEVERITIES.toReversed();
type Named = ReportLine & { readonly district?: string; readonly rule?: string; readonly title?: string };

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
const sayMedian = (took: Took | undefined) => (took ? sayMs(took.medianMs) : messages.value.report.none);

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
