import { createTimeReader } from "../model/mapping.ts";
import { bare, type Column, filled, NEARLY_ALL, share, type Table } from "./guess-table.ts";
import { END_NAME, TIME_NAME } from "./guess-words.ts";

type TimeGuess = { readonly time: Record<string, unknown>; readonly used: ReadonlySet<string> };

const DATES = [
  "DD/MM/YYYY",
  "MM/DD/YYYY",
  "DD.MM.YYYY",
  "DD-MM-YYYY",
  "MM-DD-YYYY",
  "YYYY/MM/DD",
  "DD/MM/YY",
  "MM/DD/YY",
  "DD.MM.YY",
  "DD-MMM-YYYY",
  "DD MMM YYYY",
  "DD-MMM-YY",
  "MMM DD YYYY",
  "MMM DD, YYYY",
  "YYYY-MM-DD", // where iso does not fit what stands beside it
];
const HOURS = ["HH:mm:ss", "HH:mm", "HH.mm.ss", "HH.mm", "HH:mm:ss A", "HH:mm A", "HH", "HHmm", "HH A"];
const PATTERNS = ["iso", ...DATES.flatMap((date) => [...HOURS.map((hour) => `${date} ${hour}`), date])];
const EPOCHS = [
  ["epoch-s", 1e3],
  ["epoch-ms", 1],
  ["epoch-us", 1e-3],
  ["epoch-ns", 1e-6],
] as const;
/** Days since 1899-12-30. */
const [EXCEL_2000, EXCEL_2100] = [36_526, 73_051];
const [YEAR_2000, YEAR_2100] = [Date.UTC(2000, 0), Date.UTC(2100, 0)];

