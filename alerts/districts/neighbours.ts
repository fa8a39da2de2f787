import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Reading } from "../../model/reading.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import type { StateRow } from "../engine/states.ts";
import {
  createRecent,
  noteValue,
  type Recent,
  type RecentJson,
  recentToJson,
  restoreRecent,
  SLOT_MS,
  slotEnd,
} from "./recent.ts";

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
  function put(sensor: WatchedSensor, former?: Neighbour): Neighbour {
    const neighbour = { sensor, recents: former?.recents ?? new Map<MetricName, Recent>() };
    if (former) remove(former);
    for (const metric of neighbour.recents.keys()) enter(neighbour, metric);
    return neighbour;
  }

  function remove({ sensor, recents }: Neighbour): void {
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

  /** The recent values of the sensors to compare with. */
  const around = (sensor: WatchedSensor, metric: MetricName): Recent[] =>
    near(sensor, metric).map(({ recents }) => recents.get(metric)!);

  /**
   * The sensors to compare with: the nearest eight within 10 km where places are known, else those
   * of the district (at most 40, in the order of their ids). Never itself.
   */
  function near(sensor: WatchedSensor, metric: MetricName): readonly Neighbour[] {
    const roll = rollOf(sensor.district, metric);
    roll.sorted ??= [...roll.members.values()].sort((a, b) => (a.sensor.id < b.sensor.id ? -1 : 1));
    const isOther = (one: Neighbour) => one.sensor.id !== sensor.id;
    const chosen =
      isPlaced(sensor) && roll.sorted.some((one) => isOther(one) && isPlaced(one.sensor))
        ? nearest(sensor, roll.sorted.filter(isOther))
        : roll.sorted.slice(0, UNPLACED_MAX + 1).filter(isOther);
    return chosen.slice(0, UNPLACED_MAX);
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

  return { put, remove, open, near, around };
}

export type Neighbours = ReturnType<typeof createNeighbours>;

// ---- the same on disk ---------------------------------------------------------------------------------------------

/** All recent values of a sensor, written now and then, and those since: nearly every sensor changes every minute. */
export const RECENT = "~recent";
export const RECENT_SINCE = "~recent-since";
const FULL_EVERY = 16;
/** In one go: all sensors of a city are due at about the same time. */
const FULL_MAX = 500;

/** The recent values of one sensor, and what of them has been saved. Changed in place. */
export type Memory = {
  neighbour: Neighbour;
  readonly metrics: readonly MetricName[];
  readonly recents: (Recent | undefined)[];
  /** The full row on disk holds everything up to here. */
  fullTo: number;
  newestAt: number;
  /** What is measured in [from, to) tells nothing new: every metric of the sensor has its value of those five minutes. */
  from: number;
  to: number;
};

type MemoryJson = Partial<Record<MetricName, RecentJson>>;

/** Keeps the recent values of the metrics that verdicts and drift need. */
export function createMemories(keep: ReadonlySet<MetricName>, neighbours: Neighbours) {
  const byKind = Object.fromEntries(
    Object.entries(METRICS_OF).map(([kind, metrics]) => [kind, metrics.filter((metric) => keep.has(metric))]),
  );
  /** Of the save that is on. */
  let fulls = 0;

  function create(neighbour: Neighbour): Memory {
    const metrics = byKind[neighbour.sensor.kind]!;
    const recents = metrics.map((metric) => neighbour.recents.get(metric));
    const never = Number.NEGATIVE_INFINITY;
    return { neighbour, metrics, recents, fullTo: never, newestAt: never, from: 0, to: 0 };
  }

  /** Answers whether it told anything new. */
  function note(memory: Memory, { measuredAt, values }: Reading): boolean {
    const { metrics, recents } = memory;
    let changed = false;
    for (let i = 0; i < metrics.length; i++) {
      const value = values[metrics[i]!];
      if (value === undefined) continue;
      recents[i] ??= neighbours.open(memory.neighbour, metrics[i]!);
      if (noteValue(recents[i]!, measuredAt, value) !== undefined) changed = true;
    }
    if (!changed) return false;
    memory.newestAt = Math.max(memory.newestAt, measuredAt);
    // Something older than the full row has changed: it has to be written anew.
    if (measuredAt <= memory.fullTo) memory.fullTo = Number.NEGATIVE_INFINITY;
    skipUntilNextSlot(memory, measuredAt);
    return true;
  }

  /** A metric that a sensor sends for the first time may have to wait for the next five minutes. */
  function skipUntilNextSlot(memory: Memory, at: number): void {
    const to = slotEnd(at) + 1;
    let from = 0;
    for (const recent of memory.recents) {
      const newest = recent?.at.at(-1);
      if (newest === undefined) continue;
      if (newest < to - SLOT_MS || newest >= to) return;
      from = Math.max(from, newest);
    }
    memory.from = from;
    memory.to = to;
  }

  function isFullDue({ recents, fullTo }: Memory): boolean {
    if (fullTo === Number.NEGATIVE_INFINITY) return true;
    return recents.some((recent) => recent !== undefined && (recent.at.at(-FULL_EVERY) ?? fullTo) > fullTo);
  }

  /** Only what is newer than the full row, or now and then all; undefined: nothing is remembered any more. */
  function rowsOf(subject: string, memory: Memory | undefined): StateRow[] {
    const isFull = !memory || (fulls < FULL_MAX && isFullDue(memory));
    if (!isFull) return [{ rule: RECENT_SINCE, subject, state: textOf(memory, memory.fullTo) }];
    fulls += 1;
    if (memory) memory.fullTo = memory.newestAt;
    return fullRows(subject, memory);
  }

  const fullRows = (subject: string, memory: Memory | undefined): StateRow[] => [
    { rule: RECENT, subject, state: memory ? textOf(memory) : "" },
    { rule: RECENT_SINCE, subject, state: "" },
  ];

  function textOf({ metrics, recents }: Memory, after?: number): string {
    const parts = metrics.flatMap((metric, i) => {
      const json = recents[i] && recentToJson(recents[i], after);
      return json ? [[metric, json] as const] : [];
    });
    return parts.length === 0 ? "" : JSON.stringify(Object.fromEntries(parts) satisfies MemoryJson);
  }

  /** Give it the full row before the other. */
  function restore(memory: Memory, { rule, state }: StateRow): void {
    for (const [metric, json] of Object.entries(JSON.parse(state) as MemoryJson)) {
      const index = memory.metrics.indexOf(metric as MetricName);
      if (index < 0) continue;
      memory.recents[index] ??= neighbours.open(memory.neighbour, metric as MetricName);
      memory.newestAt = Math.max(memory.newestAt, restoreRecent(memory.recents[index], json));
    }
    if (rule === RECENT) memory.fullTo = memory.newestAt;
  }

  return {
    create,
    note,
    restore,
    rowsOf,
    fullRows,
    begin(): void {
      fulls = 0;
    },
  };
}
