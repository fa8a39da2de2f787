import { setImmediate as immediate } from "node:timers/promises";
import type { MetricName } from "../model/metrics.ts";
import { joinReadings } from "../model/moment.ts";
import type { Reading } from "../model/reading.ts";
import type { ReadingKey, ReadingStore, StoredReading } from "../store/reading-store.ts";

/**
 * `fresh`: to be written. `own`: seen in the store, written by us before; whether for good only a write that resolves can tell.
 * Both: `due` is what of it is to be written, where that is not the reading as it is: a later message of a moment brings
 * only the metrics that no message before it had, and gets its number. `duplicate`: it brings nothing, and says nothing
 * else than what is kept. `conflict`: it brings nothing, and a value of it is another than the one that is kept.
 * `refused`: metrics with another value than the one of `kept`; the first of a moment stays. `leaders` (places in the
 * batch) bring what it doubles, as far as that comes from this very batch.
 */
export type DedupeOutcome =
  | { readonly what: "fresh"; readonly due?: Reading; readonly refused?: Refused }
  | { readonly what: "own"; readonly due: Reading; readonly refused?: Refused }
  | {
      readonly what: "duplicate" | "conflict";
      readonly refused?: Refused;
      readonly leaders: readonly number[];
    };
export type Refused = { readonly metrics: readonly MetricName[]; readonly kept: Reading };

const FRESH: DedupeOutcome = { what: "fresh" };
const KEYS_MAX = 10_000;
/** Readings that are looked at before others on the thread have their turn. */
const AT_ONCE = 2_048;

/**
 * One outcome per reading, in their order. The first value of a metric at a moment is kept. Asks the store only for readings that are not
 * later than everything it has of their sensor (`newest`), so that the usual batch costs one map look-up per reading.
 */
export async function dedupe(
  readings: readonly Reading[],
  newest: ReadonlyMap<string, number>,
  find: ReadingStore["find"],
  /** Like `newest`, for sensors it does not have. */
  floor = Number.NEGATIVE_INFINITY,
): Promise<DedupeOutcome[]> {
  const outcomes = new Array<DedupeOutcome>(readings.length).fill(FRESH);
  const doubtful = findDoubtful(readings, newest, floor);
  if (doubtful.length === 0) return outcomes;
  const leaders = await findLeaders(readings, doubtful);
  const asked = doubtful.filter((place) => {
    const { sensorId, measuredAt } = readings[place]!;
    return leaders[place] === place && measuredAt <= (newest.get(sensorId) ?? floor);
  });
  const stored = await findStored(readings, asked, find);
  const moments = new Map<number, Moment>();
  for (const place of doubtful) {
    const leader = leaders[place]!;
    let moment = moments.get(leader);
    if (!moment) {
      const kept = stored.get(leader);
      moment = kept ? storedMoment(kept) : momentOf(readings[leader]!, leader);
      moments.set(leader, moment);
      if (!kept && leader === place) continue;
    }
    outcomes[place] = judge(readings[place]!, moment, place);
  }
  return outcomes;
}

/** What is to be written. `repeatable`: as of the store. */
export function dueOf(
  readings: readonly Reading[],
  outcomes: readonly DedupeOutcome[],
  repeatable: boolean,
): readonly Reading[] {
  return readings.flatMap((reading, place) => {
    const outcome = outcomes[place]!;
    const isDue = outcome.what === "fresh" || (outcome.what === "own" && repeatable);
    return isDue ? (outcome.due ?? reading) : [];
  });
}

/** What is known of one moment of a sensor, and what of it this batch brings. */
type Moment = {
  kept: Reading;
  /** What single messages brought. */
  readonly parts: Reading[];
  /** Those of them that are told to be some reading's of this batch. */
  readonly claimed: Set<Reading>;
  readonly leaders: number[];
};

function storedMoment(kept: StoredReading): Moment {
  return { kept, parts: [...(kept.parts ?? [kept])], claimed: new Set(), leaders: [] };
}

function momentOf(reading: Reading, place: number): Moment {
  return { kept: reading, parts: [reading], claimed: new Set([reading]), leaders: [place] };
}

function judge(reading: Reading, moment: Moment, place: number): DedupeOutcome {
  const own = moment.parts.find((part) => !moment.claimed.has(part) && isFrom(part, reading));
  if (own) moment.claimed.add(own);
  const fresh: MetricName[] = [];
  const other: MetricName[] = [];
  for (const metric in reading.values) {
    const name = metric as MetricName;
    if (!(name in moment.kept.values) || (own && name in own.values)) fresh.push(name);
    else if (said(reading, name) !== said(moment.kept, name)) other.push(name);
  }
  const refused = other.length > 0 ? { refused: { metrics: other, kept: moment.kept } } : {};
  if (own) return { what: "own", due: only(reading, fresh, own.part), ...refused };
  if (fresh.length === 0)
    return { what: other.length > 0 ? "conflict" : "duplicate", ...refused, leaders: moment.leaders };
  const due = only(reading, fresh, nextPart(moment.parts));
  moment.kept = joinReadings(moment.kept, due);
  moment.parts.push(due);
  moment.claimed.add(due);
  moment.leaders.push(place);
  return { what: "fresh", due, ...refused };
}

