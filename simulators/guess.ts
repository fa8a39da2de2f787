import { basename } from "node:path";
import { stringify } from "yaml";
import type { Kind } from "../model/kinds.ts";
import { readNumber } from "../model/mapping.ts";
import { type MetricName, metricRow } from "../model/metrics.ts";
import { toId } from "../model/names.ts";
import { conversion, unitsFor } from "../model/units.ts";
import {
  bare,
  type Column,
  filled,
  isTimeLike,
  NEARLY_ALL,
  share,
  type Table,
  tableOfObjects,
  tableOfText,
} from "./guess-table.ts";
import { timeOf } from "./guess-time.ts";
import { DISTRICT_NAME, NO_VALUE, SENSOR_NAME, STAND_INS, VALUE_NAME, WHAT_NAME, WORDS } from "./guess-words.ts";
import { readLines } from "./lines.ts";
import { type Mapping, parseMapping, RecordingError } from "./mapping.ts";
import { type Item, newCounts, readRecording } from "./recording.ts";

export type Guess = {
  /** Ready to be saved; what is to be looked at stands in comments. */
  readonly yaml: string;
  readonly mapping: Mapping;
  /** What could not be told from the file, or was taken for granted. */
  readonly doubts: readonly string[];
  /** The first rows as readings. */
  readonly rows: readonly Item[];
};

const LINES_LOOKED_AT = 1_000;
const ROWS_SHOWN = 10;

/** Proposes a mapping for a file from its name, its header and its first rows. Throws `RecordingError` for what is no table. */
export async function guessMapping(path: string): Promise<Guess> {
  const lines = await firstLines(path);
  const doubts: string[] = [];
  if (/^\s*\[/.test(lines[0]!))
    throw new RecordingError(`${basename(path)} is one JSON array: put each object on a line of its own (jq -c '.[]')`);
  const table = lines[0]?.startsWith("{") ? tableOfObjects(lines) : tableOfText(lines, doubts);
  if (table === "native") {
    const mapping = parseMapping({ form: "native" });
    return { yaml: "form: native\n", mapping, doubts, rows: await firstRows(mapping, path) };
  }
  const draft = describe(table, basename(path), doubts);
  const mapping = parseMapping(draft);
  const rows = await firstRows(mapping, path);
  if (rows.every(({ values }) => Object.values(values).every((value) => typeof value !== "number")))
    doubts.push("none of the first rows has a value: the columns or the way numbers are written are others");
  noteOneMoment(rows, doubts);
  return { yaml: toYaml(draft, doubts), mapping, doubts, rows };
}

async function firstLines(path: string): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const line of readLines(path)) {
      if (lines.push(line) >= LINES_LOOKED_AT) break;
    }
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (lines.every((line) => line.trim() === "")) throw new RecordingError(`${basename(path)} is empty`);
  return lines;
}

async function firstRows(mapping: Mapping, path: string): Promise<Item[]> {
  const rows: Item[] = [];
  for await (const items of readRecording(mapping, path, newCounts())) {
    rows.push(...items);
    if (rows.length >= ROWS_SHOWN) break;
  }
  return rows.slice(0, ROWS_SHOWN);
}

/** Dates without their times of day look like this. */
function noteOneMoment(rows: readonly Item[], doubts: string[]): void {
  const series = Map.groupBy(rows, ({ sensorId, values }) => `${sensorId} ${Object.keys(values).join(" ")}`);
  const found = [...series.values()].find(
    (own) => own.length > 1 && own[0]!.at !== undefined && own.every(({ at }) => at === own[0]!.at),
  );
  if (!found) return;
  const { sensorId, at } = found[0]!;
  doubts.push(
    `the first ${found.length} rows of ${sensorId} all have the time ${new Date(at!).toISOString()}: is there a column with the time of day, or one that says whose row it is?`,
  );
}

function noteDoubledNames({ columns }: Table, doubts: string[]): void {
  const places = Map.groupBy(columns.entries(), ([, { name }]) => name.replace(/\s+/g, " ").toLowerCase());
  for (const [name, own] of places) {
    if (name === "" || own.length < 2) continue;
    const which = own.map(([i]) => i + 1).join(" and ");
    doubts.push(`the columns ${which} are both named "${own[0]![1].name}": the last is taken; rename them`);
  }
}

