import type { Rejection } from "../model/rejection.ts";

const EVERY_MS = 1_000;
const SENSORS_MAX = 10_000;

/**
 * Thins rejections out to at most one per second and sensor before they are told to the device, and drops those
 * without a sensor to tell. `now` is monotonic or wall-clock milliseconds.
 */
export function createNotices(publish: (rejection: Rejection) => void, now: () => number) {
  const lastAt = new Map<string, number>();
  let withheld = 0;

  function notice(rejection: Rejection): void {
    const { sensorId } = rejection;
    if (sensorId === undefined) return;
    const time = now();
    const last = lastAt.get(sensorId);
    if (last !== undefined && time >= last && time - last < EVERY_MS) {
      withheld += 1;
      return;
    }
    // Ids come from outside: forget the oldest rather than grow.
    if (last === undefined && lastAt.size >= SENSORS_MAX) lastAt.delete(lastAt.keys().next().value!);
    lastAt.set(sensorId, time);
    publish(rejection);
  }

  return { notice, withheld: () => withheld };
}
