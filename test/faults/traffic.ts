import type { Kind } from "../../model/kinds.ts";
import type { Source } from "../../model/message.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Reason } from "../../model/rejection.ts";
import { readingTopic } from "../../model/topics.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import type { Random } from "./random.ts";
import { OTHER_METRIC, REFUSED_VALUE } from "./store-server.ts";

/** One reading or one piece of noise. `fate` is what its content alone earns it; clocks and repetitions come on top. */
export type Item = {
  readonly key: string;
  readonly measuredAt: number;
  readonly value: number;
  readonly fate: "good" | Reason;
};

/** What a message says: the journal is compared with these, so two messages of the same bytes are one content. */
export type Content = { readonly topic: string; readonly text: string; readonly items: readonly Item[] };

export type Plan = {
  readonly name: string;
  readonly source: Source;
  /** Messages that may be on their way at once. */
  readonly inFlightMax: number;
  readonly messages: readonly { readonly dueMs: number; readonly content: Content }[];
};

export type Traffic = {
  readonly devices: number;
  readonly everyMs: number;
  readonly forMs: number;
  /** Shares of messages. */
  readonly duplicate: number;
  readonly conflict: number;
  /** A second metric of a moment, in a message of its own. */
  readonly parts: number;
  readonly late: number;
  readonly future: number;
  readonly poison: number;
  readonly refused: number;
  readonly array: number;
  /** Excursions over the limit of the one rule, by a device of its own. */
  readonly incidents: number;
};

export const TRAFFIC: Traffic = {
  devices: 3,
  everyMs: 2_000,
  forMs: 40_000,
  duplicate: 0.04,
  conflict: 0.02,
  parts: 0.05,
  late: 0.03,
  future: 0.01,
  poison: 0.03,
  refused: 0,
  array: 0.1,
  incidents: 2,
};

const DEVICES_MAX = 60;
const DISTRICT = "north";
const MINUTE = 60_000;
const METRIC: Record<Kind, MetricName> = { air: "pm25", traffic: "speed", energy: "activePower" };
export const HOT_SENSOR = "hot-1";

type Mouth = { readonly sensorId: string; readonly kind: Kind };

/** Enough for every scenario: who does not publish does not matter. */
export const REGISTERED: readonly Sensor[] = [
  HOT_SENSOR,
  ...Array.from({ length: DEVICES_MAX }, (_, i) => `air-${i}`),
].map((id) => ({ id, kind: "air", district: DISTRICT, tags: {}, createdAt: 0 }));

/** All that will be published, decided before anything happens. `start` is the moment the devices take for now. */
export function planTraffic(random: Random, traffic: Traffic, start: number): Plan[] {
  const devices = Array.from({ length: traffic.devices }, (_, i) => {
    const name = `air-${i}`;
    return planClient(random, traffic, start, name, { via: "mqtt", role: "device", name }, [
      { sensorId: name, kind: "air" },
    ]);
  });
  // Three sensors that the registry does not know: they are enrolled by their first good reading.
  const behind = (["air", "traffic", "energy"] as const).map((kind) => ({ sensorId: `gw-${kind}`, kind }));
  const gateway = planClient(random, traffic, start, "gw", { via: "mqtt", role: "gateway", name: "gw" }, behind);
  return [...devices, gateway, planIncidents(random, traffic, start)];
}

function planClient(random: Random, traffic: Traffic, start: number, name: string, source: Source, mouths: Mouth[]) {
  const said: Content[] = [];
  const messages: { dueMs: number; content: Content }[] = [];
  let count = 0;
  for (let dueMs = random.int(0, traffic.everyMs); dueMs < traffic.forMs; dueMs += step(random, traffic.everyMs)) {
    const mouth = mouths[count % mouths.length]!;
    const content = sayAgain(random, traffic, said, count) ?? say(random, traffic, start + dueMs, mouth, count);
    count += 1;
    said.push(content);
    messages.push({ dueMs, content });
  }
  return { name, source, inFlightMax: 8, messages };
}

const step = (random: Random, everyMs: number) => random.int(everyMs >> 1, everyMs + (everyMs >> 1));

