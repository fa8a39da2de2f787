import type { MetricName } from "../model/metrics.ts";
import type { Values } from "../model/reading.ts";
import { MINUTE_MS } from "../model/time.ts";
import { round } from "./curves.ts";
import { jitter } from "./random.ts";

/** Minutes relative to the start of the simulation; negative is the past, so that it is there when people look. */
type Span = { readonly fromMin: number; readonly toMin: number };

export type PlantedEvent =
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
export function eventsOf(scenario: Scenario, sensorId: string): readonly PlantedEvent[] {
  return scenario.events.filter((event) => event.sensors.includes(sensorId));
}

function holds(event: Span, startedAt: number, at: number): boolean {
  return at >= startedAt + event.fromMin * MINUTE_MS && at < startedAt + event.toMin * MINUTE_MS;
}

export function isSilent(events: readonly PlantedEvent[], startedAt: number, at: number): boolean {
  return events.some((event) => event.what === "silent" && holds(event, startedAt, at));
}

/** The moment whose values the sensor shows: `at`, or when it got stuck. */
export function shownAt(events: readonly PlantedEvent[], startedAt: number, at: number): number {
  const stuck = events.find((event) => event.what === "stuck" && holds(event, startedAt, at));
  return stuck && "fromMin" in stuck ? startedAt + stuck.fromMin * MINUTE_MS : at;
}

/** Bends the values of a quiet city to what the scenario wants. */
export function plant(
  values: Values,
  events: readonly PlantedEvent[],
  startedAt: number,
  at: number,
  sensorId: string,
  seed: number,
): Values {
  let bent = values;
  for (const event of events) {
    if (event.what !== "level" || !holds(event, startedAt, at)) continue;
    const minutes = (at - startedAt) / MINUTE_MS;
    const share = Math.min(1, (minutes - event.fromMin) / event.rampMin, (event.toMin - minutes) / event.rampMin);
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
export function comesUp(everyMin: number, before: number, at: number): boolean {
  const every = everyMin * MINUTE_MS;
  return Math.floor(at / every) > Math.floor(before / every);
}
