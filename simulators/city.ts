import type { MetricName } from "../model/metrics.ts";
import type { Values } from "../model/reading.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../model/time.ts";
import { CITY_ZONE, type CitySensor, cityPlaces, GATEWAYS } from "./places.ts";
import { drift, jitter, uniform } from "./random.ts";

/** The city's own clock: hour of the day with its fraction, and whether people work. */
type CityClock = { readonly hour: number; readonly weekend: boolean; readonly dayOfYear: number };

export function cityClock(at: number): CityClock {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(CITY_ZONE);
  return {
    hour: local.hour + local.minute / 60 + local.second / 3600,
    weekend: local.dayOfWeek >= 6,
    dayOfYear: local.dayOfYear,
  };
}

/** A bump of height 1 around `hour`, of about twice `width` hours; the day is a circle. */
function bump(clock: CityClock, hour: number, width: number): number {
  const away = Math.abs(clock.hour - hour);
  const distance = Math.min(away, 24 - away);
  return Math.exp(-((distance / width) ** 2));
}

/** Share of a road's rush-hour traffic: two peaks on working days, one long afternoon at the weekend. */
export function trafficShare(clock: CityClock): number {
  const night = 0.04;
  if (clock.weekend) return night + 0.5 * bump(clock, 15, 4.5);
  return night + 0.85 * bump(clock, 8, 1.3) + 0.9 * bump(clock, 17.3, 1.7) + 0.4 * bump(clock, 12.5, 3);
}

/** Share of the rated load: highest when people come home. */
export function loadShare(clock: CityClock): number {
  const evening = 0.42 * bump(clock, 19.3, 2.2);
  const day = clock.weekend ? 0.22 * bump(clock, 12.5, 3.5) : 0.2 * bump(clock, 9.5, 3.5);
  return 0.24 + evening + day;
}

/** What the sensor of a quiet city measures at a moment; nothing planted. Rounded to what such hardware resolves. */
function baseline(sensor: CitySensor, at: number, seed: number): Values {
  const here: Here = {
    sensor,
    at,
    seed,
    clock: cityClock(at),
    // No two places are alike: between 0.8 and 1.2, for ever.
    scale: 0.8 + 0.4 * uniform(sensor.id, seed),
    about: (metric, stepMs) => drift(`${sensor.id}/${metric}`, seed, at, stepMs),
    own: (metric) => jitter(`${sensor.id}/${metric}`, seed, at),
  };
  switch (sensor.role) {
    case "air-station":
      return air(here);
    case "detector":
      return traffic(here);
    default:
      return energy(here);
  }
}

/** A sensor at a moment, and what is by chance there. */
type Here = {
  readonly sensor: CitySensor;
  readonly at: number;
  readonly seed: number;
  readonly clock: CityClock;
  readonly scale: number;
  /** Wanders slowly. */
  readonly about: (metric: string, stepMs: number) => number;
  /** Anew at each moment. */
  readonly own: (metric: string) => number;
};

function air({ sensor, at, seed, clock, scale, about, own }: Here): Values {
  const roadside = sensor.tags.site === "roadside";
  const rush = trafficShare(clock);
  const sun = Math.max(0, Math.sin((Math.PI * (clock.hour - 7)) / 13));
  const no2 = (roadside ? 14 : 8) + (roadside ? 42 : 18) * rush * scale + 5 * about("no2", HOUR_MS) + 2 * own("no2");
  const pm25 = 7 * scale + 4 * bump(clock, 20.5, 3) + 4 * rush + 3 * about("pm25", 2 * HOUR_MS) + own("pm25");
  const { temperature, humidity } = weather(clock, at, seed);
  return {
    pm25: round(Math.max(1, pm25), 1),
    pm10: round(Math.max(2, pm25 * 1.6 + 2 + 2 * about("pm10", HOUR_MS)), 1),
    no2: round(Math.max(2, no2), 1),
    // Sunlight makes ozone, fresh exhaust eats it.
    o3: round(Math.max(4, 34 + 52 * sun - 0.35 * no2 + 5 * about("o3", HOUR_MS) + own("o3")), 1),
    temperature: round(temperature + 0.6 * about("temperature", HOUR_MS) + 0.1 * own("temperature"), 1),
    relativeHumidity: round(Math.min(99, Math.max(20, humidity + 3 * about("humidity", HOUR_MS))), 1),
    battery: battery(sensor, at, seed),
  };
}

