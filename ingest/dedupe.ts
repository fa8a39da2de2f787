import { setImmediate as immediate } from "node:timers/promises";
import type { Reading, Values } from "../model/reading.ts";
import type { ReadingKey, ReadingStore } from "../store/reading-store.ts";

/**
 * `fresh`: to be written. `own`: seen in the store, written by us before; whether for good only a write that resolves can tell. `duplicate`: same sensor, kind,
 * `measuredAt` and values as one that is kept. `conflict`: same moment, other values; `kept` is the one that stays.
 * `leader` (a place in the batch) is set where the one that stays comes from this very batch.
 */
export type DedupeOutcome =
  | { readonly what: "fresh" | "own" }
  | { readonly what: "duplicate" | "conflict"; readonly kept: Reading; readonly leader?: number };

const FRESH: DedupeOutcome = { what: "fresh" };
const OWN: DedupeOutcome = { what: "own" };
const KEYS_MAX = 10_000;
/** Readings that are looked at before others on the thread have their turn. */
const AT_ONCE = 2_048;

/**
 * One outcome per reading, in their order. The first of a moment is kept. Asks the store only for readings that are not
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
  for (const place of doubtful) {
    const reading = readings[place]!;
    const leader = leaders[place]!;
    const kept = stored.get(leader);
    if (leader !== place) outcomes[place] = judge(reading, kept ?? readings[leader]!, kept ? undefined : leader);
    else if (kept) outcomes[place] = kept.journalSeq === reading.journalSeq ? OWN : judge(reading, kept);
  }
  return outcomes;
}

/** The same metrics with the same numbers. */
function sameValues(a: Values, b: Values): boolean {
  let left = Object.keys(b).length;
  for (const name in a) {
    if (a[name as keyof Values] !== b[name as keyof Values]) return false;
    left -= 1;
  }
  return left === 0;
}

function judge(reading: Reading, kept: Reading, leader?: number): DedupeOutcome {
  const what = sameValues(reading.values, kept.values) ? "duplicate" : "conflict";
  return leader === undefined ? { what, kept } : { what, kept, leader };
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
): Promise<Map<number, Reading>> {
  const stored = new Map<number, Reading>();
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
  return readings.filter((reading, place) => stored.get(place)?.journalSeq !== reading.journalSeq);
}

function toKey({ sensorId, measuredAt }: Reading): ReadingKey {
  return { sensorId, measuredAt };
}

function keyOf({ kind, sensorId }: Reading): string {
  return `${kind} ${sensorId}`;
}
