import { KINDS, type Kind } from "../model/kinds.ts";
import { joinReadings, whole } from "../model/moment.ts";
import type { Reading } from "../model/reading.ts";

/**
 * The newest reading of each kind and sensor, kept in RAM by both stores: asked for with every batch (duplicates) and
 * every page (latest values), too often for a query each. Filled by one `load` at the first use; a failed load is
 * tried again at the next. Writes are noted from the start, so it does not matter which of the two comes first.
 */
export function createLatestReadings(load: () => Promise<Iterable<Reading>>) {
  const byKind = new Map<Kind, Map<string, Reading>>(KINDS.map((kind) => [kind, new Map()]));
  let loading: Promise<void> | undefined;

  function note(readings: Iterable<Reading>): void {
    for (const reading of readings) {
      const bySensor = byKind.get(reading.kind)!;
      const known = bySensor.get(reading.sensorId);
      if (!known || reading.measuredAt > known.measuredAt) bySensor.set(reading.sensorId, whole(reading));
      else if (reading.measuredAt === known.measuredAt) bySensor.set(reading.sensorId, joinReadings(known, reading));
    }
  }

  function loaded(): Promise<void> {
    loading ??= load().then(note, (error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  async function newest(): Promise<Map<string, number>> {
    await loaded();
    return newestTimes(byKind.values());
  }

  async function latest({ sensorId, kind }: { sensorId?: string; kind?: Kind } = {}): Promise<Reading[]> {
    await loaded();
    const asked = kind ? [byKind.get(kind)!] : [...byKind.values()];
    if (sensorId === undefined) return asked.flatMap((bySensor) => [...bySensor.values()]);
    return asked.flatMap((bySensor) => bySensor.get(sensorId) ?? []);
  }

  /** After a `deleteBefore`: a sensor whose newest reading is gone has none left. */
  async function forget(kind: Kind, isGone: (reading: Reading) => boolean): Promise<void> {
    await loaded();
    const bySensor = byKind.get(kind)!;
    for (const [sensorId, reading] of bySensor) if (isGone(reading)) bySensor.delete(sensorId);
  }

  return { note, newest, latest, forget };
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
