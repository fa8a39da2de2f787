import type { Kind } from "../model/kinds.ts";
import { DAY_MS, HOUR_MS } from "../model/time.ts";
import type { Aggregate, AggregateQuery, Bucket, ReadingStore, Resolution } from "./reading-store.ts";
import type { Records } from "./records.ts";

/** Readings of one sensor for longer than this are not worth reading where the hours are there. */
const RAW_SPAN_MAX_MS = 31 * DAY_MS;

type Segment = { readonly resolution: Resolution; readonly from: number; readonly to: number };

/** How far back each resolution goes, and up to where the rollups are computed. */
type Reach = {
  readonly rawFrom: number;
  readonly hourlyFrom: number;
  readonly hourlyTo: number;
  readonly dailyTo: number;
};

type Asked = { readonly from: number; readonly to: number; readonly everyMs: number };

/**
 * Which resolution answers which part of the range: readings where they are still kept, hours before that, days before
 * those. Steps that are no whole hours (days) need readings (hours), however old. Where rollups answer, the first hour
 * or day of the range counts in full. Pure.
 */
export function planSegments({ from, to, everyMs }: Asked, reach: Reach): Segment[] {
  if (everyMs % HOUR_MS !== 0) return nonEmpty([{ resolution: "raw", from, to }]);
  const wholeDays = everyMs % DAY_MS === 0;
  const [coarse, step]: [Resolution, number] = wholeDays ? ["daily", DAY_MS] : ["hourly", HOUR_MS];
  const oldEnd = Math.min(to, reach.rawFrom);
  const oldFrom = Math.max(floor(from, step), wholeDays ? Number.NEGATIVE_INFINITY : reach.hourlyFrom);
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

/** The store as its readers see it: one `aggregate` for any range, from whatever is still there. */
export function withRollups(store: ReadingStore, rollups: Records["rollups"], now: () => number): ReadingStore {
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
      hourlyFrom: rollups.cut(kind, "hourly")?.at ?? Number.NEGATIVE_INFINITY,
      hourlyTo: Math.min(time, rollups.firstDue(kind, "hourly") ?? time),
      // A day whose hours are due is not due itself yet.
      dailyTo: Math.min(time, rollups.firstDue(kind, "hourly") ?? time, rollups.firstDue(kind, "daily") ?? time),
    };
  }

  async function aggregate(query: AggregateQuery): Promise<readonly Bucket[]> {
    const found: Bucket[] = [];
    for (const { resolution, from, to } of planSegments(query, reachOf(query.kind))) {
      const part = { ...query, from, to };
      found.push(...(await (resolution === "raw" ? store.aggregate(part) : store.rollups.aggregate(part, resolution))));
    }
    return mergeBuckets(found);
  }
  return { ...store, aggregate };
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
