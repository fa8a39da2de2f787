import { DomUtil, type Map as LeafletMap, type LeafletMouseEvent } from "leaflet";
import type { Severity } from "../../model/alert.ts";
import { boundsOf, type LatLon, type MapWords, openLeaflet } from "../map/leaflet.ts";
import { readColours } from "../style/colours.ts";
import { districtName } from "../words/words.ts";
import { type Cluster, cellOf, cluster, type Dot, type MapPoint, paddedHull } from "./geometry.ts";
import type { Mark } from "./list.ts";

type MapData = {
  readonly dots: readonly Dot[];
  /** Around the sensors of each district. */
  readonly hulls: ReadonlyMap<string, readonly MapPoint[]>;
  readonly districts: ReadonlyMap<string, Pick<Mark, "severity" | "quieted">>;
  readonly chosenDistrict: string | undefined;
  /** The sensor that is looked at. */
  readonly current: string | undefined;
};

type MapOptions = {
  readonly tilesUrl: string | undefined;
  readonly words: MapWords;
  /** Undefined: beside all sensors. */
  readonly onSensor: (id: string | undefined) => void;
};

const CELL_PX = 54;
const DISTRICT_AIR_PX = 24;
const TILE_PX = 256;
/** Beyond each edge that is painted, too, as a part of the size: what comes into sight while the map is dragged. */
const MARGIN = 0.25;
const NOTHING: MapData = {
  dots: [],
  hulls: new Map(),
  districts: new Map(),
  chosenDistrict: undefined,
  current: undefined,
};

/** The map: Leaflet moves and zooms, one canvas of our own shows districts and sensors, however many there are. */
export function openMap(container: HTMLElement, options: MapOptions) {
  const map = openLeaflet(container, options);
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
      paintSoon();
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
      map.remove();
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
    const outline = paddedHull(places, DISTRICT_AIR_PX);
    const { severity, quieted = 0 } = data.districts.get(id) ?? {};
    paintDistrict(pen, { id, outline, severity, isQuieted: quieted > 0 }, colours, id === data.chosenDistrict);
  }
  const [left, top] = [(origin.x - CELL_PX) / worldPx, (origin.y - CELL_PX) / worldPx];
  const [right, bottom] = [(origin.x + width + CELL_PX) / worldPx, (origin.y + height + CELL_PX) / worldPx];
  const inSight = data.dots.filter(({ x, y }) => x > left && y > top && x < right && y < bottom);
  // The calm ones first, so that nothing covers an alert.
  const clusters = cluster(inSight, worldPx, CELL_PX).sort((a, b) => a.alerting - b.alerting || a.quieted - b.quieted);
  const painted = clusters.map((one) => {
    const at = toCanvas(one);
    return { at, radius: paintCluster(pen, one, at, colours), cluster: one };
  });
  const current = data.dots.find(({ id }) => id === data.current);
  const cell = current && cellOf(current, worldPx, CELL_PX);
  const around = painted.find((one) => one.cluster.cell === cell);
  if (around) paintRing(pen, around.at, around.radius, colours);
  return painted;
}

export type Colours = Readonly<Record<Severity | "calm" | "surface" | "text" | "quiet" | "accent", string>> & {
  readonly on: Readonly<Record<Severity, string>>;
};

const NAMES = {
  critical: "--critical",
  warning: "--warning-fill",
  info: "--info",
  calm: "--calm",
  surface: "--surface",
  text: "--text",
  quiet: "--quiet",
  accent: "--accent",
} as const;

const ON = { critical: "--on-critical", warning: "--on-warning", info: "--on-info" } as const;

function mapColours(near: HTMLElement): Colours {
  return { ...readColours(near, NAMES), on: readColours(near, ON) };
}

export type District = {
  readonly id: string;
  readonly outline: readonly MapPoint[];
  readonly severity: Severity | undefined;
  readonly isQuieted: boolean;
};

/** Of what people keep quiet: neither the line of what is well nor the colour of an alarm. */
const DASHES = [5, 4];

