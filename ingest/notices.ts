import { REASONS, type Rejection } from "../model/rejection.ts";
import { rejectedTopic } from "../model/topics.ts";

const EVERY_MS = 1_000;
const SENSORS_MAX = 10_000;

/**
 * Tells devices what was rejected, each on its own topic: at most once per second and sensor, and nothing where nobody
 * knows which sensor it was. Best effort: who does not listen misses nothing that the quarantine does not show. `now` is
 * monotonic or wall-clock milliseconds.
 */
export function createNotices(publish: (topic: string, payload: string) => void, now: () => number) {
  const lastAt = new Map<string, number>();
  let withheld = 0;

  function notice(rejection: Rejection): void {
    const { sensorId, district, kind, reason, detail, receivedAt, index } = rejection;
    if (!sensorId || !district || !kind) return;
    const time = now();
    const last = lastAt.get(sensorId);
    if (last !== undefined && time >= last && time - last < EVERY_MS) {
      withheld += 1;
      return;
    }
    // Ids come from outside: forget the oldest rather than grow.
    if (last === undefined && lastAt.size >= SENSORS_MAX) lastAt.delete(lastAt.keys().next().value!);
    lastAt.set(sensorId, time);
    const at = new Date(receivedAt).toISOString();
    const payload = JSON.stringify({ reason, detail, meaning: REASONS[reason], index, receivedAt: at });
    publish(rejectedTopic({ district, kind, sensorId }), payload);
  }

  return { notice, withheld: () => withheld };
}