type Writing = { readonly decimal: "." | ","; readonly thousands?: string };

function describe(table: Table, file: string, doubts: string[]): Record<string, unknown> {
  noteDoubledNames(table, doubts);
  const writing = writingOf(table, doubts);
  const isNumeric = (column: Column) =>
    filled(column).length > 0 && share(filled(column), (cell) => readNumber(cell, writing) !== undefined) >= NEARLY_ALL;
  const time = timeOf(table, isNumeric, doubts);
  const rest = table.columns.filter(({ name }) => name !== "" && !time.used.has(name));
  const { readings, used, missing } = readingsOf(rest, { file, writing, isNumeric }, doubts);
  const district = rest.find((column) => DISTRICT_NAME.test(bare(column.name).words) && !isNumeric(column));
  if (!district) doubts.push('the district is not told: "imported" stands for it');
  const leftOut = rest.filter(({ name }) => !used.has(name) && name !== district?.name);
  const stem = file.replace(/\.gz$/i, "").replace(/\.[^.]+$/, "");
  return {
    name: toId(stem),
    form: "table",
    files: [
      {
        match: `^${stem.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`,
        ...table.form,
        ...(writing.decimal === "," && { decimal: "," }),
        ...(writing.thousands !== undefined && { thousands: writing.thousands }),
        ...(missing.length > 0 && { missing }),
        time: time.time,
        district: district ? `{${district.name}}` : "imported",
        readings,
        ...(leftOut.length > 0 && {
          leftOut: Object.fromEntries(leftOut.map(({ name }) => [name, "no metric is known for it"])),
        }),
      },
    ],
  };
}

function writingOf({ columns, delimiter }: Table, doubts: string[]): Writing {
  const cells = columns
    .map(filled)
    .filter((own) => share(own, isTimeLike) < 0.5)
    .flat();
  const count = (pattern: RegExp) => cells.filter((cell) => pattern.test(cell)).length;
  const [comma, point] = [count(/^[+-]?\d+,\d+$/), count(/^[+-]?\d+\.\d+$/)];
  const pointGroups = count(/^[+-]?\d{1,3}(?:\.\d{3})+,\d+$/);
  const commaGroups = count(/^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/);
  if (pointGroups > 0) return { decimal: ",", thousands: "." };
  if (comma > point) {
    // "1,234" in each cell with a comma, and numbers with a point beside them: groups of three.
    if (commaGroups === comma && (point > 0 || delimiter === ",")) {
      doubts.push('"," in numbers such as 1,234 is taken for a separator of thousands');
      return { decimal: ".", thousands: "," };
    }
    if (commaGroups === comma) doubts.push('"," in numbers such as 1,234 is taken for the decimal sign');
    return { decimal: "," };
  }
  return commaGroups > 0 ? { decimal: ".", thousands: "," } : { decimal: "." };
}

type Found = { readonly metric: MetricName; readonly kind: Kind; readonly unit: string };
type Context = { readonly file: string; readonly writing: Writing; readonly isNumeric: (column: Column) => boolean };
type ReadingsGuess = {
  readonly readings: readonly object[];
  readonly used: ReadonlySet<string>;
  readonly missing: readonly string[];
};

