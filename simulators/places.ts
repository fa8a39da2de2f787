import type { Kind } from "../model/kinds.ts";
import { uniform } from "./random.ts";

/** A sensor of the made-up city of Lindenau. */
export type CitySensor = {
  readonly id: string;
  readonly kind: Kind;
  readonly role: "air-station" | "detector" | "feeder" | "transformer";
  readonly district: string;
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
  /** Declared seconds between readings; live ones come more often, see `simulate.ts`. */
  readonly intervalS: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Speaks through this gateway instead of a connection of its own. */
  readonly gateway?: string;
};

type District = {
  readonly id: string;
  readonly title: string;
  /** Kilometres east and north of the centre. */
  readonly east: number;
  readonly north: number;
  readonly streets: readonly string[];
  /** Its meters share one radio gateway. */
  readonly gateway?: string;
};

/** The city's square, and the zone its days follow. */
export const CENTRE = { lat: 52.61, lon: 11.02 };
export const CITY_ZONE = "Europe/Berlin";

const DISTRICTS: readonly District[] = [
  {
    id: "centre",
    title: "Centre",
    east: 0,
    north: 0,
    streets: ["Market Square", "Town Hall", "Cathedral Lane", "Station Road", "Old Bridge"],
  },
  {
    id: "harbour",
    title: "Harbour",
    east: -2.6,
    north: 1.1,
    streets: ["Quay Street", "Warehouse Row", "Ferry Landing", "Crane Yard", "Dock Gate"],
    gateway: "gw-harbour",
  },
  {
    id: "northfield",
    title: "Northfield",
    east: 0.6,
    north: 3.2,
    streets: ["Orchard Avenue", "School Street", "Mill Lane", "Park Road", "Garden Row"],
  },
  {
    id: "hillside",
    title: "Hillside",
    east: 2.9,
    north: -0.8,
    streets: ["Ridge Road", "Vineyard Steps", "Hospital Hill", "Tower Street", "Quarry Bend"],
    gateway: "gw-hillside",
  },
  {
    id: "southgate",
    title: "Southgate",
    east: -0.7,
    north: -2.9,
    streets: ["Ring Road South", "Gasworks Street", "Tram Depot", "Stadium Way", "Canal Bank"],
  },
];

export const DISTRICT_IDS = DISTRICTS.map((district) => district.id);
export const GATEWAYS = DISTRICTS.flatMap(({ id, gateway }) => (gateway ? [{ name: gateway, district: id }] : []));

const PER_DISTRICT = { air: 4, detector: 5, feeder: 3 } as const;
const INTERVAL_S = 60;
const RADIUS_KM = 0.9;
const KM_PER_DEGREE = 111.32;

/** 65 sensors: in each of five districts four air stations, five lane detectors, three feeders and a transformer. */
export function cityPlaces(seed: number): readonly CitySensor[] {
  return DISTRICTS.flatMap((district) => [
    ...many(PER_DISTRICT.air, (n) => airStation(district, n)),
    ...many(PER_DISTRICT.detector, (n) => detector(district, n)),
    ...many(PER_DISTRICT.feeder, (n) => feeder(district, n)),
    transformer(district),
  ]).map((sensor) => ({ ...sensor, ...whereabouts(sensor, seed) }));
}

type Unplaced = Omit<CitySensor, "lat" | "lon">;

const many = (count: number, make: (n: number) => Unplaced) => Array.from({ length: count }, (_, i) => make(i + 1));
const two = (n: number) => String(n).padStart(2, "0");
const street = (district: District, n: number) => district.streets[(n - 1) % district.streets.length]!;
const through = (district: District) => (district.gateway ? { gateway: district.gateway } : {});

function airStation(district: District, n: number): Unplaced {
  const site = n % 2 === 1 ? "roadside" : "background";
  return {
    id: `air-${district.id}-${two(n)}`,
    kind: "air",
    role: "air-station",
    district: district.id,
    name: `Air station ${street(district, n)}`,
    intervalS: INTERVAL_S,
    tags: { site },
  };
}

function detector(district: District, n: number): Unplaced {
  return {
    id: `traffic-${district.id}-${two(n)}`,
    kind: "traffic",
    role: "detector",
    district: district.id,
    name: `Lane detector ${street(district, n)}`,
    intervalS: INTERVAL_S,
    tags: { lane: String(((n - 1) % 3) + 1), road: n <= 2 ? "main" : "side" },
  };
}

function feeder(district: District, n: number): Unplaced {
  return {
    id: `feeder-${district.id}-${two(n)}`,
    kind: "energy",
    role: "feeder",
    district: district.id,
    name: `Feeder ${street(district, n)}`,
    intervalS: INTERVAL_S,
    tags: { feeder: `f-${district.id}-${n}`, transformer: `transformer-${district.id}` },
    ...through(district),
  };
}

/** 400 kVA at 400 V: 577 A a phase. */
function transformer(district: District): Unplaced {
  return {
    id: `transformer-${district.id}`,
    kind: "energy",
    role: "transformer",
    district: district.id,
    name: `Transformer ${district.title}`,
    intervalS: INTERVAL_S,
    tags: { ratedPower: "400", ratedCurrent: "577" },
    ...through(district),
  };
}

/** Somewhere within 900 m of the middle of its district. */
function whereabouts(sensor: Unplaced, seed: number): { lat: number; lon: number } {
  const district = DISTRICTS.find(({ id }) => id === sensor.district)!;
  const angle = uniform(`${sensor.id}/angle`, seed) * 2 * Math.PI;
  const radius = Math.sqrt(uniform(`${sensor.id}/radius`, seed)) * RADIUS_KM;
  const north = district.north + radius * Math.sin(angle);
  const east = district.east + radius * Math.cos(angle);
  const lat = CENTRE.lat + north / KM_PER_DEGREE;
  const lon = CENTRE.lon + east / (KM_PER_DEGREE * Math.cos((CENTRE.lat * Math.PI) / 180));
  return { lat: Math.round(lat * 1e5) / 1e5, lon: Math.round(lon * 1e5) / 1e5 };
}
