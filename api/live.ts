import type { Batch } from "../model/batch.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { Reading } from "../model/reading.ts";
import type { SensorStatus } from "../model/status.ts";
import type { LiveReadings, ReadingsListener } from "./deps.ts";

/** Statuses of sensors that are not registered (yet): ids anybody may invent, so only so many. */
const EARLY_PER_SOURCE_MAX = 1_000;
const EARLY_SOURCES_MAX = 100;

/** A clock that was set back leaves readings that were received later than now: anything that comes now is newer. */
const AHEAD_MS = 5_000;

export function isNewer(reading: Reading, known: Reading, now: number): boolean {
  return (
    known.measuredAt <= reading.measuredAt ||
    (known.receivedAt > now + AHEAD_MS && reading.receivedAt <= now + AHEAD_MS)
  );
}

type Seen = { online?: boolean; lastSeenAt?: number };

/**
 * What the API knows without asking a store: the newest reading of each sensor since the start, who is connected, and
 * the readings as they come. `push` is a consumer of the fan-out. Bounded by the registry: only registered sensors
 * have readings or a status.
 */
export function createLive(now: () => number = Date.now) {
  // One map a kind: this runs for every reading, and a joined key would cost more than the rest of it.
  const newest: Record<Kind, Map<string, Reading>> = { air: new Map(), traffic: new Map(), energy: new Map() };
  const seen = new Map<string, Seen>();
  const early = new Map<string, Map<string, SensorStatus>>();
  const listeners = new Set<ReadingsListener>();

  function push(batch: Pick<Batch, "readings" | "statuses">): void {
    for (const status of batch.statuses ?? []) keepStatus(status);
    for (const reading of batch.readings) keep(reading);
    // History on purpose is not news.
    const news = listeners.size > 0 ? batch.readings.filter((reading) => !reading.imported) : [];
    if (news.length > 0) for (const listener of listeners) listener(news);
  }

  function keep(reading: Reading): void {
    const ofKind = newest[reading.kind];
    const known = ofKind.get(reading.sensorId);
    if (!known || isNewer(reading, known, now())) ofKind.set(reading.sensorId, reading);
    const sensor = seen.get(reading.sensorId);
    if (!sensor) seen.set(reading.sensorId, { ...takeEarly(reading), lastSeenAt: reading.receivedAt });
    else sensor.lastSeenAt = laterOf(sensor.lastSeenAt, reading.receivedAt);
  }

  /** From its status topic; only registered sensors have come this far. */
  function setOnline(sensorId: string, online: boolean, at: number): void {
    seen.set(sensorId, { online, lastSeenAt: laterOf(seen.get(sensorId)?.lastSeenAt, at) });
  }

  const laterOf = (known = 0, at: number) => (known > now() + AHEAD_MS ? at : Math.max(known, at));

  function keepStatus(status: SensorStatus): void {
    const { sensorId, online, receivedAt, unregisteredFrom } = status;
    if (!unregisteredFrom) return setOnline(sensorId, online, receivedAt);
    const { name } = unregisteredFrom;
    const ofSource = early.get(name) ?? new Map<string, SensorStatus>();
    if (ofSource.size < EARLY_PER_SOURCE_MAX || ofSource.has(sensorId)) ofSource.set(sensorId, status);
    if (early.size < EARLY_SOURCES_MAX || early.has(name)) early.set(name, ofSource);
  }

  /** What was said of a sensor before its first reading enrolled it. */
  function takeEarly({ sensorId, district, kind }: Reading): Pick<Seen, "online"> {
    for (const ofSource of early.values()) {
      const status = ofSource.get(sensorId);
      if (!status) continue;
      ofSource.delete(sensorId);
      if (status.district === district && status.kind === kind) return { online: status.online };
    }
    return {};
  }

  function latest(filter: { sensorId?: string; district?: string; kind?: Kind } = {}): readonly Reading[] {
    const { sensorId, district, kind } = filter;
    const kinds = kind === undefined ? KINDS : [kind];
    const readings = kinds.flatMap((one) =>
      sensorId === undefined ? [...newest[one].values()] : (newest[one].get(sensorId) ?? []),
    );
    return district === undefined ? readings : readings.filter((reading) => reading.district === district);
  }

  const find = (kind: Kind, sensorId: string) => newest[kind].get(sensorId);
  const count = () => KINDS.reduce((sum, kind) => sum + newest[kind].size, 0);

  function subscribe(listener: ReadingsListener): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  const port: LiveReadings = { latest, find, count, seen: (sensorId) => seen.get(sensorId), subscribe };
  /** As one end of the fan-out. It keeps nothing: what it is too slow for, it skips, and says so. */
  function consumer(offset: number) {
    let next = offset;
    function take(batch: Batch): void {
      if (batch.from > next) for (const listener of listeners) listener([], batch.from - next);
      next = batch.to;
      push(batch);
    }
    return { name: "live", offset, durable: false, take };
  }

  return { ...port, push, setOnline, consumer };
}

export type Live = ReturnType<typeof createLive>;
