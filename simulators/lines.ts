import { isAscii, isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { RecordingError } from "./mapping.ts";

export const RECORD_BYTES_MAX = 1024 * 1024;
/** As wide as a sheet of a spreadsheet may be. */
const COLUMNS_MAX = 16_384;
/** Blank lines after each other that are read as lines: as many as a preface may have. More are counted, and left out. */
const BLANK_RUN_MAX = 1_000;
const [LF, CR, SPACE] = [10, 13, 32];

type Noted = {
  /** Blank lines that were left out. */
  leftOut: number;
};

/**
 * The bytes of a file as UTF-8, gzipped or not (told by its first bytes, not by its name). No line is longer or has more
 * columns than a table can have, and no more than a thousand blank ones follow each other: a small file may stand for
 * gigabytes. Errors are `RecordingError`s, with the line.
 */
export async function openText(path: string, noted: Noted, delimiter?: string): Promise<Readable> {
  const file = await open(path, "r");
  const magic = Buffer.alloc(2);
  try {
    await file.read(magic, 0, 2, 0);
  } finally {
    await file.close();
  }
  const bytes = createReadStream(path);
  const isGzipped = magic[0] === 0x1f && magic[1] === 0x8b;
  // An error of the file or of the compression destroys the last stream with it, and the reader of that one throws.
  const plain = isGzipped ? pipeline(bytes, createGunzip(), () => {}) : bytes;
  return Readable.from(withinLimits(inUtf8(plain, path), path, noted, delimiter), { objectMode: false });
}

/**
 * UTF-16, as spreadsheets save "Unicode text", is told by its byte order mark; what is no UTF-8 is Windows-1252, as they
 * save CSV in much of Europe (ISO 8859-1 is a part of it).
 */
async function* inUtf8(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | undefined;
  let isKnown = false;
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst) {
      isFirst = false;
      const mark = chunk.subarray(0, 2).toString("hex");
      isKnown = mark === "fffe" || mark === "feff";
      if (isKnown) decoder = new TextDecoder(mark === "fffe" ? "utf-16le" : "utf-16be");
      else if (chunk.subarray(0, 1_000).includes(0))
        throw new RecordingError(
          `${basename(path)} is no text, or UTF-16 without a byte order mark: save it as UTF-8 (CSV)`,
        );
    }
    // Until a sign beyond ASCII comes, it is all the same.
    if (!isKnown && !isAscii(chunk)) {
      isKnown = true;
      if (!isUtf8(wholeSigns(chunk))) decoder = new TextDecoder("windows-1252");
    }
    yield decoder ? Buffer.from(decoder.decode(chunk, { stream: true })) : chunk;
  }
  if (decoder) yield Buffer.from(decoder.decode());
}

/** Without the beginning of a sign that goes on in the next chunk. */
function wholeSigns(chunk: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, chunk.length); back++) {
    const byte = chunk[chunk.length - back]!;
    if (byte < 0x80) return chunk;
    if (byte >= 0xc0) return chunk.subarray(0, chunk.length - back);
  }
  return chunk;
}

async function* withinLimits(
  chunks: AsyncIterable<Buffer>,
  path: string,
  noted: Noted,
  delimiter = "",
): AsyncGenerator<Buffer> {
  const sign = delimiter.length === 1 && delimiter.charCodeAt(0) < 128 ? delimiter.charCodeAt(0) : -1;
  let [line, length, signs, blanks, isBlank, before] = [1, 0, 0, 0, true, 0];
  let hidden = 0;
  for await (const chunk of chunks) {
    const kept: Buffer[] = [];
    /** Where what is kept goes on; undefined while lines are left out. */
    let from: number | undefined = blanks < BLANK_RUN_MAX ? 0 : undefined;
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte !== LF && byte !== CR) {
        if (byte === sign && ++signs >= COLUMNS_MAX)
          throw new RecordingError(`${basename(path)}, line ${line}: more than ${COLUMNS_MAX} columns`);
        if (byte === SPACE || !isBlank) continue;
        isBlank = false;
        blanks = 0;
        from ??= start;
        continue;
      }
      // The second half of "\r\n" ends no line.
      const isHalf = byte === LF && (i > 0 ? chunk[i - 1] : before) === CR;
      if (!isHalf) {
        if (isBlank && ++blanks > BLANK_RUN_MAX) noted.leftOut += 1;
        line += 1;
      }
      if (length + i - start > RECORD_BYTES_MAX) throw tooLong(path, line - 1);
      [length, signs, isBlank] = [0, 0, true];
      start = i + 1;
      if (blanks >= BLANK_RUN_MAX && from !== undefined) {
        kept.push(chunk.subarray(from, start));
        from = undefined;
      }
    }
    length += chunk.length - start;
    if (length > RECORD_BYTES_MAX) throw tooLong(path, line);
    before = chunk.at(-1) ?? before;
    if (from !== undefined) kept.push(chunk.subarray(from));
    // Now and then one of them goes on, so that whoever reads can stop.
    if (kept.length === 0 && from === undefined && ++hidden % 64 === 0) {
      noted.leftOut -= 1;
      kept.push(Buffer.from("\n"));
    }
    if (kept.length > 0) yield kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    // A stream of what is left out gives nobody else a turn.
    await new Promise(setImmediate);
  }
}

const tooLong = (path: string, line: number) =>
  new RecordingError(`${basename(path)}, line ${line}: the line has more than 1 MiB`);

/** Lines of a text file, without their ends ("\n", "\r\n" or "\r") and the byte order mark. */
export async function* readLines(path: string, noted: Noted = { leftOut: 0 }): AsyncGenerator<string> {
  let rest = "";
  let first = true;
  const text = await openText(path, noted);
  text.setEncoding("utf8");
  for await (const chunk of text as AsyncIterable<string>) {
    const text = rest + (first ? chunk.replace(/^\uFEFF/, "") : chunk);
    first = false;
    // A "\r" at the end may be one half of "\r\n".
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "") + text.slice(whole.length);
    yield* lines;
  }
  if (rest !== "") yield rest.replace(/\r$/, "");
}
