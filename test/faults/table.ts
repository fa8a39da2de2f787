import type { Row } from "./run.ts";

const COLUMNS: readonly [string, number, (row: Row) => string | number][] = [
  ["seed", 6, (row) => row.seed],
  ["scenario", 28, (row) => row.scenario],
  ["published", 9, (row) => row.published],
  ["acknowledged", 12, (row) => row.acknowledged],
  ["stored", 7, (row) => row.stored],
  ["lost", 5, (row) => row.lost],
  ["doubled", 7, (row) => row.doubled],
  ["books", 10, (row) => (row.balanced ? "balanced" : "UNBALANCED")],
  ["named missing", 13, (row) => row.named],
  ["", 6, (row) => (row.ok ? "ok" : "FAILED")],
];

const isText = (title: string) => title === "scenario" || title === "books" || title === "";
const cell = (title: string, width: number, value: string | number) =>
  isText(title) ? String(value).padEnd(width) : String(value).padStart(width);

export const HEADER = COLUMNS.map(([title, width]) => cell(title, width, title))
  .join("  ")
  .trimEnd();

export function formatRow(row: Row): string {
  return COLUMNS.map(([title, width, of]) => cell(title, width, of(row)))
    .join("  ")
    .trimEnd();
}

/** The line that lives through it again. */
export function replayOf({ scenario, seed }: Pick<Row, "scenario" | "seed">): string {
  return `npm run faults -- --scenario ${scenario} --seed ${seed}`;
}
