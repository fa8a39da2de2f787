import { basename } from "node:path";
import { pipeline } from "node:stream";
import { parse } from "csv-parse";
import { isId } from "../model/ids.ts";
import { isKind, type Kind } from "../model/kinds.ts";
import { createZoneClock, localMs, type Placed, readIso } from "../model/local-time.ts";
import { createTimeReader, createValueReader } from "../model/mapping.ts";
import type { MetricName } from "../model/metrics.ts";
import { createNames, type Names } from "../model/names.ts";
import { isMissingText } from "../model/stand-ins.ts";
import { HOUR_MS } from "../model/time.ts";
import { openText, RECORD_BYTES_MAX, readLines } from "./lines.ts";
import {
  fileSpec,
  type ImpliedTime,
  type Mapping,
  matchAll,
  type ReadingSpec,
  RecordingError,
  type TableFile,
  type WrittenTime,
} from "./mapping.ts";

/** One line of a recording: a text per column, "" where there is none. */
type Cells = readonly string[];

const GUESSES = [",", ";", "\t", "|"];

/**
 * The lines of a CSV file or of an NDJSON file of flat objects, gzipped or not (told by their first bytes, not by their
 * names). The first item is the header. Empty lines come as empty cells, so that the caller counts them. Constant memory.
 * Throws `RecordingError` for a file that cannot be read.
 */
