import type { Batch } from "../model/batch.ts";
import type { Reading } from "../model/reading.ts";
import type { LiveReadings } from "./deps.ts";

type Seen = { online?: boolean; lastSeenAt?: number };

/**
 * What the API knows without asking a store: the newest reading of each sensor since the start, who is connected, and
 * the readings as they come. `push` is a consumer of the fan-out. Bounded by the registry: only registered sensors
 * have readings or a status.
 */
export function createLive() {
  const newest = new Map<string, Reading>();
  const seen = new Map<string, Seen>();
  const listeners = new Set<(readings: readonly Reading[]) => void>();

  function push(batch: Pick<Batch, "readings">): void {
    for (const reading of batch.readings) keep(reading);
    // History on purpose is not news.
    const news = listeners.size > 0 ? batch.readings.filter((reading) => !reading.imported) : [];
    if (news.length > 0) for (const listener of listeners) listener(news);
  }

  function keep(reading: Reading): void {
    const key = `${reading.kind}/${reading.sensorId}`;
    const known = newest.get(key);
    if (!known || known.measuredAt <= reading.measuredAt) newest.set(key, reading);
    const lastSeenAt = Math.max(reading.receivedAt, seen.get(reading.sensorId)?.lastSeenAt ?? 0);
    seen.set(reading.sensorId, { ...seen.get(reading.sensorId), lastSeenAt });
  }

  /** From the sensor's status topic. */
  function setOnline(sensorId: string, online: boolean, at: number): void {
    seen.set(sensorId, { online, lastSeenAt: Math.max(at, seen.get(sensorId)?.lastSeenAt ?? 0) });
  }

  function latest(filter: { sensorId?: string; district?: string; kind?: string } = {}): readonly Reading[] {
    const { sensorId, district, kind } = filter;
    if (sensorId !== undefined && kind !== undefined) {
      const reading = newest.get(`${kind}/${sensorId}`);
      return reading && (district === undefined || reading.district === district) ? [reading] : [];
    }
    return [...newest.values()].filter(
      (one) =>
        (sensorId === undefined || one.sensorId === sensorId) &&
        (district === undefined || one.district === district) &&
        (kind === undefined || one.kind === kind),
    );
  }

  function subscribe(listener: (readings: readonly Reading[]) => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  const port: LiveReadings = { latest, seen: (sensorId) => seen.get(sensorId), subscribe };
  return { ...port, push, setOnline };
}

export type Live = ReturnType<typeof createLive>;
