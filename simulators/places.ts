import type { Kind } from "../model/kinds.ts";
import { uniform } from "./random.ts";
import { along, DISTRICTS, type District, streetsOf, toDegrees } from "./town.ts";

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

/** The zone that the city's days follow. */
export const CITY_ZONE = "Europe/Berlin";

export const DISTRICT_IDS = DISTRICTS.map((district) => district.id);
export const GATEWAYS = DISTRICTS.flatMap(({ id, gateway }) => (gateway ? [{ name: gateway, district: id }] : []));

const PER_DISTRICT = { air: 4, detector: 5, feeder: 3 } as const;
const INTERVAL_S = 60;

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

/** At the street it is named after, beside the lane; a transformer in the middle of its district. */
function whereabouts(sensor: Unplaced, seed: number): { readonly lat: number; readonly lon: number } {
  const district = DISTRICTS.find(({ id }) => id === sensor.district)!;
  const n = district.streets.findIndex((name) => sensor.name.endsWith(` ${name}`));
  const line = lines(district)[n < 0 ? 0 : n]!;
  const [east, north] = along(line, 0.1 + 0.8 * uniform(`${sensor.id}/along`, seed));
  const aside = (axis: string) => ASIDE_KM * (2 * uniform(`${sensor.id}/${axis}`, seed) - 1);
  return toDegrees([east + aside("east"), north + aside("north")]);
}

const ASIDE_KM = 0.012;
const known = new Map<string, ReturnType<typeof streetsOf>>();

function lines(district: District): ReturnType<typeof streetsOf> {
  const found = known.get(district.id) ?? streetsOf(district);
  known.set(district.id, found);
  return found;
}
