import type { MetricName } from "../../model/metrics.ts";
import type { WatchedSensor } from "../engine/compile.ts";
import { createRecent, type Recent } from "./recent.ts";

/** A sensor with its recent values of the metrics that someone may ask for. */
export type Neighbour = { readonly sensor: WatchedSensor; readonly recents: ReadonlyMap<MetricName, Recent> };

const NEAREST_MAX = 8;
const RADIUS_KM = 10;
/** Of a district whose places are not known. */
const UNPLACED_MAX = 40;
const EARTH_KM = 6_371;

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

/** Who measures what in each district. */
export function createNeighbours() {
  const districts = new Map<string, Map<MetricName, Map<string, Neighbour>>>();

  function listOf(district: string, metric: MetricName): Map<string, Neighbour> {
    const byMetric = districts.get(district) ?? new Map<MetricName, Map<string, Neighbour>>();
    districts.set(district, byMetric);
    const list = byMetric.get(metric) ?? new Map<string, Neighbour>();
    byMetric.set(metric, list);
    return list;
  }

  /** A sensor as it now is; its values so far go on. */
  function settle(sensor: WatchedSensor, former?: Neighbour): Neighbour {
    const neighbour = { sensor, recents: former?.recents ?? new Map<MetricName, Recent>() };
    if (former) leave(former);
    for (const metric of neighbour.recents.keys()) listOf(sensor.district, metric).set(sensor.id, neighbour);
    return neighbour;
  }

  function leave({ sensor, recents }: Neighbour): void {
    for (const metric of recents.keys()) listOf(sensor.district, metric).delete(sensor.id);
  }

  /** The values of one metric, kept from now on. */
  function open(neighbour: Neighbour, metric: MetricName): Recent {
    const known = neighbour.recents.get(metric);
    if (known) return known;
    const recent = createRecent();
    (neighbour.recents as Map<MetricName, Recent>).set(metric, recent);
    listOf(neighbour.sensor.district, metric).set(neighbour.sensor.id, neighbour);
    return recent;
  }

  /**
   * The recent values of the sensors to compare with: the nearest eight within 10 km where places are known, else those
   * of the district (at most 40, in the order of their ids). Never itself.
   */
  function around(sensor: WatchedSensor, metric: MetricName): Recent[] {
    const others = [...listOf(sensor.district, metric).values()].filter((one) => one.sensor.id !== sensor.id);
    const byId = others.sort((a, b) => (a.sensor.id < b.sensor.id ? -1 : 1));
    const chosen = isPlaced(sensor) && byId.some((one) => isPlaced(one.sensor)) ? nearest(sensor, byId) : byId;
    return chosen.slice(0, UNPLACED_MAX).map(({ recents }) => recents.get(metric)!);
  }

  function nearest(sensor: Placed, others: readonly Neighbour[]): Neighbour[] {
    const placed = others.flatMap((one) => (isPlaced(one.sensor) ? [{ one, km: distanceKm(sensor, one.sensor) }] : []));
    const near = placed.filter(({ km }) => km <= RADIUS_KM).sort((a, b) => a.km - b.km);
    return near.slice(0, NEAREST_MAX).map(({ one }) => one);
  }

  return { settle, leave, open, around };
}

export type Neighbours = ReturnType<typeof createNeighbours>;
