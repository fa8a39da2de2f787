import { readFileSync } from "node:fs";
import { MapFileRefused } from "./refused.ts";

/** A city's streets have some 200,000; more of them belong into PMTiles, of which a browser loads what it shows. */
const POINTS_MAX = 500_000;
const FEATURES_MAX = 200_000;
const DEPTH_OF: Readonly<Record<string, number>> = {
  Point: 0,
  MultiPoint: 1,
  LineString: 1,
  MultiLineString: 2,
  Polygon: 2,
  MultiPolygon: 3,
};

/** Whether a map can be drawn from it (RFC 7946); throws `MapFileRefused` with the place of what is wrong. */
export function checkGeoJson(path: string): { readonly attribution?: string } {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new MapFileRefused("it is not JSON");
  }
  const file = objectOf(value, "it");
  const features = file.type === "FeatureCollection" ? file.features : [file];
  if (!Array.isArray(features)) throw new MapFileRefused("its features are no list");
  if (features.length > FEATURES_MAX)
    throw new MapFileRefused(
      `it has ${features.length} features; ${FEATURES_MAX} are allowed (PMTiles has no such limit)`,
    );
  let points = 0;
  const count = (more: number) => {
    points += more;
    if (points > POINTS_MAX)
      throw new MapFileRefused(
        `it has more than ${POINTS_MAX} points; make PMTiles of it (tippecanoe), which is loaded piece by piece`,
      );
  };
  features.forEach((feature, i) => {
    const where = file.type === "FeatureCollection" ? `features[${i}]` : "it";
    const { type, geometry } = objectOf(feature, where);
    // A feature without a place is allowed, and draws nothing.
    if (type === "Feature" && (geometry === null || geometry === undefined)) return;
    if (type === "Feature") checkGeometry(geometry, `${where}.geometry`, count);
    else if (file.type === "FeatureCollection") throw new MapFileRefused(`${where} is no Feature`);
    else checkGeometry(feature, where, count);
  });
  if (points === 0) throw new MapFileRefused("nothing in it has a place");
  return typeof file.attribution === "string" ? { attribution: file.attribution.slice(0, 300) } : {};
}

function checkGeometry(value: unknown, where: string, count: (more: number) => void): void {
  const { type, coordinates, geometries } = objectOf(value, where);
  if (type === "GeometryCollection" && Array.isArray(geometries)) {
    // One level only: collections in collections are advised against, and a deep one would fill the stack.
    for (const one of geometries) {
      if (objectOf(one, where).type === "GeometryCollection")
        throw new MapFileRefused(`${where} is a collection of collections`);
      checkGeometry(one, where, count);
    }
    return;
  }
  const depth = typeof type === "string" ? DEPTH_OF[type] : undefined;
  if (depth === undefined) throw new MapFileRefused(`${where} is no geometry of GeoJSON`);
  checkPositions(coordinates, depth, where, count);
}

function checkPositions(value: unknown, depth: number, where: string, count: (more: number) => void): void {
  if (!Array.isArray(value)) throw new MapFileRefused(`${where} has no coordinates`);
  if (depth > 0) {
    for (const part of value) checkPositions(part, depth - 1, where, count);
    return;
  }
  count(1);
  const [lon, lat] = value as unknown[];
  const isPlace = typeof lon === "number" && typeof lat === "number" && Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
  if (!isPlace)
    throw new MapFileRefused(
      `${where}: ${JSON.stringify(value).slice(0, 60)} is no [longitude, latitude] in degrees (WGS 84): the file may be in another projection`,
    );
}

function objectOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new MapFileRefused(`${where} is no object of GeoJSON`);
  return value as Record<string, unknown>;
}
