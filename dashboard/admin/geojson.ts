type Position = readonly number[];
/** A part of a GeoJSON file that can be an outline. What is wrong in it is said by the service. */
export type Feature = {
  readonly name: string | undefined;
  readonly geometry: { readonly type: string; readonly coordinates: unknown };
  readonly rings: readonly (readonly Position[])[];
  readonly box: { readonly west: number; readonly south: number; readonly east: number; readonly north: number };
};

/** More are not offered. */
const FEATURES_MAX = 1_000;
const NAMES = ["name", "NAME", "Name", "name_en", "bezeichnung", "nombre", "district", "id"];

/** The Polygons and MultiPolygons of a geometry, a feature or a collection, with what each is called. */
export function featuresOf(json: unknown): readonly Feature[] {
  const { type, features, geometries } = (json ?? {}) as Record<string, unknown>;
  if (type === "FeatureCollection" && Array.isArray(features))
    return features.slice(0, FEATURES_MAX).flatMap(featuresOf);
  if (type === "GeometryCollection" && Array.isArray(geometries))
    return geometries.slice(0, FEATURES_MAX).flatMap(featuresOf);
  if (type === "Feature") {
    const { geometry, properties, id } = json as Record<string, unknown>;
    return featuresOf(geometry).map((one) => ({ ...one, name: nameOf(properties, id) }));
  }
  if (type !== "Polygon" && type !== "MultiPolygon") return [];
  const { coordinates } = json as { coordinates: unknown };
  const rings = ringsOf(type === "Polygon" ? [coordinates] : coordinates);
  return [{ name: undefined, geometry: { type, coordinates }, rings, box: boxOf(rings) }];
}

function nameOf(properties: unknown, id: unknown): string | undefined {
  const said = (properties ?? {}) as Record<string, unknown>;
  const found = [...NAMES.map((name) => said[name]), id].find(
    (one) => typeof one === "string" || typeof one === "number",
  );
  return found === undefined ? undefined : String(found).slice(0, 120);
}

/** What can be drawn of it. */
function ringsOf(polygons: unknown): readonly (readonly Position[])[] {
  const lists = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const isPosition = (value: unknown): value is Position =>
    Array.isArray(value) && value.length >= 2 && value.every((one) => Number.isFinite(one));
  return lists(polygons).flatMap((rings) => lists(rings).map((ring) => lists(ring).filter(isPosition)));
}

function boxOf(rings: readonly (readonly Position[])[]): Feature["box"] {
  let [west, south, east, north] = [180, 90, -180, -90];
  for (const ring of rings)
    for (const [lon = 0, lat = 0] of ring) {
      west = Math.min(west, lon);
      east = Math.max(east, lon);
      south = Math.min(south, lat);
      north = Math.max(north, lat);
    }
  return { west, south, east, north };
}
