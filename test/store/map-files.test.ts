import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { cityStreetMap } from "../../simulators/street-map.ts";
import { checkMapFile } from "../../store/map/check-map-file.ts";
import { openMapFiles } from "../../store/map/map-files.ts";
import { cityPmtiles } from "../../tools/pmtiles-file.ts";
import { HOME } from "../helpers/city.ts";

const dir = mkdtempSync(join(tmpdir(), "lamppost-map-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const PMTILES = cityPmtiles({ lat: 52.6, lon: 11.1, sizeMiB: 0.5, seed: 1 });

function write(name: string, content: Buffer | string): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

/** The same file with some bytes changed. */
function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(PMTILES);
  change(bytes);
  return bytes;
}

const geoJson = (...coordinates: unknown[]) =>
  JSON.stringify({
    type: "FeatureCollection",
    features: coordinates.map((one) => ({ type: "Feature", geometry: { type: "LineString", coordinates: one } })),
  });

describe("a map file", () => {
  it("is taken as PMTiles with its attribution, and as GeoJSON", () => {
    expect(checkMapFile(write("a.pmtiles", PMTILES))).toEqual({
      type: "pmtiles",
      bytes: PMTILES.length,
      attribution: "Made up for tests",
    });
    expect(checkMapFile(join(HOME, "simulators/lindenau.geojson"))).toMatchObject({ type: "geojson" });
  });

  it.each([
    ["does not begin as", changed((bytes) => bytes.write("XX", 0))],
    ["version 2", changed((bytes) => bytes.writeUInt8(2, 7))],
    ["cut off or damaged", PMTILES.subarray(0, PMTILES.length - 1)],
    ["within its header", PMTILES.subarray(0, 60)],
    ["root directory", changed((bytes) => bytes.writeBigUInt64LE(1_000_000n, 16))],
    ["cannot be unpacked", changed((bytes) => bytes.fill(7, 130, 160))],
    ["brotli", changed((bytes) => bytes.writeUInt8(3, 98))],
    ["zoom levels", changed((bytes) => bytes.writeUInt8(40, 101))],
    ["no degrees", changed((bytes) => bytes.writeInt32LE(2_000_000_000, 102))],
    ["MBTiles", Buffer.from("SQLite format 3\0 and so on")],
    ["within its header", Buffer.from("PMTiles")],
    ["does not begin as", Buffer.alloc(0)],
  ])("of PMTiles is refused: %s", (words, bytes) => {
    expect(() => checkMapFile(write("wrong.pmtiles", bytes))).toThrow(words);
  });

  it("of 2 GB is refused before it is read", () => {
    const path = write("large.pmtiles", PMTILES);
    truncateSync(path, 2 * 1024 ** 3);
    expect(() => checkMapFile(path)).toThrow("it has 2048 MiB; 512 are allowed");
  });

  it.each([
    ["not JSON", "{"],
    ["more than 500000 points", geoJson(Array.from({ length: 1_000_000 }, () => [11, 52]))],
    ["features[1].geometry: [5230000,540000] is no [longitude, latitude]", geoJson([[11, 52]], [[5_230_000, 540_000]])],
    ["is no [longitude, latitude]", geoJson([["11", "52"]])],
    ["nothing in it has a place", geoJson()],
    ["no geometry", JSON.stringify({ type: "Topology" })],
    ["is no object", "[]"],
  ])("of GeoJSON is refused: %s", (words, text) => {
    expect(() => checkMapFile(write("wrong.geojson", text))).toThrow(words);
  });

  it("of another kind is refused by its name", () => {
    expect(() => checkMapFile(write("map.osm", "x"))).toThrow("neither in .pmtiles nor in .geojson");
  });
});

describe("the map files of a city", () => {
  it("come in pieces, are served by ranges, stay over a restart, and take the place of the simulated one", async () => {
    const simulated = { path: join(HOME, "simulators/lindenau.geojson"), type: "geojson", bytes: 1 } as const;
    const options = { dir: join(dir, "map"), named: [], simulated, diskFreeBytesMin: 0, log: SILENT };
    const files = await openMapFiles(options);
    expect(files.list().map(({ from }) => from)).toEqual(["simulation"]);
    expect(await files.put("city.pmtiles", 0, PMTILES.subarray(0, 1_000), false)).toBeUndefined();
    expect(files.list().map(({ from }) => from)).toEqual(["simulation"]);
    await expect(files.put("city.pmtiles", 2_000, PMTILES.subarray(2_000), true)).rejects.toThrow("1000 are here");
    await files.put("city.pmtiles", 0, PMTILES.subarray(0, 1_000), false);
    expect(await files.put("city.pmtiles", 1_000, PMTILES.subarray(1_000), true)).toMatchObject({ from: "upload" });
    const again = await openMapFiles(options);
    expect(again.list().map(({ name }) => name)).toEqual(["city.pmtiles"]);
    const part = await again.range("city.pmtiles", 0, 6);
    expect([part?.bytes.toString(), part?.total]).toEqual(["PMTiles", PMTILES.length]);
    expect(await again.range("city.pmtiles", PMTILES.length, PMTILES.length + 1)).toBeUndefined();
    expect(await again.remove("city.pmtiles")).toBe(true);
    expect(again.list().map(({ from }) => from)).toEqual(["simulation"]);
  });

  it("refuse what no map can be drawn from, and leave nothing of it", async () => {
    const files = await openMapFiles({
      dir: join(dir, "other"),
      named: [],
      simulated: undefined,
      diskFreeBytesMin: 0,
      log: SILENT,
    });
    await expect(files.put("x.pmtiles", 0, Buffer.from("nothing"), true)).rejects.toThrow("does not begin");
    await expect(files.put("../x.pmtiles", 0, PMTILES, true)).rejects.toThrow("its name");
    expect(files.list()).toEqual([]);
  });
});

it("the street map of the simulated city is what its script makes", () => {
  const { features } = JSON.parse(readFileSync(join(HOME, "simulators/lindenau.geojson"), "utf8"));
  expect(features).toEqual(JSON.parse(JSON.stringify(cityStreetMap().features)));
});
