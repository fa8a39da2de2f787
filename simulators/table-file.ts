import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { RecordingError } from "./mapping.ts";

/** One line of a recording: a text per column, "" where there is none. */
export type Cells = readonly string[];

const RECORD_BYTES_MAX = 1024 * 1024;
const GUESSES = [",", ";", "\t", "|"];

/**
 * The lines of a CSV file or of an NDJSON file of flat objects, gzipped or not (told by their first bytes, not by their
 * names). The first item is the header. Empty lines come as empty cells, so that the caller counts them. Constant memory.
 * Throws `RecordingError` for a file that cannot be read.
 */
export async function* readTable(path: string, delimiter?: string): AsyncGenerator<Cells> {
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
