import { closeSync, openSync, readSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { MapFileRefused } from "./refused.ts";

/**
 * What a PMTiles file (version 3) says of itself, looked at before a browser meets it:
 * https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md. Drawing is the browser's.
 */
const HEADER_BYTES = 127;
/** By the specification header and root directory lie within the first 16 KiB. */
const HEAD_BYTES = 16_384;
const METADATA_BYTES_MAX = 4 * 1024 * 1024;
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024;
const ZOOM_MAX = 22;
const [NONE, GZIP] = [1, 2];
const COMPRESSIONS = ["unknown", "none", "gzip", "brotli", "zstd"];
/** MVT, PNG, JPEG, WebP, AVIF. */
const TILE_TYPES_READ = new Set([1, 2, 3, 4, 5]);
const LEVELS_MAX = 4;

type Section = { readonly what: string; readonly offset: number; readonly length: number };
type Entry = { readonly offset: number; readonly length: number; readonly isDirectory: boolean };

/** Answers whom its data is owed to, where it says so. Throws `MapFileRefused`. */
export function checkPmtiles(path: string, bytes: number): { readonly attribution?: string } {
  const file = openSync(path, "r");
  try {
    return check(file, bytes);
  } finally {
    closeSync(file);
  }
}

function check(file: number, bytes: number): { readonly attribution?: string } {
  const header = read(file, 0, Math.min(HEADER_BYTES, bytes));
  const start = header.toString("latin1", 0, 15);
  if (start.startsWith("SQLite format 3"))
    throw new MapFileRefused(
      "it is an MBTiles file; `pmtiles convert in.mbtiles out.pmtiles` makes a PMTiles file of it",
    );
  if (!start.startsWith("PMTiles")) throw new MapFileRefused("it does not begin as a PMTiles file does");
  if (header.length < HEADER_BYTES) throw new MapFileRefused("it ends within its header");
  if (header[7] !== 3)
    throw new MapFileRefused(`it is PMTiles version ${header[7]}; version 3 is read (\`pmtiles convert\` makes it)`);

  const number = (at: number) => Number(header.readBigUInt64LE(at));
  const section = (what: string, at: number): Section => ({ what, offset: number(at), length: number(at + 8) });
  const root = section("root directory", 8);
  const metadata = section("metadata", 24);
  const leaves = section("leaf directories", 40);
  const tiles = section("tiles", 56);
  for (const { what, offset, length } of [root, metadata, leaves, tiles]) {
    if (!(offset + length <= bytes))
      throw new MapFileRefused(
        `its ${what} should end at byte ${offset + length}, and it has ${bytes}: it is cut off or damaged`,
      );
  }
  if (root.length === 0 || root.offset < HEADER_BYTES || root.offset + root.length > HEAD_BYTES)
    throw new MapFileRefused("its root directory is not where the format has it: it is damaged");
  if (metadata.length > METADATA_BYTES_MAX) throw new MapFileRefused("its metadata is larger than 4 MiB");
  const [inner, outer, type, zoomMin, zoomMax] = header.subarray(97, 102) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  for (const [what, used] of [
    ["directories", inner],
    ["tiles", outer],
  ] as const) {
    const isPicture = what === "tiles" && type !== 1 && used === 0;
    if (used !== NONE && used !== GZIP && !isPicture)
      throw new MapFileRefused(
        `its ${what} are compressed by ${COMPRESSIONS[used] ?? used}; browsers read gzip and none`,
      );
  }
  if (!TILE_TYPES_READ.has(type)) throw new MapFileRefused("its tiles are neither vector tiles (MVT) nor pictures");
  if (zoomMin > zoomMax || zoomMax > ZOOM_MAX)
    throw new MapFileRefused(`its zoom levels ${zoomMin} to ${zoomMax} are none that there are`);
  checkBounds(header);

  const unpack = (part: Section, compression: number) => unpacked(file, part, compression);
  checkFirstTile(unpack, { root, leaves, tiles }, inner, outer);
  return attributionOf(metadata.length > 0 ? unpack(metadata, inner) : Buffer.from("{}"));
}

/** In ten millionths of a degree. */
function checkBounds(header: Buffer): void {
  const [west, south, east, north] = [102, 106, 110, 114].map((at) => header.readInt32LE(at) / 1e7) as [
    number,
    number,
    number,
    number,
  ];
  const isRight = west >= -180 && east <= 180 && south >= -90 && north <= 90 && west <= east && south <= north;
  if (!isRight)
    throw new MapFileRefused(
      `its bounds (${west}, ${south} to ${east}, ${north}) are no degrees of longitude and latitude`,
    );
}

type Places = { readonly root: Section; readonly leaves: Section; readonly tiles: Section };

/** From the root down to one tile, which is unpacked: what is damaged shows here and not to the first person at the desk. */
function checkFirstTile(
  unpack: (part: Section, compression: number) => Buffer,
  { root, leaves, tiles }: Places,
  inner: number,
  outer: number,
): void {
  let directory = root;
  for (let level = 0; level < LEVELS_MAX; level += 1) {
    const entries = readDirectory(unpack(directory, inner));
    if (entries.length === 0) throw new MapFileRefused("it has no tiles");
    for (const { offset, length, isDirectory } of entries) {
      if (offset + length > (isDirectory ? leaves : tiles).length)
        throw new MapFileRefused("a directory of it points beyond its end: it is cut off or damaged");
    }
    const first = entries[0]!;
    if (!first.isDirectory) {
      unpack({ what: "first tile", offset: tiles.offset + first.offset, length: first.length }, outer);
      return;
    }
    directory = { what: "leaf directory", offset: leaves.offset + first.offset, length: first.length };
  }
  throw new MapFileRefused("its directories lie in each other too deep");
}

/** Numbers of tiles, run lengths, lengths and offsets: four columns of varints, the first and the last by their differences. */
function readDirectory(bytes: Buffer): Entry[] {
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 56)
        throw new MapFileRefused("a directory of it cannot be read: it is damaged");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  const count = varint();
  // Each entry has four numbers, each of a byte at least.
  if (count > bytes.length / 4) throw new MapFileRefused("a directory of it cannot be read: it is damaged");
  for (let i = 0; i < count; i += 1) varint();
  const runs = Array.from({ length: count }, varint);
  const lengths = Array.from({ length: count }, varint);
  let end = 0;
  return lengths.map((length, i) => {
    const given = varint();
    const offset = given === 0 && i > 0 ? end : given - 1;
    end = offset + length;
    if (length === 0 || offset < 0) throw new MapFileRefused("a directory of it cannot be read: it is damaged");
    return { offset, length, isDirectory: runs[i] === 0 };
  });
}

function unpacked(file: number, { what, offset, length }: Section, compression: number): Buffer {
  if (length > UNPACKED_BYTES_MAX) throw new MapFileRefused(`its ${what} has more than 16 MiB`);
  const bytes = read(file, offset, length);
  if (compression !== GZIP) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch {
    throw new MapFileRefused(`its ${what} cannot be unpacked: it is damaged`);
  }
}

function read(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const found = readSync(file, bytes, 0, length, offset);
  if (found < length) throw new MapFileRefused("it ends too early");
  return bytes;
}

const ATTRIBUTION_CHARS_MAX = 300;

/** As text: what makers of tiles write there is often HTML. */
function attributionOf(metadata: Buffer): { readonly attribution?: string } {
  let said: unknown;
  try {
    said = (JSON.parse(metadata.toString("utf8")) as { attribution?: unknown } | null)?.attribution;
  } catch {
    throw new MapFileRefused("its metadata is not JSON: it is damaged");
  }
  if (typeof said !== "string") return {};
  const text = said
    .replace(/<[^>]*>/g, "")
    .replaceAll("&copy;", "©")
    .replaceAll("&amp;", "&")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, ATTRIBUTION_CHARS_MAX);
  return text === "" ? {} : { attribution: text };
}
