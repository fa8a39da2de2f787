import { parse } from "csv-parse/sync";
import { NO_VALUE } from "./guess-words.ts";
import { RecordingError } from "./mapping.ts";

const DELIMITERS = [",", ";", "\t", "|"];
/** A column is what nearly all of its cells are. */
export const NEARLY_ALL = 0.9;

export type Column = { readonly name: string; readonly cells: readonly string[] };
export type Table = {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  /** As the mapping says it. */
  readonly form: Readonly<Record<string, unknown>>;
  readonly delimiter: string;
};

export function tableOfObjects(lines: readonly string[]): Table | "native" {
  const objects = lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>];
    } catch {
      return [];
    }
  });
  const names = Object.keys(objects[0] ?? {});
  if (["sensorId", "kind", "district", "measuredAt"].every((name) => names.includes(name))) return "native";
  const rows = objects.map((one) => names.map((name) => (one[name] === null ? "" : String(one[name] ?? ""))));
  return { columns: columnsOf(names, rows), rows, form: {}, delimiter: "" };
}

const columnsOf = (names: readonly string[], rows: readonly (readonly string[])[]): Column[] =>
  names.map((name, i) => ({ name: name.trim(), cells: rows.map((row) => (row[i] ?? "").trim()) }));

/** What Campbell's loggers say of themselves above the names, in eight cells, which a table may have, too. */
const LOGGER_LINE = /^(?:TOA5|TOACI1|TOB[123])$/;

export function tableOfText(lines: readonly string[], doubts: string[]): Table {
  const found = DELIMITERS.map((delimiter) => ({ delimiter, ...layout(lines, delimiter) })).sort(
    (a, b) => b.score - a.score,
  )[0]!;
  const { delimiter, rows, width } = found;
  if (width < 2) throw new RecordingError("it is no table: no sign divides its lines into columns");
  const skip = rows.findIndex(
    (row) =>
      row.length === width && row.filter((cell) => cell.trim() !== "").length > 1 && !LOGGER_LINE.test(row[0]!.trim()),
  );
  const first = rows[skip];
  if (!first) throw new RecordingError("it is no table: no line names its columns");
  const below = rows.slice(skip + 1).filter((row) => row.some((cell) => cell.trim() !== ""));
  const hasHeader =
    !first.some((cell) => isNumberLike(cell) && !/^\d{3,}$/.test(cell.trim())) && !first.some(isTimeLike);
  const isIds = !hasHeader && first.length > 3 && first.slice(1).every((cell) => /^\d{3,}$/.test(cell.trim()));
  const form = { ...(skip > 0 && { skip }), ...(delimiter !== "," && { delimiter }) };
  if (skip > 0) doubts.push(`the first ${skip} lines are taken for a preface, and left out`);
  // Loggers (TOA5) write units and "Avg" in lines of their own below the names.
  const firstData = below.findIndex((row) => row.some((cell) => isNumberLike(cell) || isTimeLike(cell)));
  if (hasHeader && firstData > 0 && firstData <= 2) {
    const header = first.map((name) => name.trim());
    const said = below.slice(0, firstData).map((row) => row.join(" ").trim());
    doubts.push(`the ${firstData} lines below the header are no rows, and left out: ${said.join("; ")}`);
    const rows = below.slice(firstData);
    return { columns: columnsOf(header, rows), rows, form: { ...form, skip: skip + 1 + firstData, header }, delimiter };
  }
  if (hasHeader || isIds) return { columns: columnsOf(first, below), rows: below, form, delimiter };
  const header = first.map((_, i) => `column ${i + 1}`);
  doubts.push("the file has no header: what the columns are is not known; name them in header");
  const all = [first, ...below];
  return { columns: columnsOf(header, all), rows: all, form: { ...form, header }, delimiter };
}

/** How well a sign divides: as many columns as possible, in as many lines as possible. */
function layout(lines: readonly string[], delimiter: string) {
  const rows: string[][] = parse(lines.join("\n"), { delimiter, relax_column_count: true, relax_quotes: true });
  const widths = new Map<number, number>();
  for (const { length } of rows) widths.set(length, (widths.get(length) ?? 0) + 1);
  const [width, times] = [...widths].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [0, 0];
  // A decimal comma divides, too, but not the header: the first line of that width is one of the first.
  const at = rows.findIndex(({ length }) => length === width);
  const isEarly = at >= 0 && at < 20 && (at === 0 || rows.slice(0, at).every(({ length }) => length <= 2));
  return { rows, width, score: width < 2 || !isEarly ? 0 : (times / rows.length) * 100 + Math.min(width, 50) / 10 };
}

