import { LATENESS_MAX_MS } from "../model/reading.ts";
import { HOUR_MS } from "../model/time.ts";

export type Speed = number | "max";
export type Start = "original" | "now";

export type Playback = {
  /** How long it is until a reading is due; it may be past. By the clock that does not jump: a recording has one pace. */
  waitMs(at: number): number;
  /** Which time it carries. */
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
  now: () => number,
  uptime: () => number,
): Playback {
  const { start, speed } = options;
  const [startedAt, from] = [now(), uptime()];
  const waitMs = (at: number) => (speed === "max" ? 0 : (at - span.first) / speed - (uptime() - from));
  if (start === "original") return { waitMs, stamp: (at) => at };
  if (speed === "max") return { waitMs, stamp: (at) => at + (startedAt - span.last) };
  return { waitMs, stamp: (at) => Math.round(now() + waitMs(at)) };
}

/** Readings wait in arrays and queues on their way, so those close to the limit count as history already. */
const MARGIN_MS = HOUR_MS;

/** Older than a live topic accepts: belongs on the import topic. */
export function isHistory(stampedAt: number, now: number): boolean {
  return now - stampedAt > LATENESS_MAX_MS - MARGIN_MS;
}
