import { joinReadings, whole } from "./moment.ts";
import type { Reading } from "./reading.ts";
import { DAY_MS } from "./time.ts";

/**
 * The newest reading of a sensor, metric by metric: devices send their battery once an hour and particles each minute.
 * `earlier`: readings before it, newest first, each with a metric that none after it has.
 */
export type Newest = Reading & { readonly earlier?: readonly Reading[] };

/** A metric that has not come for so long is not told of as the newest: what is looked for after a start is bounded. */
export const EARLIER_MAX_MS = 3 * DAY_MS;

/**
 * What is the newest once this reading is known, too, whether it is later, earlier or of the same moment. Runs for every
 * reading: the usual ones, which have all metrics of the one before or come late with nothing new, cost no allocation.
 */
export function addNewest(known: Newest, reading: Reading): Newest {
  if (known.earlier === undefined) {
    if (reading.measuredAt > known.measuredAt && hasAll(reading, known)) return whole(reading);
    if (reading.measuredAt === known.measuredAt) return joinReadings(known, reading);
  }
  if (reading.measuredAt < known.measuredAt && hasAll(known, reading)) return known;
  const moments = momentsOf(known);
  const place = moments.findIndex(({ measuredAt }) => measuredAt <= reading.measuredAt);
  if (place < 0) moments.push(whole(reading));
  else if (moments[place]!.measuredAt === reading.measuredAt) moments[place] = joinReadings(moments[place]!, reading);
  else moments.splice(place, 0, whole(reading));
  return newestOf(moments);
}

/** Readings in descending order of time, of which one at least is there. */
function newestOf([newest, ...before]: readonly Reading[]): Newest {
  const known = new Set(Object.keys(newest!.values));
  const earlier = before.filter(({ measuredAt, values }) => {
    if (measuredAt < newest!.measuredAt - EARLIER_MAX_MS) return false;
    const fresh = Object.keys(values).filter((metric) => !known.has(metric));
    for (const metric of fresh) known.add(metric);
    return fresh.length > 0;
  });
  return earlier.length > 0 ? { ...newest!, earlier } : newest!;
}

/** The reading itself and those before it. */
export function momentsOf({ earlier = [], ...newest }: Newest): Reading[] {
  return [newest, ...earlier];
}

/** The newest value of a metric, and of when it is. */
export function newestValue(newest: Newest | undefined, metric: string): { value: number; at: number } | undefined {
  for (const { values, measuredAt } of newest ? momentsOf(newest) : []) {
    const value = (values as Readonly<Record<string, number | undefined>>)[metric];
    if (value !== undefined) return { value, at: measuredAt };
  }
  return undefined;
}

/** The same of readings that something was done to; undefined where none is left. */
export function newestOfAll(readings: Iterable<Reading | undefined>): Newest | undefined {
  let newest: Newest | undefined;
  for (const reading of readings) if (reading) newest = newest ? addNewest(newest, reading) : whole(reading);
  return newest;
}

function hasAll(one: Reading, other: Reading): boolean {
  for (const metric in other.values) if (!(metric in one.values)) return false;
  return true;
}
