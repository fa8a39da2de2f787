import { hash } from "node:crypto";
import type { Reading } from "../model/reading.ts";
import { DAY_MS } from "../model/time.ts";
import type { Counted } from "../store/records/resends.ts";
import type { Records } from "../store/records.ts";

/** A device that lost its connection sends again what was not acknowledged: some messages, not hundreds. */
const NEWEST_KEPT = 8;
/** Much later it is a counter that began anew. */
const AGAIN_WITHIN_MS = DAY_MS;
/** A counter that stands still this long counts nothing. */
const AGAIN_MAX = 8;
/** Sensors whose newest counters are held in RAM. */
const SENSORS_MAX = 10_000;

/** What a batch says: places of the readings that were sent again, and what to remember of the others once it is booked. */
export type LookedAt = {
  readonly places: ReadonlySet<number>;
  readonly counters: ReadonlyMap<string, readonly Counted[]>;
};

/**
 * A message without a time gets that of its receipt, so one that is sent again looks like a new one. Its counter (`seq`)
 * tells: the same number with the same values, among the last few of the sensor, is a duplicate. A counter that was seen
 * with other values, or that does not move, is none, and everything counts as new.
 */
export function createResends(records: Pick<Records["resends"], "newest">) {
  const known = new Map<string, readonly Counted[]>();

  function look(readings: readonly Reading[]): LookedAt {
    const counters = new Map<string, Counted[]>();
    const places = new Set<number>();
    for (const [place, reading] of readings.entries()) {
      const { sensorId, seq, receivedAt } = reading;
      if (seq === undefined || reading.measuredAt !== receivedAt) continue;
      const entries = counters.get(sensorId) ?? [...(known.get(sensorId) ?? records.newest(sensorId))];
      counters.set(sensorId, entries);
      const said = digest(reading);
      const same = entries.filter((one) => one[0] === seq && Math.abs(receivedAt - one[2]) <= AGAIN_WITHIN_MS);
      const first = same.find((one) => one[1] === said);
      if (first && same.length === 1 && first[3] < AGAIN_MAX) {
        places.add(place);
        entries[entries.indexOf(first)] = [seq, said, first[2], first[3] + 1];
      } else if (!first) entries.push([seq, said, receivedAt, 0]);
      if (entries.length > NEWEST_KEPT) entries.shift();
    }
    return { places, counters };
  }

  /** Of a batch that is booked. */
  function remember({ counters }: LookedAt): void {
    for (const [sensorId, entries] of counters) {
      known.delete(sensorId);
      known.set(sensorId, entries);
    }
    while (known.size > SENSORS_MAX) known.delete(known.keys().next().value!);
  }

  return { look, remember };
}

/** As the device said them: how a sensor is calibrated may change in between. */
function digest({ values, raw }: Reading): string {
  return hash("sha1", JSON.stringify(Object.entries({ ...values, ...raw }).sort()), "base64").slice(0, 12);
}
