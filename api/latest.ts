import type { Kind } from "../model/kinds.ts";
import type { Reading } from "../model/reading.ts";
import type { ApiDeps } from "./deps.ts";
import { isNewer } from "./live.ts";
import { pageInOrder } from "./paging.ts";

type Filter = { readonly sensorId?: string; readonly district?: string; readonly kind?: Kind };

/**
 * The newest reading of each sensor: what the live stream has seen since the start, over what the store had. Asking the
 * store for all sensors is a scan, so its answer is kept for `ageMs`; nothing goes missing, because what is newer
 * comes by the live stream. The order of the pages is kept, too: a page costs what it shows, not what there is.
 */
export function createLatest(
  deps: Pick<ApiDeps, "live" | "now"> & { readonly store: Pick<ApiDeps["store"], "latest"> },
  ageMs: number,
) {
  let stored: ReadonlyMap<string, Reading> = new Map();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;
  /** One reading of each sensor, in the order of the keys: not the newest, but of the right sensor and kind. */
  let order: readonly { readonly key: string; readonly sensorId: string; readonly kind: Kind }[] = [];
  let liveInOrder = 0;

  async function load(): Promise<void> {
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
    if (Math.abs(deps.now() - loadedAt) >= ageMs) {
      loading ??= load().finally(() => {
        loading = undefined;
      });
      await loading;
    }
    if (liveInOrder !== deps.live.count()) sort();
  }

  /** In the order of their keys, from behind `after`. */
  function* readings(filter: Filter, after?: string): Generator<Reading> {
    const now = deps.now();
    for (let i = after === undefined ? 0 : firstBehind(after); i < order.length; i++) {
      const { key, sensorId, kind } = order[i]!;
      if (filter.kind !== undefined && filter.kind !== kind) continue;
      const known = stored.get(key);
      const live = deps.live.find(kind, sensorId);
      const newest = live && (!known || isNewer(live, known, now)) ? live : known!;
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

  async function list(filter: Filter = {}): Promise<Reading[]> {
    await refresh();
    return [...readings(filter)];
  }

  async function page(filter: Filter, limit: number, cursor?: string) {
    await refresh();
    return pageInOrder((after) => readings(filter, after), keyOf, limit, cursor);
  }

  return { list, page };
}

export type Latest = ReturnType<typeof createLatest>;

const keyOf = (reading: Reading): string => `${reading.sensorId}/${reading.kind}`;
