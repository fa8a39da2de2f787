import type { Kind } from "../model/kinds.ts";
import type { MetricName } from "../model/metrics.ts";
import { createZoneClock, localTimeReader } from "./local-time.ts";
import { type ImpliedTime, type ReadingSpec, RecordingError, type TableFile, type WrittenTime } from "./mapping.ts";
import type { Cells } from "./table-file.ts";
import { conversion } from "./units.ts";

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
export function createRowReader(
  spec: TableFile,
  groups: Readonly<Record<string, string>>,
  header: Cells,
  file: string,
) {
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
export const usableTime = (ms: number) => (Math.abs(ms) <= 8.64e15 ? Math.floor(ms) : undefined);

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
