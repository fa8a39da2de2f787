import type { Severity } from "../../../model/alert.ts";
import { readColours } from "../../style/colours.ts";
import { districtName } from "../../words/units.ts";
import type { Cluster, Place } from "./geometry.ts";

export type Colours = Readonly<Record<Severity | "calm" | "surface" | "text" | "quiet" | "accent", string>> & {
  readonly on: Readonly<Record<Severity, string>>;
};

const NAMES = {
  ...{ critical: "--critical", warning: "--warning-fill", info: "--info", calm: "--calm" },
  ...{ surface: "--surface", text: "--text", quiet: "--quiet", accent: "--accent" },
} as const;

const ON = { critical: "--on-critical", warning: "--on-warning", info: "--on-info" } as const;

export function mapColours(near: HTMLElement): Colours {
  return { ...readColours(near, NAMES), on: readColours(near, ON) };
}

export type District = {
  readonly id: string;
  readonly outline: readonly Place[];
  readonly severity: Severity | undefined;
};

/** A district: the area around its sensors, tinted by its worst open alert, with its name above. */
export function paintDistrict(
  pen: CanvasRenderingContext2D,
  district: District,
  colours: Colours,
  chosen: boolean,
): void {
  const { outline, severity, id } = district;
  if (outline.length === 0) return;
  pen.beginPath();
  for (const { x, y } of outline) pen.lineTo(x, y);
  pen.closePath();
  pen.fillStyle = pen.strokeStyle = severity ? colours[severity] : colours.calm;
  pen.globalAlpha = severity ? 0.16 : 0.1;
  pen.fill();
  pen.globalAlpha = chosen ? 1 : 0.5;
  pen.lineWidth = chosen ? 2.5 : 1;
  pen.stroke();
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
export function paintCluster(pen: CanvasRenderingContext2D, cluster: Cluster, at: Place, colours: Colours): number {
  const { worst, count, alerting } = cluster;
  const alone = count === 1;
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

/** The ring around the sensor that is looked at. */
export function paintRing(pen: CanvasRenderingContext2D, at: Place, radius: number, colours: Colours): void {
  pen.beginPath();
  pen.arc(at.x, at.y, radius + 5, 0, 2 * Math.PI);
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 3;
  pen.stroke();
}

/** A polygon with so many corners; 0 is a circle. */
function shape(pen: CanvasRenderingContext2D, at: Place, radius: number, corners: number): void {
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
