import { LATENESS_MAX_MS } from "../model/reading.ts";
import { HOUR_MS } from "../model/time.ts";

export type Speed = number | "max";
export type Start = "original" | "now";

/** When a reading is due (wall clock) and which time it carries. */
export type Playback = {
  due(at: number): number;
  stamp(at: number): number;
};

/**
 * | start    | speed | a reading carries                                    | and is sent            |
 * | original | max   | its own time                                         | at once                |
 * | original | N     | its own time                                         | N times as fast        |
 * | now      | max   | its time, shifted so that the recording ends now     | at once                |
 * | now      | N     | the moment it is sent: gaps shrink by N              | N times as fast        |
 */
export function createPlayback(
  options: { readonly start: Start; readonly speed: Speed },
  span: { readonly first: number; readonly last: number },
  now: number,
): Playback {
  const { start, speed } = options;
  const paced = (at: number) => (speed === "max" ? 0 : now + (at - span.first) / speed);
  if (start === "original") return { due: paced, stamp: (at) => at };
  if (speed === "max") return { due: paced, stamp: (at) => at + (now - span.last) };
  return { due: paced, stamp: (at) => Math.round(paced(at)) };
}

/** Readings wait in arrays and queues on their way, so those close to the limit count as history already. */
const MARGIN_MS = HOUR_MS;

/** Older than a live topic accepts: belongs on the import topic. */
export function isHistory(stampedAt: number, now: number): boolean {
  return now - stampedAt > LATENESS_MAX_MS - MARGIN_MS;
}
