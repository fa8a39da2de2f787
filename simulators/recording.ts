import { basename } from "node:path";
import { isId } from "../model/ids.ts";
import { isKind } from "../model/kinds.ts";
import { FUTURE_MAX_MS } from "../model/reading.ts";
import { fileSpec, type Mapping } from "./mapping.ts";
import { createRowReader, type Item, usableTime } from "./row-reader.ts";
import { readLines, readTable } from "./table-file.ts";

/** What one pass over a recording counted. Every line is in exactly one of `rows`, `blank` and `unplayable`. */
export type RecordingCounts = {
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
