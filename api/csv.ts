import { Readable } from "node:stream";

export type Cell = string | number | undefined;

/** A spreadsheet runs a cell that starts with one of these as a formula (full-width forms too). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** One line of RFC 4180. Numbers stay numbers (-5 stays -5); text that could be a formula gets a leading quote. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "number") return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows are asked for only as fast as the client reads: any length in constant memory. */
export function csvStream(header: readonly string[], chunks: AsyncIterable<readonly (readonly Cell[])[]>): Readable {
  async function* lines() {
    yield csvLine(header);
    for await (const rows of chunks) if (rows.length > 0) yield rows.map(csvLine).join("");
  }
  return Readable.from(lines(), { objectMode: false });
}