async function* readTable(
  path: string,
  { delimiter, skip, header }: TableFile,
  noted: { leftOut: number },
): AsyncGenerator<Cells> {
  const start = await lineAt(path, skip);
  try {
    if (/^\s*\[/.test(start))
      throw new RecordingError(`${path} is one JSON array: put each object on a line of its own (jq -c '.[]')`);
    if (start.startsWith("{")) return yield* readObjects(path, noted);
    if (header) yield header;
    yield* readCsv(path, delimiter ?? mostFrequent(start), skip, noted);
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function* readCsv(
  path: string,
  delimiter: string,
  skip: number,
  noted: { leftOut: number },
): AsyncGenerator<Cells> {
  const parser = parse({
    delimiter,
    from_line: skip + 1,
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: false,
    max_record_size: RECORD_BYTES_MAX,
    // In one file there may be all of them: it was put together of several.
    record_delimiter: ["\r\n", "\n", "\r"],
  });
  // Errors reach the parser, which the loop below reads: nothing is left to do in the callback.
  pipeline(await openText(path, noted, delimiter), parser, () => {});
  for await (const cells of parser as AsyncIterable<string[]>) yield cells;
}

async function* readObjects(path: string, noted: { leftOut: number }): AsyncGenerator<Cells> {
  let header: readonly string[] | undefined;
  for await (const line of readLines(path, noted)) {
    if (line.trim() === "") {
      if (header) yield [];
      continue;
    }
    const row = parseObject(line);
    if (!header) {
      header = Object.keys(row ?? {});
      yield header;
    }
    // A line that is no object still counts: it has no usable time and ends in quarantine.
    yield row ? header.map((name) => (row[name] === null ? "" : String(row[name] ?? ""))) : [line.slice(0, 64)];
  }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Counted from 0; "" after the end. */
async function lineAt(path: string, at: number): Promise<string> {
  try {
    let line = 0;
    for await (const text of readLines(path)) if (line++ === at) return text;
    return "";
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

export function mostFrequent(line: string): string {
  // What stands in quotes does not delimit.
  const bare = line.replace(/"(?:[^"]|"")*"/g, "");
  const counts = GUESSES.map((guess) => bare.split(guess).length);
  return GUESSES[counts.indexOf(Math.max(...counts))]!;
}

/** One reading of a recording, before it is shifted in time and sent. */
export type Item = {
  readonly sensorId: string;
  readonly kind: Kind;
  readonly district: string;
  /** Epoch milliseconds; undefined if the row has no usable time. */
  readonly at: number | undefined;
  /** What the row says instead: sent as it is, so that the service quarantines and counts it. */
  readonly rawTime: string;
  /** null: missing. A text: not a number, sent as it is for the same reason. */
  readonly values: Readonly<Record<string, unknown>>;
  /** One value of a reading whose others stand in other rows. */
  readonly isPart?: true;
};

type Source = { readonly metric: MetricName; readonly read: (cells: Cells) => number | string | null };
type Template = {
  readonly id: (cells: Cells) => string;
  /** It is the same for all rows. */
  readonly isFixed: boolean;
};
type Sensor = {
  readonly name: Template;
  readonly kind: Kind;
  /** What it says in a row; undefined: nothing. */
  readonly valuesOf: (cells: Cells) => Item["values"] | undefined;
  /** Several rows make a reading. */
  readonly isPart: boolean;
};

const TEXT_CHARS_MAX = 64;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Header names as people vary them: case, spaces at the ends, double spaces. */
const tidy = (name: string) => name.trim().replace(/\s+/g, " ").toLowerCase();

/**
 * Turns the rows of one file into readings. `absent` names the columns of the mapping that the file does not have.
 * Throws `RecordingError` if the file lacks its time, or every metric.
 */
function createRowReader(
  { spec, groups }: ReturnType<typeof fileSpec>,
  header: Cells,
  file: string,
  counts: RecordingCounts,
  names: Names,
) {
  const columns = new Map(header.map((name, index) => [tidy(name), index]));
  const column = (name: string) => columns.get(tidy(name));
  const absent: string[] = [];
  const naming = { groups, column, names, counts };
  const sensors = spec.readings.flatMap((reading) => sensorsOf(reading, spec, naming, header, absent));
  if (sensors.length === 0)
    throw new RecordingError(`${file} has none of the columns the mapping asks for; it has: ${header.join(", ")}`);
  const time = "columns" in spec.time ? writtenTime(spec.time, column, file) : impliedTime(spec.time, column, file);
  const district = template(spec.district, naming);
  /** Rows of which sensors follow each other: those of one station, in a file of many. */
  const varying = sensors.filter(({ name }) => !name.isFixed);
  const seriesOf = (cells: Cells) => varying.map(({ name }) => name.id(cells)).join(" ");

  function read(cells: Cells, row: number): Item[] {
    const { at, raw, pass, local, isZoneless } = time.read(cells, row, seriesOf);
    if (pass !== undefined) note(pass, local!);
    if (isZoneless) counts.zoneless += 1;
    return sensors.flatMap((sensor): Item[] => {
      const values = sensor.valuesOf(cells);
      if (!values) return [];
      return [
        {
          sensorId: sensor.name.id(cells),
          kind: sensor.kind,
          district: district.id(cells),
          at,
          rawTime: raw.slice(0, TEXT_CHARS_MAX),
          values,
          ...(sensor.isPart && { isPart: true as const }),
        },
      ];
    });
  }

  function note(pass: NonNullable<Placed["pass"]>, local: number): void {
    if (pass === "skipped") {
      counts.skipped += 1;
      return;
    }
    const hour = new Date(local - (local % HOUR_MS)).toISOString().slice(0, 16).replace("T", " ");
    const known = counts.doubled.get(hour) ?? { rows: 0, second: 0 };
    if (counts.doubled.size < DOUBLED_MAX) counts.doubled.set(hour, known);
    known.rows += 1;
    if (pass === "second") known.second += 1;
  }

  return { read, time, seriesOf, absent: absent as readonly string[] };
}

/** Hours that are told apart. */
const DOUBLED_MAX = 200;

type Naming = {
  readonly groups: Readonly<Record<string, string>>;
  readonly column: (name: string) => number | undefined;
  readonly names: Names;
  readonly counts: RecordingCounts;
};

function sensorsOf(reading: ReadingSpec, spec: TableFile, naming: Naming, header: Cells, absent: string[]): Sensor[] {
  const { kind } = reading;
  const readerOf = (one: Parameters<typeof createValueReader>[1]) => createValueReader(spec, one, spec.time.stepS);
  if ("metricColumn" in reading) return valuePerRow(reading, naming, absent, readerOf);
  if ("metrics" in reading) {
    const sources = reading.metrics.flatMap((one): Source[] => {
      const index = naming.column(one.column);
      if (index === undefined) absent.push(one.column);
      const read = readerOf(one);
      return index === undefined ? [] : [{ metric: one.metric, read: (cells) => read(cells[index] ?? "") }];
    });
    const valuesOf = (cells: Cells) => Object.fromEntries(sources.map((one) => [one.metric, one.read(cells)]));
    return sources.length === 0 ? [] : [{ name: template(reading.sensor, naming), kind, valuesOf, isPart: false }];
  }
  const matches = matchAll(
    reading.eachColumn,
    header.map((column) => column.trim()),
  );
  const read = readerOf(reading);
  const found = header.flatMap((column, index): Sensor[] => {
    const own = matches[index];
    if (!own) return [];
    const groups = { ...naming.groups, column, ...own };
    const name = template(reading.sensor, { ...naming, groups, column: () => undefined });
    const valuesOf = (cells: Cells) => {
      const cell = cells[index] ?? "";
      // A row of many sensors says nothing of those whose cell is empty; a stand-in is what the sensor said.
      return cell.trim() === "" || isMissingText(cell) ? undefined : { [reading.metric]: read(cell) };
    };
    return [{ name, kind, valuesOf, isPart: false }];
  });
  if (found.length === 0) absent.push(reading.eachColumn);
  return found;
}

/** Names that are told apart. */
const NOT_TAKEN_MAX = 200;

function valuePerRow(
  reading: Extract<ReadingSpec, { metricColumn: string }>,
  naming: Naming,
  absent: string[],
  readerOf: (one: Parameters<typeof createValueReader>[1]) => ReturnType<typeof createValueReader>,
): Sensor[] {
  const [what, value] = [naming.column(reading.metricColumn), naming.column(reading.valueColumn)];
  if (what === undefined) absent.push(reading.metricColumn);
  if (value === undefined) absent.push(reading.valueColumn);
  if (what === undefined || value === undefined) return [];
  const sources = new Map(
    reading.metrics.map((one) => [tidy(one.column), { metric: one.metric, read: readerOf(one) }]),
  );
  const valuesOf = (cells: Cells) => {
    const name = tidy(cells[what] ?? "");
    const source = sources.get(name);
    if (source) return { [source.metric]: source.read(cells[value] ?? "") };
    const { notTaken } = naming.counts;
    if (notTaken.has(name) || notTaken.size < NOT_TAKEN_MAX) notTaken.set(name, (notTaken.get(name) ?? 0) + 1);
    return {};
  };
  return [{ name: template(reading.sensor, naming), kind: reading.kind, valuesOf, isPart: true }];
}

/** "{station}" from the file's name if it tells it, else from the row. */
function template(text: string, { groups, column, names }: Naming): Template {
  const parts = text.split(/\{([^}]+)\}/);
  const indexes = parts.map((part, i) => (i % 2 === 1 && groups[part] === undefined ? column(part) : undefined));
  const said = parts.map((part, i) => (i % 2 === 0 ? part : (groups[part] ?? "unknown")));
  const nameOf = (cells: Cells) =>
    said.map((part, i) => (indexes[i] === undefined ? part : cells[indexes[i]]?.trim() || "unknown")).join("");
  if (indexes.some((index) => index !== undefined)) return { id: (cells) => names.idOf(nameOf(cells)), isFixed: false };
  const fixed = names.idOf(nameOf([]));
  return { id: () => fixed, isFixed: true };
}

type ReadTime = {
  /** `seriesOf`: asked only where it matters which rows follow each other. */
  read(cells: Cells, row: number, seriesOf: (cells: Cells) => string): TimeOfRow;
  /** The same before anything is known of zones: steps between rows. */
  plain(cells: Cells, row: number): number | undefined;
  /** Stamps are the ends of intervals, which begin so much before. */
  endsAfterMs: number | "found" | undefined;
};
type TimeOfRow = {
  readonly at: number | undefined;
  readonly raw: string;
  readonly pass?: Placed["pass"];
  /** What the clock on the wall says, where it says it twice or never. */
  readonly local?: number;
  readonly isZoneless?: boolean;
};
function writtenTime(
  { columns, patterns, zone, stamp, stepS }: WrittenTime,
  column: (name: string) => number | undefined,
  file: string,
): ReadTime {
  const indexes = columns.map((name) => {
    const index = column(name);
    if (index === undefined) throw new RecordingError(`${file} has no column "${name}", which the time is read from`);
    return index;
  });
  const clock = zone === undefined ? undefined : createZoneClock(zone);
  const saidIn = createTimeReader(patterns);
  const rawOf = (cells: Cells) => indexes.map((index) => (cells[index] ?? "").trim()).join(" ");
  const self: ReadTime = {
    endsAfterMs: stamp === "end" ? (stepS === undefined ? "found" : stepS * 1000) : undefined,
    plain: (cells) => saidIn(rawOf(cells))?.ms,
    read(cells, _, seriesOf) {
      const raw = rawOf(cells);
      const said = saidIn(raw);
      if (said === undefined) return { at: undefined, raw };
      // Before zones are looked at: an interval that ends at 03:00 began at 02:00 by the clock on the wall.
      const ms = said.ms - (typeof self.endsAfterMs === "number" ? self.endsAfterMs : 0);
      if (said.isInstant) return { at: usableTime(ms), raw };
      if (!clock) return { at: undefined, raw, isZoneless: true };
      return { ...clock(ms, seriesOf(cells), () => cells.join("\u0000")), local: ms, raw };
    },
  };
  return self;
}

/** What a Date can hold: anything else is not a time. */
const usableTime = (ms: number) => (Math.abs(ms) <= 8.64e15 ? Math.floor(ms) : undefined);

/** Steps are elapsed time, so a change to summer time does not bend them. */
function impliedTime(time: ImpliedTime, column: (name: string) => number | undefined, file: string): ReadTime {
  const first = Temporal.PlainDateTime.from(time.start).toZonedDateTime(time.zone).epochMilliseconds;
  const start = first - (time.stamp === "end" ? time.stepS * 1000 : 0);
  const index = time.index === undefined ? undefined : column(time.index);
  if (time.index !== undefined && index === undefined)
    throw new RecordingError(`${file} has no column "${time.index}", which counts the steps`);
  function read(cells: Cells, row: number): TimeOfRow {
    if (index === undefined) return { at: start + row * time.stepS * 1000, raw: "" };
    const raw = (cells[index] ?? "").trim();
    const at = NUMBER.test(raw) ? usableTime(start + (Number(raw) - time.indexFrom) * time.stepS * 1000) : undefined;
    return { at, raw };
  }
  const endsAfterMs = time.stamp === "end" ? time.stepS * 1000 : undefined;
  return { read, plain: (cells, row) => read(cells, row).at, endsAfterMs };
}

/** What one pass over a recording counted. Every line is in exactly one of `rows`, `blank` and `unplayable`. */
type RecordingCounts = {
  rows: number;
  /** Lines without any value: separators, not readings. */
  blank: number;
  /** Native lines that do not say whose reading they are, so there is no topic to send them to. */
  unplayable: number;
  /** The first few of them, for a person. */
  readonly unplayableLines: string[];
  /** Columns of the mapping which a file does not have. */
  readonly absent: Set<string>;
  /** Rows of what the mapping does not take, by what they say they are. */
  readonly notTaken: Map<string, number>;
  /** Rows in hours that autumn repeats, by hour, and how many of them were taken as its second pass. */
  readonly doubled: Map<string, { rows: number; second: number }>;
  /** Rows in an hour that spring skips. */
  skipped: number;
  /** Times without a zone, where the mapping names none. */
  zoneless: number;
  /** Of files whose stamps are ends: the length of the intervals in ms, and whether that was told or found. */
  readonly ends: Map<string, { readonly stepMs: number; readonly isFound: boolean }>;
};

export function newCounts(): RecordingCounts {
  return {
    rows: 0,
    blank: 0,
    unplayable: 0,
    unplayableLines: [],
    absent: new Set(),
    notTaken: new Map(),
    doubled: new Map(),
    skipped: 0,
    zoneless: 0,
    ends: new Map(),
  };
}

const UNPLAYABLE_SHOWN_MAX = 5;

/**
 * The rows of one file in their order, each as the readings it holds; now and then none, so that whoever reads can stop.
 * `names`: of all files together, so that no two
 * names come to one id. Throws `RecordingError`.
 */
export function readRecording(
  mapping: Mapping,
  path: string,
  counts: RecordingCounts,
  names: Names = createNames(),
): AsyncGenerator<readonly Item[]> {
  return mapping.form === "native" ? readNative(path, counts) : readMapped(mapping, path, counts, names);
}

/** Rows that are looked at to find how long the intervals are. */
const ROWS_LOOKED_AT = 1_000;

/** Lines that are read before others get a turn. */
const LINES_AT_ONCE = 5_000;

async function* readMapped(
  mapping: Mapping & { form: "table" },
  path: string,
  counts: RecordingCounts,
  names: Names,
): AsyncGenerator<readonly Item[]> {
  const file = basename(path);
  const found = fileSpec(mapping, path);
  let reader: ReturnType<typeof createRowReader> | undefined;
  let [row, waiting]: [number, Cells[]] = [0, []];
  const isHeld = () => reader?.time.endsAfterMs === "found";
  const noted = { leftOut: 0 };
  let line = 0;
  for await (const cells of readTable(path, found.spec, noted)) {
    // Also between lines that hold nothing: whoever reads may be told to stop.
    if (++line % LINES_AT_ONCE === 0 || (noted.leftOut > 0 && cells.length < 2)) {
      await new Promise(setImmediate);
      yield [];
    }
    if (!reader) {
      reader = createRowReader(found, cells, file, counts, names);
      for (const name of reader.absent) counts.absent.add(name);
      noteEnds(reader.time, false);
    } else if (cells.every((cell) => cell.trim() === "")) {
      counts.blank += 1;
    } else {
      counts.rows += 1;
      if (isHeld()) waiting.push(cells);
      else yield itemsOf(reader, cells);
      if (waiting.length === ROWS_LOOKED_AT) yield* letGo(reader);
    }
  }
  counts.blank += noted.leftOut;
  if (reader) yield* letGo(reader);

  function* letGo(reader: ReturnType<typeof createRowReader>): Generator<readonly Item[]> {
    if (waiting.length === 0) return;
    const stepMs = usualStep(waiting, reader);
    if (stepMs === undefined)
      throw new RecordingError(
        `${file}: its times are the ends of intervals ("stamp": "end"), but how long those are cannot be told from so few rows: give "stepS" in "time"`,
      );
    reader.time.endsAfterMs = stepMs;
    noteEnds(reader.time, true);
    const held = waiting;
    waiting = [];
    for (const cells of held) yield itemsOf(reader, cells);
  }

  function itemsOf(reader: ReturnType<typeof createRowReader>, cells: Cells): readonly Item[] {
    const items = reader.read(cells, row++);
    if (items.length > 0) return items;
    // A time, and nothing of any sensor.
    counts.rows -= 1;
    counts.blank += 1;
    return items;
  }

  function noteEnds({ endsAfterMs }: ReadTime, isFound: boolean): void {
    if (typeof endsAfterMs === "number") counts.ends.set(file, { stepMs: endsAfterMs, isFound });
  }
}

/** The most frequent step between rows of one series. */
function usualStep(rows: readonly Cells[], { time, seriesOf }: ReturnType<typeof createRowReader>): number | undefined {
  const last = new Map<string, number>();
  const steps = new Map<number, number>();
  for (const [i, cells] of rows.entries()) {
    const ms = time.plain(cells, i);
    if (ms === undefined) continue;
    const series = seriesOf(cells);
    const step = Math.abs(ms - (last.get(series) ?? ms));
    last.set(series, ms);
    if (step > 0) steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  return [...steps].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0];
}

/** What the service adds to a reading when it gives one out; not part of what a device sends. */
const ADDED = new Set(["sensorId", "kind", "district", "measuredAt", "receivedAt", "quality", "late"]);

async function* readNative(path: string, counts: RecordingCounts): AsyncGenerator<readonly Item[]> {
  let line = 0;
  const noted = { leftOut: 0 };
  for await (const text of readLines(path, noted)) {
    line += 1;
    if (line % LINES_AT_ONCE === 0 || (noted.leftOut > 0 && text === "")) {
      await new Promise(setImmediate);
      yield [];
    }
    if (text.trim() === "") {
      counts.blank += 1;
      continue;
    }
    const item = nativeItem(text);
    if (item) {
      counts.rows += 1;
      yield [item];
      continue;
    }
    counts.unplayable += 1;
    if (counts.unplayableLines.length < UNPLAYABLE_SHOWN_MAX)
      counts.unplayableLines.push(`${basename(path)}:${line} has no usable sensorId, kind and district`);
  }
  counts.blank += noted.leftOut;
}

function nativeItem(text: string): Item | undefined {
  let line: Record<string, unknown>;
  try {
    line = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof line !== "object" || line === null || Array.isArray(line)) return undefined;
  const { sensorId, kind, district, measuredAt, values } = line;
  if (typeof sensorId !== "string" || !isId(sensorId)) return undefined;
  if (typeof kind !== "string" || !isKind(kind)) return undefined;
  if (typeof district !== "string" || !isId(district)) return undefined;
  const nested = typeof values === "object" && values !== null ? Object.entries(values) : undefined;
  const plain = Object.entries(line).filter(([key]) => !ADDED.has(key) && !(nested && key === "values"));
  return {
    sensorId,
    kind,
    district,
    at: typeof measuredAt === "number" ? usableTime(measuredAt) : zonedTime(measuredAt),
    rawTime: String(measuredAt ?? "").slice(0, 64),
    values: Object.fromEntries([...plain, ...(nested ?? [])]),
  };
}

function zonedTime(value: unknown): number | undefined {
  const found = typeof value === "string" ? readIso(value) : undefined;
  if (found?.offsetMs === undefined) return undefined;
  const local = localMs(found.time);
  return local === undefined ? undefined : usableTime(local - found.offsetMs);
}
