import { basename } from "node:path";
import { createNames } from "../model/names.ts";
import { FUTURE_MAX_MS } from "../model/reading.ts";
import { type Mapping, RecordingError } from "./mapping.ts";
import { type Item, newCounts, readRecording } from "./recording.ts";
import { createHeap, createSorter, openScratch, type Row } from "./sorter.ts";

/** What is said at one time, of all sensors and files, in the order of the sensors' ids. */
export type Moment = { readonly items: readonly Item[]; readonly rows: number };

/**
 * How the rows of a file follow each other: in the order of time, newest first, one sensor after another, or with steps
 * back in the time of single sensors.
 */
export type FileOrder = {
  readonly file: string;
  readonly order: "forward" | "backward" | "sensor by sensor" | "mixed";
  /** Rows that are older than the one before of the same sensor, and the first of them. */
  readonly stepsBack: number;
  readonly firstStepBack?: {
    readonly row: number;
    readonly sensorId: string;
    readonly from: number;
    readonly to: number;
  };
};

const SENSORS_MAX = 100_000;
/** Readings of one time that are put in order; a file that says the same time for ever is played as it is. */
const TOGETHER_MAX = 50_000;

export type Recordings = Awaited<ReturnType<typeof openRecordings>>;

/**
 * Recordings as they would have come: all rows of all files in the order of their times, and those of one time in the
 * order of their sensors' ids, whatever the order in the files. Files that are in order are read as they stand; others
 * are sorted on disk, in bounded memory. A row without a time follows the one before it. Throws `RecordingError`.
 * Call `close` in any case: it removes what was written.
 */
export async function openRecordings(
  mapping: Mapping,
  files: readonly string[],
  options: { readonly now: number; readonly tempDir?: string; readonly signal?: AbortSignal },
) {
  const names = createNames();
  const survey = await surveyFiles();
  const scratch = openScratch(options.tempDir);

  /** First pass: how much there is, from when to when, of which sensors, in which order. */
  async function surveyFiles() {
    const counts = newCounts();
    const sensors = new Set<string>();
    const sensorsOf = new Map<string, Set<string>>();
    const districts = new Set<string>();
    const orders: FileOrder[] = [];
    let [readings, first, last] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const path of files) {
      const order = createOrderWatch(basename(path));
      const own = sensorsOf.get(basename(path)) ?? new Set<string>();
      sensorsOf.set(basename(path), own);
      for await (const items of readRecording(mapping, path, counts, names)) {
        if (options.signal?.aborted) break;
        if (items.length === 0) continue;
        order.take(items);
        for (const { sensorId, district, at } of items) {
          readings += 1;
          sensors.add(sensorId);
          own.add(sensorId);
          districts.add(district);
          // Times in the future are no part of the span: one wrong year must not decide where a recording ends.
          if (at === undefined || at > options.now + FUTURE_MAX_MS) continue;
          if (at < first) first = at;
          if (at > last) last = at;
        }
        if (sensors.size > SENSORS_MAX)
          throw new RecordingError(
            `${basename(path)} has more than ${SENSORS_MAX} sensors: does "sensor" of the mapping name the right column?`,
          );
      }
      orders.push(order.result());
    }
    return {
      counts,
      readings,
      sensors,
      /** By the file's name. */
      sensorsOf: sensorsOf as ReadonlyMap<string, ReadonlySet<string>>,
      districts: [...districts].sort(),
      span: first <= last ? { first, last } : undefined,
      orders,
      changedNames: names.changed,
    };
  }

  async function* rowsOf(path: string): AsyncGenerator<Row> {
    let at = Number.NEGATIVE_INFINITY;
    for await (const items of readRecording(mapping, path, newCounts(), names)) {
      if (options.signal?.aborted) return;
      if (items.length === 0) continue;
      at = items[0]?.at ?? at;
      yield { at, items };
    }
  }

  async function* moments(): AsyncGenerator<Moment> {
    const sources = files.map((path, i) =>
      survey.orders[i]!.order === "forward" ? rowsOf(path) : createSorter(scratch).sorted(rowsOf(path)),
    );
    yield* together(mergeRows(sources));
  }

  return { survey, moments, close: () => scratch.close() };
}

