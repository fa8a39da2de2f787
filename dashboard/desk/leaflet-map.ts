import { DomUtil, type Map as LeafletMap, type LeafletMouseEvent } from "leaflet";
import type { Around } from "../map/base-worker.ts";
import { boundsOf, type LatLon, type MapBase, openLeaflet } from "../map/leaflet.ts";
import type { Outline } from "../map/sources.ts";
import { type Cluster, cellOf, cluster, type Dot, type MapPoint, paddedHull } from "./geometry.ts";
import type { Mark } from "./list.ts";
import { type Colours, mapColours, paintCluster, paintCoverage, paintDistrict, paintRing } from "./map-marks.ts";

type MapData = {
  readonly dots: readonly Dot[];
  /** Around the sensors of each district. */
  readonly hulls: ReadonlyMap<string, readonly MapPoint[]>;
  /** The districts' own outlines, where the map file has them. */
  readonly outlines: ReadonlyMap<string, readonly (readonly MapPoint[])[]>;
  readonly coverage: boolean;
  readonly districts: ReadonlyMap<string, Pick<Mark, "severity" | "quieted">>;
  readonly chosenDistrict: string | undefined;
  /** The sensor that is looked at. */
  readonly current: string | undefined;
};

type MapOptions = MapBase & {
  readonly after: Promise<unknown>;
  readonly onOutlines: (outlines: readonly Outline[]) => void;
  /** Undefined: beside all sensors. */
  readonly onSensor: (id: string | undefined) => void;
};

const CELL_PX = 54;
const DISTRICT_AIR_PX = 24;
const TILE_PX = 256;
const EQUATOR_M = 40_075_017;
/** What an urban background station is taken to speak for: some hundred metres to some kilometres (Directive 2008/50/EC, annex III). */
const COVERAGE_M = 500;
const ICON_ZOOM = 13.5;
const CLOSE_ZOOM = 14.5;
const PLACE_ZOOM = 16;
/** Beyond each edge that is painted, too, as a part of the size: what comes into sight while the map is dragged. */
const MARGIN = 0.25;
const NOTHING: MapData = {
  dots: [],
  hulls: new Map(),
  outlines: new Map(),
  coverage: false,
  districts: new Map(),
  chosenDistrict: undefined,
  current: undefined,
};

/** The map: Leaflet moves and zooms, one canvas of our own shows districts and sensors, however many there are. */
export function openMap(container: HTMLElement, options: MapOptions) {
  const own = openLeaflet(container, options);
  const { map } = own;
  const canvas = map.getPanes().overlayPane.appendChild(document.createElement("canvas"));
  let data = NOTHING;
  let colours = mapColours(container);
  let painted: readonly { at: MapPoint; radius: number; cluster: Cluster }[] = [];
  let frame = 0;

  function paintSoon(): void {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      painted = paint(map, canvas, data, colours);
    });
  }

  /** What is painted at a place of the layer, the topmost first. */
  function at({ layerPoint }: LeafletMouseEvent) {
    const origin = DomUtil.getPosition(canvas);
    const { x, y } = layerPoint.subtract(origin);
    return painted.findLast((one) => Math.hypot(one.at.x - x, one.at.y - y) <= one.radius + 4);
  }

  map.on("moveend zoomend resize viewreset", paintSoon);
  map.on("mousemove", (event) => container.classList.toggle("over", at(event) !== undefined));
  map.on("click", (event) => {
    const hit = at(event);
    if (hit && hit.cluster.count > 1 && map.getZoom() < map.getMaxZoom())
      return void map.setView(event.latlng, map.getZoom() + 2);
    options.onSensor(hit?.cluster.first.id);
  });
  // Whoever has moved the map wants it to stay; until then it shows everything, in whatever room it gets.
  let moved = false;
  let fitted: readonly LatLon[] = [];
  for (const name of ["pointerdown", "wheel", "keydown"])
    container.addEventListener(name, () => (moved = true), { passive: true });
  const observer = new ResizeObserver(() => {
    map.invalidateSize({ animate: false });
    if (!moved) frameAll();
  });
  observer.observe(container);

  function frameAll(): void {
    const { x, y } = map.getSize();
    if (fitted.length === 0 || x === 0 || y === 0) return;
    map.fitBounds(boundsOf(fitted), {
      paddingTopLeft: [36, 90],
      paddingBottomRight: [36, 36],
      maxZoom: 15,
      animate: false,
    });
  }

  return {
    show(next: MapData): void {
      data = next;
      paintSoon();
    },
    /** After the theme has changed. */
    recolour(): void {
      colours = mapColours(container);
      own.base()?.recolour();
      paintSoon();
    },
    /** Streets and places of the map file that are called so. */
    search: async (words: string, around: Around) => (await own.base()?.search(words, around)) ?? [],
    goTo({ lat, lon }: LatLon): void {
      moved = true;
      map.setView([lat, lon], Math.max(map.getZoom(), PLACE_ZOOM), { animate: false });
    },
    /** Shows all of these places. */
    showAll(places: readonly LatLon[]): void {
      fitted = places;
      moved = false;
      frameAll();
    },
    close(): void {
      cancelAnimationFrame(frame);
      observer.disconnect();
      own.close();
    },
  };
}