function readingsOf(columns: readonly Column[], context: Context, doubts: string[]): ReadingsGuess {
  const numeric = columns.filter(context.isNumeric);
  const named = columns.filter(({ name }) => SENSOR_NAME.test(bare(name).words));
  const isOfSeveral = severalStations(named.filter(context.isNumeric));
  const texts = named.filter(
    (column) => !findMetric(column.name) && filled(column).length > 0 && !isOfSeveral.has(column),
  );
  const by =
    texts.find((column) => new Set(filled(column)).size < filled(column).length) ??
    texts.find((column) => !context.isNumeric(column));
  const sensor = by ? `{${by.name}}` : toId(context.file.replace(/\.gz$/i, "").replace(/\.[^.]+$/, ""));
  const long = longForm(columns, sensor, context, doubts);
  const missing = missingIn([...numeric, ...(long?.values ?? [])], context.writing, doubts);
  if (long) {
    if (!by) doubts.push(`no column says whose row it is: all are of one sensor, "${sensor}"`);
    return { readings: long.readings, used: new Set([...long.used, ...(by ? [by.name] : [])]), missing };
  }
  const wide = columnsOfSensors(
    numeric.filter((column) => column !== by),
    context,
    doubts,
  );
  const plain = numeric.filter((column) => column !== by && !wide.used.has(column.name));
  const stations = by ? NO_STATIONS : columnsOfStations(plain, { ...context, missing }, doubts);
  const alone = plain.filter(({ name }) => !stations.used.has(name));
  const used = new Set([...wide.used, ...stations.used, ...(by ? [by.name] : [])]);
  const ofKind = new Map<Kind, object[]>();
  const taken = new Set<MetricName>();
  const value =
    alone.length === 1 && VALUE_NAME.test(bare(alone[0]!.name).words) ? metricOfFile(context.file) : undefined;
  for (const column of alone) {
    const found = findMetric(column.name) ?? value;
    if (!found || taken.has(found.metric)) continue;
    taken.add(found.metric);
    used.add(column.name);
    const unit = unitOf(column.name, found, numbersIn(column, context.writing, missing), doubts);
    if (/^[km]?wh$/.test(bare(column.name).words))
      doubts.push(
        `"${column.name}" is taken for a meter's reading; if it is what was used in each interval: activePower in ${unit}/interval, with stepS`,
      );
    if (/^counts?$/.test(bare(column.name).words))
      doubts.push(`"${column.name}" does not say what it counts: ${found.metric} is taken`);
    if (found === value) doubts.push(`that "${column.name}" is ${found.metric} is told by the file's name only`);
    const kind = found.kind;
    ofKind.set(kind, [...(ofKind.get(kind) ?? []), { column: column.name, metric: found.metric, unit }]);
  }
  const readings = [...ofKind].map(([kind, metrics]) => ({
    sensor: ofKind.size > 1 ? `${sensor}-${kind}` : sensor,
    kind,
    metrics,
  }));
  if (readings.length > 0 && !by) doubts.push(`no column says whose row it is: all are of one sensor, "${sensor}"`);
  const ofColumns = [...wide.readings, ...stations.readings];
  if (readings.length === 0 && ofColumns.length === 0) {
    const first = alone[0];
    if (!first) throw new RecordingError("no column with numbers was found beside the time");
    doubts.push(`NO METRIC was found: "${first.name}" as activePower, as is, only stands for what is true`);
    if (alone.length > 1) {
      const names = alone.slice(0, 5).map(({ name }) => name);
      doubts.push(
        `if ${names.join(", ")} are stations, say what they measure: in the file's name (pm25_2024.csv), or as metric and unit of eachColumn`,
      );
    }
    used.add(first.name);
    readings.push({ sensor, kind: "energy", metrics: [{ column: first.name, metric: "activePower", unit: "as is" }] });
  }
  return { readings: [...ofColumns, ...readings], used, missing };
}

const ID_WORDS = /^(?:ids?|index|idx|code|key|name|no|nr|num|number|uid|uuid|type)$/;

/** Numbers under "Station A", "Station B" are values of each; under "station id", "station code" they say whose row it is. */
function severalStations(named: readonly Column[]): ReadonlySet<Column> {
  // Not without what looks like a unit: the A of "Station A" is none.
  const wordsOf = ({ name }: Column) => name.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const groups = Map.groupBy(
    named.filter((column) => wordsOf(column).length > 1 && !wordsOf(column).some((word) => ID_WORDS.test(word))),
    (column) => wordsOf(column)[0],
  );
  return new Set([...groups.values()].flatMap((own) => (own.length > 1 ? own : [])));
}

function findMetric(name: string): Omit<Found, "unit"> | undefined {
  const { words, unit } = bare(name);
  // Without a unit it counts the rows.
  if (words === "no" && unit === undefined) return undefined;
  return WORDS.find((one) => one.name.test(words));
}

