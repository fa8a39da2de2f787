import "./chart.css";
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { useWidget } from "../parts/show.tsx";
import { Table } from "../parts/table.tsx";
import { language, theme } from "../shell/preferences.ts";
import { formatTime, formatUtc } from "../words/time.tsx";
import { formatValue } from "../words/words.ts";
import { zone } from "../words/zone.ts";
import type { ChartData, Tone } from "./chart-data.ts";

export type ChartKey = { readonly tone: Tone; readonly text: string; readonly shape?: "ring" | "cross" };

type TimeChartProps = {
  /** What there is to see, in one sentence: for those who do not see it. */
  readonly label: string;
  readonly data: ChartData;
  /** What its height means: the values and their unit. */
  readonly title: string;
  /** What the bands and marks mean. */
  readonly legend?: readonly ChartKey[];
  readonly onZoom?: (from: number, to: number) => void;
};

/** Values over time: a drawing, its legend, and the same as a table. uPlot is a chunk of its own. */
export function TimeChart({ label, data, title, legend = [], onZoom }: TimeChartProps) {
  const t = messages.value.chart;
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const { box, widget, failed } = useWidget(async () => {
    const { openPlot } = await import("./plot.ts");
    return (element) => {
      const options = {
        language: language.peek(),
        ...(onZoom ? { onZoom: (from: number, to: number) => zoom.current?.(from, to) } : {}),
      };
      return openPlot(element, options);
    };
  });
  useEffect(() => {
    if (!widget) return;
    widget.show(data);
    box.current!.dataset.ready = "";
  }, [widget, data]);
  // Paper has colours of its own.
  useEffect(() => {
    const paper = matchMedia("print");
    const recolour = () => widget?.recolour();
    paper.addEventListener("change", recolour);
    return () => paper.removeEventListener("change", recolour);
  }, [widget]);
  useSignalEffect(() => {
    theme.value; // and nothing else: the colours are read from the document
    widget?.recolour();
  });

  return (
    <figure class="chart stack">
      <p class="chart-title">
        <b>{title}</b> <span class="quiet">· {messages.value.shell.zone(zone.value)}</span>
      </p>
      <div ref={box} class="chart-box" role="img" aria-label={label} />
      {failed && <p class="quiet">{t.failed}</p>}
      <figcaption class="cluster">
        {keysOf(data, legend).map(({ tone, text, shape = "" }) => (
          <span key={text} class="chart-key">
            <i class={`chart-swatch ${tone} ${shape}`} /> {text}
          </span>
        ))}
      </figcaption>
      <Values data={data} />
    </figure>
  );
}

const keysOf = ({ series }: ChartData, legend: readonly ChartKey[]): readonly ChartKey[] => [
  ...series.map(({ tone, label: text }) => ({ tone, text })),
  ...legend,
];

const ROWS_MAX = 500;

function Values({ data: { series, unit } }: { data: ChartData }) {
  const t = messages.value.chart;
  const [open, setOpen] = useState(false);
  const now = Date.now();
  const rows = open
    ? [...new Set(series.flatMap(({ points, notes }) => [...points.map(([at]) => at), ...(notes?.keys() ?? [])]))].sort(
        (a, b) => b - a,
      )
    : [];
  return (
    <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary>{t.asTable}</summary>
      {open && (
        <>
          <Table
            label={t.asTable}
            class="chart-table"
            columns={[t.time, ...series.map(({ label }) => label)]}
            rows={rows.slice(0, ROWS_MAX).map((at) => ({
              key: at,
              cells: [
                <span title={formatUtc(at)}>{formatTime(at, now)}</span>,
                ...series.map(({ points, notes }) => {
                  const value = describeValue(points.find(([one]) => one === at)?.[1], unit);
                  return [value, notes?.get(at)].filter(Boolean).join(" · ");
                }),
              ],
            }))}
          />
          {rows.length > ROWS_MAX && <p class="quiet">{t.newest(ROWS_MAX)}</p>}
        </>
      )}
    </details>
  );
}

const describeValue = (value: number | undefined, unit: string) =>
  value === undefined ? "–" : formatValue(value, undefined, unit);
