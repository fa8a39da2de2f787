import { setTimeout as pause } from "node:timers/promises";
import type { Batch } from "../model/batch.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import { addNewest, momentsOf, type Newest, newestOfAll } from "../model/newest.ts";
import type { Reading } from "../model/reading.ts";
import type { SensorStatus } from "../model/status.ts";
import type { ApiDeps, LiveReadings, ReadingsListener } from "./deps.ts";
import { pageInOrder } from "./paging.ts";

/** Statuses of sensors that are not registered (yet): ids anybody may invent, so only so many. */
const EARLY_PER_SOURCE_MAX = 1_000;
const EARLY_SOURCES_MAX = 100;
/** A clock that was set back leaves readings that were received later than now: anything that comes now is newer. */
const AHEAD_MS = 5_000;
/** What a list of sensors waits for the store. */
const SETTLE_MS = 2_000;

function isOvertaken(known: Reading, reading: Reading, now: number): boolean {
  return known.receivedAt > now + AHEAD_MS && reading.receivedAt <= now + AHEAD_MS;
}

type Seen = { online?: boolean; lastSeenAt?: number };

/**
 * What the API knows without asking a store: the newest reading of each sensor since the start, who is connected, and
 * the readings as they come. `push` is a consumer of the fan-out. Bounded by the registry: only registered sensors
 * have readings or a status.
 */
export function createLive(now: () => number = Date.now) {
  // One map a kind: this runs for every reading, and a joined key would cost more than the rest of it.
  const newest: Record<Kind, Map<string, Newest>> = { air: new Map(), traffic: new Map(), energy: new Map() };
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
    const next = !known || isOvertaken(known, reading, now()) ? reading : addNewest(known, reading);
    if (next !== known) ofKind.set(reading.sensorId, next);
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

  function latest(filter: { sensorId?: string; district?: string; kind?: Kind } = {}): readonly Newest[] {
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

/** Of one moment both may know metrics; the store has what was kept of it. */
function newestOf(stored: Newest | undefined, live: Newest | undefined, now: number): Newest | undefined {
  if (!stored || !live || isOvertaken(stored, live, now)) return live ?? stored;
  return newestOfAll([...momentsOf(stored), ...momentsOf(live)]);
}

type Filter = { readonly sensorId?: string; readonly district?: string; readonly kind?: Kind };

/**
 * The newest reading of each sensor: what the live stream has seen since the start, over what the store had. Asking the
 * store for all sensors is a scan, so its answer is kept for `ageMs`; nothing goes missing, because what is newer
 * comes by the live stream. The order of the pages is kept, too: a page costs what it shows, not what there is.
 */
export function createLatest(
  deps: Pick<ApiDeps, "live" | "now"> & {
    readonly store: Pick<ApiDeps["store"], "latest">;
    readonly corrections: Pick<ApiDeps["corrections"], "read" | "changes">;
    readonly records: { readonly sensors: Pick<ApiDeps["records"]["sensors"], "retired"> };
  },
  ageMs: number,
) {
  let stored: ReadonlyMap<string, Newest> = new Map();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loadedChanges = 0;
  let loading: Promise<void> | undefined;
  /** One reading of each sensor, in the order of the keys: not the newest, but of the right sensor and kind. */
  let order: readonly { readonly key: string; readonly sensorId: string; readonly kind: Kind }[] = [];
  let liveInOrder = 0;

  async function load(): Promise<void> {
    loadedChanges = deps.corrections.changes();
    stored = new Map((await deps.store.latest()).map((reading) => [keyOf(reading), reading]));
    loadedAt = deps.now();
    sort();
  }

  function sort(): void {
    const sensors = new Map<string, (typeof order)[number]>();
    for (const readings of [stored.values(), deps.live.latest()]) {
      for (const reading of readings) {
        const key = keyOf(reading);
        sensors.set(key, { key, sensorId: reading.sensorId, kind: reading.kind });
      }
    }
    order = [...sensors.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    liveInOrder = deps.live.count();
  }

  async function refresh(): Promise<void> {
    if (Math.abs(deps.now() - loadedAt) >= ageMs || loadedChanges !== deps.corrections.changes()) {
      loading ??= load().finally(() => {
        loading = undefined;
      });
      await loading;
    }
    if (liveInOrder !== deps.live.count()) sort();
  }

  /** For who would rather show what the live stream knows than nothing, or than wait: never throws. */
  async function settle(): Promise<void> {
    const over = new AbortController();
    const waited = pause(SETTLE_MS, undefined, { signal: over.signal, ref: false });
    await Promise.race([refresh(), waited]).catch(() => {});
    over.abort();
    waited.catch(() => {});
  }

  /** Of one sensor, as far as is known without asking. */
  function find(kind: Kind, sensorId: string): Newest | undefined {
    const heard = deps.live.find(kind, sensorId);
    const live = heard && newestOfAll(momentsOf(heard).map(deps.corrections.read));
    return newestOf(stored.get(keyOf({ sensorId, kind })), live, deps.now());
  }

  /** In the order of their keys, from behind `after`. */
  function* readings(filter: Filter, after?: string): Generator<Newest> {
    for (let i = after === undefined ? 0 : firstBehind(after); i < order.length; i++) {
      const { sensorId, kind } = order[i]!;
      if (filter.kind !== undefined && filter.kind !== kind) continue;
      if (deps.records.sensors.retired(sensorId)) continue;
      const newest = find(kind, sensorId);
      if (!newest) continue; // nothing of it is valid
      if (filter.district === undefined || filter.district === newest.district) yield newest;
    }
  }

  /** The place in the order of the first key behind this one. */
  function firstBehind(key: string): number {
    let [from, to] = [0, order.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (order[middle]!.key > key) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  async function list(filter: Filter = {}): Promise<Newest[]> {
    await refresh();
    return [...readings(filter)];
  }

  async function page(filter: Filter, limit: number, cursor?: string) {
    await refresh();
    return pageInOrder((after) => readings(filter, after), keyOf, limit, cursor);
  }

  return { list, page, find, settle };
}

export type Latest = ReturnType<typeof createLatest>;

const keyOf = (reading: Pick<Reading, "sensorId" | "kind">): string => `${reading.sensorId}/${reading.kind}`;