function createOrderWatch(file: string) {
  const last = new Map<string, number>();
  let [row, rowsBack, steps, stepsBack, before] = [0, 0, 0, 0, Number.NEGATIVE_INFINITY];
  let firstStepBack: FileOrder["firstStepBack"];

  return {
    take(items: readonly Item[]): void {
      row += 1;
      const item = items[0];
      if (item?.at === undefined) return;
      const { at, sensorId } = item;
      if (at < before) rowsBack += 1;
      before = at;
      const own = last.get(sensorId);
      last.set(sensorId, at);
      if (own === undefined || own === at) return;
      steps += 1;
      if (at > own) return;
      stepsBack += 1;
      firstStepBack ??= { row, sensorId, from: own, to: at };
    },
    result(): FileOrder {
      const told = { file, stepsBack, ...(firstStepBack && { firstStepBack }) };
      if (rowsBack === 0) return { ...told, order: "forward" };
      if (stepsBack === 0) return { ...told, order: "sensor by sensor" };
      return { ...told, order: stepsBack >= 0.9 * steps ? "backward" : "mixed" };
    },
  };
}

/** The rows of several sources, each in order, in one order; of equal times those of the earlier source first. */
async function* mergeRows(sources: readonly AsyncGenerator<Row>[]): AsyncGenerator<Row> {
  if (sources.length === 1) return yield* sources[0]!;
  const heads = createHeap<{ row: Row; source: AsyncGenerator<Row>; index: number }>(
    (a, b) => a.row.at - b.row.at || a.index - b.index,
  );
  try {
    for (const [index, source] of sources.entries()) {
      const next = await source.next();
      if (!next.done) heads.push({ row: next.value, source, index });
    }
    for (let head = heads.first(); head; head = heads.first()) {
      yield head.row;
      const next = await head.source.next();
      if (next.done) heads.removeFirst();
      else {
        head.row = next.value;
        heads.firstChanged();
      }
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

/** Rows of one time become one moment. */
async function* together(rows: AsyncGenerator<Row>): AsyncGenerator<Moment> {
  let gathered: { at: number; items: Item[]; rows: number } | undefined;
  for await (const { at, items } of rows) {
    if (gathered && gathered.at === at && gathered.items.length < TOGETHER_MAX) {
      gathered.items.push(...items);
      gathered.rows += 1;
      continue;
    }
    if (gathered) yield inOrder(gathered);
    gathered = { at, items: [...items], rows: 1 };
  }
  if (gathered) yield inOrder(gathered);
}

function inOrder({ items, rows }: { items: Item[]; rows: number }): Moment {
  // Stable: of one sensor the first in the file stays the first, and what follows is a duplicate or a conflict.
  if (items.length > 1) items.sort((a, b) => (a.sensorId < b.sensorId ? -1 : a.sensorId > b.sensorId ? 1 : 0));
  return { items: items.length > 1 ? whole(items) : items.filter(isSomething), rows };
}

/** Values of one moment that stand in rows or columns of their own become one; a second value of a metric stays by itself. */
function whole(items: readonly Item[]): Item[] {
  const all: Item[] = [];
  for (const item of items) {
    const before = all.at(-1);
    const isOne = before?.sensorId === item.sensorId && before.kind === item.kind && item.at !== undefined;
    if (
      isOne &&
      before.at === item.at &&
      before.district === item.district &&
      !Object.keys(item.values).some((name) => name in before.values)
    )
      all[all.length - 1] = { ...before, values: { ...before.values, ...item.values } };
    else all.push(item);
  }
  return all.filter(isSomething);
}

/** A row of a metric that nobody knows is none. */
const isSomething = ({ isPart, values }: Item) => !isPart || Object.keys(values).length > 0;
