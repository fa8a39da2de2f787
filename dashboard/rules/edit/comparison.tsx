import { useMemo, useState } from "preact/hooks";
import type { BacktestAlertView, Figures } from "../../../model/backtest.ts";
import { messages } from "../../messages/messages.ts";
import { language } from "../../shell/preferences.ts";
import { sayMs } from "../../words/span.ts";
import { Moment } from "../../words/time.tsx";
import { sayRate } from "../rule-table.tsx";
import type { Comparison } from "./history.ts";
import { LaneChart, nameOf } from "./lane-chart.tsx";
import { firedAt, type Line, lanesOf, linesOf } from "./lanes.ts";

/** What the change would have changed: figures, what is added, removed and moved, and when. */
export function ComparisonView({ comparison }: { comparison: Comparison }) {
  const t = messages.value.ruleEditor;
  const { before, after, diff } = comparison;
  const lines = useMemo(() => linesOf(comparison), [comparison]);
  const span = { from: Date.parse(after.from), to: Date.parse(after.to) };
  const lanes = useMemo(() => lanesOf(lines, span), [lines]);
  const failure = after.failures[0]?.failure;
  return (
    <div class="comparison">
      {failure !== undefined && (
        <p class="rules-broken" role="alert">
          {t.failed(failure)}
        </p>
      )}
      {after.readings === 0 && <p class="note">{t.noReadings}</p>}
      <FiguresTable before={before?.figures} after={after.figures} />
      {before && (
        <p class="differences" role="status">
          {t.diff(diff.added.length, diff.removed.length, diff.moved.length, diff.unchanged)}
        </p>
      )}
      {(after.dropped > 0 || (before?.dropped ?? 0) > 0) && <p class="note">{t.dropped}</p>}
      {lanes.length > 0 ? (
        <>
          <LaneChart lanes={lanes} span={span} hasBefore={before !== undefined} />
          <Alerts lines={lines} hasBefore={before !== undefined} />
        </>
      ) : (
        <p class="quiet">{t.quiet}</p>
      )}
    </div>
  );
}

function FiguresTable({ before, after }: { before: Figures | undefined; after: Figures }) {
  const { ruleEditor: t, rules } = messages.value;
  const rows: readonly (readonly [string, (figures: Figures) => string])[] = [
    [rules.alertsRaised, ({ alerts }) => number(alerts)],
    [rules.perDay, ({ alertsPerDay }) => sayRate(alertsPerDay)],
    [t.firing, ({ minutesFiring }) => sayMs(minutesFiring * 60_000)],
    [rules.retracted, ({ retracted }) => number(retracted)],
  ];
  return (
    <table class="rule-lines before-after">
      <thead>
        <tr>
          <td />
          {before && <th scope="col">{t.before}</th>}
          <th scope="col">{t.after}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, say]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {before && <td>{say(before)}</td>}
            <td>{say(after)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const number = (value: number) => new Intl.NumberFormat(language.value).format(value);

const ROWS_MAX = 500;

/** The same as a table, built when somebody opens it. */
function Alerts({ lines, hasBefore }: { lines: readonly Line[]; hasBefore: boolean }) {
  const { ruleEditor: t, rules } = messages.value;
  const [open, setOpen] = useState(false);
  return (
    <details class="comparison-alerts" onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>{t.asTable}</summary>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
        <section class="rule-scroll" tabIndex={0} aria-label={t.asTable}>
          <table class="rule-lines">
            <thead>
              <tr>
                <th scope="col">{t.subject}</th>
                {hasBefore && <th scope="col">{t.difference}</th>}
                {hasBefore && <th scope="col">{t.before}</th>}
                <th scope="col">{t.after}</th>
              </tr>
            </thead>
            <tbody>
              {lines.slice(0, ROWS_MAX).map((line) => (
                <AlertLine key={(line.after ?? line.before)!.id + line.is} {...{ line, hasBefore }} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {open && lines.length > ROWS_MAX && <p class="quiet">{rules.newest(ROWS_MAX)}</p>}
    </details>
  );
}

function AlertLine({ line, hasBefore }: { line: Line; hasBefore: boolean }) {
  const { differences } = messages.value.ruleEditor;
  const { is, before, after } = line;
  return (
    <tr class={is === "same" ? "quiet" : undefined}>
      <th scope="row">{nameOf((after ?? before)!.subject)}</th>
      {hasBefore && <td>{differences[is]}</td>}
      {hasBefore && <Span alert={before} />}
      <Span alert={after} />
    </tr>
  );
}

function Span({ alert }: { alert: BacktestAlertView | undefined }) {
  const { rules, words } = messages.value;
  if (!alert) return <td>{rules.none}</td>;
  return (
    <td title={alert.explanation}>
      <Moment at={firedAt(alert)} as="time" /> –{" "}
      {alert.resolvedAt === undefined ? words.state[alert.state] : <Moment at={alert.resolvedAt} as="time" />}
    </td>
  );
}