/** What a file is said to be of: "pm25_2024.csv". */
function metricOfFile(file: string): Omit<Found, "unit"> | undefined {
  const stem = file.replace(/\.gz$/i, "").replace(/\.[^.]+$/, "");
  return findMetric(stem) ?? findMetric(stem.replace(/[_.\d]+/g, " "));
}

/** Names with numbers in them, or that are numbers: a sensor each. */
function columnsOfSensors(
  columns: readonly Column[],
  context: Context,
  doubts: string[],
): { readings: object[]; used: ReadonlySet<string> } {
  const ids = columns.filter(({ name }) => /^\d{3,}$/.test(name));
  const used = new Set<string>();
  const readings: object[] = [];
  if (ids.length >= 3) {
    const found = metricOfFile(context.file) ?? ({ metric: "flow", kind: "traffic" } as const);
    doubts.push(
      `the columns are named by numbers, taken for one sensor each; that they hold ${found.metric} is a guess from the file's name`,
    );
    const unit = unitOf(
      "",
      found,
      ids.slice(0, 20).flatMap((one) => numbersIn(one, context.writing, [])),
      doubts,
    );
    for (const { name } of ids) used.add(name);
    readings.push({
      eachColumn: "^\\d{3,}$",
      sensor: `${found.kind}-{column}`,
      kind: found.kind,
      metric: found.metric,
      unit,
    });
  }
  const groups = Map.groupBy(
    columns.filter(({ name }) => /\d/.test(name) && findMetric(name)),
    ({ name }) => name.replace(/\s+/g, " ").replace(/\d+/, "#"),
  );
  for (const [shape, own] of groups) {
    if (own.length < 2 || !/[\p{L}]/u.test(shape)) continue;
    const found = findMetric(own[0]!.name)!;
    // Of one substance the number is a part of its name.
    if (
      own.some(({ name }) => findMetric(name)!.metric !== found.metric) ||
      /pm ?#|no ?#|so ?#|co ?#|o ?#/i.test(shape.slice(0, 4))
    )
      continue;
    const unit = unitOf(
      own[0]!.name,
      found,
      own.flatMap((one) => numbersIn(one, context.writing, [])),
      doubts,
    );
    const pattern = shape
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace("#", "(?<n>\\d+)")
      .replace(/ /g, "\\s+");
    const head = toId(shape.split("#")[0]!) || found.kind;
    for (const { name } of own) used.add(name);
    doubts.push(`${own.length} columns like "${own[0]!.name}" are taken for one sensor each`);
    readings.push({ eachColumn: `^${pattern}$`, sensor: `${head}-{n}`, kind: found.kind, metric: found.metric, unit });
  }
  return { readings, used };
}

const NO_STATIONS: { readonly readings: readonly object[]; readonly used: ReadonlySet<string> } = {
  readings: [],
  used: new Set(),
};
/** What stands beside a metric in a name and is no place: how the value was made, or how good it is. */
const NO_PLACE =
  /^(?:min|max|mean|avg|average|median|std|sd|sum|total|count|raw|flag|quality|error|status|sensor|value|daily|hourly|in|out|air|ambient|dew|point|wet|bulb|active|reactive|line|phase|l\d|[a-c]|\d+)$/;
const STATIONS_MAX = 500;

/**
 * A column for each station: named by it alone, where the file's name says what is measured, or by it and the metric
 * ("Centro PM2.5").
 */
