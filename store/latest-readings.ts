import { KINDS, type Kind } from "../model/kinds.ts";
import { whole } from "../model/moment.ts";
import { addNewest, EARLIER_MAX_MS, momentsOf, type Newest, newestOfAll } from "../model/newest.ts";
import type { Reading } from "../model/reading.ts";
import type { ReadingKey } from "./reading-store.ts";

type Loads = {
  /** The newest reading of each sensor. */
  newest(): Promise<Iterable<Reading>>;
  /** For each sensor the times, from `from` on, at which some metric came last. */
  lastTimes(kind: Kind, from: number): Promise<Iterable<ReadingKey>>;
  find(kind: Kind, keys: readonly ReadingKey[]): Promise<readonly (Reading | undefined)[]>;
};

/** Of `find`. */
const KEYS_MAX = 10_000;

/**
 * The newest reading of each kind and sensor, kept in RAM by both stores: asked for with every batch (duplicates) and
 * every page (latest values), too often for a query each. Filled at the first use; a failed load is tried again at the
 * next. Writes are noted from the start, so it does not matter which of the two comes first. Metrics that came earlier
 * than the newest reading are looked for when somebody asks for values: writing waits for times only.
 */
export function createLatestReadings(loads: Loads) {
  const byKind = new Map<Kind, Map<string, Newest>>(KINDS.map((kind) => [kind, new Map()]));
  const loaded = once(async () => {
    // What is earlier than the newest may be a part of a moment; `loadEarlier` finds it whole.
    const isEarlier = ({ kind, sensorId, measuredAt }: Reading) =>
      measuredAt < (byKind.get(kind)!.get(sensorId)?.measuredAt ?? Number.NEGATIVE_INFINITY);
    for (const reading of await loads.newest()) if (!isEarlier(reading)) note([reading]);
  });
  const loadedEarlier = once(async () => {
    await loaded();
    for (const kind of KINDS) await loadEarlier(kind);
  });

  function note(readings: Iterable<Reading>): void {
    for (const reading of readings) {
      const bySensor = byKind.get(reading.kind)!;
      const known = bySensor.get(reading.sensorId);
      const newest = known ? addNewest(known, reading) : whole(reading);
      if (newest !== known) bySensor.set(reading.sensorId, newest);
    }
  }

  /** From when on metrics are told of, by the newest reading of the kind: the same before a restart and after it. */
  function earliest(kind: Kind): number {
    let top = Number.NEGATIVE_INFINITY;
    for (const { measuredAt } of byKind.get(kind)!.values()) top = Math.max(top, measuredAt);
    return top - EARLIER_MAX_MS;
  }

  async function loadEarlier(kind: Kind): Promise<void> {
    const bySensor = byKind.get(kind)!;
    if (bySensor.size === 0) return;
    const keys: ReadingKey[] = [];
    for (const key of await loads.lastTimes(kind, earliest(kind)))
      if (bySensor.get(key.sensorId)?.measuredAt !== key.measuredAt) keys.push(key);
    for (let from = 0; from < keys.length; from += KEYS_MAX) {
      const found = await loads.find(kind, keys.slice(from, from + KEYS_MAX));
      // One that was removed in the meantime with all that its sensor had is not to come back.
      note(found.flatMap((reading) => (reading && bySensor.has(reading.sensorId) ? withoutParts(reading) : [])));
    }
  }

  async function newest(): Promise<Map<string, number>> {
    await loaded();
    return newestTimes(byKind.values());
  }

  async function latest({ sensorId, kind }: { sensorId?: string; kind?: Kind } = {}): Promise<Newest[]> {
    await loadedEarlier();
    return (kind ? [kind] : KINDS).flatMap((one) => {
      const bySensor = byKind.get(one)!;
      const asked = sensorId === undefined ? [...bySensor.values()] : (bySensor.get(sensorId) ?? []);
      const from = earliest(one);
      return [asked].flat().map((reading) => since(reading, from));
    });
  }

  /** After a `deleteBefore`: a sensor whose newest reading is gone has none left. */
  async function forget(kind: Kind, isGone: (reading: Reading) => boolean): Promise<void> {
    await loaded();
    const bySensor = byKind.get(kind)!;
    for (const [sensorId, reading] of bySensor) {
      if (isGone(reading)) bySensor.delete(sensorId);
      else if (reading.earlier?.some(isGone))
        bySensor.set(sensorId, newestOfAll(momentsOf(reading).filter((one) => !isGone(one)))!);
    }
  }

  return { note, newest, latest, forget };
}

/** Without what came before this time; the newest reading stays, however old it is. */
function since(newest: Newest, from: number): Newest {
  if (newest.earlier === undefined || newest.earlier.at(-1)!.measuredAt >= from) return newest;
  const [own, ...earlier] = momentsOf(newest);
  return newestOfAll([own, ...earlier.filter(({ measuredAt }) => measuredAt >= from)])!;
}

function withoutParts(reading: Reading): Reading {
  const { parts: _, ...rest } = reading as Reading & { readonly parts?: unknown };
  return rest;
}

/** Does it at the first call; after a failure again at the next. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work().catch((error) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}

/** One time for each sensor over all kinds. */
function newestTimes(kinds: Iterable<ReadonlyMap<string, Reading>>): Map<string, number> {
  const times = new Map<string, number>();
  for (const bySensor of kinds) {
    for (const { sensorId, measuredAt } of bySensor.values()) {
      times.set(sensorId, Math.max(measuredAt, times.get(sensorId) ?? measuredAt));
    }
  }
  return times;
}
