import { gzipSync } from "node:zlib";
import { PbfWriter } from "pbf";
import { zxyToTileId } from "pmtiles";

/**
 * A PMTiles file of a made-up city, the same at every call: streets, water and houses around a place, at zoom 12 to 15, in the layers
 * of Protomaps' basemap. For measurements and tests: `sizeMiB` is reached by more and more houses.
 */
export type CityFile = { readonly lat: number; readonly lon: number; readonly sizeMiB: number; readonly seed: number };

const EXTENT = 4096;
const ZOOMS = [10, 12, 13, 14, 15] as const;
const RADIUS_DEGREES = 0.22;

export function cityPmtiles({ lat, lon, sizeMiB, seed }: CityFile): Buffer {
  const random = mulberry32(seed);
  const places = ZOOMS.flatMap((z) => tilesAround(z, lat, lon));
  // Nine tenths: the rest is streets, and what compression does not take away.
  const bytesEach = (sizeMiB * 1024 * 1024) / places.length;
  const tiles = places
    .map(({ z, x, y }) => ({
      id: zxyToTileId(z, x, y),
      bytes: gzipSync(tileOf(z, x, y, bytesEach, random), { level: 1 }),
    }))
    .sort((a, b) => a.id - b.id);
  return archive(tiles, { lat, lon });
}

/** Of the same seed the same numbers (Tommy Ettinger's mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function tilesAround(z: number, lat: number, lon: number) {
  const column = (degrees: number) => Math.floor((degrees / 360 + 0.5) * 2 ** z);
  const row = (degrees: number) => {
    const sin = Math.sin((degrees * Math.PI) / 180);
    return Math.floor((0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * 2 ** z);
  };
  const found: { z: number; x: number; y: number }[] = [];
  for (let x = column(lon - RADIUS_DEGREES); x <= column(lon + RADIUS_DEGREES); x += 1)
    for (let y = row(lat + RADIUS_DEGREES * 0.6); y <= row(lat - RADIUS_DEGREES * 0.6); y += 1) found.push({ z, x, y });
  return found;
}

type Feature = {
  readonly type: 1 | 2 | 3;
  readonly tags: readonly (readonly [string, string])[];
  readonly spots: readonly (readonly [number, number])[];
};

function tileOf(z: number, x: number, y: number, bytes: number, random: () => number): Uint8Array {
  const wave = (run: number) => Math.round(120 * Math.sin(run / 700 + x));
  const run = Array.from({ length: 17 }, (_, i) => i * 256);
  const streets = Array.from({ length: 14 }, (_, i): Feature => {
    const at = (i % 7) * 600 + 200;
    const isAcross = i >= 7;
    const spots = run.map((k) => (isAcross ? ([at + wave(k), k] as const) : ([k, at + wave(k)] as const)));
    const kind = i % 7 === 3 ? "major_road" : "minor_road";
    return {
      type: 2,
      tags: [
        ["kind", kind],
        ["name", `Street ${(x * 31 + y * 17 + i) % 997}`],
      ],
      spots,
    };
  });
  const river: Feature = {
    type: 3,
    tags: [["kind", "water"]],
    spots: [
      ...run.map((k) => [k, 2000 + wave(k)] as const),
      ...run.toReversed().map((k) => [k, 2250 + wave(k)] as const),
    ],
  };
  const park: Feature = {
    type: 3,
    tags: [["kind", "park"]],
    spots: [
      [300, 300],
      [1200, 340],
      [1150, 1100],
      [280, 1010],
    ],
  };
  // Some 8 bytes each are left after compression.
  const houses = Array.from({ length: Math.round((bytes * 0.97 - 1_400) / 8.1) }, (): Feature => {
    const [left, top] = [Math.floor(random() * 4000), Math.floor(random() * 4000)];
    const [wide, high] = [20 + Math.floor(random() * 50), 20 + Math.floor(random() * 50)];
    return {
      type: 3,
      tags: [],
      spots: [
        [left, top],
        [left + wide, top],
        [left + wide, top + high],
        [left, top + high],
      ],
    };
  });
  const pbf = new PbfWriter();
  const layers = {
    water: [river],
    landuse: [park],
    buildings: z >= 14 ? houses : houses.slice(0, houses.length / 2),
    roads: streets,
  };
  for (const [name, features] of Object.entries(layers)) pbf.writeMessage(3, writeLayer, { name, features });
  return pbf.finish();
}

function writeLayer(
  { name, features }: { readonly name: string; readonly features: readonly Feature[] },
  pbf: PbfWriter,
): void {
  const [keys, values] = [new Map<string, number>(), new Map<string, number>()];
  const indexOf = (known: Map<string, number>, text: string): number => {
    const index = known.get(text) ?? known.size;
    known.set(text, index);
    return index;
  };
  pbf.writeVarintField(15, 2);
  pbf.writeStringField(1, name);
  for (const { type, tags, spots } of features) {
    pbf.writeMessage(
      2,
      (_feature: undefined, own: PbfWriter) => {
        own.writePackedVarint(
          2,
          tags.flatMap(([key, value]) => [indexOf(keys, key), indexOf(values, value)]),
        );
        own.writeVarintField(3, type);
        own.writePackedVarint(4, geometry(spots, type === 3));
      },
      undefined,
    );
  }
  for (const key of keys.keys()) pbf.writeStringField(3, key);
  for (const value of values.keys())
    pbf.writeMessage(4, (text: string, own: PbfWriter) => own.writeStringField(1, text), value);
  pbf.writeVarintField(5, EXTENT);
}

/** Commands of vector tiles: go there, draw so many lines, close. */
function geometry(spots: Feature["spots"], isClosed: boolean): number[] {
  const zigzag = (n: number) => (n << 1) ^ (n >> 31);
  let [lastX, lastY] = [0, 0];
  const steps = spots.map(([x, y]) => {
    const step = [zigzag(x - lastX), zigzag(y - lastY)];
    [lastX, lastY] = [x, y];
    return step;
  });
  return [9, ...steps[0]!, ((spots.length - 1) << 3) | 2, ...steps.slice(1).flat(), ...(isClosed ? [15] : [])];
}

