import { AREAS, type LabelClass, LINES } from "./classes.ts";
import type { Look, View } from "./look.ts";
import { type Label, type Tile, UNITS } from "./sources.ts";

/** A tile and where it lies in the view. */
export type PlacedTile = { readonly tile: Tile; readonly x: number; readonly y: number; readonly size: number };

/** Width in pixels at zoom 12 and at zoom 17; between them it grows evenly by factors. */
const WIDTHS: Readonly<Record<string, readonly [number, number]>> = {
  waterway: [1.5, 6],
  path: [0.4, 1.6],
  street: [0.7, 9],
  main: [2, 15],
  motorway: [3, 18],
  rail: [1, 3],
  boundary: [1.2, 2],
  district: [1.5, 2.5],
};
/** From which zoom on. */
const FROM: Readonly<Record<string, number>> = { path: 14.5, street: 11.75, building: 14.5, rail: 10, waterway: 9 };

const widthAt = (line: string, zoom: number): number => {
  const [thin, wide] = WIDTHS[line]!;
  return thin * (wide / thin) ** ((Math.max(9, Math.min(19, zoom)) - 12) / 5);
};

const isShown = (what: string, zoom: number) => zoom >= (FROM[what] ?? 0);

/** One picture of what is in sight, in the order in which things lie on each other. */
export function paintBase(
  pen: OffscreenCanvasRenderingContext2D,
  tiles: readonly PlacedTile[],
  view: View,
  look: Look,
): void {
  const { zoom, ratio, width, height } = view;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = look.ground;
  pen.fillRect(0, 0, width, height);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  const each = (draw: (tile: Tile, perPx: number) => void) => {
    for (const placed of tiles) within(pen, placed, ratio, draw);
  };
  each(({ picture }) => {
    if (picture) pen.drawImage(picture, 0, 0, UNITS, UNITS);
  });
  for (const area of AREAS) {
    if (!isShown(area, zoom)) continue;
    pen.fillStyle = look[area];
    each(({ areas }) => {
      const path = areas.get(area);
      if (path) pen.fill(path, "evenodd");
    });
  }
  const stroke = (line: string, colour: string, more: number, dash: readonly number[] = []) => {
    if (!isShown(line, zoom)) return;
    pen.strokeStyle = colour;
    each(({ lines }, perPx) => {
      const path = lines.get(line);
      if (!path) return;
      pen.lineWidth = (widthAt(line, zoom) + more) * perPx;
      pen.setLineDash(dash.map((px) => px * perPx));
      pen.stroke(path);
    });
    pen.setLineDash([]);
  };
  stroke("waterway", look.water, 0);
  stroke("path", look.casing, 0.3, [3, 3]);
  const roads = LINES.filter((line) => line === "street" || line === "main" || line === "motorway");
  for (const line of roads) if (zoom >= 13 || line !== "street") stroke(line, look.casing, 1.6);
  for (const line of roads) stroke(line, line === "street" ? look.road : look.main, 0);
  stroke("rail", look.rail, 0.6);
  if (zoom >= 13) stroke("rail", look.ground, -0.6, [5, 5]);
  stroke("boundary", look.boundary, 0, [6, 3, 1, 3]);
  stroke("district", look.boundary, 0, [7, 4]);
  paintLabels(pen, tiles, view, look);
}

/** In units of the tile, and nothing beyond its edges: neighbours have the same things in their margins. */
function within(
  pen: OffscreenCanvasRenderingContext2D,
  { tile, x, y, size }: PlacedTile,
  ratio: number,
  draw: (tile: Tile, perPx: number) => void,
): void {
  const scale = size / UNITS;
  const snap = (value: number) => Math.round(value * ratio) / ratio;
  pen.save();
  pen.beginPath();
  const [left, top] = [snap(x), snap(y)];
  pen.rect(left, top, snap(x + size) - left, snap(y + size) - top);
  pen.clip();
  pen.translate(x, y);
  pen.scale(scale, scale);
  draw(tile, 1 / scale);
  pen.restore();
}

const FONTS: Readonly<
  Record<LabelClass, { readonly px: number; readonly weight: number; readonly from: number; readonly to: number }>