/** One sky over the whole city. */
function weather(clock: CityClock, at: number, seed: number) {
  const season = -Math.cos((2 * Math.PI * (clock.dayOfYear - 15)) / 365);
  const day = Math.sin((2 * Math.PI * (clock.hour - 9)) / 24);
  const front = drift("weather", seed, at, 36 * HOUR_MS);
  return { temperature: 10 + 9 * season + 3.5 * day + 4 * front, humidity: 74 - 12 * day - 8 * front - 6 * season };
}

/** Solar cells lose a little every year, so the level falls slowly from visit to visit (every 400 days). */
function battery(sensor: CitySensor, at: number, seed: number): number {
  const days = at / DAY_MS + uniform(`${sensor.id}/visit`, seed) * 400;
  return round(100 - (days % 400) * 0.14, 1);
}

function traffic({ sensor, clock, scale, about, own }: Here): Values {
  const main = sensor.tags.road === "main";
  const share = Math.max(0.01, trafficShare(clock) * scale * (1 + 0.18 * about("flow", 5 * MINUTE_MS)));
  const freeFlow = main ? 68 : 47;
  return {
    flow: Math.round((main ? 1500 : 620) * share * (1 + 0.08 * own("flow"))),
    occupancy: round(Math.min(30, Math.max(0.2, (main ? 19 : 14) * share + 0.8 * own("occupancy"))), 1),
    speed: round(freeFlow * (1 - 0.22 * Math.min(1.2, share) ** 2) + 2.5 * own("speed"), 1),
  };
}

function energy({ sensor, at, seed, clock, scale, about, own }: Here): Values {
  const share = Math.max(0.08, loadShare(clock) * scale * (1 + 0.1 * about("load", 15 * MINUTE_MS)));
  const rated = sensor.role === "transformer" ? 577 : 160;
  const current = rated * share * (1 + 0.02 * own("current"));
  const voltage = 233.5 - 6 * share + 1.2 * about("voltage", 10 * MINUTE_MS) + 0.3 * own("voltage");
  const powerFactor = 0.95 + 0.02 * about("powerFactor", HOUR_MS);
  const values: Values = {
    voltage: round(voltage, 1),
    current: round(current, 1),
    activePower: round((3 * voltage * current * powerFactor) / 1000, 2),
    powerFactor: round(powerFactor, 3),
  };
  // Frequency is one for the whole grid.
  if (sensor.role === "feeder")
    return { ...values, frequency: round(50 + 0.03 * drift("grid", seed, at, MINUTE_MS), 3) };
  const { temperature } = weather(clock, at, seed);
  // IEC 60076-7 in its simplest form: top oil rises about 50 K at rated load, with the power 1.6 of the load.
  return { ...values, oilTemperature: round(temperature + 10 + 50 * share ** 1.6 + about("oil", HOUR_MS), 1) };
}

export function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

/** Minutes relative to the start of the simulation; negative is the past, so that it is there when people look. */
type Span = {
  readonly fromMin: number;
  readonly toMin: number;
  /** It happens again and again, so many minutes after it last began. */
  readonly everyMin?: number;
};

