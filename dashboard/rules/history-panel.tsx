import { useEffect, useMemo, useState } from "preact/hooks";
import type { BacktestAlertView } from "../../contract/backtest.ts";
import type { FiguresView } from "../../contract/rule.ts";
import { sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { describeRate } from "../messages/rule-words.ts";
import { Button, Tabs } from "../parts/fields.tsx";
import { Problem } from "../parts/state.tsx";
import { numbers, Table } from "../parts/table.tsx";
import { language } from "../shell/preferences.ts";
import { tell } from "../words/tell.ts";
import { formatTime, Moment } from "../words/time.tsx";
import { describeMs, districtName } from "../words/words.ts";
import type { Draft } from "./draft.ts";
import {
  type Bar,
  type Comparison,
  DAYS,
  DIFFERENCES,
  firedAt,
  type Lane,
  type Line,
  lanesOf,
  linesOf,
  type RuleHistory,
} from "./history.ts";

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
        <Tabs
          legend={t.span}
          name="days"
          value={history.days.value}
          options={DAYS.map((days) => [days, t.days(days)] as const)}
          onChoose={(days) => {
            history.days.value = days;
          }}
        />
        {history.busy.value ? (
          <Button onClick={history.stop}>{t.stop}</Button>
        ) : (
          <Button class="primary" disabled={!rule} onClick={() => rule && void history.run(rule, draft.present.value)}>
            {t.run}
          </Button>
        )}
      </div>
      {history.busy.value && <Running history={history} />}
      <Problem of={history.problem.value} />
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
      {seconds > 1 && <span class="quiet"> {describeMs(seconds * 1_000)}</span>}
    </p>
  );
}

