import type { Source } from "../model/message.ts";
import { parseSensorTopic, type ReadingTopic, type SensorTopic } from "../model/topics.ts";
import type { Sensor, SensorRecords } from "../store/records.ts";
import { type DecodeContext, mayEnrol } from "./decode.ts";

/**
 * The registry as decoding sees it. With `autoEnrol` a sensor first seen through a gateway or an external broker is added with the kind and
 * district of its topic, up to `sensorsMax` sensors in all (ids come from outside, so there is a limit); `onEnrolled`
 * hears of each. Our broker has checked that the gateway speaks for the district.
 */
export function createDecodeContext(
  sensors: Pick<SensorRecords, "get" | "list" | "add">,
  options: { readonly autoEnrol: boolean; readonly sensorsMax: number; onEnrolled?(sensor: Sensor): void },
  now: () => number,
): DecodeContext {
  function enrol(topic: ReadingTopic, source: Source): Sensor | undefined {
    const known = sensors.get(topic.sensorId);
    if (known) return known;
    if (!options.autoEnrol || !mayEnrol(source) || sensors.list().length >= options.sensorsMax) return undefined;
    const { sensorId: id, kind, district } = topic;
    const sensor: Sensor = { id, kind, district, tags: {}, gateway: source.name, createdAt: now() };
    sensors.add(sensor);
    options.onEnrolled?.(sensor);
    return sensor;
  }
  return { topic: createTopicMemory(), sensor: (id) => sensors.get(id), enrol };
}

const TOPICS_MAX = 100_000;

/** Parses each topic once. Starts anew when it knows 100,000: topics come from outside. */
function createTopicMemory(): DecodeContext["topic"] {
  const known = new Map<string, SensorTopic>();
  return (name) => {
    const parsed = known.get(name);
    if (parsed) return parsed;
    const topic = parseSensorTopic(name);
    if (known.size >= TOPICS_MAX) known.clear();
    if (topic) known.set(name, topic);
    return topic;
  };
}
