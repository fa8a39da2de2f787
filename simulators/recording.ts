import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { isId } from "../model/ids.ts";
import { isKind, type Kind } from "../model/kinds.ts";
import type { MetricName } from "../model/metrics.ts";
import { FUTURE_MAX_MS } from "../model/reading.ts";
import { createZoneClock, localTimeReader } from "./local-time.ts";
import {
  conversion,
  fileSpec,
  type ImpliedTime,
  type Mapping,
  type ReadingSpec,
  RecordingError,
  type TableFile,
  type WrittenTime,
} from "./mapping.ts";

/** One line of a recording: a text per column, "" where there is none. */
type Cells = readonly string[];

const RECORD_BYTES_MAX = 1024 * 1024;
const GUESSES = [",", ";", "\t", "|"];

/**
 * The lines of a CSV file or of an NDJSON file of flat objects, gzipped or not (told by their first bytes, not by their
 * names). The first item is the header. Empty lines come as empty cells, so that the caller counts them. Constant memory.
 * Throws `RecordingError` for a file that cannot be read.
 */
async function* readTable(path: string, delimiter?: string): AsyncGenerator<Cells> {
  const start = await firstLine(path);
  try {
    if (start.startsWith("{")) yield* readObjects(path);
    else yield* readCsv(path, delimiter ?? mostFrequent(start));
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function* readCsv(path: string, delimiter: string): AsyncGenerator<Cells> {
  const parser = parse({
    delimiter,
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: false,
    max_record_size: RECORD_BYTES_MAX,
  });
  // Errors reach the parser, which the loop below reads: nothing is left to do in the callback.
  pipeline(await openText(path), parser, () => {});
  for await (const cells of parser as AsyncIterable<string[]>) yield cells;
}

async function* readObjects(path: string): AsyncGenerator<Cells> {
  let header: readonly string[] | undefined;
  for await (const line of readLines(path)) {
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

/** Lines of a text file, gzipped or not, without their ends and the byte order mark. */
export async function* readLines(path: string): AsyncGenerator<string> {
  let rest = "";
  let first = true;
  const text = await openText(path);
  text.setEncoding("utf8");
  for await (const chunk of text as AsyncIterable<string>) {
    const lines = (rest + (first ? chunk.replace(/^\uFEFF/, "") : chunk)).split("\n");
    first = false;
    rest = lines.pop() ?? "";
    if (rest.length > RECORD_BYTES_MAX) throw new RecordingError(`${path} has a line of more than 1 MiB`);
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  if (rest !== "") yield rest;
}

async function openText(path: string): Promise<Readable> {
  const file = await open(path, "r");
  const magic = Buffer.alloc(2);
  try {
    await file.read(magic, 0, 2, 0);
  } finally {
    await file.close();
  }
  const bytes = createReadStream(path);
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return bytes;
  // An error of the file or of the compression destroys the last stream with it, and the reader of that one throws.
  return pipeline(bytes, createGunzip(), () => {});
}

async function firstLine(path: string): Promise<string> {
  try {
    for await (const line of readLines(path)) return line;
    return "";
  } catch (error) {
    throw new RecordingError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function mostFrequent(line: string): string {
  const counts = GUESSES.map((guess) => line.split(guess).length);
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
};

type Source = {
  readonly index: number;
  readonly read: (text: string) => number | string | null;
  readonly metric: MetricName;
};
type Sensor = { readonly id: (cells: Cells) => string; readonly kind: Kind; readonly sources: readonly Source[] };

const TEXT_CHARS_MAX = 64;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Header names as people vary them: case, spaces at the ends, double spaces. */
const tidy = (name: string) => name.trim().replace(/\s+/g, " ").toLowerCase();

export function toId(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 64);
}

/**
 * Turns the rows of one file into readings. `absent` names the columns of the mapping that the file does not have.
 * Throws `RecordingError` if the file lacks its time, or every metric.
 */
function createRowReader(spec: TableFile, groups: Readonly<Record<string, string>>, header: Cells, file: string) {
  const columns = new Map(header.map((name, index) => [tidy(name), index]));
  const column = (name: string) => columns.get(tidy(name));
  const absent: string[] = [];
  const sensors = spec.readings.flatMap((reading) => sensorsOf(reading, spec, groups, header, column, absent));
  if (sensors.length === 0)
    throw new RecordingError(`${file} has none of the columns the mapping asks for; it has: ${header.join(", ")}`);
  const time = "columns" in spec.time ? writtenTime(spec.time, column, file) : impliedTime(spec.time, column, file);
  const district = template(spec.district, groups, column);

  function read(cells: Cells, row: number): Item[] {
    const { at, raw } = time(cells, row);
    return sensors.map((sensor) => ({
      sensorId: sensor.id(cells),
      kind: sensor.kind,
      district: district(cells),
      at,
      rawTime: raw.slice(0, TEXT_CHARS_MAX),
      values: Object.fromEntries(sensor.sources.map((one) => [one.metric, one.read(cells[one.index] ?? "")])),
    }));
  }
  return { read, absent: absent as readonly string[], sensorsPerRow: sensors.length };
}

function sensorsOf(
  reading: ReadingSpec,
  spec: TableFile,
  groups: Readonly<Record<string, string>>,
  header: Cells,
  column: (name: string) => number | undefined,
  absent: string[],
): Sensor[] {
  if ("metrics" in reading) {
    const sources = reading.metrics.flatMap((one) => {
      const index = column(one.column);
      if (index === undefined) absent.push(one.column);
      return index === undefined ? [] : [{ index, metric: one.metric, read: valueReader(spec, one) }];
    });
    return sources.length === 0 ? [] : [{ id: template(reading.sensor, groups, column), kind: reading.kind, sources }];
  }
  const pattern = new RegExp(reading.eachColumn, "i");
  const found = header.flatMap((name, index) => {
    const match = pattern.exec(name.trim());
    if (!match) return [];
    const id = template(reading.sensor, { ...groups, column: name, ...match.groups }, () => undefined);
    return [{ id, kind: reading.kind, sources: [{ index, metric: reading.metric, read: valueReader(spec, reading) }] }];
  });
  if (found.length === 0) absent.push(reading.eachColumn);
  return found;
}

/** "{station}" from the file's name if it tells it, else from the row. */
function template(
  text: string,
  groups: Readonly<Record<string, string>>,
  column: (name: string) => number | undefined,
) {
  return (cells: Cells) =>
    toId(text.replace(/\{([^}]+)\}/g, (_, name: string) => groups[name] ?? cells[column(name) ?? -1] ?? "unknown"));
}

function valueReader(spec: TableFile, quantity: { metric: MetricName; unit: string; missing: readonly string[] }) {
  const none = [...spec.missing, ...quantity.missing];
  const texts = new Set(["", ...none]);
  const numbers = new Set(none.filter((text) => NUMBER.test(text)).map(Number));
  const convert = conversion(quantity.unit, quantity.metric)!;
  return (cell: string): number | string | null => {
    const text = cell.trim();
    if (texts.has(text)) return null;
    const plain = spec.decimal === "," ? text.replace(",", ".") : text;
    const value = NUMBER.test(plain) ? Number(plain) : Number.NaN;
    if (!Number.isFinite(value)) return text.slice(0, TEXT_CHARS_MAX);
    return numbers.has(value) ? null : convert(value);
  };
}

type ReadTime = (cells: Cells, row: number) => { readonly at: number | undefined; readonly raw: string };

function writtenTime(time: WrittenTime, column: (name: string) => number | undefined, file: string): ReadTime {
  const indexes = time.columns.map((name) => {
    const index = column(name);
    if (index === undefined) throw new RecordingError(`${file} has no column "${name}", which the time is read from`);
    return index;
  });
  const clock = createZoneClock(time.zone);
  const readers = time.patterns.map((pattern) => timeReader(pattern, clock));
  return (cells) => {
    const raw = indexes.map((index) => (cells[index] ?? "").trim()).join(" ");
    for (const reader of readers) {
      const at = reader(raw);
      if (at !== undefined) return { at, raw };
    }
    return { at: undefined, raw };
  };
}

function timeReader(pattern: string, clock: ReturnType<typeof createZoneClock>): (text: string) => number | undefined {
  if (pattern === "iso")
    return (text) =>
      /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? usableTime(Date.parse(text)) : undefined;
  if (pattern === "epoch-s") return (text) => (NUMBER.test(text) ? usableTime(Number(text) * 1000) : undefined);
  if (pattern === "epoch-ms") return (text) => (NUMBER.test(text) ? usableTime(Number(text)) : undefined);
  const read = localTimeReader(pattern);
  return (text) => {
    const local = read(text);
    return local && clock(local);
  };
}

/** What a Date can hold: anything else is not a time. */
const usableTime = (ms: number) => (Math.abs(ms) <= 8.64e15 ? Math.floor(ms) : undefined);

/** Steps are elapsed time, so a change to summer time does not bend them. */
function impliedTime(time: ImpliedTime, column: (name: string) => number | undefined, file: string): ReadTime {
  const start = Temporal.PlainDateTime.from(time.start).toZonedDateTime(time.zone).epochMilliseconds;
  if (time.index === undefined) return (_, row) => ({ at: start + row * time.stepS * 1000, raw: "" });
  const index = column(time.index);
  if (index === undefined) throw new RecordingError(`${file} has no column "${time.index}", which counts the steps`);
  return (cells) => {
    const raw = (cells[index] ?? "").trim();
    const at = NUMBER.test(raw) ? usableTime(start + (Number(raw) - time.indexFrom) * time.stepS * 1000) : undefined;
    return { at, raw };
  };
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
};

export function newCounts(): RecordingCounts {
  return { rows: 0, blank: 0, unplayable: 0, unplayableLines: [], absent: new Set() };
}

const UNPLAYABLE_SHOWN_MAX = 5;

/** The rows of one file in their order, each as the readings it holds. Throws `RecordingError`. */
export function readRecording(
  mapping: Mapping,
  path: string,
  counts: RecordingCounts,
): AsyncGenerator<readonly Item[]> {
  return mapping.form === "native" ? readNative(path, counts) : readMapped(mapping, path, counts);
}

async function* readMapped(mapping: Mapping & { form: "table" }, path: string, counts: RecordingCounts) {
  const { spec, groups } = fileSpec(mapping, path);
  let reader: ReturnType<typeof createRowReader> | undefined;
  let row = 0;
  for await (const cells of readTable(path, spec.delimiter)) {
    if (!reader) {
      reader = createRowReader(spec, groups, cells, basename(path));
      for (const name of reader.absent) counts.absent.add(name);
    } else if (cells.every((cell) => cell.trim() === "")) {
      counts.blank += 1;
    } else {
      counts.rows += 1;
      yield reader.read(cells, row++);
    }
  }
}

/** What the service adds to a reading when it gives one out; not part of what a device sends. */
const ADDED = new Set(["sensorId", "kind", "district", "measuredAt", "receivedAt", "quality", "late"]);

async function* readNative(path: string, counts: RecordingCounts): AsyncGenerator<readonly Item[]> {
  let line = 0;
  for await (const text of readLines(path)) {
    line += 1;
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
  if (typeof value !== "string" || !/(?:Z|[+-]\d\d:?\d\d)$/i.test(value)) return undefined;
  return usableTime(Date.parse(value));
}

/**
 * First pass: how much there is, from when to when, of which sensors. Times in the future of `now` are no part of the
 * span: one wrong year must not decide where a recording ends.
 */
export async function surveyRecordings(mapping: Mapping, files: readonly string[], now: number) {
  const counts = newCounts();
  const sensors = new Set<string>();
  const districts = new Set<string>();
  let readings = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const path of files) {
    for await (const items of readRecording(mapping, path, counts)) {
      for (const { sensorId, district, at } of items) {
        readings += 1;
        sensors.add(sensorId);
        districts.add(district);
        if (at === undefined || at > now + FUTURE_MAX_MS) continue;
        if (at < first) first = at;
        if (at > last) last = at;
      }
    }
  }
  const span = first <= last ? { first, last } : undefined;
  return { counts, readings, sensors, districts: [...districts].sort(), span };
}

/**
 * The rows of several files in the order of their times, as the city would have sent them. Within a file the order
 * stays as it is, also where its clock steps back; a row without a time follows the one before it.
 */
export async function* mergeRecordings(
  sources: readonly AsyncGenerator<readonly Item[]>[],
): AsyncGenerator<readonly Item[]> {
  const heads = await Promise.all(
    sources.map(async (source) => ({ source, next: await source.next(), at: Number.NEGATIVE_INFINITY })),
  );
  for (const head of heads) head.at = timeOf(head.next, head.at);
  for (;;) {
    const open = heads.filter((head) => !head.next.done);
    const head = open.reduce<(typeof heads)[number] | undefined>((a, b) => (a && a.at <= b.at ? a : b), undefined);
    if (!head || head.next.done) return;
    yield head.next.value;
    head.next = await head.source.next();
    head.at = timeOf(head.next, head.at);
  }
}

function timeOf(next: IteratorResult<readonly Item[], unknown>, before: number): number {
  return next.done ? before : (next.value[0]?.at ?? before);
}
