import { createBundler } from "./bundle.ts";
import type { City } from "./city.ts";
import type { CitySensor } from "./places.ts";
import { PublishError } from "./publisher.ts";
import type { Speakers } from "./speaker.ts";

/** Whole arrays on their way at once: history must not stand in the way of what is new. */
const SENSORS_AT_ONCE = 4;

export type HistoryOptions = {
  readonly city: City;
  readonly speakers: Speakers;
  /** Exclusive start of a sensor's gap, epoch milliseconds. */
  from(sensor: CitySensor): number;
  /** Exclusive end. */
  readonly to: number;
  onSent(readings: number): void;
  /** The past of this sensor is told, or its connection refused for good. */
  onTold(sensor: CitySensor): void;
  stopped(): boolean;
};

/** Sends what is missing of the past, a few sensors at a time, those with planted events first. */
export async function sendHistory(options: HistoryOptions): Promise<void> {
  const waiting = inOrderOfInterest(options.city);
  async function work(): Promise<void> {
    for (let sensor = waiting.shift(); sensor && !options.stopped(); sensor = waiting.shift())
      await tell(sensor, options);
  }
  await Promise.all(Array.from({ length: SENSORS_AT_ONCE }, work));
}

function inOrderOfInterest(city: City): CitySensor[] {
  const planted = (sensor: CitySensor) => (city.isEventful(sensor) ? 0 : 1);
  return [...city.sensors].sort((a, b) => planted(a) - planted(b));
}

async function tell(sensor: CitySensor, options: HistoryOptions): Promise<void> {
  try {
    await sendPastOf(sensor, options);
  } catch (error) {
    // One sensor the broker refuses must not silence the others; the publisher has logged it.
    if (!(error instanceof PublishError)) throw error;
  }
  options.onTold(sensor);
}

async function sendPastOf(sensor: CitySensor, options: HistoryOptions): Promise<void> {
  const { city, speakers, to } = options;
  const stepMs = sensor.intervalS * 1000;
  const bundles: { payload: string; readings: number }[] = [];
  const bundler = createBundler(Number.POSITIVE_INFINITY, (bundle) => bundles.push(bundle));
  for (let at = (Math.floor(options.from(sensor) / stepMs) + 1) * stepMs; at < to; at += stepMs) {
    const values = city.measure(sensor, at);
    if (values) bundler.add(sensor.id, { measuredAt: new Date(at).toISOString(), ...values });
  }
  bundler.flushAll();
  for (const { payload, readings } of bundles) {
    if (options.stopped()) return;
    await speakers.publish(sensor, payload);
    options.onSent(readings);
  }
}
