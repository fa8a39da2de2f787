import { hash } from "node:crypto";
import type { Reading } from "../model/reading.ts";
import { DAY_MS } from "../model/time.ts";
import type { Counted, CountedChange } from "../store/records/resends.ts";
import type { Records } from "../store/records.ts";

/**
 * A device that lost its connection sends again what was not acknowledged. So many messages of each sensor are known,
 * some 80 bytes each on disk.
 */
export const NEWEST_KEPT = 128;
/**
 * Of them, so many with a lower number than one before them: a buffer that is longer than all of it must not push out
 * its own end, which is known, by its beginning, which is not.
 */
const BACKWARD_KEPT = 32;
/** Much later it is a counter that began anew. */
const AGAIN_WITHIN_MS = DAY_MS;
/** A counter that stands still this long counts nothing. */
const AGAIN_MAX = 8;
/** Messages of all sensors that are held in RAM; of others the records are asked. */
const HELD_MAX = 200_000;

/** What a batch says: places of the readings that were sent again, and what to remember of the others once it is booked. */
export type LookedAt = {
  readonly places: ReadonlySet<number>;
  readonly counters: ReadonlyMap<string, readonly Counted[]>;
  readonly changes: ReadonlyMap<string, CountedChange>;
};

/**
 * A message without a time gets that of its receipt, so one that is sent again looks like a new one. Its counter (`seq`)
 * tells: the same number with the same values, among the last few of the sensor, is a duplicate. A counter that was seen
 * with other values, or that does not move, is none, and everything counts as new.
 */
export function createResends(records: Pick<Records["resends"], "newest">) {
  const known = new Map<string, readonly Counted[]>();
  let held = 0;

  function look(readings: readonly Reading[]): LookedAt {
    const counters = new Map<string, Counted[]>();
    const changes = new Map<string, { set: Counted[]; gone: Counted[] }>();
    const places = new Set<number>();
    for (const [place, reading] of readings.entries()) {
      const { sensorId, seq, receivedAt } = reading;
      if (seq === undefined || reading.measuredAt !== receivedAt) continue;
      const entries = counters.get(sensorId) ?? [...(known.get(sensorId) ?? records.newest(sensorId))];
      counters.set(sensorId, entries);
      const said = digest(reading);
      const same = entries.filter((one) => one[0] === seq && Math.abs(receivedAt - one[2]) <= AGAIN_WITHIN_MS);
      const first = same.find((one) => one[1] === said);
      if (first) {
        if (same.length > 1 || first[3] >= AGAIN_MAX) continue;
        places.add(place);
        const again: Counted = [seq, said, first[2], first[3] + 1];
        entries[entries.indexOf(first)] = again;
        changesOf(changes, sensorId).set.push(again);
        continue;
      }
      const entry: Counted = [seq, said, receivedAt, 0];
      // The same number and values of long ago: a place there is of its own.
      const former = entries.findIndex((one) => one[0] === seq && one[1] === said);
      if (former >= 0) entries.splice(former, 1);
      entries.push(entry);
      const change = changesOf(changes, sensorId);
      change.set.push(entry);
      if (entries.length <= NEWEST_KEPT) continue;
      const [gone] = entries.splice(placeToGive(entries, receivedAt), 1);
      change.gone.push(gone!);
      change.set = change.set.filter((one) => one[0] !== gone![0] || one[1] !== gone![1]);
    }
    return { places, counters, changes };
  }

  /** Of a batch that is booked. */
  function remember({ counters }: LookedAt): void {
    for (const [sensorId, entries] of counters) {
      held += entries.length - (known.get(sensorId)?.length ?? 0);
      known.delete(sensorId);
      known.set(sensorId, entries);
    }
    for (const [sensorId, entries] of known) {
      if (held <= HELD_MAX) break;
      held -= entries.length;
      known.delete(sensorId);
    }
  }

  return { look, remember };
}

function changesOf(changes: Map<string, { set: Counted[]; gone: Counted[] }>, sensorId: string) {
  const own = changes.get(sensorId) ?? { set: [], gone: [] };
  changes.set(sensorId, own);
  return own;
}

/** What is forgotten first: what is too old to matter, then of what went backward more than its share, then the oldest. */
function placeToGive(entries: readonly Counted[], now: number): number {
  if (Math.abs(now - entries[0]![2]) > AGAIN_WITHIN_MS) return 0;
  let highest = Number.NEGATIVE_INFINITY;
  let backward = 0;
  let first = 0;
  for (const [place, [seq]] of entries.entries()) {
    if (seq >= highest) highest = seq;
    else if (backward++ === 0) first = place;
  }
  return backward > BACKWARD_KEPT ? first : 0;
}

/** As the device said them: how a sensor is calibrated may change in between. */
function digest({ values, raw }: Reading): string {
  return hash("sha1", JSON.stringify(Object.entries({ ...values, ...raw }).sort()), "base64").slice(0, 12);
}