/** What the change would have changed: figures, what is added, removed and moved, and when. */
function ComparisonView({ comparison }: { comparison: Comparison }) {
  const t = messages.value.ruleEditor;
  const { before, after, diff } = comparison;
  const lines = useMemo(() => linesOf(comparison), [comparison]);
  const span = { from: Date.parse(after.from), to: Date.parse(after.to) };
  const lanes = useMemo(() => lanesOf(lines, span), [lines]);
  const failure = after.failures[0]?.failure;
  return (
    <div class="stack">
      {failure !== undefined && (
        <p class="alarm" role="alert">
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

function FiguresTable({ before, after }: { before: FiguresView | undefined; after: FiguresView }) {
  const { ruleEditor: t, rules } = messages.value;
  const rows: readonly (readonly [string, (figures: FiguresView) => string])[] = [
    [rules.alertsRaised, ({ alerts }) => number(alerts)],
    [rules.perDay, ({ alertsPerDay }) => describeRate(alertsPerDay)],
    [t.firing, ({ minutesFiring }) => describeMs(minutesFiring * 60_000)],
    [rules.retracted, ({ retracted }) => number(retracted)],
  ];
  return (
    <Table
      label={t.figure}
      class="narrow-table"
      columns={[{ head: t.figure, hidden: true }, ...numbers(...(before ? [t.before, t.after] : [t.after]))]}
      rows={rows.map(([name, say]) => ({ key: name, cells: [name, ...(before ? [say(before)] : []), say(after)] }))}
    />
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
        <Table
          label={t.asTable}
          class="tall"
          columns={[t.subject, ...(hasBefore ? [t.difference, t.before] : []), t.after]}
          rows={lines.slice(0, ROWS_MAX).map(({ is, before, after }) => ({
            key: (after ?? before)!.id + is,
            class: is === "same" ? "quiet" : undefined,
            cells: [
              nameOf((after ?? before)!.subject),
              ...(hasBefore ? [t.differences[is], <Span alert={before} />] : []),
              <Span alert={after} />,
            ],
          }))}
        />
      )}
      {open && lines.length > ROWS_MAX && <p class="quiet">{rules.newest(ROWS_MAX)}</p>}
    </details>
  );
}

function Span({ alert }: { alert: BacktestAlertView | undefined }) {
  const { rules, words } = messages.value;
  if (!alert) return <>{rules.none}</>;
  return (
    <span title={tell(alert).explanation}>
      <Moment at={firedAt(alert)} as="time" /> –{" "}
      {alert.resolvedAt === undefined ? words.state[alert.state] : <Moment at={alert.resolvedAt} as="time" />}
    </span>
  );
}

const SHOWN = 12;
const WIDTH = 1_000;

type LaneChartProps = {
  readonly lanes: readonly Lane[];
  readonly span: { readonly from: number; readonly to: number };
  /** Without it there is nothing to compare with: a new rule. */
  readonly hasBefore: boolean;
};

/** Two lanes for each subject, before above after. The table below says the same. */
function LaneChart({ lanes, span, hasBefore }: LaneChartProps) {
  const t = messages.value.ruleEditor;
  const [all, setAll] = useState(false);
  const shown = all ? lanes : lanes.slice(0, SHOWN);
  const used = DIFFERENCES.filter((is) =>
    lanes.some((lane) => [...lane.before, ...lane.after].some((bar) => bar.is === is)),
  );
  return (
    <figure class="lanes stack">
      <div role="img" aria-label={t.chartLabel(lanes.length)}>
        {shown.map((lane) => (
          <div key={nameOf(lane.subject)} class="lane">
            <span class="lane-name">{nameOf(lane.subject)}</span>
            <svg viewBox={`0 0 ${WIDTH} ${hasBefore ? 26 : 14}`} preserveAspectRatio="none" aria-hidden="true">
              {hasBefore && <Bars bars={lane.before} span={span} top={2} />}
              <Bars bars={lane.after} span={span} top={hasBefore ? 14 : 2} />
            </svg>
          </div>
        ))}
        <Axis span={span} />
      </div>
      <figcaption class="cluster">
        {hasBefore && <span class="quiet">{t.lanesHint}</span>}
        {used.map((is) => (
          <span key={is} class="lane-key">
            <svg viewBox="0 0 16 10" aria-hidden="true">
              <rect class={`bar ${is}`} x="1" y="1" width="14" height="8" />
            </svg>
            {t.differences[is]}
          </span>
        ))}
        {lanes.length > shown.length && <Button onClick={() => setAll(true)}>{t.showAll(lanes.length)}</Button>}
      </figcaption>
    </figure>
  );
}

function Bars({ bars, span, top }: { bars: readonly Bar[]; span: LaneChartProps["span"]; top: number }) {
  const scale = WIDTH / (span.to - span.from);
  return (
    <>
      <line class="lane-line" x1="0" x2={WIDTH} y1={top + 5} y2={top + 5} />
      {bars.map((bar) => (
        <rect
          key={bar.from}
          class={`bar ${bar.is}`}
          x={(bar.from - span.from) * scale}
          y={top}
          width={Math.max(3, (bar.to - bar.from) * scale)}
          height={10}
        />
      ))}
    </>
  );
}

const TICKS = 4;

function Axis({ span }: { span: LaneChartProps["span"] }) {
  const times = Array.from({ length: TICKS + 1 }, (_, i) => span.from + ((span.to - span.from) * i) / TICKS);
  // Days apart: with their day, each of them.
  return (
    <div class="lane lane-axis" aria-hidden="true">
      <span />
      <p>
        {times.map((at) => (
          <span key={at}>{formatTime(at, 0)}</span>
        ))}
      </p>
    </div>
  );
}

/** A sensor by its name, or the place that a quorum is about. */
function nameOf({ sensorId, district, gateway, tag }: Lane["subject"]): string {
  if (sensorId !== undefined) return sensors.value.get(sensorId)?.name ?? sensorId;
  if (gateway !== undefined) return gateway;
  return tag ? `${tag.name} ${tag.value}` : districtName(district ?? "");
}