function columnsOfStations(
  columns: readonly Column[],
  context: Context & { readonly missing: readonly string[] },
  doubts: string[],
): typeof NO_STATIONS {
  const numbers = (own: readonly Column[]) => own.flatMap((one) => numbersIn(one, context.writing, context.missing));
  const unknown = columns.filter(({ name }) => !findMetric(name));
  const ofFile = metricOfFile(context.file);
  if (unknown.length > 1 && unknown.length === columns.length && ofFile && unknown.length <= STATIONS_MAX) {
    const { metric, kind } = ofFile;
    doubts.push(
      `the columns (${unknown
        .slice(0, 3)
        .map(({ name }) => name)
        .join(", ")} …) are taken for one sensor each; that they hold ${metric} is told by the file's name only`,
    );
    const unit = unitOf("", ofFile, numbers(unknown.slice(0, 20)), doubts);
    const names = unknown.map(({ name }) =>
      name
        .trim()
        .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
        .replace(/\s+/g, "\\s+"),
    );
    return {
      readings: [{ eachColumn: `^(?:${names.join("|")})$`, sensor: "{column}", kind, metric, unit }],
      used: new Set(unknown.map(({ name }) => name)),
    };
  }
  const places = new Map<string, Map<MetricName, Column>>();
  for (const column of columns) {
    const found = placeIn(column.name);
    if (!found) continue;
    const own = places.get(found.place) ?? new Map<MetricName, Column>();
    if (!own.has(found.metric)) own.set(found.metric, column);
    places.set(found.place, own);
  }
  // Each metric is there of each of them: otherwise the words are something else.
  const metrics = new Set([...places.values()].flatMap((own) => [...own.keys()]));
  const isGrid = [...places.values()].every((own) => own.size === metrics.size);
  if (places.size < 2 || places.size > STATIONS_MAX || !isGrid) return NO_STATIONS;
  doubts.push(
    `${[...places.keys()].slice(0, 3).join(", ")}: ${places.size} words in the columns' names are taken for a sensor each`,
  );
  const readings = [...places].flatMap(([place, own]) => {
    const ofKind = Map.groupBy(own, ([, { name }]) => findMetric(name)!.kind);
    return [...ofKind].map(([kind, all]) => ({
      sensor: ofKind.size > 1 ? `${place}-${kind}` : place,
      kind,
      metrics: all.map(([metric, column]) => ({
        column: column.name,
        metric,
        unit: unitOf(column.name, { metric, kind }, numbers([column]), doubts),
      })),
    }));
  });
  return { readings, used: new Set([...places.values()].flatMap((own) => [...own.values()].map(({ name }) => name))) };
}

/** "PM2.5 Centro (µg/m³)": what is measured, and what else the name says. */
function placeIn(name: string): { readonly place: string; readonly metric: MetricName } | undefined {
  const words = bare(name).words.split(" ");
  for (let length = Math.min(4, words.length - 1); length > 0; length--) {
    for (const [metricWords, rest] of [
      [words.slice(-length), words.slice(0, -length)],
      [words.slice(0, length), words.slice(length)],
    ] as const) {
      const metric = WORDS.find(
        (one) => one.name.exec(metricWords.join(" "))?.[0].trim() === metricWords.join(" "),
      )?.metric;
      if (
        metric &&
        rest.some((word) => word.length > 2) &&
        rest.every((word) => !NO_PLACE.test(word)) &&
        !findMetric(rest.join(" "))
      )
        return { place: toId(rest.join(" ")), metric };
    }
  }
  return undefined;
}

/** One value a row, and a column that says of what. */
function longForm(columns: readonly Column[], sensor: string, context: Context, doubts: string[]) {
  const value = columns.find((column) => VALUE_NAME.test(bare(column.name).words) && context.isNumeric(column));
  const what = columns.find((column) => {
    const said = new Set(filled(column));
    const known = [...said].filter(findMetric).length;
    return (
      !context.isNumeric(column) &&
      column !== value &&
      (WHAT_NAME.test(bare(column.name).words) ? known > 0 : said.size > 1 && known === said.size)
    );
  });
  if (!value || !what) return undefined;
  const units = columns.find(({ name }) =>
    /^(?:unit|units|einheit|unit[eé]s?|unidad)(?: \w+)*$/.test(bare(name).words),
  );
  const ofKind = new Map<Kind, object[]>();
  const unknown: string[] = [];
  for (const said of new Set(filled(what))) {
    const found = findMetric(said);
    if (!found) {
      unknown.push(said);
      continue;
    }
    const at = what.cells.flatMap((cell, i) => (cell === said ? [i] : []));
    const own = new Set(units ? at.map((i) => units.cells[i]!) : []);
    if (own.size > 1)
      doubts.push(
        `${said} comes in several units (${[...own].join(", ")}): only the first is taken, the others are wrong`,
      );
    const values = at.flatMap((i) => readNumber(value.cells[i]!, context.writing) ?? []);
    const unit = unitOf(own.size > 0 ? `${said} (${[...own][0]})` : said, found, values, doubts);
    ofKind.set(found.kind, [...(ofKind.get(found.kind) ?? []), { column: said, metric: found.metric, unit }]);
  }
  if (unknown.length > 0)
    doubts.push(`no metric is known for ${unknown.slice(0, 10).join(", ")}: their rows are not taken`);
  const readings = [...ofKind].map(([kind, metrics]) => ({
    sensor: ofKind.size > 1 ? `${sensor}-${kind}` : sensor,
    kind,
    metricColumn: what.name,
    valueColumn: value.name,
    metrics,
  }));
  return { readings, values: [value], used: [value.name, what.name, ...(units ? [units.name] : [])] };
}

