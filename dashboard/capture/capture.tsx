import "./capture.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { CaptureCellView, CaptureRowView, CaptureView } from "../../contract/capture.ts";
import { KINDS } from "../../model/kinds.ts";
import { ApiProblem, request } from "../api/client.ts";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { Loading, Problem } from "../parts/state.tsx";
import { Choice, numbers, Table } from "../parts/table.tsx";
import { language } from "../shell/preferences.ts";
import { query, setQuery } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { describeMs, districtName, metricLabel } from "../words/words.ts";
import { zone } from "../words/zone.ts";

const YEARS_BACK = 10;
/** Of the directives on air quality: a year's mean needs 90 % of its hours, an hour 75 % of its values. */
const ENOUGH = 0.9;
const LITTLE = 0.75;

/** `/capture`: how much of what should have come came, by sensor, month and year. */
export function CapturePage() {
  const t = messages.value.capture;
  const address = query.value.toString();
  const { found, problem, isBusy, more } = useCapture(address);
  const refused = problem instanceof ApiProblem && problem.status === 400;
  return (
    <div class="capture page">
      <h1 tabIndex={-1}>{t.title}</h1>
      <p class="quiet">{t.hint}</p>
      <Asked year={found?.year} metrics={found ? metricsIn(found.items) : []} />
      <Problem of={problem} />
      {found ? <Body found={found} /> : problem === undefined && <Loading />}
      {found?.next && (
        <p class="cluster capture-more">
          <Button disabled={isBusy} onClick={() => more(false)}>
            {t.more}
          </Button>
          <Button disabled={isBusy} onClick={() => more(true)}>
            {t.all}
          </Button>
          {isBusy && <span class="quiet">{messages.value.shell.loading}</span>}
        </p>
      )}
      {!refused && found && <Legend rows={found.items} />}
    </div>
  );
}

/** The first page of sensors, and on request the next or all of them. */
function useCapture(address: string) {
  const [found, setFound] = useState<CaptureView | undefined>();
  const [problem, setProblem] = useState<unknown>();
  const [wanted, setWanted] = useState<"first" | "next" | "all" | undefined>("first");
  const filters = useMemo(() => filtersOf(address), [address]);
  useEffect(() => {
    setFound(undefined);
    setProblem(undefined);
    setWanted("first");
  }, [filters]);
  useEffect(() => {
    if (wanted === undefined || (wanted === "first" && found)) return;
    const leaving = new AbortController();
    const cursor = found?.next ? `&cursor=${encodeURIComponent(found.next)}` : "";
    request<CaptureView>("GET", `/capture?${filters}${cursor}`, undefined, leaving.signal).then(
      (page) => {
        if (leaving.signal.aborted) return;
        const { next, ...former } = found ?? { ...page, items: [], silent: [] };
        const items = [...former.items, ...page.items];
        setFound({ ...page, items, silent: [...former.silent, ...page.silent] });
        if (wanted !== "all" || page.next === undefined) setWanted(undefined);
      },
      (error: unknown) => {
        if (leaving.signal.aborted) return;
        setProblem(error);
        setWanted(undefined);
      },
    );
    return () => leaving.abort();
  }, [filters, wanted, wanted === "all" ? found?.next : undefined]);
  const more = (all: boolean) => setWanted(all ? "all" : "next");
  return { found, problem, isBusy: wanted !== undefined, more };
}

const FILTERS = ["year", "sensor", "district", "kind", "metric", "retired"] as const;

function filtersOf(address: string): string {
  const asked = new URLSearchParams(address);
  const kept = new URLSearchParams();
  for (const name of FILTERS) if (asked.get(name)) kept.set(name, asked.get(name)!);
  return kept.toString();
}

const metricsIn = (rows: readonly CaptureRowView[]) => [...new Set(rows.map(({ metric }) => metric))].sort();

