/** The ground plan of the made-up city of Lindenau, in kilometres east and north of its square. Nothing of it is drawn from a real place. */

export type Spot = readonly [east: number, north: number];
export type Line = readonly Spot[];

export type District = {
  readonly id: string;
  readonly title: string;
  readonly east: number;
  readonly north: number;
  /** Where its sensors stand. */
  readonly streets: readonly string[];
  /** Its meters share one radio gateway. */
  readonly gateway?: string;
  readonly plan: "rings" | "grid" | "arcs";
  /** Of the grid, in degrees. */
  readonly turn: number;
};

/** The city's square. */
export const CENTRE = { lat: 52.61, lon: 11.02 };

export const DISTRICTS: readonly District[] = [
  {
    id: "centre",
    title: "Centre",
    east: 0,
    north: 0,
    streets: ["Market Square", "Town Hall", "Cathedral Lane", "Station Road", "Old Bridge"],
    plan: "rings",
    turn: 8,
  },
  {
    id: "harbour",
    title: "Harbour",
    east: -2.6,
    north: 1.1,
    streets: ["Quay Street", "Warehouse Row", "Ferry Landing", "Crane Yard", "Dock Gate"],
    gateway: "gw-harbour",
    plan: "grid",
    turn: 68,
  },
  {
    id: "northfield",
    title: "Northfield",
    east: 0.6,
    north: 3.2,
    streets: ["Orchard Avenue", "School Street", "Mill Lane", "Park Road", "Garden Row"],
    plan: "grid",
    turn: 12,
  },
  {
    id: "hillside",
    title: "Hillside",
    east: 2.9,
    north: -0.8,
    streets: ["Ridge Road", "Vineyard Steps", "Hospital Hill", "Tower Street", "Quarry Bend"],
    gateway: "gw-hillside",
    plan: "arcs",
    turn: 0,
  },
  {
    id: "southgate",
    title: "Southgate",
    east: -0.7,
    north: -2.9,
    streets: ["Ring Road South", "Gasworks Street", "Tram Depot", "Stadium Way", "Canal Bank"],
    plan: "grid",
    turn: -14,
  },
];

const KM_PER_DEGREE = 111.32;
const KM_PER_DEGREE_EAST = KM_PER_DEGREE * Math.cos((CENTRE.lat * Math.PI) / 180);
const round = (degrees: number) => Math.round(degrees * 1e5) / 1e5;

export function toDegrees([east, north]: Spot): { readonly lat: number; readonly lon: number } {
  return { lat: round(CENTRE.lat + north / KM_PER_DEGREE), lon: round(CENTRE.lon + east / KM_PER_DEGREE_EAST) };
}

/** How far the streets of a district reach from its middle. */
const REACH_KM = 1.12;
const STEP_KM = 0.06;
const BLOCK_KM = { along: 0.19, across: 0.24 } as const;
/** The hill that the streets of Hillside go around. */
const HILL: Spot = [4.9, -0.9];

/** The streets of a district, those that have sensors first and in the order of their names. */
export function streetsOf(district: District): readonly Line[] {
  const middle: Spot = [district.east, district.north];
  const lines = { rings, grid, arcs }[district.plan](middle, district.turn);
  return lines
    .map((line) => line.filter((spot) => distance(spot, middle) <= REACH_KM && fromRiver(spot) > 0.1))
    .filter((line) => line.length > 2);
}

/** An old town: lanes around the square, and streets out of it. */
function rings([east, north]: Spot, turn: number): Line[] {
  const at = (radius: number, degrees: number): Spot => [
    east + radius * Math.cos(((degrees + turn) * Math.PI) / 180) * 1.08,
    north + radius * Math.sin(((degrees + turn) * Math.PI) / 180),
  ];
  const ring = (radius: number, from = 0, to = 360) =>
    Array.from({ length: 37 }, (_, i) => at(radius * (1 + 0.05 * Math.sin(i / 2.9)), from + ((to - from) * i) / 36));
  const ray = (degrees: number, from: number, to: number) =>
    Array.from({ length: 16 }, (_, i) => at(from + ((to - from) * i) / 15, degrees + 5 * Math.sin(i / 5)));
  const rays = [40, 68, 112, 140, 205, 232, 268, 305, 330].map((degrees, i) =>
    ray(degrees, i % 2 === 0 ? 0.3 : 0.1, 1.1),
  );
  return [
    ring(0.1),
    ray(90, 0.1, 1.1),
    ring(0.33),
    ray(-8, 0.1, 1.1),
    ray(176, 0.1, 1.1),
    ring(0.58),
    ring(0.84),
    ring(1.06),
    ...rays,
  ];
}

