import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RecordingError } from "./mapping.ts";
import type { Item } from "./recording.ts";

/** One row of a file, with the time it is sorted by. */
export type Row = { readonly at: number; readonly items: readonly Item[] };

const PREFIX = "lamppost-sort-";
/** So much is never taken from a disk, which others need, too. */
const FREE_BYTES_MIN = 512 * 1024 * 1024;
/** Readings that are sorted in memory; more are sorted in pieces of so many, which are merged from disk. */
const READINGS_IN_MEMORY = 40_000;
/** Pieces that are merged at once. */
const RUNS_MAX = 256;
const BUFFER_BYTES = 64 * 1024;

export type Scratch = ReturnType<typeof openScratch>;

/** A folder for what does not fit into memory; it is made when it is needed, and gone with `close` or with the process. */
export function openScratch(parent = tmpdir()) {
  let dir: string | undefined;
  let files = 0;

  function close(): void {
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
    dir = undefined;
    process.off("exit", close);
  }

  function open(): string {
    removeLeftOvers(parent);
    dir = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
    process.on("exit", close);
    return dir;
  }

  /** Throws `RecordingError` where there is no room for so many bytes. */
  function makeRoom(bytes: number): void {
    const { bavail, bsize } = statfsSync(parent);
    const free = bavail * bsize;
    if (free - bytes < FREE_BYTES_MIN) throw noRoom(`${Math.round(free / 1e6)} MB are free`);
  }

  const noRoom = (why: string, cause?: unknown) =>
    new RecordingError(
      `no room in ${parent} to sort the recording (${why}): name a folder on another disk with --temp`,
      { cause },
    );

  return {
    /** The path of a file written with these lines. */
    write(lines: Iterable<string>): string {
      try {
        const path = join(dir ?? open(), String(files++));
        const fd = openSync(path, "wx", 0o600);
        try {
          let text = "";
          const flush = () => {
            makeRoom(text.length);
            writeFileSync(fd, text);
            text = "";
          };
          for (const line of lines) {
            text += `${line}\n`;
            if (text.length > 1024 * 1024) flush();
          }
          flush();
        } finally {
          closeSync(fd);
        }
        return path;
      } catch (error) {
        if (error instanceof RecordingError) throw error;
        throw noRoom((error as Error).message, error);
      }
    },
    remove: (path: string) => rmSync(path, { force: true }),
    close,
  };
}

/** Of processes that were killed. */
function removeLeftOvers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Sorts rows by their times, those of one time in the order they came in (an external merge sort). */
export function createSorter(scratch: Scratch, readingsMax = READINGS_IN_MEMORY) {
  const places: Pick<Item, "sensorId" | "kind" | "district">[] = [];
  const placeIndex = new Map<string, number>();

  async function* sorted(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
    let [piece, readings]: [Row[], number] = [[], 0];
    const runs: string[] = [];
    for await (const row of rows) {
      piece.push(row);
      readings += row.items.length;
      if (readings < readingsMax) continue;
      runs.push(writeRun(inOrder(piece)));
      [piece, readings] = [[], 0];
    }
    if (runs.length === 0) return yield* inOrder(piece);
    if (piece.length > 0) runs.push(writeRun(inOrder(piece)));
    piece = [];
    yield* mergeRuns(runs);
  }

  const inOrder = (piece: Row[]) => piece.sort((a, b) => a.at - b.at);

  function* mergeRuns(runs: string[]): Generator<Row> {
    while (runs.length > RUNS_MAX) {
      const merged: string[] = [];
      for (let i = 0; i < runs.length; i += RUNS_MAX) merged.push(writeRun(merge(runs.slice(i, i + RUNS_MAX))));
      runs = merged;
    }
    yield* merge(runs);
  }

  function* merge(runs: readonly string[]): Generator<Row> {
    const heads = createHeap<{ row: Row; rows: Generator<Row>; index: number }>(
      (a, b) => a.row.at - b.row.at || a.index - b.index,
    );
    const open = runs.map((path) => readRun(path));
    try {
      for (const [index, rows] of open.entries()) {
        const next = rows.next();
        if (!next.done) heads.push({ row: next.value, rows, index });
      }
      for (let head = heads.first(); head; head = heads.first()) {
        yield head.row;
        const next = head.rows.next();
        if (next.done) heads.removeFirst();
        else {
          head.row = next.value;
          heads.firstChanged();
        }
      }
    } finally {
      for (const rows of open) rows.return(undefined);
    }
    for (const path of runs) scratch.remove(path);
  }

  function writeRun(rows: Iterable<Row>): string {
    function* lines() {
      for (const row of rows) yield toLine(row);
    }
    return scratch.write(lines());
  }

  function toLine({ at, items }: Row): string {
    // No JSON has an infinity: rows before the first time.
    return JSON.stringify([
      Number.isFinite(at) ? at : null,
      ...items.map((item) => [placeOf(item), item.at ?? item.rawTime, item.values, ...(item.isPart ? [1] : [])]),
    ]);
  }

  function fromLine(line: string): Row {
    const [at, ...items] = JSON.parse(line) as [number | null, ...[number, number | string, Item["values"], 1?][]];
    return {
      at: at ?? Number.NEGATIVE_INFINITY,
      items: items.map(([place, time, values, isPart]) => ({
        ...places[place]!,
        at: typeof time === "number" ? time : undefined,
        rawTime: String(time),
        values,
        ...(isPart && { isPart: true as const }),
      })),
    };
  }

  function placeOf({ sensorId, kind, district }: Item): number {
    const key = `${sensorId} ${kind} ${district}`;
    const known = placeIndex.get(key);
    if (known !== undefined) return known;
    placeIndex.set(key, places.length);
    return places.push({ sensorId, kind, district }) - 1;
  }

  function* readRun(path: string): Generator<Row> {
    const fd = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(BUFFER_BYTES);
      let rest: Buffer = Buffer.alloc(0);
      for (;;) {
        const read = readSync(fd, buffer, 0, BUFFER_BYTES, null);
        if (read === 0) return;
        const bytes = Buffer.concat([rest, buffer.subarray(0, read)]);
        let from = 0;
        for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
          yield fromLine(bytes.toString("utf8", from, end));
          from = end + 1;
        }
        rest = bytes.subarray(from);
      }
    } finally {
      closeSync(fd);
    }
  }

  return { sorted };
}

/** The smallest first. */
export function createHeap<T>(compare: (a: T, b: T) => number) {
  const all: T[] = [];

  function sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < all.length && compare(all[child]!, all[least]!) < 0) least = child;
      if (least === at) return;
      [all[at], all[least]] = [all[least]!, all[at]!];
      at = least;
    }
  }

  return {
    push(one: T): void {
      all.push(one);
      for (let at = all.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (compare(all[at]!, all[parent]!) >= 0) return;
        [all[at], all[parent]] = [all[parent]!, all[at]!];
        at = parent;
      }
    },
    first: (): T | undefined => all[0],
    /** It has another value now. */
    firstChanged: sink,
    removeFirst(): void {
      const last = all.pop();
      if (all.length === 0 || last === undefined) return;
      all[0] = last;
      sink();
    },
  };
}