> = {
  city: { px: 15, weight: 650, from: 0, to: 13.5 },
  suburb: { px: 12, weight: 600, from: 11.5, to: 15 },
  water: { px: 11, weight: 500, from: 12.5, to: 30 },
  street: { px: 10.5, weight: 500, from: 14, to: 30 },
  site: { px: 10.5, weight: 500, from: 14.75, to: 30 },
};
const ORDER: readonly LabelClass[] = ["city", "suburb", "water", "street", "site"];
const LABELS_MAX = 250;
const AIR_PX = 4;
/** The same street is named again no sooner. */
const AGAIN_PX = 320;

type Written = {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly halfX: number;
  readonly halfY: number;
};

/** The important ones first; none over another. */
function paintLabels(
  pen: OffscreenCanvasRenderingContext2D,
  tiles: readonly PlacedTile[],
  { zoom, width, height }: View,
  look: Look,
): void {
  const written: Written[] = [];
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  for (const kind of ORDER) {
    const { px, weight, from, to } = FONTS[kind];
    if (zoom < from || zoom > to) continue;
    pen.font = `${weight} ${px}px system-ui, sans-serif`;
    pen.fillStyle = kind === "water" ? look.waterLabel : look.label;
    pen.strokeStyle = look.halo;
    pen.lineWidth = 3;
    for (const { tile, x, y, size } of tiles) {
      for (const label of tile.labels) {
        if (label.kind !== kind || written.length >= LABELS_MAX) continue;
        const wide = pen.measureText(label.name).width;
        const at = placeOf(label, size / UNITS, wide);
        if (!at) continue;
        const [cx, cy] = [x + at.x, y + at.y];
        if (cx < 0 || cy < 0 || cx > width || cy > height) continue;
        const [cos, sin] = [Math.abs(Math.cos(at.angle)), Math.abs(Math.sin(at.angle))];
        const box = {
          name: label.name,
          x: cx,
          y: cy,
          halfX: (wide * cos + px * sin) / 2 + AIR_PX,
          halfY: (wide * sin + px * cos) / 2 + AIR_PX,
        };
        if (written.some((one) => collides(one, box))) continue;
        written.push(box);
        pen.save();
        pen.translate(cx, cy);
        pen.rotate(at.angle);
        pen.strokeText(label.name, 0, 0);
        pen.fillText(label.name, 0, 0);
        pen.restore();
      }
    }
  }
}

function collides(a: Written, b: Written): boolean {
  const [dx, dy] = [Math.abs(a.x - b.x), Math.abs(a.y - b.y)];
  return (dx < a.halfX + b.halfX && dy < a.halfY + b.halfY) || (a.name === b.name && Math.hypot(dx, dy) < AGAIN_PX);
}

/** A place, or the straightest run of a street that the name fits along; undefined where there is none. */
function placeOf(
  { spots }: Label,
  scale: number,
  wide: number,
): { readonly x: number; readonly y: number; readonly angle: number } | undefined {
  if (spots.length === 1) return { x: spots[0]![0] * scale, y: spots[0]![1] * scale, angle: 0 };
  let best: { from: number; to: number; length: number } | undefined;
  for (let from = 0; from < spots.length - 1; from += 1) {
    let length = 0;
    const heading = angleOf(spots[from]!, spots[from + 1]!);
    let to = from;
    while (to < spots.length - 1 && turnOf(angleOf(spots[to]!, spots[to + 1]!), heading) < 0.35) {
      length += Math.hypot(spots[to + 1]![0] - spots[to]![0], spots[to + 1]![1] - spots[to]![1]) * scale;
      to += 1;
    }
    if (!best || length > best.length) best = { from, to, length };
    from = Math.max(from, to - 1);
  }
  if (!best || best.length < wide + 8) return undefined;
  const [a, b] = [spots[best.from]!, spots[best.to]!];
  const middle = spots[Math.floor((best.from + best.to) / 2)]!;
  const isShort = best.to - best.from < 2;
  const at = isShort ? ([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] as const) : middle;
  // Never upside down.
  let angle = angleOf(a, b);
  if (angle > Math.PI / 2) angle -= Math.PI;
  if (angle < -Math.PI / 2) angle += Math.PI;
  return { x: at[0] * scale, y: at[1] * scale, angle };
}

const angleOf = (a: readonly [number, number], b: readonly [number, number]): number =>
  Math.atan2(b[1] - a[1], b[0] - a[0]);
const turnOf = (a: number, b: number): number => Math.abs(Math.atan2(Math.sin(a - b), Math.cos(a - b)));
