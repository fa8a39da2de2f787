import { hash, uniform } from "./random.ts";
import {
  along,
  DISTRICTS,
  type District,
  distance,
  type Line,
  RIVER,
  RIVER_KM,
  type Spot,
  smooth,
  streetsOf,
  toDegrees,
} from "./town.ts";

type Feature = {
  readonly type: "Feature";
  readonly properties: Readonly<Record<string, string>>;
  readonly geometry:
    | { readonly type: "Point"; readonly coordinates: Position }
    | { readonly type: "LineString"; readonly coordinates: readonly Position[] }
    | { readonly type: "Polygon"; readonly coordinates: readonly (readonly Position[])[] };
};
type Position = readonly [lon: number, lat: number];

const SEED = 1;
/** For streets in which no sensor stands. */
const FIRST =
  "Elm Linden Birch Maple Hazel Juniper Willow Rowan Heron Lark Swift Wren Kestrel Potters Weavers Coopers Chandlers Bakers Printers Bell Lantern Harvest Meadow Brook Copper Silver Amber Granite Saddlers Tanners Rosehip Clover Bramble Fern Poppy Barley Thistle Orchid Acorn Plum Cherry Walnut Quince Millstone Ferryman Signal Beacon Compass Anchor Rope Sail".split(
    " ",
  );
const SECOND = ["Street", "Lane", "Road", "Row", "Way"];

/** Streets, water, parks and districts of Lindenau as GeoJSON: the same at every call. The names are OpenStreetMap's tags. */
export function cityStreetMap() {
  const features = [
    ...landUse(),
    ...water(),
    ...DISTRICTS.flatMap(buildings),
    ...roads(),
    ...DISTRICTS.flatMap(districtStreets),
    ...DISTRICTS.map(outline),
    point({ place: "town", name: "Lindenau" }, [0.05, 0.72]),
  ];
  return { type: "FeatureCollection", name: "Lindenau, a made-up city", features } as const;
}

const position = (spot: Spot): Position => {
  const { lat, lon } = toDegrees(spot);
  return [lon, lat];
};

const point = (properties: Feature["properties"], spot: Spot): Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "Point", coordinates: position(spot) },
});

const line = (properties: Feature["properties"], spots: Line): Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "LineString", coordinates: straightened(spots).map(position) },
});

/** Closed, whatever the corners are. */
const area = (properties: Feature["properties"], corners: Line): Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "Polygon", coordinates: [[...corners, corners[0]!].map(position)] },
});

/** Without the spots that lie within a metre of the line between their neighbours. */
function straightened(spots: Line): Line {
  const kept: Spot[] = [];
  for (const [i, spot] of spots.entries()) {
    const [before, after] = [kept.at(-1), spots[i + 1]];
    if (!before || !after) kept.push(spot);
    else {
      const length = distance(before, after) || 1;
      const off =
        Math.abs((after[0] - before[0]) * (before[1] - spot[1]) - (before[0] - spot[0]) * (after[1] - before[1])) /
        length;
      if (off > 0.001) kept.push(spot);
    }
  }
  return kept;
}

/** A rounded patch around a spot, never quite a circle. */
function patch([east, north]: Spot, radius: number, seed: string, wobble = 0.14): Line {
  return Array.from({ length: 28 }, (_, i) => {
    const angle = (i * 2 * Math.PI) / 28;
    const lumps =
      Math.sin(3 * angle + 6 * uniform(seed, SEED)) + 0.6 * Math.sin(5 * angle + 6 * uniform(`${seed}+`, SEED));
    const reach = radius * (1 + (wobble * lumps) / 1.6);
    return [east + reach * Math.cos(angle), north + reach * Math.sin(angle)] as const;
  });
}

const rectangle = ([east, north]: Spot, width: number, height: number, turn = 0): Line =>
  [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([x, y]) => {
    const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
    const [a, b] = [(x! * width) / 2, (y! * height) / 2];
    return [east + a * cos - b * sin, north + a * sin + b * cos] as const;
  });

