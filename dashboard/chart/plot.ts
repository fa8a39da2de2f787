import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import { readColours } from "../style/colours.ts";
import { isMidnight, midnightsIn, zone } from "../words/zone.ts";
import { type ChartData, isolatedIn, type Series, type Tone, toColumns, valueRange } from "./chart-data.ts";

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
      series: [{}, ...shown.series.map((one) => lineOf(one, colours[one.tone]))],
      hooks: {
        drawClear: [
          (self) => drawBands(self, data!, colours),
          (self) => drawDays(self, data!, colours, language),
          (self) => drawRanges(self, data!, colours),
        ],
        draw: [
          (self) => drawLevels(self, data!, colours),
          (self) => drawMarks(self, data!, colours),
          (self) => drawSpans(self, data!, colours),
          () => tellScale(box, data!),
        ],
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

/** The values at the lower and the upper edge: whoever looks at the drawing can tell what a height means. */
function tellScale(box: HTMLElement, data: ChartData): void {
  const [low, high] = valueRange(data);
  box.dataset.low = String(low);
  box.dataset.high = String(high);
}

function lineOf({ label, dash }: Series, stroke: string): uPlot.Series {
  const filter: uPlot.Series.Points.Filter = (self, at) => isolatedIn(self.data[at] as (number | null | undefined)[]);
  const points = { show: false, size: 4, fill: stroke, filter };
  return { label, stroke, width: dash ? 1.25 : 1.75, points, ...(dash ? { dash: [...dash] } : {}) };
}

function timeAxis(colours: Colours, language: string): uPlot.Axis {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: zone.peek() });
  const day = format({ day: "numeric", month: "short" });
  const minute = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const second = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const year = format({ month: "short", year: "numeric" });
  const words = (at: number, stepS: number) => {
    const time = new Date(at * 1_000);
    if (stepS >= 28 * 86_400) return year.format(time);
    if (stepS < 60) return second.format(time);
    return stepS >= 86_400 || isMidnight(at * 1_000) ? day.format(time) : minute.format(time);
  };
  return { ...lines(colours), space: 70, values: (_, ticks, __, ___, step) => ticks.map((at) => words(at, step)) };
}

function valueAxis(colours: Colours, language: string): uPlot.Axis {
  const format = (step: number) => {
    const digits = digitsOf(step);
    return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  const write = (ticks: number[], step: number) => {
    const number = format(step);
    return ticks.map((value) => number.format(value));
  };
  return { ...lines(colours), size: 56, values: (_, ticks, __, ___, step) => write(ticks, step) };
}

/** So many that no two labels are the same: of 0.25 two. */
function digitsOf(step: number): number {
  for (let digits = 0; digits < 9; digits += 1) {
    const scaled = step * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits;
  }
  return 9;
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
  "other-1": "--other-1",
  "other-2": "--other-2",
  "other-3": "--other-3",
  "other-4": "--other-4",
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

const DAYS_MAX = 62;
const DAYS_NAMED = 10;

/** Where each day of the city begins. */
function drawDays(plot: uPlot, { from, to }: ChartData, colours: Colours, language: string): void {
  const days = midnightsIn(from, to, DAYS_MAX);
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const day = new Intl.DateTimeFormat(language, {
    weekday: "short",
    day: "numeric",
    month: "short",
    timeZone: zone.peek(),
  });
  ctx.save();
  ctx.strokeStyle = colours.quiet;
  ctx.fillStyle = colours.quiet;
  ctx.lineWidth = scale;
  ctx.setLineDash([2 * scale, 2 * scale]);
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.font = fontOf(11);
  for (const at of days) {
    const x = Math.round(plot.valToPos(at / 1_000, "x", true)) + scale / 2;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (days.length <= DAYS_NAMED && bbox.left + bbox.width - x > 70 * scale)
      ctx.fillText(day.format(at), x + 4 * scale, bbox.top + 10 * scale);
  }
  ctx.restore();
}

const fontOf = (px: number) => `${px * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;

/** Over the lines: limits with their names. One that is far away is named at the edge behind which it is. */
function drawLevels(plot: uPlot, { levels = [] }: ChartData, colours: Colours): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const bottom = bbox.top + bbox.height;
  const taken: number[] = [];
  /** Names of levels side by side stand under one another. */
  const free = (y: number) => {
    let found = y;
    while (taken.some((one) => Math.abs(one - found) < 14 * scale)) found += 14 * scale;
    taken.push(found);
    return found;
  };
  ctx.save();
  ctx.font = fontOf(12);
  ctx.lineWidth = 1.5 * scale;
  ctx.textBaseline = "alphabetic";
  for (const { value, label, tone } of levels) {
    const y = plot.valToPos(value, "y", true);
    const isIn = y >= bbox.top && y <= bottom;
    ctx.strokeStyle = colours[tone];
    ctx.fillStyle = colours.text;
    if (isIn) {
      ctx.setLineDash([6 * scale, 4 * scale]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.textAlign = "left";
      ctx.fillText(label, bbox.left + 6 * scale, free(Math.max(y - 5 * scale, bbox.top + 12 * scale)));
    } else {
      ctx.textAlign = "right";
      const text = `${label} ${y < bbox.top ? "↑" : "↓"}`;
      const edge = y < bbox.top ? bbox.top + 24 * scale : bottom - 8 * scale - levels.length * 14 * scale;
      ctx.fillText(text, bbox.left + bbox.width - 6 * scale, free(edge));
    }
  }
  ctx.restore();
}

/** When alerts were firing. */
function drawSpans(plot: uPlot, { spans = [] }: ChartData, colours: Colours): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  for (const { from, to, tone } of spans) {
    const left = Math.max(bbox.left, plot.valToPos(from / 1_000, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1_000, "x", true));
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.fillStyle = colours[tone];
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * scale), 6 * scale);
  }
  ctx.restore();
}

/** The readings that matter. */
function drawMarks(plot: uPlot, { marks = [] }: ChartData, colours: Colours): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = 1.5 * scale;
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
