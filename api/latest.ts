import type { Kind } from "../model/kinds.ts";
import type { Reading } from "../model/reading.ts";
import type { ApiDeps } from "./deps.ts";
import { isNewer } from "./live.ts";

/**
 * The newest reading of each sensor: what the live stream has seen since the start, over what the store had. Asking the
 * store for all sensors is a scan, so its answer is kept for `ageMs`; nothing goes missing, because what is newer
 * comes by the live stream.
 */
export function createLatest(
  deps: Pick<ApiDeps, "live" | "now"> & { readonly store: Pick<ApiDeps["store"], "latest"> },
  ageMs: number,
) {
  let stored: ReadonlyMap<string, Reading> = new Map();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    stored = new Map((await deps.store.latest()).map((reading) => [keyOf(reading), reading]));
    loadedAt = deps.now();
  }

  async function list(filter: { sensorId?: string; district?: string; kind?: Kind } = {}): Promise<Reading[]> {
    if (Math.abs(deps.now() - loadedAt) >= ageMs) {
      loading ??= load().finally(() => {
        loading = undefined;
      });
      await loading;
    }
    const newest = new Map(stored);
    for (const reading of deps.live.latest(filter)) {
      const known = newest.get(keyOf(reading));
      if (!known || isNewer(reading, known, deps.now())) newest.set(keyOf(reading), reading);
    }
    return [...newest.values()].filter((reading) => fits(reading, filter));
  }

  return { list };
}

export type Latest = ReturnType<typeof createLatest>;

const keyOf = (reading: Reading): string => `${reading.kind}/${reading.sensorId}`;

function fits(reading: Reading, filter: { sensorId?: string; district?: string; kind?: Kind }): boolean {
  return (
    (filter.sensorId === undefined || filter.sensorId === reading.sensorId) &&
    (filter.district === undefined || filter.district === reading.district) &&
    (filter.kind === undefined || filter.kind === reading.kind)
  );
}
