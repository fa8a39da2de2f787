/** A ring of a polygon: longitude and latitude (WGS 84), the last position as the first. */
type Ring = readonly (readonly [lon: number, lat: number])[];

/** GeoJSON (RFC 7946), without altitudes. */
export type Outline =
  | { readonly type: "Polygon"; readonly coordinates: readonly Ring[] }
  | { readonly type: "MultiPolygon"; readonly coordinates: readonly (readonly Ring[])[] };

/** What people say of a district; which there are is said by the sensors. */
export type District = { readonly id: string; readonly name?: string; readonly outline?: Outline };

/** Of one district: a map at the scale of a city shows no more. */
export const OUTLINE_POSITIONS_MAX = 5_000;
/** About 10 cm. */
const DECIMALS = 6;

type OutlineMistake = { readonly path: readonly (string | number)[]; readonly message: string };

/** The outline as it is kept, or the first that is wrong with it. */
export function readOutline(value: unknown): Outline | OutlineMistake {
  const { type, coordinates } = (value ?? {}) as { type?: unknown; coordinates?: unknown };
  if (type !== "Polygon" && type !== "MultiPolygon")
    return mistake(["type"], "An outline is a GeoJSON geometry of type Polygon or MultiPolygon.");
  const polygons = type === "Polygon" ? [coordinates] : coordinates;
  if (!isList(polygons) || polygons.length === 0) return mistake(["coordinates"], "There are no rings.");
  let positions = 0;
  const read: Ring[][] = [];
  for (const [p, rings] of polygons.entries()) {
    const at = type === "Polygon" ? ["coordinates"] : ["coordinates", p];
    if (!isList(rings) || rings.length === 0) return mistake(at, "A polygon has at least one ring.");
    const polygon: Ring[] = [];
    for (const [r, ring] of rings.entries()) {
      if (!isList(ring)) return mistake([...at, r], "A ring is a list of positions.");
      positions += ring.length;
      if (positions > OUTLINE_POSITIONS_MAX)
        return mistake(["coordinates"], `At most ${OUTLINE_POSITIONS_MAX} positions: simplify the outline.`);
      const found = readRing(ring, [...at, r]);
      if ("message" in found) return found;
      polygon.push(found);
    }
    read.push(polygon);
  }
  return type === "Polygon" ? { type, coordinates: read[0]! } : { type, coordinates: read };
}

function readRing(ring: readonly unknown[], path: OutlineMistake["path"]): Ring | OutlineMistake {
  const read: (readonly [number, number])[] = [];
  for (const [i, position] of ring.entries()) {
    const [lon, lat] = isList(position) ? position : [];
    if (!isNumber(lon) || !isNumber(lat)) return mistake([...path, i], "A position is [longitude, latitude].");
    if (Math.abs(lat) > 90 || Math.abs(lon) > 180)
      return mistake([...path, i], `[${lon}, ${lat}] is no place in WGS 84: degrees, the longitude first.`);
    read.push([round(lon), round(lat)]);
  }
  const [first, last] = [read[0], read.at(-1)];
  if (read.length < 4) return mistake(path, "A ring has at least four positions.");
  if (first![0] !== last![0] || first![1] !== last![1])
    return mistake(path, "A ring ends where it begins: its last position is its first.");
  if (areaOf(read) === 0) return mistake(path, "A ring encloses something.");
  return read;
}

const round = (degrees: number) => Math.round(degrees * 10 ** DECIMALS) / 10 ** DECIMALS;
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const mistake = (path: OutlineMistake["path"], message: string): OutlineMistake => ({ path, message });

/** In square degrees, by the shoelace formula. */
function areaOf(ring: Ring): number {
  let twice = 0;
  for (let i = 1; i < ring.length; i += 1) twice += ring[i - 1]![0] * ring[i]![1] - ring[i]![0] * ring[i - 1]![1];
  return Math.abs(twice) / 2;
}

/** Whether a place is within: by how many edges a ray to the east crosses, those of holes as well. */
export function isInside(outline: Outline, lat: number, lon: number): boolean {
  const polygons = outline.type === "Polygon" ? [outline.coordinates] : outline.coordinates;
  return polygons.some((rings) => rings.reduce((n, ring) => n + crossings(ring, lat, lon), 0) % 2 === 1);
}

function crossings(ring: Ring, lat: number, lon: number): number {
  let count = 0;
  for (let i = 1; i < ring.length; i += 1) {
    const [[lonA, latA], [lonB, latB]] = [ring[i - 1]!, ring[i]!];
    if (latA > lat === latB > lat) continue;
    if (lon < lonA + ((lat - latA) / (latB - latA)) * (lonB - lonA)) count += 1;
  }
  return count;
}