function landUse(): Feature[] {
  const built = DISTRICTS.map((one) =>
    area(
      { landuse: one.id === "harbour" ? "industrial" : "residential" },
      patch([one.east, one.north], 1.24, one.id, 0.1),
    ),
  );
  const green: readonly (readonly [string, string, Spot, number])[] = [
    ["forest", "Linden Wood", [5.1, -1], 1.15],
    ["forest", "North Wood", [-1.9, 5], 0.95],
    ["forest", "Heath Wood", [3.6, 2.9], 0.8],
    ["park", "Town Park", [0.85, 1.5], 0.42],
    ["park", "River Meadows", [-0.95, -1.55], 0.36],
    ["park", "Cathedral Green", [-0.22, 0.2], 0.075],
    ["cemetery", "Northfield Cemetery", [-0.62, 2.3], 0.2],
    ["allotments", "Garden Colony", [1.75, -2.3], 0.36],
    ["park", "Stadium Park", [-0.35, -2.35], 0.17],
    ["meadow", "", [-3.4, -1.6], 1.2],
    ["meadow", "", [2.6, 1.1], 0.7],
    ["meadow", "", [2.4, 4.4], 0.8],
  ];
  return [
    ...built,
    ...green.map(([use, name, spot, radius]) =>
      area({ landuse: use, ...(name && { name }) }, patch(spot, radius, `${use} ${spot}`)),
    ),
  ];
}

/** Left and right of a line. */
function band(spots: Line, widthOf: (i: number) => number): Line {
  const side = (sign: number) =>
    spots.map((spot, i): Spot => {
      const [a, b] = [spots[Math.max(0, i - 1)]!, spots[Math.min(spots.length - 1, i + 1)]!];
      const length = distance(a, b) || 1;
      return [
        spot[0] - (sign * widthOf(i) * (b[1] - a[1])) / length,
        spot[1] + (sign * widthOf(i) * (b[0] - a[0])) / length,
      ];
    });
  return [...side(1), ...side(-1).toReversed()];
}

const CANAL = smooth([
  [-1.8, -2.05],
  [-1.2, -1.85],
  [0.2, -1.9],
  [1.2, -1.7],
  [2.2, -2.4],
  [3.4, -4.2],
]);

function water(): Feature[] {
  const width = (i: number) => RIVER_KM * (1 + 0.12 * Math.sin(i / 6)) * 0.8;
  const docks: readonly Spot[] = [
    [-1.62, 0.72],
    [-1.72, 1.02],
    [-1.85, 1.32],
  ];
  return [
    area({ natural: "water", name: "Linde" }, band(RIVER, width)),
    line({ waterway: "river", name: "Linde" }, RIVER),
    ...docks.map((spot) => area({ natural: "water", name: "Dock" }, rectangle(spot, 0.46, 0.11, -12))),
    line({ waterway: "canal", name: "South Canal" }, CANAL),
    area({ natural: "water", name: "Mill Pond" }, patch([1.05, 1.42], 0.11, "pond", 0.3)),
    area({ natural: "water", name: "Quarry Lake" }, patch([3.75, -2.05], 0.26, "lake", 0.3)),
  ];
}

/** What leads from district to district and out of the city. */
function roads(): Feature[] {
  const motorway = smooth([
    [4.2, 6.2],
    [4.3, 3.6],
    [4.35, 1.4],
    [4.05, 0.25],
    [3.95, -1.7],
    [3.1, -3.1],
    [2.2, -4.4],
    [2, -6.2],
  ]);
  const ring = smooth([
    [-1.18, 1.35],
    [-0.4, 1.75],
    [0.5, 1.98],
    [1.35, 1.4],
    [1.62, 0.4],
    [1.65, -0.6],
    [1.1, -1.45],
    [0, -1.6],
    [-0.95, -1.15],
    [-1.2, -0.2],
    [-1.18, 1.35],
  ]);
  const railway = smooth([
    [-0.2, -6.2],
    [0.5, -4],
    [0.62, -2.3],
    [1.18, -0.6],
    [1.26, 0.5],
    [1.75, 2],
    [1.95, 3.6],
    [1.6, 6.2],
  ]);
  const main: readonly (readonly [string, Line])[] = [
    [
      "Harbour Road",
      [
        [-1.1, 0.08],
        [-1.4, 0.12],
        [-1.9, 0.35],
        [-2.6, 0.55],
        [-3.8, 0.5],
        [-6, 0.1],
      ],
    ],
    [
      "North Road",
      [
        [0.05, 1.1],
        [0.2, 1.9],
        [0.42, 2.6],
        [0.6, 3.2],
        [0.72, 4.2],
        [0.4, 6.2],
      ],
    ],
    [
      "Hill Road",
      [
        [1.1, -0.12],
        [1.65, -0.3],
        [2.3, -0.5],
        [2.9, -0.8],
        [3.6, -0.55],
        [4.05, 0.1],
        [6, 0.9],
      ],
    ],
    [
      "South Road",
      [
        [-0.1, -1.1],
        [-0.3, -1.6],
        [-0.55, -2.3],
        [-0.7, -2.9],
        [-0.9, -4.1],
        [-0.8, -6.2],
      ],
    ],
    [
      "West Bridge",
      [
        [-0.55, 1.72],
        [-1.3, 1.95],
        [-2, 2.12],
        [-2.9, 2.35],
        [-6, 2.6],
      ],
    ],
    [
      "Heath Road",
      [
        [1.4, 1.3],
        [2.2, 1.6],
        [3.3, 1.9],
        [4.35, 1.5],
      ],
    ],
    [
      "Vineyard Road",
      [
        [1.2, -1.4],
        [2, -1.9],
        [3.15, -2.9],
      ],
    ],
  ];
  return [
    line({ railway: "rail", name: "Lindenau line" }, railway),
    ...main.map(([name, spots]) => line({ highway: "primary", name }, smooth(spots, 8))),
    line({ highway: "secondary", name: "Inner Ring" }, ring),
    line({ highway: "motorway", name: "A 77" }, motorway),
    point({ railway: "station", name: "Lindenau Central" }, [1.2, -0.1]),
  ];
}

