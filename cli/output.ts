import { Presets, SingleBar } from "cli-progress";
import { forTerminal } from "../model/plain-text.ts";
import { formatSpan } from "../model/time.ts";
import type { ReplayProgress } from "../simulators/replay.ts";

/** Shares of a step of time, from nothing to all of it. */
const SHADES = [" ", "░", "▒", "▓", "█"] as const;
const PLAIN = [".", "-", "=", "*", "#"] as const;
const LINE_EVERY_MS = 5_000;
const TITLES: Readonly<Record<ReplayProgress["phase"], string>> = {
  reading: "reading the recording",
  sending: "acknowledged",
  booking: "booked by the service",
  rules: "waiting for the rules",
};

/** What a person reads, or with `--json` what a program reads. */
export function show(options: { readonly json?: boolean }, value: unknown, text: () => string): void {
  console.log(options.json ? JSON.stringify(value) : forTerminal(text()));
}

export type Cell = string | number | undefined;

/** Columns as wide as they need to be; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [
    header,
    ...rows.map((row) => row.map((cell) => (cell === undefined ? "-" : String(cell).replace(/\s*[\r\n]\s*/g, " ")))),
  ];
  const widths = header.map((_, i) => Math.max(...texts.map((row) => row[i]?.length ?? 0)));
  const right = header.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"));
  return texts
    .map((row) =>
      row
        .map((text, i) => (right[i] ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export type ChartRow = { readonly name: string; readonly spans: readonly (readonly [from: number, to: number])[] };

/**
 * One line for each row: how much of each step of time its spans cover, from nothing to all of it. A span of no length
 * shows as the lightest shade, so that nothing that happened is invisible. `plain`: ASCII, for where it is not a terminal.
 */
export function chart(
  rows: readonly ChartRow[],
  range: { readonly from: number; readonly to: number },
  options: { readonly columns: number; readonly plain: boolean },
): string {
  const shades = options.plain ? PLAIN : SHADES;
  const label = Math.min(48, Math.max(0, ...rows.map(({ name }) => name.length)));
  const columns = Math.max(10, options.columns - label - 4);
  const stepMs = (range.to - range.from) / columns;
  const lines = rows.map(({ name, spans }) => {
    const cells = Array.from({ length: columns }, (_, i) => {
      const [from, to] = [range.from + i * stepMs, range.from + (i + 1) * stepMs];
      const touching = spans.filter((span) => span[0] < to && span[1] >= from);
      const covered = touching.reduce((sum, span) => sum + Math.min(span[1], to) - Math.max(span[0], from), 0);
      const share = Math.min(1, covered / stepMs);
      return shades[touching.length === 0 ? 0 : Math.max(1, Math.ceil(share * 4 - 1e-9))];
    });
    return `${name.slice(0, label).padEnd(label)} |${cells.join("")}|`;
  });
  const [first, last] = [day(range.from), day(range.to)];
  const axis = `${" ".repeat(label)}  ${first}${last.padStart(Math.max(0, columns - first.length))}`;
  return [...lines, `${axis}   one column is ${formatSpan(stepMs)}`].join("\n");
}

const day = (time: number) => new Date(time).toISOString().slice(0, 16).replace("T", " ");

/** A bar on a terminal; elsewhere a plain line for each phase and every five seconds. */
export function createProgress(stream: NodeJS.WriteStream, now: () => number = Date.now) {
  let phase = "";
  let bar: SingleBar | undefined;
  let saidAt = Number.NEGATIVE_INFINITY;

  function end() {
    bar?.stop();
    bar = undefined;
  }

  function onTerminal({ done, total }: ReplayProgress, title: string, changed: boolean) {
    if (changed) {
      end();
      const format = `${title.padEnd(24)} {bar} {percentage}%  {value}/{total}`;
      bar = new SingleBar({ format, stream, hideCursor: true }, Presets.shades_classic);
      bar.start(total, done);
    }
    bar?.update(done);
  }

  function plainly({ done, total }: ReplayProgress, title: string, changed: boolean) {
    if (!changed && now() - saidAt < LINE_EVERY_MS) return;
    saidAt = now();
    stream.write(`${title}: ${done} of ${total}\n`);
  }

  return {
    update(progress: ReplayProgress) {
      const changed = progress.phase !== phase;
      phase = progress.phase;
      const say = stream.isTTY ? onTerminal : plainly;
      say(progress, TITLES[progress.phase], changed);
    },
    end,
  };
}
