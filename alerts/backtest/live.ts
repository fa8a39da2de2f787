import type { Transition } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import type { Detector } from "../detector.ts";

/** How often the clock speaks in a test: more often than once a minute would change nothing. */
const TICK_MS = 60_000;
const TICKS_MAX = 20_000;

/**
 * Readings as a running service would get them, in the order they were received, with its clock ticking in between
 * until `until`. Pure: the clock is the test's.
 */
export function playLive(detector: Detector, readings: readonly Reading[], start: number, until: number): Transition[] {
  const stepMs = Math.max(TICK_MS, (until - start) / TICKS_MAX);
  const said: Transition[] = [];
  let now = start;
  const tickTo = (time: number) => {
    for (; now + stepMs < time; now += stepMs) said.push(...detector.tick(now + stepMs));
  };
  detector.listen(start);
  for (const reading of readings) {
    tickTo(reading.receivedAt);
    said.push(...detector.observe([reading]));
  }
  tickTo(until);
  said.push(...detector.tick(until));
  return said;
}
