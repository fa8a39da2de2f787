import { setImmediate as immediate } from "node:timers/promises";
import type { Kind } from "../model/kinds.ts";
import { DAY_MS, HOUR_MS } from "../model/time.ts";
import { UTC, type Zone } from "../model/zone.ts";
import type { Aggregate, AggregateQuery, Bucket, ReadingStore, Resolution } from "./reading-store.ts";
import type { Records } from "./records.ts";

/** Readings of one sensor for longer than this are not worth reading where the hours are there. */
const RAW_SPAN_MAX_MS = 31 * DAY_MS;

type Segment = { readonly resolution: Resolution; readonly from: number; readonly to: number };

/** How far back each resolution goes, and up to where the rollups are computed. */
type Reach = {
  readonly rawFrom: number;
  readonly hourlyTo: number;
  readonly dailyTo: number;
};

type Asked = { readonly from: number; readonly to: number; readonly everyMs: number };

/**
 * Which resolution answers which part of the range: readings where they are still kept, hours before that, days before
 * those. Steps that are no whole hours (days) need readings (hours), however old. Hours are asked for however old they are:
 * those of imported history stay for as long as if they were of the day of receipt. Where rollups answer, the first hour
 * or day of the range counts in full. Pure.
 */
export function planSegments({ from, to, everyMs }: Asked, reach: Reach): Segment[] {
  if (everyMs % HOUR_MS !== 0) return nonEmpty([{ resolution: "raw", from, to }]);
  const wholeDays = everyMs % DAY_MS === 0;
  const [coarse, step]: [Resolution, number] = wholeDays ? ["daily", DAY_MS] : ["hourly", HOUR_MS];
  const oldEnd = Math.min(to, reach.rawFrom);
  const oldFrom = floor(from, step);
  const rawFrom = Math.max(from, reach.rawFrom);
  const segments: Segment[] = [{ resolution: coarse, from: oldFrom, to: oldEnd }];
  if (to - rawFrom <= RAW_SPAN_MAX_MS) return nonEmpty([...segments, { resolution: "raw", from: rawFrom, to }]);
  // Long: the whole hours (days) in the middle from rollups, the ends from readings.
  const middle = Math.ceil(rawFrom / step) * step;
  const end = floor(Math.min(to, wholeDays ? reach.dailyTo : reach.hourlyTo), step);
  if (end <= middle) return nonEmpty([...segments, { resolution: "raw", from: rawFrom, to }]);
  return nonEmpty([
    ...segments,
    { resolution: "raw", from: rawFrom, to: middle },
    { resolution: coarse, from: middle, to: end },
    { resolution: "raw", from: end, to },
  ]);
}

const floor = (time: number, step: number) => Math.floor(time / step) * step;
const nonEmpty = (segments: readonly Segment[]) => segments.filter(({ from, to }) => from < to);

/** Between two changes of a zone's clocks there are some weeks at least; so many looks at most for centuries. */
const OFFSET_STEP_MS = 20 * DAY_MS;
const OFFSETS_MAX = 1_000;

/** Hours that are put into their days in one go, while others wait. */
const HOURS_AT_ONCE = 2_000;

/**
 * The store as its readers see it: one `aggregate` for any range, from whatever is still there. Steps of days are the
 * days of `zone`, those of weeks begin on its Mondays.
 */