/** A repetition, byte for byte or written differently, or a contradiction. */
function sayAgain(random: Random, traffic: Traffic, said: readonly Content[], count: number): Content | undefined {
  const roll = random.next();
  const { duplicate, conflict, parts } = traffic;
  if (roll >= duplicate + conflict + parts || said.length === 0) return undefined;
  const former = random.pick(said);
  const [item] = former.items;
  if (former.items.length !== 1 || item!.fate !== "good") return roll < duplicate ? former : undefined;
  if (roll < duplicate && random.chance(0.5)) return former;
  const kind = former.topic.split("/")[2] as Kind;
  const { key, measuredAt } = item!;
  const isPart = roll >= duplicate + conflict;
  const isOther = isPart || key.endsWith(OTHER_METRIC);
  const value = isPart
    ? random.int(20, 80)
    : roll < duplicate
      ? item!.value
      : round(item!.value + 0.01 * (1 + (count % 9)));
  const text = `{"seq":${count},"${isOther ? OTHER_METRIC : METRIC[kind]}":${value},"measuredAt":${measuredAt}}`;
  const own = isPart && !key.endsWith(OTHER_METRIC) ? `${key} ${OTHER_METRIC}` : key;
  return { topic: former.topic, text, items: [{ ...item!, key: own, value }] };
}

const round = (value: number) => Math.round(value * 100) / 100;

function say(random: Random, traffic: Traffic, now: number, mouth: Mouth, count: number): Content {
  const topic = readingTopic({ ...mouth, district: DISTRICT });
  const roll = random.next();
  if (roll < traffic.poison) return { topic, ...poison(random, now, mouth, count) };
  if (roll < traffic.poison + traffic.refused && mouth.kind === "air") {
    return one(topic, mouth, now, REFUSED_VALUE, "store_refused");
  }
  const value = random.int(0, 600) / 10;
  if (random.chance(traffic.future)) return one(topic, mouth, now + random.int(6, 3000) * MINUTE, value, "good");
  if (random.chance(traffic.late)) {
    // Mostly late and welcome, sometimes too late.
    const ageMs = random.chance(0.8) ? random.int(31, 9_000) * MINUTE : random.int(10_090, 20_000) * MINUTE;
    return one(topic, mouth, now - ageMs + count, value, "good");
  }
  if (!random.chance(traffic.array)) return one(topic, mouth, now, value, "good");
  const items = [3, 2, 1, 0].slice(random.int(0, 3)).map((back): Item => {
    const measuredAt = now - back * 100;
    return { key: `${mouth.sensorId} ${measuredAt}`, measuredAt, value: round(value + back), fate: "good" };
  });
  return { topic, text: JSON.stringify(items.map((item) => reading(mouth, item))), items };
}

const reading = ({ kind }: Mouth, { measuredAt, value }: Item) => ({ measuredAt, [METRIC[kind]]: value });

function one(topic: string, mouth: Mouth, measuredAt: number, value: number, fate: Item["fate"]): Content {
  const item: Item = { key: `${mouth.sensorId} ${measuredAt}`, measuredAt, value, fate };
  return { topic, text: JSON.stringify(reading(mouth, item)), items: [item] };
}

/** Noise, each piece of its own bytes. */
function poison(random: Random, measuredAt: number, mouth: Mouth, count: number): Pick<Content, "text" | "items"> {
  const metric = METRIC[mouth.kind];
  const [fate, text] = random.pick<[Reason, string]>([
    ["malformed_json", `{"measuredAt":${measuredAt},"${metric}":`],
    ["malformed_reading", `"${mouth.sensorId} says ${count}"`],
    ["no_values", `{"measuredAt":${measuredAt},"nonsense${count}":1}`],
    ["wrong_type", `{"measuredAt":${measuredAt},"${metric}":"much"}`],
    ["out_of_range", `{"measuredAt":${measuredAt},"${metric}":${87_654_321 + count}}`],
    ["no_values", `{"measuredAt":${measuredAt},"${metric}":null}`],
    ["bad_timestamp", `{"measuredAt":"day ${count}","${metric}":1}`],
    ["personal_data", `{"measuredAt":${measuredAt},"plate":"X ${count}"}`],
  ]);
  return { text, items: [{ key: "", measuredAt, value: 0, fate }] };
}

/** One device whose readings come in order whatever happens, so that the alerts are known beforehand. */
function planIncidents(random: Random, { incidents, forMs, everyMs }: Traffic, start: number): Plan {
  const course = [10, ...Array.from({ length: incidents }, () => [150, 160, 150, 20, 10]).flat()];
  const stepMs = Math.min(everyMs, Math.floor(forMs / course.length));
  const mouth: Mouth = { sensorId: HOT_SENSOR, kind: "air" };
  const topic = readingTopic({ ...mouth, district: DISTRICT });
  const messages = course.map((value, i) => {
    const dueMs = i * stepMs + random.int(0, 50);
    return { dueMs, content: one(topic, mouth, start + dueMs, value, "good") };
  });
  return { name: HOT_SENSOR, source: { via: "mqtt", role: "device", name: HOT_SENSOR }, inFlightMax: 1, messages };
}
