import { statSync } from "node:fs";
import { basename } from "node:path";
import { checkGeoJson } from "./geojson.ts";
import { checkPmtiles } from "./pmtiles.ts";
import { MapFileRefused } from "./refused.ts";

const MIB = 1024 * 1024;
/** A large city down to its house fronts is some 300 MiB of PMTiles; GeoJSON is read whole by each browser. */
export const MAP_BYTES_MAX = { pmtiles: 512 * MIB, geojson: 32 * MIB } as const;
export type MapFileType = keyof typeof MAP_BYTES_MAX;

/** What is known of a file that a map is drawn from. */
export type MapFileFacts = {
  readonly type: MapFileType;
  readonly bytes: number;
  /** Whom its data is owed to, as the file says itself. */
  readonly attribution?: string;
};

/** By the end of its name; undefined for any other. */
export function mapFileType(name: string): MapFileType | undefined {
  if (/\.pmtiles$/i.test(name)) return "pmtiles";
  return /\.(geojson|json)$/i.test(name) ? "geojson" : undefined;
}

/** Throws `MapFileRefused`, with the reason in words about the file. Reads it on this thread: some 0.5 s for the largest GeoJSON. */
export function checkMapFile(path: string): MapFileFacts {
  const type = mapFileType(basename(path));
  if (!type) throw new MapFileRefused("its name ends neither in .pmtiles nor in .geojson");
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new MapFileRefused("it is not there");
  if (!found.isFile()) throw new MapFileRefused("it is no file");
  if (found.size > MAP_BYTES_MAX[type])
    throw new MapFileRefused(
      `it has ${Math.ceil(found.size / MIB)} MiB; ${MAP_BYTES_MAX[type] / MIB} are allowed${type === "pmtiles" ? " (`pmtiles extract --bbox` cuts out a city)" : ""}`,
    );
  const { attribution } = type === "pmtiles" ? checkPmtiles(path, found.size) : checkGeoJson(path);
  return { type, bytes: found.size, ...(attribution ? { attribution } : {}) };
}
