import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { type ChartData, toColumns, valueRange } from "./chart-data.ts";
import { type Colours, chartColours, drawBands, drawLevelsAndMarks, drawRanges } from "./draw.ts";

export type Plot = {
  show(data: ChartData): void;
  recolour(): void;
  close(): void;
};

export type PlotOptions = {
  readonly language: string;
  /** Someone has drawn across a span to see it larger. */
  readonly onZoom?: (from: number, to: number) => void;
};

/** A chart in this element. It is made anew when its series change in number, which uPlot cannot do by itself. */
export function openPlot(box: HTMLElement, { language, onZoom }: PlotOptions): Plot {
  let data: ChartData | undefined;
  let plot: uPlot | undefined;
  let colours = chartColours(box);
  const observer = new ResizeObserver(() => plot?.setSize(sizeOf(box)));
  observer.observe(box);

  function make(): void {
    plot?.destroy();
    if (data) plot = new uPlot(optionsFor(data, sizeOf(box)), toColumns(data.series) as uPlot.AlignedData, box);
  }

  function optionsFor(shown: ChartData, size: { width: number; height: number }): uPlot.Options {
    return {
      ...size,
      legend: { show: false },
      cursor: { drag: { x: onZoom !== undefined, y: false }, points: { size: 7 } },
      scales: {
        x: { time: true, range: () => [data!.from / 1_000, data!.to / 1_000] },
        y: { range: () => valueRange(data!) },
      },
      axes: [timeAxis(colours, language), valueAxis(colours, language)],
      series: [{}, ...shown.series.map(({ label, tone, dashed }) => lineOf(label, colours[tone], dashed))],
      hooks: {
        drawClear: [(self) => drawBands(self, data!, colours), (self) => drawRanges(self, data!, colours)],
        draw: [(self) => drawLevelsAndMarks(self, data!, colours)],
        setSelect: [
          (self) => {
            const { left, width } = self.select;
            if (width < 5) return;
            onZoom?.(self.posToVal(left, "x") * 1_000, self.posToVal(left + width, "x") * 1_000);
            self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  return {
    show(next) {
      const same = data !== undefined && namesOf(data) === namesOf(next);
      data = next;
      if (same && plot) plot.setData(toColumns(next.series) as uPlot.AlignedData);
      else make();
    },
    recolour() {
      colours = chartColours(box);
      make();
    },
    close() {
      observer.disconnect();
      plot?.destroy();
    },
  };
}

const namesOf = ({ series }: ChartData) => series.map(({ label, tone }) => `${label}/${tone}`).join("|");
const sizeOf = ({ clientWidth, clientHeight }: HTMLElement) => ({ width: clientWidth, height: clientHeight });

function lineOf(label: string, stroke: string, dashed: boolean | undefined): uPlot.Series {
  return { label, stroke, width: dashed ? 1.25 : 1.75, points: { show: false }, ...(dashed ? { dash: [4, 4] } : {}) };
}

function timeAxis(colours: Colours, language: string): uPlot.Axis {
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
  const minute = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const year = new Intl.DateTimeFormat(language, { month: "short", year: "numeric" });
  const words = (at: number, stepS: number) => {
    const time = new Date(at * 1_000);
    if (stepS >= 28 * 86_400) return year.format(time);
    return stepS >= 86_400 || (time.getHours() === 0 && time.getMinutes() === 0)
      ? day.format(time)
      : minute.format(time);
  };
  return { ...lines(colours), space: 70, values: (_, ticks, __, ___, step) => ticks.map((at) => words(at, step)) };
}

function valueAxis(colours: Colours, language: string): uPlot.Axis {
  const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 6 });
  return { ...lines(colours), size: 56, values: (_, ticks) => ticks.map((value) => number.format(value)) };
}

const lines = ({ quiet, line }: Colours): uPlot.Axis => ({
  stroke: quiet,
  grid: { stroke: line, width: 1 },
  ticks: { stroke: line, width: 1 },
  font: "12px system-ui, sans-serif",
});