const isNumberLike = (cell: string) => /^[+-]?[\d.,' ]*\d[\d.,' ]*(?:e[+-]?\d+)?$/i.test(cell.trim());
export const isTimeLike = (cell: string) => /\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}:\d\d/.test(cell);

/** What is said in a column, without what stands for nothing. */
export function filled({ cells }: Column): string[] {
  return cells.filter((cell) => cell !== "" && !NO_VALUE.has(cell.toLowerCase()));
}

export const share = (cells: readonly string[], test: (cell: string) => boolean) =>
  cells.length === 0 ? 0 : cells.filter(test).length / cells.length;

/** A name without its unit: lower case, signs as blanks. */
export function bare(given: string): { readonly words: string; readonly unit: string | undefined } {
  // A plain unit, and what loggers write behind a name: how the value was made of samples.
  if (/^(?:[km]?wh|kvar)$/i.test(given)) return { words: given.toLowerCase(), unit: ENDINGS[given.toLowerCase()] };
  const name = given.replace(/_(?:avg|mean|min|max|smp|tot)$/i, "");
  const [whole, inBrackets] = /[([{]\s*([^()[\]{}]+?)\s*[)\]}]\s*$/.exec(name) ?? [];
  const [, , atEnd] = /^(.+?)[\s_]+(?:in[\s_]+)?([^\s_]+)$/.exec(name) ?? [];
  const words = (text: string) =>
    text
      .replace(/([a-zß-ÿ])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim();
  if (inBrackets !== undefined && name.length > whole!.length) {
    const head = name.slice(0, name.length - whole!.length);
    return { words: words(head), unit: inBrackets };
  }
  const ending = atEnd !== undefined && ENDINGS[atEnd.toLowerCase()];
  const rate = RATE_AT_END.exec(name);
  if (rate?.[1]) {
    const [whole, amount, count, time] = rate;
    return { words: words(name.slice(0, rate.index)) || words(whole), unit: `${amount}/${count}${time}` };
  }
  if (ending) return { words: words(name.slice(0, name.length - atEnd.length)).replace(/ in$/, ""), unit: ending };
  return { words: words(name), unit: undefined };
}

/** "flow_veh_15min", "energy kWh per 15 min": so much in so long. */
const RATE_AT_END =
  /(?:^|[\s_]+)(veh(?:icles?)?|cars|[kM]?Wh)[\s_]*(?:\/|per|_|\s)[\s_]*(\d*)[\s_]*(min|h|hr|hour|interval)$/i;

/** Units as they end names: "pm25_ugm3", "speed_kmh", "power kW". */
const ENDINGS: Readonly<Record<string, string>> = {
  ugm3: "µg/m³",
  "µg/m³": "µg/m³",
  "ug/m3": "µg/m³",
  "µg/m3": "µg/m³",
  mgm3: "mg/m³",
  "mg/m3": "mg/m³",
  ppb: "ppb",
  ppm: "ppm",
  kmh: "km/h",
  kph: "km/h",
  "km/h": "km/h",
  mph: "mph",
  "m/s": "m/s",
  ms: "m/s",
  knots: "kn",
  kw: "kW",
  w: "W",
  mw: "MW",
  kwh: "kWh",
  wh: "Wh",
  mwh: "MWh",
  kvar: "kvar",
  v: "V",
  mv: "mV",
  a: "A",
  ma: "mA",
  hz: "Hz",
  hpa: "hPa",
  pa: "Pa",
  kpa: "kPa",
  mbar: "mbar",
  inhg: "inHg",
  c: "°C",
  "°c": "°C",
  degc: "°C",
  celsius: "°C",
  f: "°F",
  "°f": "°F",
  degf: "°F",
  pct: "%",
  percent: "%",
  "%": "%",
  db: "dB",
  dba: "dB(A)",
  dbm: "dBm",
  sec: "s",
};
