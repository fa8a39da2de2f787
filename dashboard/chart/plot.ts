import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import { readColours } from "../style/colours.ts";
import { isMidnight, zone } from "../words/zone.ts";
import { type ChartData, type Tone, toColumns, valueRange } from "./chart-data.ts";

type Plot = {
  show(data: ChartData): void;
  recolour(): void;
  close(): void;
};

type PlotOptions = {
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
      // Its days begin and its hours are those of the city's clocks.
      tzDate: (at) => uPlot.tzDate(new Date(at * 1_000), zone.peek()),
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
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: zone.peek() });
  const day = format({ day: "numeric", month: "short" });
  const minute = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const year = format({ month: "short", year: "numeric" });
  const words = (at: number, stepS: number) => {
    const time = new Date(at * 1_000);
    if (stepS >= 28 * 86_400) return year.format(time);
    return stepS >= 86_400 || isMidnight(at * 1_000) ? day.format(time) : minute.format(time);
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

export type Colours = Readonly<Record<Tone | "text" | "line" | "surface", string>>;

const NAMES: Readonly<Record<keyof Colours, string>> = {
  accent: "--accent",
  calm: "--calm",
  critical: "--critical",
  warning: "--warning-fill",
  info: "--info",
  quiet: "--quiet",
  text: "--text",
  line: "--line",
  surface: "--surface",
};

const chartColours = (near: HTMLElement): Colours => readColours(near, NAMES);

/** Behind the lines: windows and spans. */
function drawBands(plot: uPlot, { bands = [] }: ChartData, colours: Colours): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { from, to, tone, isMoment } of bands) {
    ctx.globalAlpha = isMoment ? 0.8 : 0.16;
    const left = Math.max(bbox.left, plot.valToPos(from / 1_000, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1_000, "x", true));
    if (right <= left) continue;
    ctx.fillStyle = colours[tone];
    ctx.fillRect(left, bbox.top, Math.max(right - left, devicePixelRatio), bbox.height);
  }
  ctx.restore();
}

/** Lowest and highest of each step, behind its line. */
function drawRanges(plot: uPlot, { series }: ChartData, colours: Colours): void {
  const { ctx } = plot;
  ctx.save();
  ctx.globalAlpha = 0.2;
  for (const { points, range, tone } of series) {
    if (!range) continue;
    ctx.strokeStyle = colours[tone];
    ctx.lineWidth = Math.max(1, plot.bbox.width / Math.max(points.length, 1));
    ctx.beginPath();
    points.forEach(([at], i) => {
      const pair = range[i];
      if (!pair) return;
      const x = plot.valToPos(at / 1_000, "x", true);
      ctx.moveTo(x, plot.valToPos(pair[0], "y", true));
      ctx.lineTo(x, plot.valToPos(pair[1], "y", true));
    });
    ctx.stroke();
  }
  ctx.restore();
}

/** Over the lines: limits with their names, and the readings that matter. */
function drawLevelsAndMarks(plot: uPlot, { levels = [], marks = [] }: ChartData, colours: Colours): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * scale}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.lineWidth = 1.5 * scale;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  for (const { value, label, tone } of levels) {
    const y = plot.valToPos(value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = colours[tone];
    ctx.setLineDash([6 * scale, 4 * scale]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = colours.text;
    ctx.fillText(label, bbox.left + 6 * scale, y - 5 * scale);
  }
  ctx.setLineDash([]);
  for (const { at, value, tone, shape = "dot" } of marks) {
    const x = plot.valToPos(at / 1_000, "x", true);
    const y = Math.min(Math.max(plot.valToPos(value, "y", true), bbox.top), bbox.top + bbox.height);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    if (shape === "cross") {
      const arm = 3.5 * scale;
      ctx.moveTo(x - arm, y - arm);
      ctx.lineTo(x + arm, y + arm);
      ctx.moveTo(x - arm, y + arm);
      ctx.lineTo(x + arm, y - arm);
    } else ctx.arc(x, y, (shape === "dot" ? 4.5 : 3) * scale, 0, 2 * Math.PI);
    ctx.fillStyle = shape === "dot" ? colours[tone] : colours.surface;
    ctx.strokeStyle = shape === "dot" ? colours.surface : colours[tone];
    if (shape !== "cross") ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}