type Packed = { readonly id: number; readonly bytes: Buffer };

const HEADER_BYTES = 127;
/** The root and its header lie within the first 16 KiB: so many entries fit into it whatever they are. */
const LEAF_ENTRIES = 1_000;

function archive(tiles: readonly Packed[], { lat, lon }: { lat: number; lon: number }): Buffer {
  let end = 0;
  const entries = tiles.map(({ id, bytes }) => {
    const offset = end;
    end += bytes.length;
    return { id, run: 1, length: bytes.length, offset };
  });
  const leaves: Buffer[] = [];
  let leavesEnd = 0;
  const roots = Array.from({ length: Math.ceil(entries.length / LEAF_ENTRIES) }, (_, i) => {
    const part = entries.slice(i * LEAF_ENTRIES, (i + 1) * LEAF_ENTRIES);
    const leaf = directory(part);
    leaves.push(leaf);
    const offset = leavesEnd;
    leavesEnd += leaf.length;
    return { id: part[0]!.id, run: 0, length: leaf.length, offset };
  });
  const root = directory(roots);
  const metadata = gzipSync(JSON.stringify({ name: "made-up", attribution: "Made up for tests" }));
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("PMTiles", 0, "latin1");
  header[7] = 3;
  const sections = [root.length, metadata.length, leavesEnd, end];
  let at = HEADER_BYTES;
  sections.forEach((length, i) => {
    header.writeBigUInt64LE(BigInt(at), 8 + i * 16);
    header.writeBigUInt64LE(BigInt(length), 16 + i * 16);
    at += length;
  });
  for (const place of [72, 80, 88]) header.writeBigUInt64LE(BigInt(tiles.length), place);
  header.set([1, 2, 2, 1, ZOOMS[0], ZOOMS.at(-1)!], 96);
  const degrees = (value: number) => Math.round(value * 1e7);
  const bounds = [lon - RADIUS_DEGREES, lat - RADIUS_DEGREES, lon + RADIUS_DEGREES, lat + RADIUS_DEGREES];
  for (const [i, value] of bounds.entries()) header.writeInt32LE(degrees(value), 102 + i * 4);
  header[118] = 13;
  header.writeInt32LE(degrees(lon), 119);
  header.writeInt32LE(degrees(lat), 123);
  return Buffer.concat([header, root, metadata, ...leaves, ...tiles.map(({ bytes }) => bytes)]);
}

function directory(entries: readonly { id: number; run: number; length: number; offset: number }[]): Buffer {
  const pbf = new PbfWriter();
  pbf.writeVarint(entries.length);
  for (const [i, { id }] of entries.entries()) pbf.writeVarint(i === 0 ? id : id - entries[i - 1]!.id);
  for (const { run } of entries) pbf.writeVarint(run);
  for (const { length } of entries) pbf.writeVarint(length);
  for (const { offset } of entries) pbf.writeVarint(offset + 1);
  return gzipSync(pbf.finish());
}
