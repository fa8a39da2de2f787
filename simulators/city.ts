import type { Values } from "../model/reading.ts";
import { baseline } from "./curves.ts";
import { comesUp, eventsOf, isSilent, plant, type Scenario, shownAt } from "./events.ts";
import { type CitySensor, cityPlaces, GATEWAYS } from "./places.ts";

export type CityOptions = { readonly seed: number; readonly scenario: Scenario; readonly startedAt: number };

/** Broken in ways that real devices are: a comma for a point, a stuck converter, a clock in words, a cut message. */
const BAD_PAYLOADS = [
  '{"pm25":"12,4"}',
  '{"pm25":4095}',
  '{"measuredAt":"yesterday noon","pm25":11.2}',
  '{"pm25":9.7,"no2":',
] as const;

/**
 * A seeded city. Every value is a pure function of seed, scenario start, sensor and time: any moment can be made in any
 * order, and the same city can be made again.
 */
export function createCity(options: CityOptions) {
  const { seed, scenario, startedAt } = options;
  const sensors = cityPlaces(seed);
  const events = new Map(sensors.map((sensor) => [sensor.id, eventsOf(scenario, sensor.id)]));
  const planted = (sensor: CitySensor) => events.get(sensor.id) ?? [];

  /** What the sensor reports at a moment (epoch milliseconds); undefined while it is silent. */
  function measure(sensor: CitySensor, at: number): Values | undefined {
    const mine = planted(sensor);
    if (isSilent(mine, startedAt, at)) return undefined;
    const shown = shownAt(mine, startedAt, at);
    return plant(baseline(sensor, shown, seed), mine, startedAt, shown, sensor.id, seed);
  }

  /** What else it sends then, besides its reading: repeated or broken payloads. `before` is its reading before. */
  function mischief(sensor: CitySensor, before: number, at: number, payload: string): readonly string[] {
    return planted(sensor).flatMap((event) => {
      if (event.what === "repeat") return comesUp(event.everyMin, before, at) ? [payload] : [];
      if (event.what !== "bad-payload" || !comesUp(event.everyMin, before, at)) return [];
      const turn = Math.floor(at / (event.everyMin * 60_000));
      return [BAD_PAYLOADS[turn % BAD_PAYLOADS.length]!];
    });
  }

  /** Whether the scenario plans something for it. */
  const isEventful = (sensor: CitySensor) => planted(sensor).length > 0;

  return { sensors, gateways: GATEWAYS, measure, mischief, isEventful, startedAt };
}

export type City = ReturnType<typeof createCity>;