export type OpenMap = ReturnType<typeof openMap>;

function paint(map: LeafletMap, canvas: HTMLCanvasElement, data: MapData, colours: Colours) {
  const size = map.getSize();
  const margin = size.multiplyBy(MARGIN).round();
  const [width, height] = [size.x + 2 * margin.x, size.y + 2 * margin.y];
  const corner = map.containerPointToLayerPoint(margin.multiplyBy(-1));
  DomUtil.setPosition(canvas, corner);
  const sharp = window.devicePixelRatio || 1;
  canvas.width = width * sharp;
  canvas.height = height * sharp;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d")!;
  pen.scale(sharp, sharp);

  const worldPx = TILE_PX * 2 ** map.getZoom();
  const origin = map.getPixelOrigin().add(corner);
  const toCanvas = ({ x, y }: MapPoint): MapPoint => ({ x: x - origin.x, y: y - origin.y });
  for (const [id, corners] of data.hulls) {
    const places = corners.map(({ x, y }) => toCanvas({ x: x * worldPx, y: y * worldPx }));
    const drawn = data.outlines
      .get(id)
      ?.map((ring) => ring.map(({ x, y }) => toCanvas({ x: x * worldPx, y: y * worldPx })));
    const rings = drawn ?? [paddedHull(places, DISTRICT_AIR_PX)];
    const { severity, quieted = 0 } = data.districts.get(id) ?? {};
    const district = {
      id,
      rings,
      severity,
      isQuieted: quieted > 0,
      isDrawn: drawn !== undefined,
      isClose: map.getZoom() > CLOSE_ZOOM,
    };
    paintDistrict(pen, district, colours, id === data.chosenDistrict);
  }
  const [left, top] = [(origin.x - CELL_PX) / worldPx, (origin.y - CELL_PX) / worldPx];
  const [right, bottom] = [(origin.x + width + CELL_PX) / worldPx, (origin.y + height + CELL_PX) / worldPx];
  const inSight = data.dots.filter(({ x, y }) => x > left && y > top && x < right && y < bottom);
  if (data.coverage) {
    const radius = COVERAGE_M / metresPerPx(map);
    const places = inSight.map(({ x, y }) => toCanvas({ x: x * worldPx, y: y * worldPx }));
    paintCoverage(pen, places, radius, colours);
  }
  const withIcons = map.getZoom() >= ICON_ZOOM;
  // The calm ones first, so that nothing covers an alert.
  const clusters = cluster(inSight, worldPx, CELL_PX).sort((a, b) => a.alerting - b.alerting || a.quieted - b.quieted);
  const painted = clusters.map((one) => {
    const at = toCanvas(one);
    return { at, radius: paintCluster(pen, one, at, colours, withIcons), cluster: one };
  });
  const current = data.dots.find(({ id }) => id === data.current);
  const cell = current && cellOf(current, worldPx, CELL_PX);
  const around = painted.find((one) => one.cluster.cell === cell);
  if (around) paintRing(pen, around.at, around.radius, colours);
  return painted;
}

/** Of the ground in the middle of the map: Web Mercator stretches it towards the poles. */
function metresPerPx(map: LeafletMap): number {
  return (EQUATOR_M * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (TILE_PX * 2 ** map.getZoom());
}
