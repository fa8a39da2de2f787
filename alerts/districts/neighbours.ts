import type { MetricName } from "../../model/metrics.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { createRecent, type Recent } from "./recent.ts";

/** A sensor with its recent values of the metrics that someone may ask for. */
export type Neighbour = { readonly sensor: WatchedSensor; readonly recents: ReadonlyMap<MetricName, Recent> };

const NEAREST_MAX = 8;
const RADIUS_KM = 10;
/** Of a district whose places are not known. */
const UNPLACED_MAX = 40;
const EARTH_KM = 6_371;
/** A little less than a degree of latitude is. */
const KM_PER_DEGREE = 110;

/** Great-circle distance in km (haversine). Coordinates in degrees. */
export function distanceKm(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const rad = Math.PI / 180;
  const lat = Math.sin(((b.lat - a.lat) * rad) / 2);
  const lon = Math.sin(((b.lon - a.lon) * rad) / 2);
  const square = lat * lat + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * lon * lon;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(square)));
}

type Placed = WatchedSensor & { readonly lat: number; readonly lon: number };
export const isPlaced = (sensor: WatchedSensor): sensor is Placed =>
  sensor.lat !== undefined && sensor.lon !== undefined;

/** Who measures one metric in one district; `sorted` by id, made when it is asked for. */
type Roll = { readonly members: Map<string, Neighbour>; sorted: readonly Neighbour[] | undefined };

/** Who measures what in each district. */
export function createNeighbours() {
  const districts = new Map<string, Map<MetricName, Roll>>();

  function rollOf(district: string, metric: MetricName): Roll {
    const byMetric = districts.get(district) ?? new Map<MetricName, Roll>();
    districts.set(district, byMetric);
    const roll = byMetric.get(metric) ?? { members: new Map<string, Neighbour>(), sorted: undefined };
    byMetric.set(metric, roll);
    return roll;
  }

  function enter(neighbour: Neighbour, metric: MetricName): void {
    const roll = rollOf(neighbour.sensor.district, metric);
    roll.members.set(neighbour.sensor.id, neighbour);
    roll.sorted = undefined;
  }

  /** A sensor as it now is; its values so far go on. */
  function settle(sensor: WatchedSensor, former?: Neighbour): Neighbour {
    const neighbour = { sensor, recents: former?.recents ?? new Map<MetricName, Recent>() };
    if (former) leave(former);
    for (const metric of neighbour.recents.keys()) enter(neighbour, metric);
    return neighbour;
  }

  function leave({ sensor, recents }: Neighbour): void {
    for (const metric of recents.keys()) {
      const roll = rollOf(sensor.district, metric);
      roll.members.delete(sensor.id);
      roll.sorted = undefined;
    }
  }

  /** The values of one metric, kept from now on. */
  function open(neighbour: Neighbour, metric: MetricName): Recent {
    const known = neighbour.recents.get(metric);
    if (known) return known;
    const recent = createRecent();
    (neighbour.recents as Map<MetricName, Recent>).set(metric, recent);
    enter(neighbour, metric);
    return recent;
  }

  /**
   * The recent values of the sensors to compare with: the nearest eight within 10 km where places are known, else those
   * of the district (at most 40, in the order of their ids). Never itself.
   */
  function around(sensor: WatchedSensor, metric: MetricName): Recent[] {
    const roll = rollOf(sensor.district, metric);
    roll.sorted ??= [...roll.members.values()].sort((a, b) => (a.sensor.id < b.sensor.id ? -1 : 1));
    const isOther = (one: Neighbour) => one.sensor.id !== sensor.id;
    const chosen =
      isPlaced(sensor) && roll.sorted.some((one) => isOther(one) && isPlaced(one.sensor))
        ? nearest(sensor, roll.sorted.filter(isOther))
        : roll.sorted.slice(0, UNPLACED_MAX + 1).filter(isOther);
    return chosen.slice(0, UNPLACED_MAX).map(({ recents }) => recents.get(metric)!);
  }

  function nearest(sensor: Placed, others: readonly Neighbour[]): Neighbour[] {
    const reachLat = RADIUS_KM / KM_PER_DEGREE;
    const placed = others.flatMap(({ sensor: other }, i) =>
      isPlaced(other) && Math.abs(other.lat - sensor.lat) <= reachLat
        ? [{ one: others[i]!, km: distanceKm(sensor, other) }]
        : [],
    );
    const near = placed.filter(({ km }) => km <= RADIUS_KM).sort((a, b) => a.km - b.km);
    return near.slice(0, NEAREST_MAX).map(({ one }) => one);
  }

  return { settle, leave, open, around };
}

export type Neighbours = ReturnType<typeof createNeighbours>;