function Asked({ year, metrics }: { year: number | undefined; metrics: readonly string[] }) {
  const { capture: t, desk, words } = messages.value;
  const thisYear = new Date().getFullYear();
  const years = Array.from({ length: YEARS_BACK }, (_, i) => String(thisYear - i));
  const chosen = query.value;
  const metric = chosen.get("metric") ?? undefined;
  const address = filtersOf(chosen.toString());
  const sensor = chosen.get("sensor");
  return (
    <search class="filters cluster capture-asked" aria-label={desk.filters}>
      <label class="cluster">
        {t.year}
        <select
          value={chosen.get("year") ?? String(year ?? thisYear)}
          onChange={(event) => setQuery({ year: event.currentTarget.value })}
        >
          {years.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <Choice
        label={desk.district}
        value={chosen.get("district") ?? undefined}
        among={districts.value}
        say={districtName}
        onChoose={(district) => setQuery({ district })}
      />
      <Choice
        label={desk.kind}
        value={KINDS.find((one) => one === chosen.get("kind"))}
        among={KINDS}
        say={(one) => words.kind[one]}
        onChoose={(kind) => setQuery({ kind })}
      />
      <Choice
        label={t.metric}
        value={metric}
        among={metric && !metrics.includes(metric) ? [metric, ...metrics] : metrics}
        say={metricLabel}
        onChoose={(one) => setQuery({ metric: one })}
      />
      {sensor && (
        <Button class="quiet" onClick={() => setQuery({ sensor: undefined })}>
          {t.only(sensor)}
        </Button>
      )}
      <a class="button" href={`/api/v1/capture?${address}&format=csv&locale=${language.value}`} download="capture.csv">
        {messages.value.report.csv}
      </a>
      <Button onClick={() => print()}>{messages.value.report.print}</Button>
    </search>
  );
}

function Body({ found }: { found: CaptureView }) {
  const t = messages.value.capture;
  const { year, items, silent } = found;
  const names = Array.from({ length: 12 }, (_, i) => monthName(i));
  return (
    <>
      {items.length === 0 && <p class="note">{t.nothing(year)}</p>}
      {items.length > 0 && (
        <Table
          label={t.table(year)}
          columns={[
            t.sensor,
            t.metric,
            ...numbers(String(year), ...names),
            ...numbers(t.gaps, t.silent, t.corrections),
            t.notes,
          ]}
          rows={items.map((row) => ({
            key: `${row.sensorId} ${row.metric}`,
            cells: [
              <a href={`/sensors/${encodeURIComponent(row.sensorId)}?metric=${row.metric}`}>{row.sensorId}</a>,
              metricLabel(row.metric),
              <strong>
                <Share cell={row.year} />
              </strong>,
              ...names.map((_, i) => <Share cell={row.months.find(({ month }) => month === i + 1)} />),
              row.year.gaps,
              row.year.gapMs > 0 ? describeMs(row.year.gapMs) : "–",
              row.year.corrections,
              <Notes row={row} />,
            ],
          }))}
        />
      )}
      {silent.length > 0 && (
        <p class="note">
          {t.without(silent.length)} {silent.join(", ")}
        </p>
      )}
    </>
  );
}

/** The share, as a figure that is also a colour; what is behind it on hovering. */
function Share({ cell }: { cell: CaptureCellView | undefined }) {
  const t = messages.value.capture;
  if (!cell) return <span class="quiet">·</span>;
  if (cell.share === undefined) return <span title={t.noShare}>?</span>;
  const level = cell.share >= ENOUGH ? "enough" : cell.share >= LITTLE ? "little" : "poor";
  const detail = t.detail(
    number(cell.values),
    number(Math.round(cell.expected ?? 0)),
    cell.gaps,
    describeMs(cell.longestGapMs),
  );
  const hours = cell.hours === undefined ? "" : ` ${t.hours(number(cell.validHours ?? 0), number(cell.hours))}`;
  return (
    <span class={`share ${level}`} title={`${detail}${hours}`}>
      {percent(cell.share)}
    </span>
  );
}

function Notes({ row }: { row: CaptureRowView }) {
  const t = messages.value.capture;
  const notes = row.unknown.filter((one) => one !== "not-over");
  return (
    <span class="capture-notes">
      {row.intervalS !== undefined && <span>{t.every(describeMs(row.intervalS * 1_000))} </span>}
      {notes.map((one) => (
        <abbr key={one} title={t.unknown[one]}>
          {t.marks[one]}
        </abbr>
      ))}
    </span>
  );
}

/** What the figures do not know, once for all rows. */
function Legend({ rows }: { rows: readonly CaptureRowView[] }) {
  const t = messages.value.capture;
  const shown = [...new Set(rows.flatMap(({ unknown }) => unknown))];
  return (
    <section class="capture-legend">
      <h2>{t.legendTitle}</h2>
      <p>{t.legend(percent(ENOUGH), percent(LITTLE))}</p>
      <dl>
        {shown.map((one) => (
          <div key={one}>
            <dt>{t.marks[one]}</dt>
            <dd>{t.unknown[one]}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">
        {messages.value.shell.zone(zone.value)} · <Moment at={new Date().toISOString()} as="time" />
      </p>
    </section>
  );
}

/** 0.9996 is not all: rounded down. */
function percent(share: number): string {
  const digits = share < 1 && share >= 0.995 ? 1 : 0;
  const floor = Math.floor(share * 100 * 10 ** digits) / 10 ** digits / 100;
  const format = { style: "percent", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language.value, format).format(floor);
}

const number = (value: number) => new Intl.NumberFormat(language.value).format(value);

function monthName(month: number): string {
  return new Intl.DateTimeFormat(language.value, { month: "short", timeZone: "UTC" }).format(Date.UTC(2026, month, 15));
}
