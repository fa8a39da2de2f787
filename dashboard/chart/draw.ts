import type uPlot from "uplot";
import { readColours } from "../style/colours.ts";
import type { ChartData, Tone } from "./chart-data.ts";

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

export const chartColours = (near: HTMLElement): Colours => readColours(near, NAMES);

/** Behind the lines: windows and spans. */
export function drawBands(plot: uPlot, { bands = [] }: ChartData, colours: Colours): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.globalAlpha = 0.16;
  for (const { from, to, tone } of bands) {
    const left = Math.max(bbox.left, plot.valToPos(from / 1_000, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to / 1_000, "x", true));
    if (right <= left) continue;
    ctx.fillStyle = colours[tone];
    ctx.fillRect(left, bbox.top, Math.max(right - left, devicePixelRatio), bbox.height);
  }
  ctx.restore();
}

/** Lowest and highest of each step, behind its line. */
export function drawRanges(plot: uPlot, { series }: ChartData, colours: Colours): void {
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
export function drawLevelsAndMarks(plot: uPlot, { levels = [], marks = [] }: ChartData, colours: Colours): void {
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
  for (const { at, value, tone } of marks) {
    ctx.beginPath();
    ctx.arc(plot.valToPos(at / 1_000, "x", true), plot.valToPos(value, "y", true), 4.5 * scale, 0, 2 * Math.PI);
    ctx.fillStyle = colours[tone];
    ctx.strokeStyle = colours.surface;
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}
