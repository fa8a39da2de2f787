import type { MetricName } from "../model/metrics.ts";
import type { Reason } from "../model/rejection.ts";
import type { Records } from "../store/records.ts";
import { explainUnknownKey } from "./check-reading.ts";
import type { OpenedBatch } from "./decode.ts";
import type { Consumer } from "./worker.ts";

/** What was refused of a sensor lately, for one reason and (where it was a value) one metric. `detail`: of the newest. */
type Refused = {
  readonly reason: Reason;
  readonly metric?: MetricName;
  count: number;
  readonly since: number;
  lastAt: number;
  detail: string;
};
/** A field that is no metric of the sensor's kind: not taken. */
type NotTaken = { readonly name: string; count: number; readonly since: number; lastAt: number };

type DeviceFaults = { readonly refused: readonly Refused[]; readonly notTaken: readonly NotTaken[] };

type Own = { readonly refused: Map<string, Refused>; readonly notTaken: Map<string, NotTaken> };

const SENSORS_MAX = 10_000;
const REFUSED_MAX = 20;
const NOT_TAKEN_MAX = 40;
const SAVED_AT_ONCE = 500;
/** What has not come again for so long is forgotten: somebody has mended it. */
const FORGOTTEN_AFTER_MS = 7 * 86_400_000;
const NOTHING: DeviceFaults = { refused: [], notTaken: [] };

/** How often `tick` should be called. */
export const DEVICE_FAULTS_TICK_MS = 10_000;

/**
 * Facts for whoever sets devices up: what was refused of each sensor lately, and which of its fields are not taken. In
 * RAM, bounded in sensors and in kinds of faults (the longest unseen go first), saved now and then: a crash may lose the
 * last seconds of it. The quarantine and the ledger have the whole.
 */
export function createDeviceFaults(
  {
    deviceFaults,
    sensors: register,
  }: Pick<Records, "deviceFaults"> & { readonly sensors: Pick<Records["sensors"], "get"> },
  now: () => number,
) {
  const sensors = new Map<string, Own>();
  const unsaved = new Set<string>();
  for (const [sensorId, { refused, notTaken }] of deviceFaults.load(SENSORS_MAX) as Iterable<[string, DeviceFaults]>) {
    sensors.set(sensorId, {
      refused: new Map(refused.map((one) => [keyOf(one), one])),
      notTaken: new Map(notTaken.map((one) => [one.name, one])),
    });
  }

  function take({
    rejections,
    unknownFields,
    messages,
  }: Pick<OpenedBatch, "rejections" | "unknownFields" | "messages">) {
    for (const { sensorId, unregistered, reason, metric, detail, receivedAt } of rejections) {
      if (sensorId === undefined || unregistered) continue;
      const { refused } = touch(sensorId);
      const known = bump(refused, keyOf({ reason, metric }), 1, receivedAt);
      if (known) known.detail = detail;
      else {
        const fresh = { reason, ...(metric && { metric }), count: 1, since: receivedAt, lastAt: receivedAt, detail };
        add(refused, keyOf(fresh), fresh, REFUSED_MAX);
      }
    }
    if (!unknownFields) return;
    const at = messages.at(-1)?.receivedAt ?? now();
    for (const { sensorId, name, count } of unknownFields) {
      const { notTaken } = touch(sensorId);
      if (!bump(notTaken, name, count, at)) add(notTaken, name, { name, count, since: at, lastAt: at }, NOT_TAKEN_MAX);
    }
  }

  function touch(sensorId: string): Own {
    unsaved.add(sensorId);
    const known = sensors.get(sensorId);
    if (known) return known;
    const made: Own = { refused: new Map(), notTaken: new Map() };
    add(sensors, sensorId, made, SENSORS_MAX);
    return made;
  }

  /** A part of what is new; the rest the next time. */
  function tick(): void {
    const some = [...unsaved].slice(0, SAVED_AT_ONCE);
    if (some.length === 0) return;
    deviceFaults.save(
      some.map((sensorId) => [sensorId, sensors.has(sensorId) ? recentOf(sensorId) : undefined] as const),
    );
    for (const sensorId of some) unsaved.delete(sensorId);
  }

  /** The newest first; with what a field that is not taken probably meant. */
  function of(sensorId: string) {
    const { refused, notTaken } = recentOf(sensorId);
    const kind = register.get(sensorId)?.kind;
    const explained = notTaken.map((one) => ({ ...one, ...(kind && { detail: explainUnknownKey(one.name, kind) }) }));
    return { refused, notTaken: explained };
  }

  function recentOf(sensorId: string): DeviceFaults {
    const own = sensors.get(sensorId);
    return own ? { refused: recent(own.refused), notTaken: recent(own.notTaken) } : NOTHING;
  }

  function recent<T extends { readonly lastAt: number }>(all: ReadonlyMap<string, T>): readonly T[] {
    const from = now() - FORGOTTEN_AFTER_MS;
    return [...all.values()].filter(({ lastAt }) => lastAt >= from).sort((a, b) => b.lastAt - a.lastAt);
  }

  /** Somebody has mended or dismissed it; it comes back if it happens again. */
  function forget(sensorId: string, fault: Pick<Refused, "reason" | "metric">): void {
    if (sensors.get(sensorId)?.refused.delete(keyOf(fault))) unsaved.add(sensorId);
  }

  /** Of the sensors after this one that have any, by their ids. */
  function* list(after: string) {
    for (const sensorId of [...sensors.keys()].filter((one) => one > after).sort()) {
      const faults = of(sensorId);
      if (faults.refused.length + faults.notTaken.length > 0) yield { sensorId, ...faults };
    }
  }

  /** Not durable: what it is too slow for is in the quarantine all the same. */
  const consumer = (offset: number): Consumer => ({ name: "device faults", offset, durable: false, take });

  return { consumer, of, list, forget, tick };
}

const keyOf = ({ reason, metric }: Pick<Refused, "reason" | "metric">) => `${reason} ${metric ?? ""}`;

function bump<T extends { count: number; lastAt: number }>(
  all: Map<string, T>,
  key: string,
  count: number,
  at: number,
) {
  const known = all.get(key);
  if (!known) return undefined;
  known.count += count;
  known.lastAt = Math.max(known.lastAt, at);
  // The last of the map is the newest: the first goes when there are too many.
  all.delete(key);
  all.set(key, known);
  return known;
}

function add<T>(all: Map<string, T>, key: string, value: T, max: number): void {
  if (all.size >= max) all.delete(all.keys().next().value!);
  all.set(key, value);
}