function districtStreets(district: District): Feature[] {
  const offset = hash(district.id, SEED) % FIRST.length;
  return streetsOf(district).map((spots, i) => {
    const ownName = district.streets[i];
    const n = i - district.streets.length;
    const name = ownName ?? `${FIRST[(offset + n * 7) % FIRST.length]} ${SECOND[(offset + n) % SECOND.length]}`;
    return line({ highway: ownName && i < 2 ? "tertiary" : "residential", name }, spots);
  });
}

const HOUSES_PER_STREET = 7;

/** Houses along the streets; and what people know a city by. */
function buildings(district: District): Feature[] {
  const houses = streetsOf(district).flatMap((street, k) =>
    Array.from({ length: HOUSES_PER_STREET }, (_, i) => {
      const chance = (what: string) => uniform(`${district.id}/${k}/${i}/${what}`, SEED);
      const share = (i + 0.25 + 0.5 * chance("share")) / HOUSES_PER_STREET;
      const [at, next] = [along(street, share), along(street, Math.min(1, share + 0.02))];
      const angle = Math.atan2(next[1] - at[1], next[0] - at[0]);
      const side = chance("side") < 0.5 ? -1 : 1;
      const away = 0.042;
      const spot: Spot = [at[0] - side * away * Math.sin(angle), at[1] + side * away * Math.cos(angle)];
      const isLarge = district.id === "harbour";
      const [width, depth] = [(isLarge ? 0.075 : 0.04) + 0.03 * chance("width"), 0.028 + 0.016 * chance("depth")];
      return area({ building: "yes" }, rectangle(spot, width, depth, (angle * 180) / Math.PI));
    }),
  );
  const known: readonly (readonly [string, string, Spot, number, number])[] = [
    ["centre", "Town Hall", [0.16, -0.05], 0.09, 0.05],
    ["centre", "Cathedral", [-0.2, 0.19], 0.1, 0.045],
    ["centre", "Central Station", [1.14, -0.1], 0.05, 0.2],
    ["hillside", "Hospital", [3.05, -1.22], 0.13, 0.09],
    ["southgate", "Stadium", [-0.35, -2.35], 0.17, 0.12],
    ["southgate", "Gasworks", [-1.1, -3.35], 0.12, 0.08],
    ["harbour", "Grain Silo", [-1.98, 0.86], 0.12, 0.05],
    ["northfield", "School", [0.92, 3.5], 0.1, 0.06],
  ];
  const landmarks = known.filter(([id]) => id === district.id);
  return [
    ...houses,
    ...landmarks.map(([, name, spot, width, depth]) =>
      area({ building: "public", name }, rectangle(spot, width, depth, 12)),
    ),
  ];
}

const OUTER_KM = 1.95;

/** As far as half-way to the next district, and never beyond the last houses. */
function outline(district: District): Feature {
  const corners = Array.from({ length: 72 }, (_, i): Spot => {
    const angle = (i * 2 * Math.PI) / 72;
    const [x, y] = [Math.cos(angle), Math.sin(angle)];
    const reach = DISTRICTS.filter((other) => other !== district).reduce(
      (least, { east, north }) => {
        const [dx, dy] = [east - district.east, north - district.north];
        const towards = x * dx + y * dy;
        return towards <= 0 ? least : Math.min(least, (dx * dx + dy * dy) / 2 / towards);
      },
      OUTER_KM * (1 + 0.05 * Math.sin(3 * angle + district.turn)),
    );
    return [district.east + reach * x, district.north + reach * y];
  });
  return area({ boundary: "district", district: district.id, name: district.title }, corners);
}