/** Whether this is what the store has of the very reading. It may have been written without a metric that was held. */
function isFrom(part: Reading, reading: Reading): boolean {
  if (part.journalSeq !== reading.journalSeq) return false;
  for (const metric in part.values) {
    const name = metric as MetricName;
    if (!(name in reading.values) || said(part, name) !== said(reading, name)) return false;
  }
  return true;
}

/** The value as the device said it: how a sensor is calibrated may have changed in between. */
const said = ({ values, raw }: Reading, metric: MetricName) => raw?.[metric] ?? values[metric];

function nextPart(parts: readonly Reading[]): number | undefined {
  const taken = new Set(parts.map(({ part = 0 }) => part));
  let next = 0;
  while (taken.has(next)) next += 1;
  return next === 0 ? undefined : next;
}

function only(reading: Reading, metrics: readonly MetricName[], part: number | undefined): Reading {
  if (part === undefined && metrics.length === Object.keys(reading.values).length) return reading;
  const { quality, raw, ...rest } = reading;
  const pick = <V>(all: Partial<Record<MetricName, V>> | undefined) => {
    const picked = Object.entries(all ?? {}).filter(([metric]) => metrics.includes(metric as MetricName));
    return picked.length > 0 ? (Object.fromEntries(picked) as Partial<Record<MetricName, V>>) : undefined;
  };
  const [flags, told] = [pick(quality), pick(raw)];
  return {
    ...rest,
    values: pick(reading.values) ?? {},
    ...(flags && { quality: flags }),
    ...(told && { raw: told }),
    ...(part !== undefined && { part }),
  };
}

/** Places of the readings that are not later than all before them, in the store or in the batch. */
function findDoubtful(readings: readonly Reading[], newest: ReadonlyMap<string, number>, floor: number): number[] {
  const tops = new Map<string, number>();
  const doubtful: number[] = [];
  for (let place = 0; place < readings.length; place++) {
    const { sensorId, measuredAt } = readings[place]!;
    const top = tops.get(sensorId) ?? newest.get(sensorId) ?? floor;
    if (measuredAt > top) tops.set(sensorId, measuredAt);
    else doubtful.push(place);
  }
  return doubtful;
}

/** For each reading of the sensors in doubt, the place of the first one of its moment. */
async function findLeaders(readings: readonly Reading[], doubtful: readonly number[]): Promise<Int32Array> {
  const firsts = new Map<string, Map<number, number>>();
  for (const place of doubtful) firsts.set(keyOf(readings[place]!), new Map());
  const leaders = new Int32Array(readings.length);
  for (let place = 0; place < readings.length; place++) {
    if (place % AT_ONCE === AT_ONCE - 1) await immediate();
    const reading = readings[place]!;
    const ofSensor = firsts.get(keyOf(reading));
    if (!ofSensor) continue;
    const leader = ofSensor.get(reading.measuredAt) ?? place;
    if (leader === place) ofSensor.set(reading.measuredAt, place);
    leaders[place] = leader;
  }
  return leaders;
}

async function findStored(
  readings: readonly Reading[],
  places: readonly number[],
  find: ReadingStore["find"],
): Promise<Map<number, StoredReading>> {
  const stored = new Map<number, StoredReading>();
  for (const [kind, group] of Map.groupBy(places, (place) => readings[place]!.kind)) {
    for (let from = 0; from < group.length; from += KEYS_MAX) {
      const some = group.slice(from, from + KEYS_MAX);
      const found = await find(
        kind,
        some.map((place) => toKey(readings[place]!)),
      );
      found.forEach((reading, i) => {
        if (reading) stored.set(some[i]!, reading);
      });
    }
  }
  return stored;
}

/** Those of the readings that the store does not have from the same message: what is left of a write that broke off. */
export async function withoutStored(readings: readonly Reading[], find: ReadingStore["find"]): Promise<Reading[]> {
  const stored = await findStored(readings, [...readings.keys()], find);
  return readings.filter((reading, place) => {
    const kept = stored.get(place);
    return !kept || !(kept.parts ?? [kept]).some((part) => isFrom(part, reading));
  });
}

function toKey({ sensorId, measuredAt }: Reading): ReadingKey {
  return { sensorId, measuredAt };
}

function keyOf({ kind, sensorId }: Reading): string {
  return `${kind} ${sensorId}`;
}
