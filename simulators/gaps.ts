import type { Item } from "./recording.ts";

/** A step of so many usual ones is a gap. */
const GAP_STEPS = 2.5;
/** A sensor reports in even steps if so many of them are about as long as the median. */
const SHARE_MIN = 0.5;
/** Lengths are told apart by a tenth of themselves. */
const PER_E = 10;

export type Gap = { readonly sensorId: string; readonly from: number; readonly to: number };

/** Of sensors that report in even steps. `longest`: newest time before and first time after. */
export type Gaps = { readonly count: number; readonly sensors: number; readonly longest?: Gap };

/** Steps by the logarithm of their length, and the longest. */
type Course = {
  last: number;
  steps: number;
  readonly lengths: Map<number, number>;
  longest: number;
  longestFrom: number;
};

const bucketOf = (length: number) => Math.round(Math.log(length) * PER_E);

/** Finds times for which sensors have nothing, in readings in the order of time; some hundred bytes for each sensor. */
export function createGapWatch() {
  const courses = new Map<string, Course>();

  function take({ sensorId, at }: Item): void {
    if (at === undefined) return;
    const course = courses.get(sensorId);
    if (!course) {
      courses.set(sensorId, { last: at, steps: 0, lengths: new Map(), longest: 0, longestFrom: at });
      return;
    }
    const length = at - course.last;
    if (length <= 0) return;
    const bucket = bucketOf(length);
    course.steps += 1;
    course.lengths.set(bucket, (course.lengths.get(bucket) ?? 0) + 1);
    if (length > course.longest) {
      course.longest = length;
      course.longestFrom = course.last;
    }
    course.last = at;
  }

  function result(): Gaps {
    let [count, sensors, longest]: [number, number, Gap | undefined] = [0, 0, undefined];
    for (const [sensorId, course] of courses) {
      const own = gapsOf(course);
      if (own === 0) continue;
      count += own;
      sensors += 1;
      const { longest: length, longestFrom: from } = course;
      if (!longest || length > longest.to - longest.from) longest = { sensorId, from, to: from + length };
    }
    return { count, sensors, ...(longest && { longest }) };
  }

  return { take, result };
}

function gapsOf({ lengths, steps }: Course): number {
  const sorted = [...lengths].sort((a, b) => a[0] - b[0]);
  let [seen, median] = [0, 0];
  for (const [bucket, times] of sorted) {
    median = bucket;
    seen += times;
    if (seen * 2 >= steps) break;
  }
  const times = (from: number, to: number) =>
    sorted.reduce((sum, [bucket, count]) => (bucket >= from && bucket <= to ? sum + count : sum), 0);
  if (times(median - 1, median + 1) < SHARE_MIN * steps) return 0;
  return times(median + Math.ceil(Math.log(GAP_STEPS) * PER_E), Number.POSITIVE_INFINITY);
}
