import { setTimeout as wait } from "node:timers/promises";
import { HOUR_MS } from "../model/time.ts";
import type { City } from "./city.ts";
import type { CitySensor } from "./places.ts";
import { hash } from "./random.ts";
import type { Speakers } from "./speaker.ts";

const TICK_MS = 250;
/** Readings older than this are not made up for after an outage: a small device's memory ends here too. */
const BACKLOG_MS = HOUR_MS;

export type LiveOptions = {
  readonly city: City;
  readonly speakers: Speakers;
  readonly seed: number;
  readonly everyMs: number;
  readonly now: () => number;
  /** A sensor speaks when its past is told, so that it tells everything in order. */
  mayStart(sensor: CitySensor): boolean;
  onAcknowledged(sensor: CitySensor, at: number): void;
  onSkipped(): void;
};

/** One reading per sensor every `everyMs`, each at its own moment. Resolves when `signal` aborts. */
export async function runLive(options: LiveOptions, signal: AbortSignal): Promise<void> {
  const { city, speakers, everyMs } = options;
  const due = new Map(city.sensors.map((sensor) => [sensor.id, firstDue(sensor, options)]));

  function sendDue(sensor: CitySensor): void {
    const time = options.now();
    let at = due.get(sensor.id)!;
    // The clock was set back: on by the new time, and not when that has come again.
    if (at > time + everyMs) at -= Math.floor((at - time) / everyMs) * everyMs;
    // What is due waits here, not in the connection, while the broker is away or slow.
    for (; at <= time && speakers.hasRoom(sensor); at += everyMs) {
      if (time - at > BACKLOG_MS) options.onSkipped();
      else sendOne(sensor, at, options);
    }
    due.set(sensor.id, at);
  }

  while (!signal.aborted) {
    for (const sensor of city.sensors) if (options.mayStart(sensor)) sendDue(sensor);
    await wait(TICK_MS, undefined, { signal }).catch(() => {});
  }
}

function sendOne(sensor: CitySensor, at: number, options: LiveOptions): void {
  const { city, speakers } = options;
  const values = city.measure(sensor, at);
  if (!values) return;
  const payload = JSON.stringify({ measuredAt: new Date(at).toISOString(), ...values });
  // A connection that has failed for good has logged it, and `hasRoom` keeps its sensors quiet from then on.
  const ignore = () => {};
  speakers.publish(sensor, payload).then(() => options.onAcknowledged(sensor, at), ignore);
  for (const other of city.mischief(sensor, at - options.everyMs, at, payload))
    speakers.publish(sensor, other).then(ignore, ignore);
}

/** Each sensor has its own moment within the interval, so that the city does not speak in chorus. */
function firstDue(sensor: CitySensor, { city, seed, everyMs }: LiveOptions): number {
  const own = hash(`${sensor.id}/moment`, seed) % everyMs;
  return Math.ceil((city.startedAt - own) / everyMs) * everyMs + own;
}