export function timeOf({ columns }: Table, isNumeric: (column: Column) => boolean, doubts: string[]): TimeGuess {
  const named = columns.filter(({ name }) => TIME_NAME.test(bare(name).words));
  const order = [...new Set([...named.filter(({ name }) => /utc/i.test(name)), ...named, ...columns])];
  for (const column of order) {
    const pattern = patternOf(filled(column));
    if (pattern === undefined) continue;
    const hasHours =
      pattern === "iso" ? share(filled(column), (cell) => /\d[T\s]\d/i.test(cell)) > 0.5 : /[Hh]/.test(pattern);
    const clock = hasHours ? undefined : order.find((other) => other !== column && isClock(other));
    if (!clock) return told([column], pattern, doubts);
    const both = column.cells.map((cell, i) => `${cell} ${clock.cells[i]}`.trim());
    const joined = patternOf(both.filter((text) => text !== ""));
    if (joined !== undefined) return told([column, clock], joined, doubts, both);
  }
  for (const column of named.length > 0 ? named : columns) {
    const numbers = filled(column).map(Number);
    const epoch = EPOCHS.find(
      ([, unit]) => numbers.length > 0 && numbers.every((n) => n * unit > YEAR_2000 && n * unit < YEAR_2100),
    );
    if (epoch) return { time: { columns: [column.name], patterns: [epoch[0]] }, used: new Set([column.name]) };
  }
  for (const column of named) {
    const days = filled(column).map((cell) => Number(cell.replace(",", ".")));
    if (days.length === 0 || !days.every((day) => day >= EXCEL_2000 && day < EXCEL_2100)) continue;
    doubts.push(
      `"${column.name}" is taken for days as Excel counts them (45292 is 2024-01-01); formatted as a date in Excel they would say so themselves`,
    );
    if (days.every(Number.isInteger) && days.length > new Set(days).size)
      doubts.push(`"${column.name}" has whole days only: a column with a fraction of a day beside it cannot be read`);
    return told([column], "excel-days", doubts);
  }
  const part = (pattern: RegExp) =>
    columns.find((column) => pattern.test(bare(column.name).words) && isNumeric(column));
  const parts = [
    /^(?:year|yyyy|jahr|an|año)$/,
    /^(?:month|mm|monat|mois|mes)$/,
    /^(?:day|dd|tag|jour|dia|día)$/,
    /^(?:hour|hh|stunde|heure|hora|hr)$/,
    /^(?:minute|min|mi)$/,
  ].map(part);
  const [year, month, day, ...smaller] = parts;
  if (year && month && day) {
    const found = [year, month, day, ...smaller.flatMap((one) => one ?? [])];
    return told(found, ["YYYY", "M", "D", "H", "mm"].slice(0, found.length).join(" "), doubts);
  }
  const counter = columns.find(({ name }) =>
    /^(?:reading|index|no|row|step|n|#|t|sample|seq)(?: (?:no|number))?$/.test(bare(name).words),
  );
  doubts.push("NO TIME was found: start and stepS are made up, put in what is true");
  const time = { start: "2000-01-01T00:00:00", zone: "UTC", stepS: 60, ...(counter && { index: counter.name }) };
  return { time, used: new Set(counter ? [counter.name] : []) };
}

const CLOCK_NAME =
  /^(?:local )?(?:time|clock|hour|hr|hhmm|zeit|uhrzeit|stunde|heure|hora|ora)(?: hhmm| ending| end| beginning| of day)?$/;

const isClock = (column: Column) =>
  share(filled(column), (cell) => /^'?\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\s*[ap]m)?'?$/i.test(cell)) >= NEARLY_ALL ||
  // 0100, 100, 2400, or hours alone: told by the name only.
  (CLOCK_NAME.test(bare(column.name).words) &&
    share(filled(column), (cell) => /^\d{1,4}$/.test(cell) && Number(cell) <= 2400 && Number(cell) % 100 < 60) >=
      NEARLY_ALL);

/** The pattern in which nearly all of the texts are times. */
function patternOf(texts: readonly string[]): string | undefined {
  if (texts.length === 0 || share(texts, (text) => /\d/.test(text) && /[-/.: ]|^\d{8}T?/.test(text)) < NEARLY_ALL)
    return undefined;
  const some = texts.slice(0, 200);
  const fitting = PATTERNS.find((pattern) => {
    const read = createTimeReader([pattern]);
    return (
      share(some, (text) => read(text) !== undefined) >= NEARLY_ALL &&
      share(texts, (text) => read(text) !== undefined) >= NEARLY_ALL
    );
  });
  if (fitting === undefined) return undefined;
  const other = swapped(fitting);
  if (other === fitting || !isPattern(texts, other)) return fitting;
  // Rows follow each other in days, not in months: the reading with the shorter way is the right one.
  return wayOf(texts, other) < wayOf(texts, fitting) ? other : fitting;
}

/** "DD/MM/…" as "MM/DD/…", and the other way. */
const swapped = (pattern: string) => pattern.replace(/^(DD|MM)(.)(DD|MM)(?!M)/, "$3$2$1");

/** All steps between the times together. */
function wayOf(texts: readonly string[], pattern: string): number {
  const read = createTimeReader([pattern]);
  const times = texts.flatMap((text) => read(text)?.ms ?? []);
  return times.reduce((sum, time, i) => sum + Math.abs(time - times[Math.max(0, i - 1)]!), 0);
}

function told(columns: readonly Column[], pattern: string, doubts: string[], texts = columns[0]!.cells): TimeGuess {
  const names = columns.map(({ name }) => name);
  const other = swapped(pattern);
  if (other !== pattern && isPattern(texts, other)) {
    const isSure = wayOf(texts, pattern) < wayOf(texts, other);
    const why = isSure ? "for then the rows follow each other more closely" : "it may be";
    doubts.push(
      `day and month cannot be told apart: ${pattern} is taken, ${isSure ? `not ${other}, ${why}` : `${why} ${other}`}`,
    );
  }
  const isZoned =
    pattern === "iso" &&
    share(
      texts.filter((text) => text !== ""),
      (text) => /(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$/i.test(text),
    ) >= NEARLY_ALL;
  const isUtc = names.some((name) => /\b(?:utc|gmt)\b|_utc|utc_/i.test(name));
  if (!isZoned && !isUtc)
    doubts.push(
      "the times do not say their zone: UTC stands for it, put in the place's (such as Europe/Paris, or +01:00 for loggers without summer time)",
    );
  const ends = names.some((name) => END_NAME.test(bare(name).words));
  if (ends) doubts.push(`"${names.join(" ")}" sounds like the end of an interval: stamp: end is taken`);
  else if (texts.some((text) => /(?:^|[T\s])24:?00(?::?00)?$/.test(text)))
    doubts.push("times such as 24:00 mostly end an interval: if these do, write stamp: end");
  const time = { columns: names, patterns: [pattern], ...(!isZoned && { zone: "UTC" }), ...(ends && { stamp: "end" }) };
  return { time, used: new Set(names) };
}

function isPattern(texts: readonly string[], pattern: string): boolean {
  const read = createTimeReader([pattern]);
  return (
    share(
      texts.filter((text) => text !== ""),
      (text) => read(text) !== undefined,
    ) >= NEARLY_ALL
  );
}
