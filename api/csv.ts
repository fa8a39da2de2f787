import { Readable } from "node:stream";
import { invalid } from "./problems.ts";

export type Cell = string | number | undefined;

/** How a spreadsheet of some country wants its file. */
export type CsvStyle = {
  readonly delimiter: "," | ";";
  readonly decimal: "." | ",";
  /** Excel takes a file without it for one of its own code page. */
  readonly mark: "" | "\ufeff";
};

const PLAIN: CsvStyle = { delimiter: ",", decimal: ".", mark: "" };

/** Where numbers have a decimal comma, spreadsheets separate columns by semicolons. Throws a problem for no locale. */
export function styleOf(locale: string | undefined): CsvStyle {
  if (locale === undefined) return PLAIN;
  try {
    const parts = new Intl.NumberFormat(locale).formatToParts(1.5);
    const decimal = parts.find(({ type }) => type === "decimal")?.value === "," ? "," : ".";
    return { delimiter: decimal === "," ? ";" : ",", decimal, mark: "\ufeff" };
  } catch {
    throw invalid("#/query/locale", "locale is a language and, if need be, a country, like de or es-MX.");
  }
}

/** A spreadsheet runs a cell that starts with one of these as a formula (full-width forms too). */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** One line of RFC 4180. Numbers stay numbers (-5 stays -5); text that could be a formula gets a leading quote. */
export function csvLine(cells: readonly Cell[], style = PLAIN): string {
  return `${cells.map((cell) => csvCell(cell, style)).join(style.delimiter)}\r\n`;
}

function csvCell(cell: Cell, { delimiter, decimal }: CsvStyle): string {
  if (cell === undefined) return "";
  if (typeof cell === "number") return decimal === "." ? String(cell) : String(cell).replace(".", decimal);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /["\r\n]/.test(safe) || safe.includes(delimiter) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows are asked for only as fast as the client reads: any length in constant memory. */
export function csvStream(
  header: readonly string[],
  chunks: AsyncIterable<readonly (readonly Cell[])[]> | Iterable<readonly (readonly Cell[])[]>,
  style = PLAIN,
): Readable {
  async function* lines() {
    yield `${style.mark}${csvLine(header, style)}`;
    for await (const rows of chunks) if (rows.length > 0) yield rows.map((row) => csvLine(row, style)).join("");
  }
  return Readable.from(lines(), { objectMode: false });
}

/** A text without the quote that `csvLine` put before what could be a formula. */
export const unguarded = (text: string) => (text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text);

export type CsvRow = {
  readonly line: number;
  readonly cells: readonly string[];
  /** The line of a quote that is never closed: all the rest of the file stands in its cell. */
  readonly openQuote?: number;
};

/**
 * What people send as CSV: UTF-8 or UTF-16 with its mark, else UTF-8, else Windows-1252, as Excel writes it in Europe
 * unless told otherwise.
 */
export function decodeCsv(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/**
 * The rows of a file, each with the line it begins in; empty ones are left out. Separated by what its first line has most
 * of, or what Excel's `sep=` says. Quotes as RFC 4180 has them; `\n`, `\r\n` and `\r` end a line.
 */
export function* readCsv(text: string): Generator<CsvRow> {
  const sep = /^sep=(.)\r?\n?/.exec(text);
  const delimiter = sep?.[1] ?? delimiterOf(text);
  const end = new RegExp(`[${delimiter === "\t" ? "\\t" : delimiter}\\r\\n]`, "g");
  let at = sep?.[0].length ?? 0;
  let line = sep ? 2 : 1;
  while (at < text.length) {
    const cells: string[] = [];
    const row: { line: number; cells: string[]; openQuote?: number } = { line, cells };
    for (let isOver = false; !isOver; ) {
      let cell = "";
      if (text[at] === '"') {
        const close = closingQuote(text, at + 1);
        if (close === text.length) row.openQuote = line;
        cell = text.slice(at + 1, close).replaceAll('""', '"');
        line += countLines(cell);
        at = close + 1;
      }
      end.lastIndex = at;
      const stop = end.exec(text)?.index ?? text.length;
      row.cells.push((cell + text.slice(at, stop)).trim());
      isOver = text[stop] !== delimiter;
      at = stop + (text[stop] === "\r" && text[stop + 1] === "\n" ? 2 : 1);
    }
    line += 1;
    if (row.cells.some((cell) => cell !== "")) yield row;
  }
}

function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at;
  return text.length;
}

const countLines = (text: string) => text.match(/\r\n|\r|\n/g)?.length ?? 0;

function delimiterOf(text: string): string {
  const head = /^[^\r\n]*/.exec(text)![0];
  const count = (one: string) => head.split(one).length;
  return [",", ";", "\t"].reduce((most, one) => (count(one) > count(most) ? one : most));
}

/** A number as people write it, with a point or a comma; undefined for anything else, also "1.234,5". */
export function readNumber(text: string): number | undefined {
  if (!/^[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?$/.test(text)) return undefined;
  return Number(text.replace(",", "."));
}