export function withRollups(
  store: ReadingStore,
  rollups: Records["rollups"],
  now: () => number,
  zone: Zone = UTC,
): ReadingStore {
  /** The first whole day that a server with a retention of its own has not begun to remove. */
  function serverKeepsFrom(time: number): number {
    const keepsMs = store.limits?.known()?.keepsMs;
    if (keepsMs === undefined) return Number.NEGATIVE_INFINITY;
    return Math.min(floor(time, DAY_MS), Math.ceil((time - keepsMs) / DAY_MS) * DAY_MS);
  }

  function reachOf(kind: Kind): Reach {
    const time = now();
    return {
      rawFrom: Math.max(rollups.cut(kind, "raw")?.at ?? Number.NEGATIVE_INFINITY, serverKeepsFrom(time)),
      hourlyTo: Math.min(time, rollups.firstDue(kind, "hourly") ?? time),
      // A day whose hours are due is not due itself yet.
      dailyTo: Math.min(time, rollups.firstDue(kind, "hourly") ?? time, rollups.firstDue(kind, "daily") ?? time),
    };
  }

  /**
   * A day of the city is made of its hours, 23 to 25 of them: nothing has to be computed anew when the zone changes. Days
   * whose hours are removed are those of UTC, and all are where the zone is no whole hours from it; they say so.
   */
  async function aggregateDays(query: AggregateQuery): Promise<readonly Bucket[]> {
    const { kind, from, to } = query;
    if (isOffHours(zone, from, to)) return (await aggregateSteps(query)).map(inUtc);
    // A midnight of UTC: hours from before it are gone, or nobody knows whether all of them are there.
    const seam = rollups.cut(kind, "hourly")?.at ?? Number.NEGATIVE_INFINITY;
    const old = from < seam ? (await aggregateSteps({ ...query, to: Math.min(to, seam) })).map(inUtc) : [];
    // As with other steps, the first day counts in full where rollups answer.
    const begin = from < reachOf(kind).rawFrom ? zone.startOfDay(from) : from;
    const hours = await aggregateSteps({ ...query, from: Math.max(begin, seam), everyMs: HOUR_MS });
    let days: Bucket[] = [];
    for (let at = 0; at < hours.length; at += HOURS_AT_ONCE) {
      const some = hours.slice(at, at + HOURS_AT_ONCE);
      const ofDays = some.map((hour) => ({ ...hour, start: Math.max(seam, zone.startOfDay(hour.start)) }));
      days = mergeBuckets([...days, ...ofDays]);
      await immediate();
    }
    return [...old, ...days];
  }

  const inUtc = (bucket: Bucket): Bucket => ({ ...bucket, days: "UTC" });

  async function aggregate(query: AggregateQuery): Promise<readonly Bucket[]> {
    const days = query.everyMs / DAY_MS;
    if (!Number.isInteger(days)) return aggregateSteps(query);
    const ofOneDay = { ...query, everyMs: DAY_MS };
    const found = await (zone.name === "UTC" ? aggregateSteps(ofOneDay) : aggregateDays(ofOneDay));
    return days === 1 ? found : joinDays(found, days, zone);
  }

  async function aggregateSteps(query: AggregateQuery): Promise<readonly Bucket[]> {
    if (query.from >= query.to) return [];
    const found: Bucket[] = [];
    for (const { resolution, from, to } of planSegments(query, reachOf(query.kind))) {
      const part = { ...query, from, to };
      found.push(...(await (resolution === "raw" ? store.aggregate(part) : store.rollups.aggregate(part, resolution))));
    }
    return mergeBuckets(found);
  }
  return { ...store, aggregate };
}

/** A zone may be whole hours from UTC in one half of the year only, as Lord Howe is (+10:30, and +11 in summer). */
function isOffHours(zone: Zone, from: number, to: number): boolean {
  const step = Math.max(OFFSET_STEP_MS, (to - from) / OFFSETS_MAX);
  for (let at = from; at < to; at += step) if (zone.offsetMs(at) % HOUR_MS !== 0) return true;
  return zone.offsetMs(to) % HOUR_MS !== 0;
}

/** 1970-01-05, the first Monday that days since 1970 are counted from. */
const FIRST_MONDAY = 4;

/**
 * Steps of several days: whole weeks begin on Mondays (ISO 8601), others are counted from 1970-01-01. Where one of the
 * days is one of UTC, so is the step.
 */
function joinDays(buckets: readonly Bucket[], days: number, zone: Zone): Bucket[] {
  const first = days % 7 === 0 ? FIRST_MONDAY : 0;
  let joined: Bucket | undefined;
  let last = Number.NaN;
  const steps: Bucket[] = [];
  for (const bucket of buckets) {
    const { dateOf, startOfDay } = bucket.days === "UTC" ? UTC : zone;
    const since = Date.parse(dateOf(bucket.start)) / DAY_MS - first;
    const step = Math.floor(since / days);
    if (joined && step === last) {
      const isUtc = joined.days ?? bucket.days;
      joined = { ...mergeTwo(joined, bucket), ...(isUtc && { days: isUtc }) };
      steps[steps.length - 1] = joined;
      continue;
    }
    // From noon to noon: a change of the clocks does not lead to another day.
    joined = { ...bucket, start: startOfDay(bucket.start + DAY_MS / 2 - (since - step * days) * DAY_MS) };
    last = step;
    steps.push(joined);
  }
  return steps;
}

/** Joins the parts of a bucket that two segments share. Buckets come and go in ascending order. */
export function mergeBuckets(buckets: readonly Bucket[]): Bucket[] {
  const merged = new Map<number, Bucket>();
  for (const bucket of buckets) {
    const other = merged.get(bucket.start);
    merged.set(bucket.start, other ? mergeTwo(other, bucket) : bucket);
  }
  return [...merged.values()];
}

function mergeTwo(a: Bucket, b: Bucket): Bucket {
  const values: Record<string, Aggregate> = { ...(a.values as Record<string, Aggregate>) };
  for (const [metric, two] of Object.entries(b.values)) {
    const one = values[metric];
    values[metric] = one ? join(one, two) : two;
  }
  const resolution = a.resolution === "daily" ? a.resolution : (b.resolution ?? a.resolution);
  return { start: a.start, values, ...(resolution ? { resolution } : {}) };
}

function join(a: Aggregate, b: Aggregate): Aggregate {
  const count = a.count + b.count;
  const mean = (a.mean * a.count + b.mean * b.count) / count;
  return { mean, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), count };
}
