import { VectorTile } from "@mapbox/vector-tile";
import GeoJSONVT from "geojson-vt";
import { PbfReader } from "pbf";
import { FetchSource, PMTiles, TileType } from "pmtiles";
import type { MapFileView } from "../../contract/map.ts";
import { classify, type LabelClass, nameOf, type Tags } from "./classes.ts";

/** All of one class in one path, in units of a 4096th of the tile: a stroke for each class and not for each street. */
export type Tile = {
  readonly areas: ReadonlyMap<string, Path2D>;
  readonly lines: ReadonlyMap<string, Path2D>;
  readonly labels: readonly Label[];
  readonly picture?: ImageBitmap;
};
export type Label = {
  readonly name: string;
  readonly kind: LabelClass;
  /** Units of the tile: one place, or the run of a street. */
  readonly spots: readonly (readonly [x: number, y: number])[];
};

/** The outline of a district, in degrees. */
export type Outline = {
  readonly id: string;
  readonly name: string;
  readonly rings: readonly (readonly (readonly [number, number])[])[];
};

export type Source = {
  readonly zoomMin: number;
  readonly zoomMax: number;
  /** How many pixels a tile is wide at its own zoom. */
  readonly tilePx: 256 | 512;
  readonly isPicture: boolean;
  readonly outlines: readonly Outline[];
  tile(z: number, x: number, y: number): Promise<Tile | undefined>;
};

export const UNITS = 4096;
const FEATURES_MAX = 60_000;
/** A city's GeoJSON is cut no finer: further in, the same pieces are drawn larger. */
const GEOJSON_ZOOM_MAX = 14;

export async function openSource(file: MapFileView, language: string): Promise<Source> {
  const url = `/api/v1/map/${encodeURIComponent(file.name)}?v=${file.version}`;
  return file.type === "pmtiles" ? openPmtiles(url, language) : openGeoJson(url, file.name, language);
}

async function openPmtiles(url: string, language: string): Promise<Source> {
  const archive = new PMTiles(new FetchSource(url, new Headers({ "x-lamppost": "page" }), "same-origin"));
  const { minZoom, maxZoom, tileType } = await archive.getHeader();
  const isPicture = tileType !== TileType.Mvt;
  return {
    zoomMin: minZoom,
    zoomMax: maxZoom,
    tilePx: isPicture ? 256 : 512,
    isPicture,
    outlines: [],
    async tile(z, x, y) {
      const found = await archive.getZxy(z, x, y);
      if (!found) return undefined;
      if (isPicture)
        return {
          areas: new Map(),
          lines: new Map(),
          labels: [],
          picture: await createImageBitmap(new Blob([found.data])),
        };
      return vectorTile(new Uint8Array(found.data), language);
    },
  };
}

function vectorTile(bytes: Uint8Array, language: string): Tile {
  const tile = startTile();
  const { layers } = new VectorTile(new PbfReader(bytes));
  let left = FEATURES_MAX;
  for (const [name, layer] of Object.entries(layers)) {
    const scale = UNITS / layer.extent;
    for (let i = 0; i < layer.length && left > 0; i += 1) {
      left -= 1;
      const feature = layer.feature(i);
      tile.add(name, feature.properties, feature.type, language, () =>
        feature.loadGeometry().map((part) => part.map(({ x, y }) => [x * scale, y * scale] as const)),
      );
    }
  }
  return tile.done();
}

type GeoJson = {
  readonly features?: readonly {
    readonly properties?: Tags | null;
    readonly geometry?: { readonly type: string; readonly coordinates: never } | null;
  }[];
};

async function openGeoJson(url: string, name: string, language: string): Promise<Source> {
  const answer = await fetch(url, { headers: { "x-lamppost": "page" } });
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  const content = (await answer.json()) as GeoJson;
  const options = {
    maxZoom: GEOJSON_ZOOM_MAX,
    indexMaxZoom: 5,
    indexMaxPoints: 20_000,
    extent: UNITS,
    buffer: 128,
    tolerance: 3,
  };
  const index = new GeoJSONVT(content as never, options);
  const layer = name.replace(/\.\w+$/, "").toLowerCase();
  return {
    zoomMin: 0,
    zoomMax: GEOJSON_ZOOM_MAX,
    tilePx: 512,
    isPicture: false,
    outlines: outlinesOf(content),
    async tile(z, x, y) {
      const found = index.getTile(z, x, y);
      if (!found) return undefined;
      const tile = startTile();
      for (const { tags, type, geometry } of found.features.slice(0, FEATURES_MAX))
        tile.add(
          layer,
          tags ?? {},
          type,
          language,
          () => (type === 1 ? [geometry] : geometry) as readonly (readonly [number, number])[][],
        );
      return tile.done();
    },
  };
}

const OUTLINES_MAX = 500;

function outlinesOf({ features = [] }: GeoJson): Outline[] {
  const found = features.flatMap(({ properties, geometry }): Outline[] => {
    if (!properties || !geometry || !/Polygon$/.test(geometry.type)) return [];
    if (classify("", properties)?.line !== "district") return [];
    const name = nameOf(properties, "");
    const polygons = (
      geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates
    ) as Outline["rings"][];
    const id = typeof properties.district === "string" ? properties.district : name.toLowerCase().replace(/\W+/g, "-");
    return [{ id, name, rings: polygons.flatMap((rings) => rings.slice(0, 1)) }];
  });
  return found.slice(0, OUTLINES_MAX);
}

/** Gathers the features of a tile by their classes. */
function startTile() {
  const [areas, lines] = [new Map<string, Path2D>(), new Map<string, Path2D>()];
  const labels: Label[] = [];
  const into = (paths: Map<string, Path2D>, key: string): Path2D => {
    const path = paths.get(key) ?? new Path2D();
    paths.set(key, path);
    return path;
  };
  return {
    /** `type` as in vector tiles: 1 is places, 2 lines, 3 areas. */
    add(
      layer: string,
      tags: Tags,
      type: number,
      language: string,
      load: () => readonly (readonly (readonly [number, number])[])[],
    ): void {
      const found = classify(layer, tags);
      if (!found) return;
      const name = found.label ? nameOf(tags, language) : "";
      const isArea = type === 3 && found.area !== undefined;
      const isLine = found.line !== undefined && (type === 2 || (type === 3 && !isArea));
      if (!isArea && !isLine && name === "") return;
      const parts = load();
      if (isArea) for (const part of parts) trace(into(areas, found.area!), part, true);
      if (isLine) for (const part of parts) trace(into(lines, found.line!), part, type === 3);
      if (name !== "" && found.label) {
        const longest = parts.reduce((a, b) => (b.length > a.length ? b : a), parts[0] ?? []);
        if (type === 2) for (const spots of parts) labels.push({ name, kind: found.label, spots });
        else if (longest.length > 0)
          labels.push({ name, kind: found.label, spots: [type === 1 ? longest[0]! : middleOf(longest)] });
      }
    },
    done: (): Tile => ({ areas, lines, labels }),
  };
}

function trace(path: Path2D, spots: readonly (readonly [number, number])[], isClosed: boolean): void {
  spots.forEach(([x, y], i) => void (i === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
  if (isClosed) path.closePath();
}

function middleOf(spots: readonly (readonly [number, number])[]): readonly [number, number] {
  const [xs, ys] = [spots.map(([x]) => x), spots.map(([, y]) => y)];
  return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
}
