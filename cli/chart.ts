import { formatSpan } from "../model/time.ts";

export type ChartRow = { readonly name: string; readonly spans: readonly (readonly [from: number, to: number])[] };

const SHADES = [" ", "░", "▒", "▓", "█"] as const;
const PLAIN = [".", "-", "=", "*", "#"] as const;

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