/** Blocks, slightly bent: from the middle outwards, along and across in turns. */
function grid([east, north]: Spot, turn: number): Line[] {
  const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const count = Math.round((2 * REACH_KM) / STEP_KM);
  const line = (offset: number, isAcross: boolean): Line =>
    Array.from({ length: count + 1 }, (_, i) => {
      const run = -REACH_KM + i * STEP_KM;
      const aside = offset + 0.035 * Math.sin(run * 2.4 + offset);
      const [x, y] = isAcross ? [aside, run] : [run, aside];
      return [east + x * cos - y * sin, north + x * sin + y * cos] as const;
    });
  const order = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5];
  return order.flatMap((k) => [
    line(k * BLOCK_KM.along, false),
    ...(Math.abs(k) <= 4 ? [line(k * BLOCK_KM.across, true)] : []),
  ]);
}

/** Along the contours of a hill, joined by steep streets. */
function arcs(): Line[] {
  const at = (radius: number, degrees: number): Spot => [
    HILL[0] + radius * Math.cos((degrees * Math.PI) / 180),
    HILL[1] + radius * Math.sin((degrees * Math.PI) / 180),
  ];
  const contour = (radius: number) =>
    Array.from({ length: 40 }, (_, i) => at(radius + 0.05 * Math.sin(i / 3), 140 + (80 * i) / 39));
  const steep = (degrees: number) =>
    Array.from({ length: 40 }, (_, i) => at(0.8 + (2.4 * i) / 39, degrees + 2.5 * Math.sin(i / 4)));
  return [
    contour(2),
    steep(177),
    contour(1.72),
    steep(166),
    contour(2.3),
    ...[1.45, 2.55, 2.8, 1.2, 3.02].map(contour),
    ...[188, 155, 198, 208, 147].map(steep),
  ];
}

/** The river Linde, from the south to the north-west, and how wide it is. */
export const RIVER_KM = 0.085;
export const RIVER: Line = smooth([
  [-2.2, -6.2],
  [-2.35, -4.4],
  [-1.95, -2.9],
  [-1.6, -1.5],
  [-1.35, -0.2],
  [-1.45, 0.9],
  [-1.95, 2],
  [-2.5, 3],
  [-3.4, 4],
  [-4.3, 6.2],
]);

function fromRiver(spot: Spot): number {
  return Math.min(...RIVER.map((one) => distance(one, spot))) - RIVER_KM;
}

/** A curve through these spots (Catmull and Rom). */
export function smooth(spots: Line, steps = 10): Line {
  const at = (i: number) => spots[Math.max(0, Math.min(spots.length - 1, i))]!;
  const curve = spots.slice(0, -1).flatMap((_, i) =>
    Array.from({ length: steps }, (_unused, step) => {
      const t = step / steps;
      const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
      const along = (k: 0 | 1) =>
        0.5 *
        (2 * b[k] +
          (c[k] - a[k]) * t +
          (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t ** 2 +
          (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t ** 3);
      return [along(0), along(1)] as const;
    }),
  );
  return [...curve, spots.at(-1)!];
}

export function distance(a: Spot, b: Spot): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** The spot at a share of a line's length. */
export function along(line: Line, share: number): Spot {
  const lengths = line.slice(1).map((spot, i) => distance(line[i]!, spot));
  let left = share * lengths.reduce((sum, one) => sum + one, 0);
  for (const [i, length] of lengths.entries()) {
    if (left <= length && length > 0) {
      const [a, b] = [line[i]!, line[i + 1]!];
      return [a[0] + ((b[0] - a[0]) * left) / length, a[1] + ((b[1] - a[1]) * left) / length];
    }
    left -= length;
  }
  return line.at(-1)!;
}