/** A district: the area around its sensors, tinted by its worst open alert, with its name above. */
function paintDistrict(pen: CanvasRenderingContext2D, district: District, colours: Colours, chosen: boolean): void {
  const { outline, severity, isQuieted, id } = district;
  if (outline.length === 0) return;
  pen.beginPath();
  for (const { x, y } of outline) pen.lineTo(x, y);
  pen.closePath();
  pen.fillStyle = pen.strokeStyle = severity ? colours[severity] : isQuieted ? colours.quiet : colours.calm;
  pen.globalAlpha = severity || isQuieted ? 0.16 : 0.1;
  pen.fill();
  pen.globalAlpha = chosen || isQuieted ? 1 : 0.5;
  pen.lineWidth = chosen ? 2.5 : isQuieted ? 1.5 : 1;
  if (isQuieted) pen.setLineDash(DASHES);
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  const [xs, ys] = [outline.map(({ x }) => x), outline.map(({ y }) => y)];
  const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
  text(pen, districtName(id), middle, Math.min(...ys) - 12, {
    colour: chosen ? colours.accent : colours.text,
    halo: colours.surface,
    bold: true,
  });
}

const DOT_RADIUS = 6;
const SHAPES: Readonly<Record<Severity | "calm", number>> = { critical: 8, warning: 3, info: 0, calm: 0 };

/** A sensor, or several: then with their number. Colour and shape say the worst. Answers its radius in pixels. */
function paintCluster(pen: CanvasRenderingContext2D, cluster: Cluster, at: MapPoint, colours: Colours): number {
  const { worst, count, alerting, quieted } = cluster;
  const alone = count === 1;
  if (!worst && quieted > 0) return paintQuieted(pen, at, alone ? undefined : quieted, colours);
  const radius = alone ? (worst ? DOT_RADIUS + 4 : DOT_RADIUS) : 13 + Math.min(9, Math.log2(count) * 1.5);
  shape(pen, at, radius, alone ? SHAPES[worst ?? "calm"] : 0);
  pen.fillStyle = worst ? colours[worst] : alone ? colours.calm : colours.surface;
  pen.strokeStyle = worst || alone ? colours.surface : colours.calm;
  pen.lineWidth = 2;
  pen.fill();
  pen.stroke();
  if (alone) return radius;
  const number = String(worst ? alerting : count);
  text(pen, number, at.x, at.y + 0.5, { colour: worst ? colours.on[worst] : colours.quiet, bold: worst !== undefined });
  return radius;
}

/** A dashed ring with a pause in it, or with how many: their alerts are kept quiet. */
function paintQuieted(
  pen: CanvasRenderingContext2D,
  at: MapPoint,
  count: number | undefined,
  { surface, quiet }: Colours,
): number {
  const radius = count === undefined ? DOT_RADIUS + 4 : 14;
  shape(pen, at, radius, 0);
  pen.fillStyle = surface;
  pen.strokeStyle = quiet;
  pen.lineWidth = 2;
  pen.fill();
  pen.setLineDash([4, 3]);
  pen.stroke();
  pen.setLineDash([]);
  if (count !== undefined) text(pen, String(count), at.x, at.y + 0.5, { colour: quiet, bold: true });
  else {
    pen.fillStyle = quiet;
    for (const side of [-1, 1]) pen.fillRect(at.x + side * 2.5 - 1.25, at.y - 4, 2.5, 8);
  }
  return radius;
}

/** The ring around the sensor that is looked at. */
function paintRing(pen: CanvasRenderingContext2D, at: MapPoint, radius: number, colours: Colours): void {
  pen.beginPath();
  pen.arc(at.x, at.y, radius + 5, 0, 2 * Math.PI);
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 3;
  pen.stroke();
}

/** A polygon with so many corners; 0 is a circle. */
function shape(pen: CanvasRenderingContext2D, at: MapPoint, radius: number, corners: number): void {
  pen.beginPath();
  if (corners === 0) return pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  const start = corners % 2 === 1 ? -Math.PI / 2 : -Math.PI / 2 + Math.PI / corners;
  const size = corners === 3 ? radius * 1.2 : radius;
  for (let i = 0; i < corners; i += 1) {
    const angle = start + (i * 2 * Math.PI) / corners;
    pen.lineTo(at.x + size * Math.cos(angle), at.y + size * Math.sin(angle));
  }
  pen.closePath();
}

type TextStyle = { readonly colour: string; readonly halo?: string; readonly bold?: boolean };

function text(
  pen: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  { colour, halo, bold }: TextStyle,
): void {
  pen.font = `${bold ? "600 " : ""}12.5px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  if (halo) {
    pen.strokeStyle = halo;
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    pen.strokeText(words, x, y);
  }
  pen.fillStyle = colour;
  pen.fillText(words, x, y);
}
