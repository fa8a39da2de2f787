import type { Severity } from "../../model/alert.ts";
import type { Kind } from "../../model/kinds.ts";
import { KIND_ICONS } from "../map/icons.ts";
import { STEPS } from "../map/value-scale.ts";
import { readColours } from "../style/colours.ts";
import { districtName } from "../words/words.ts";
import type { Cluster, MapPoint } from "./geometry.ts";

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

export function mapColours(near: HTMLElement): Colours {
  return { ...readColours(near, NAMES), on: readColours(near, ON) };
}

type District = {
  readonly id: string;
  readonly rings: readonly (readonly MapPoint[])[];
  readonly severity: Severity | undefined;
  readonly isQuieted: boolean;
  /** The map has its outline: its name stands within it. */
  readonly isDrawn: boolean;
  /** It fills the whole view: a tint would only make the streets pale. */
  readonly isClose: boolean;
};

/** Of what people keep quiet: neither the line of what is well nor the colour of an alarm. */
const DASHES = [5, 4];

/** A district: the area around its sensors, tinted by its worst open alert, with its name above. */
export function paintDistrict(
  pen: CanvasRenderingContext2D,
  district: District,
  colours: Colours,
  chosen: boolean,
): void {
  const { rings, severity, isQuieted, id } = district;
  const outline = rings.flat();
  if (outline.length === 0) return;
  pen.beginPath();
  for (const ring of rings) {
    ring.forEach(({ x, y }, i) => void (i === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
    pen.closePath();
  }
  pen.fillStyle = pen.strokeStyle = severity ? colours[severity] : isQuieted ? colours.quiet : colours.calm;
  pen.globalAlpha = district.isClose ? 0.04 : severity || isQuieted ? 0.13 : 0.05;
  pen.fill();
  pen.globalAlpha = chosen || isQuieted ? 1 : 0.5;
  pen.lineWidth = chosen ? 2.5 : isQuieted ? 1.5 : 1;
  if (isQuieted) pen.setLineDash(DASHES);
  // The base map has the line already.
  if (!district.isDrawn || chosen || severity || isQuieted) pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  const [xs, ys] = [outline.map(({ x }) => x), outline.map(({ y }) => y)];
  const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
  text(pen, districtName(id), middle, Math.min(...ys) + (district.isDrawn ? 14 : -12), {
    colour: chosen ? colours.accent : colours.text,
    halo: colours.surface,
    bold: true,
  });
}

const DOT_RADIUS = 6;
/** Room for the icon of its kind. */
const ICON_RADIUS = 9;
const ICON_UNITS = 12;
const SHAPES: Readonly<Record<Severity | "calm", number>> = { critical: 8, warning: 3, info: 0, calm: 0 };
const icons = new Map<Kind, Path2D>();

/** A sensor, or several: then with their number. Colour and shape say the worst. Answers its radius in pixels. */
export function paintCluster(
  pen: CanvasRenderingContext2D,
  cluster: Cluster,
  at: MapPoint,
  colours: Colours,
  withIcons: boolean,
): number {
  const { worst, count, alerting, quieted, first } = cluster;
  const alone = count === 1;
  if (cluster.step !== undefined && !worst) return paintValue(pen, at, cluster.step, count, colours);
  if (!worst && quieted > 0) return paintQuieted(pen, at, alone ? undefined : quieted, colours);
  const small = withIcons ? ICON_RADIUS : DOT_RADIUS;
  const radius = alone ? (worst ? small + 4 : small) : 13 + Math.min(9, Math.log2(count) * 1.5);
  shape(pen, at, radius, alone ? SHAPES[worst ?? "calm"] : 0);
  pen.fillStyle = worst ? colours[worst] : alone ? colours.calm : colours.surface;
  pen.strokeStyle = worst || alone ? colours.surface : colours.calm;
  pen.lineWidth = 2;
  pen.fill();
  pen.stroke();
  if (alone) {
    if (withIcons) icon(pen, first.kind, at, worst ? colours.on[worst] : colours.surface);
    return radius;
  }
  const number = String(worst ? alerting : count);
  text(pen, number, at.x, at.y + 0.5, { colour: worst ? colours.on[worst] : colours.quiet, bold: worst !== undefined });
  return radius;
}

/** What it last said, as a colour; of several the highest. */
function paintValue(
  pen: CanvasRenderingContext2D,
  at: MapPoint,
  step: number,
  count: number,
  colours: Colours,
): number {
  const radius = count === 1 ? ICON_RADIUS : 12 + Math.min(7, Math.log2(count) * 1.2);
  shape(pen, at, radius, 0);
  pen.fillStyle = STEPS[step]!;
  pen.strokeStyle = colours.text;
  pen.lineWidth = 1.5;
  pen.fill();
  pen.stroke();
  if (count > 1) text(pen, String(count), at.x, at.y + 0.5, { colour: step < 2 ? "#ffffff" : "#000000", bold: true });
  return radius;
}

function icon(pen: CanvasRenderingContext2D, kind: Kind, { x, y }: MapPoint, colour: string): void {
  let path = icons.get(kind);
  if (!path) {
    path = new Path2D(KIND_ICONS[kind]);
    icons.set(kind, path);
  }
  pen.save();
  pen.translate(x - ICON_UNITS / 2, y - ICON_UNITS / 2);
  pen.fillStyle = colour;
  pen.fill(path, "evenodd");
  pen.restore();
}

/** How far sensors speak for their surroundings: one area, however many lie over each other. */
export function paintCoverage(
  pen: CanvasRenderingContext2D,
  places: readonly MapPoint[],
  radius: number,
  colours: Colours,
): void {
  pen.beginPath();
  for (const { x, y } of places) {
    pen.moveTo(x + radius, y);
    pen.arc(x, y, radius, 0, 2 * Math.PI);
  }
  pen.fillStyle = colours.accent;
  pen.globalAlpha = 0.14;
  pen.fill();
  pen.globalAlpha = 1;
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
export function paintRing(pen: CanvasRenderingContext2D, at: MapPoint, radius: number, colours: Colours): void {
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