function numbersIn(column: Column, writing: Writing, missing: readonly string[]): number[] {
  return filled(column).flatMap((cell) => (missing.includes(cell) ? [] : (readNumber(cell, writing) ?? [])));
}

/** The unit that the name tells, or the metric's own, where the values agree with it. */
function unitOf(name: string, { metric }: Omit<Found, "unit">, values: readonly number[], doubts: string[]): string {
  const { unit: said } = bare(name);
  const row = metricRow(metric)!;
  const label = name === "" ? metric : `"${name}"`;
  const spelled = said
    ?.replace(/^veh(?:icles?)?\s*(?:\/|per)\s*(\d*)\s*min(?:ute)?s?$/i, "veh/$1min")
    .replace(/^veh(?:icles?)?\s*(?:\/|per)\s*h(?:our|r)?$/i, "veh/h");
  const middle = values.toSorted((a, b) => a - b)[values.length >> 1];
  const fits = (unit: string) => {
    const convert = conversion(unit, metric, 3600);
    const own = convert && middle !== undefined ? convert(middle) : undefined;
    return own !== undefined && own >= row.suspect[0] && own <= row.suspect[1];
  };
  if (spelled !== undefined && conversion(spelled, metric)) {
    if (middle !== undefined && !fits(spelled))
      doubts.push(`${label}: values such as ${middle} are out of the ordinary in ${spelled}`);
    return spelled;
  }
  const none = spelled === undefined ? "no unit is told" : `"${said}" is no known unit of ${metric}`;
  const usual = unitsFor(metric).filter((unit) => unit !== "as is" && !unit.includes("interval"));
  if (middle === undefined || fits(row.unit)) {
    if (row.unit !== "")
      doubts.push(
        `${label}: ${none}; ${row.unit} is taken${usual.length > 1 ? ` (it may be ${usual.slice(1, 4).join(", ")})` : ""}`,
      );
    return row.unit;
  }
  const better = usual.find(fits);
  doubts.push(
    `${label}: ${none}, and values such as ${middle} are out of the ordinary in ${row.unit}${better ? `; ${better} is taken` : ""}`,
  );
  return better ?? row.unit;
}

/** Texts in columns of numbers that are none, and numbers that instruments write for "no value". */
function missingIn(columns: readonly Column[], writing: Writing, doubts: string[]): string[] {
  const found = new Set<string>();
  for (const column of columns) {
    for (const cell of column.cells) if (cell !== "" && NO_VALUE.has(cell.toLowerCase())) found.add(cell);
    const numbers = filled(column).flatMap((cell) => readNumber(cell, writing) ?? []);
    const others = numbers.filter((value) => !STAND_INS.has(value));
    const most = others.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    for (const value of new Set(numbers)) {
      const isFar = Math.abs(value) > 3 * most || (value < 0 && others.every((other) => other >= 0));
      if (!STAND_INS.has(value) || others.length === 0 || !isFar) continue;
      found.add(String(value));
    }
  }
  const numbers = [...found].filter((text) => !Number.isNaN(Number(text)));
  if (numbers.length > 0)
    doubts.push(`${numbers.join(", ")} ${numbers.length > 1 ? "are" : "is"} taken for "no value"`);
  return [...found];
}

function toYaml(draft: object, doubts: readonly string[]): string {
  const head =
    doubts.length === 0 ? [] : ["# Look at this before you use it:", ...doubts.map((doubt) => `# - ${doubt}`)];
  return `${head.map((line) => `${line}\n`).join("")}${stringify(draft, { lineWidth: 0 })}`;
}