type PlantedEvent =
  /** The city itself is different: values go to these levels and come back, over `rampMin` minutes. */
  | (Span & {
      readonly what: "level";
      readonly sensors: readonly string[];
      readonly values: Values;
      readonly rampMin: number;
    })
  /** The sensor says nothing. */
  | (Span & { readonly what: "silent"; readonly sensors: readonly string[] })
  /** The sensor repeats what it measured when it got stuck. */
  | (Span & { readonly what: "stuck"; readonly sensors: readonly string[] })
  /** Every so often a payload no one can use, beside the good ones. */
  | { readonly what: "bad-payload"; readonly sensors: readonly string[]; readonly everyMin: number }
  /** Every so often the same reading twice. */
  | { readonly what: "repeat"; readonly sensors: readonly string[]; readonly everyMin: number };

export type Scenario = { readonly name: string; readonly events: readonly PlantedEvent[] };

/** The events that concern a sensor; `startedAt` fixes the scenario in time. */
function eventsOf(scenario: Scenario, sensorId: string): readonly PlantedEvent[] {
  return scenario.events.filter((event) => event.sensors.includes(sensorId));
}

/** Minutes since it began, undefined while it is not going on. */
export function minutesInto(event: Span, startedAt: number, at: number): number | undefined {
  const since = (at - startedAt) / MINUTE_MS - event.fromMin;
  const into = event.everyMin === undefined || since < 0 ? since : since % event.everyMin;
  return into >= 0 && into < event.toMin - event.fromMin ? into : undefined;
}

function isSilent(events: readonly PlantedEvent[], startedAt: number, at: number): boolean {
  return events.some((event) => event.what === "silent" && minutesInto(event, startedAt, at) !== undefined);
}

/** The moment whose values the sensor shows: `at`, or when it got stuck. */
function shownAt(events: readonly PlantedEvent[], startedAt: number, at: number): number {
  for (const event of events) {
    const into = event.what === "stuck" ? minutesInto(event, startedAt, at) : undefined;
    if (into !== undefined) return at - into * MINUTE_MS;
  }
  return at;
}

/** Bends the values of a quiet city to what the scenario wants. */
function plant(
  values: Values,
  events: readonly PlantedEvent[],
  startedAt: number,
  at: number,
  sensorId: string,
  seed: number,
): Values {
  let bent = values;
  for (const event of events) {
    const into = event.what === "level" ? minutesInto(event, startedAt, at) : undefined;
    if (event.what !== "level" || into === undefined) continue;
    const left = event.toMin - event.fromMin - into;
    const share = Math.min(1, into / event.rampMin, left / event.rampMin);
    const changed = Object.entries(event.values).map(([name, level]) => {
      const before = values[name as MetricName] ?? level;
      const wobble = 1 + 0.015 * jitter(`${sensorId}/${name}/event`, seed, at);
      return [name, round((before + (level - before) * share) * wobble, 1)];
    });
    bent = { ...bent, ...Object.fromEntries(changed) };
  }
  return bent;
}

/** Whether a multiple of `everyMin` lies in (before, at]: "now and then", the same for every run of the same hours. */
function comesUp(everyMin: number, before: number, at: number): boolean {
  const every = everyMin * MINUTE_MS;
  return Math.floor(at / every) > Math.floor(before / every);
}

export type CityOptions = {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly startedAt: number;
  /** So much faster the city's days pass from the start on; what is planted keeps its minutes. */
  readonly pace?: number;
};

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
  const { seed, scenario, startedAt, pace = 1 } = options;
  /** What time of which day it is in the city. */
  const cityTime = (at: number) => (at <= startedAt ? at : startedAt + (at - startedAt) * pace);
  const sensors = cityPlaces(seed);
  const events = new Map(sensors.map((sensor) => [sensor.id, eventsOf(scenario, sensor.id)]));
  const planted = (sensor: CitySensor) => events.get(sensor.id) ?? [];

  /** What the sensor reports at a moment (epoch milliseconds); undefined while it is silent. */
  function measure(sensor: CitySensor, at: number): Values | undefined {
    const mine = planted(sensor);
    if (isSilent(mine, startedAt, at)) return undefined;
    const shown = shownAt(mine, startedAt, at);
    return plant(baseline(sensor, cityTime(shown), seed), mine, startedAt, shown, sensor.id, seed);
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
