import { counter, type Figure, gauge, type Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { formatSource, parseSource, type Source } from "../model/message.ts";
import { type Fault, fault } from "../model/rejection.ts";
import { createSites } from "../model/site.ts";
import { HOUR_MS } from "../model/time.ts";
import { parseSensorTopic, type ReadingTopic, type SensorTopic } from "../model/topics.ts";
import type { Sensor } from "../store/records/sensors.ts";
import type { Records } from "../store/records.ts";
import type { DecodeContext } from "./decode.ts";
import { type RedriveParts, redriveItems } from "./quarantine.ts";
import { mayEnrol, retiredSensor, unknownSensor } from "./rejections.ts";

export type EnrolmentLimits = {
  /** A sensor first seen through a gateway or an external broker is registered. */
  readonly autoEnrol: boolean;
  /** Sensors in all. */
  readonly sensorsMax: number;
  /** New sensors in an hour: of each gateway, and of the external broker. */
  readonly gatewayPerHour: number;
  readonly brokerPerHour: number;
};

export const ENROLMENT_DEFAULTS = { sensorsMax: 100_000, gatewayPerHour: 2_000, brokerPerHour: 100_000 } as const;

/** How often `tick` should be called: what waits for a quota is tried again then. */
export const ENROLMENT_TICK_MS = 5_000;
const REDRIVE_MAX = 2_000;
const SENDERS_SHOWN = 5;
const TOLD_MAX = 1_000;

type EnrolmentRecords = {
  readonly sensors: Pick<Records["sensors"], "get" | "retired" | "list" | "count" | "add">;
  readonly calibrations?: Pick<Records["calibrations"], "of">;
};

/**
 * The registry as decoding sees it: a sensor first seen through a gateway or an external broker is added with the kind
 * and district of its topic, within the sender's quota of new sensors an hour. Ids come from outside, so the cost of one
 * does not depend on how many there are. Our broker has checked that the gateway speaks for the district.
 */
export function createEnrolment(
  records: EnrolmentRecords,
  limits: EnrolmentLimits,
  now: () => number,
  site: NonNullable<DecodeContext["site"]> = createSites(),
  mappings?: DecodeContext["mappings"],
) {
  const { sensors } = records;
  const quotas = createQuotas(sensors.list(), limits, now);
  const refused = createRefusals(now);
  let enrolled = 0;

  function enrol(topic: ReadingTopic, source: Source): Sensor | Fault {
    const { sensorId: id, kind, district } = topic;
    const known = sensors.get(id);
    if (known) return known;
    const former = sensors.retired(id);
    if (former) return retiredSensor(former);
    if (!limits.autoEnrol || !mayEnrol(source)) return unknownSensor(id);
    const full = sensors.count() >= limits.sensorsMax ? registryFull(limits) : quotas.refusal(source);
    if (full) {
      refused.count(source);
      return full;
    }
    const sensor: Sensor = { id, kind, district, tags: {}, gateway: source.name, createdAt: now() };
    sensors.add(sensor);
    quotas.count(source, id);
    enrolled += 1;
    return sensor;
  }

  /** What a sensor sent before it was taken off the register was acknowledged: it is read as ever. */
  function asOf(id: string, receivedAt: number): Sensor | undefined {
    const known = sensors.get(id);
    if (known) return known;
    const former = sensors.retired(id);
    return former && receivedAt < former.retiredAt! ? former : undefined;
  }

  const context: DecodeContext = {
    topic: createTopicMemory(),
    sensor: asOf,
    retired: sensors.retired,
    enrol,
    site,
    ...(mappings && { mappings }),
    ...(records.calibrations && { calibrations: records.calibrations.of }),
  };

  /** New sensors `source` may bring now. */
  const room = (source: Source) => Math.min(quotas.room(source), limits.sensorsMax - sensors.count());

  function health(): Health {
    const part = "enrolment";
    const over = refused.now();
    if (over.length === 0) return { part, state: "ok", ready: true };
    const named = over.slice(0, SENDERS_SHOWN).map(({ source, count }) => `${source.name} (${count} messages)`);
    const more = over.length > SENDERS_SHOWN ? ` and ${over.length - SENDERS_SHOWN} more` : "";
    const settings = [...new Set(over.map(({ source }) => settingOf(source)))].join(", ");
    const reason =
      `More new sensors than a sender may bring in an hour: ${named.join(", ")}${more}. What they sent waits in quarantine ` +
      `(enrolment_quota) and is tried again by itself; ${settings} and LAMPPOST_SENSORS_MAX say how many may come.`;
    return { part, state: "degraded", ready: true, reason };
  }

  const figures = (): Figure[] => [
    counter("lamppost_enrolled_sensors_total", "Sensors registered because they were seen.", enrolled),
    counter("lamppost_enrolment_refused_total", "Messages of new sensors beyond a quota.", refused.total()),
  ];

  return { context, room, enrolled: () => enrolled, health, figures, untold: refused.untold };
}

type Enrolment = ReturnType<typeof createEnrolment>;

type QuotaDriverParts = {
  readonly enrolment: Pick<Enrolment, "room" | "untold">;
  readonly records: Pick<Records, "audit" | "quarantine" | "sensors">;
  readonly append: RedriveParts["append"];
  readonly now: () => number;
  readonly log: Log;
};

/**
 * Tells the audit of senders beyond their quota or their share of the quarantine, once an hour each, and drives what waits in quarantine for a quota again as
 * soon as there is room. `tick` resolves when that is on disk; what fails (a full disk) is logged once and tried again.
 */
export function createQuotaDriver({ enrolment, records, append, now, log }: QuotaDriverParts) {
  const lastTold = new Map<string, number>();
  let running: Promise<void> | undefined;
  let failing = false;

  async function drive(): Promise<void> {
    for (const { source, told } of enrolment.untold()) {
      const detail = `more new sensors than ${settingOf(source)} or LAMPPOST_SENSORS_MAX allows`;
      records.audit.add({ at: now(), by: source.name, what: "sensor.quota", target: formatSource(source), detail });
      told();
    }
    for (const { sender, removed } of records.quarantine.overflow()) {
      if (isRecent(lastTold.get(sender) ?? Number.NEGATIVE_INFINITY, now())) continue;
      lastTold.delete(sender);
      lastTold.set(sender, now());
      if (lastTold.size > TOLD_MAX) lastTold.delete(lastTold.keys().next().value!);
      const limits = "LAMPPOST_QUARANTINE_MIB and LAMPPOST_QUARANTINE_SENDER_PERCENT";
      const detail = `its oldest ${removed} messages in quarantine made room for newer ones: ${limits} say how much may be kept`;
      records.audit.add({ at: now(), by: parseSource(sender).name, what: "quarantine.full", target: sender, detail });
    }
    for (const sender of records.quarantine.senders("enrolment_quota")) {
      const ids = choose(sender, enrolment.room(parseSource(sender)));
      if (ids.length > 0) await redriveItems({ append, quarantine: records.quarantine, now }, ids, "enrolment quota");
    }
  }

  /** The oldest, with no more new sensors among them than there is room for. */
  function choose(sender: string, room: number): readonly number[] {
    const waiting = room > 0 ? records.quarantine.waiting("enrolment_quota", sender, REDRIVE_MAX) : [];
    const fresh = new Set<string>();
    return waiting.flatMap(({ id, sensorId }) => {
      if (records.sensors.get(sensorId) || fresh.has(sensorId)) return [id];
      if (fresh.size >= room) return [];
      fresh.add(sensorId);
      return [id];
    });
  }

  async function tick(): Promise<void> {
    running ??= drive()
      .then(() => {
        failing = false;
      })
      .catch((error: unknown) => {
        if (!failing)
          log.warn({ err: error }, "what waits for an enrolment quota cannot be driven again; trying again");
        failing = true;
      })
      .finally(() => {
        running = undefined;
      });
    await running;
  }

  return { tick, stop: async () => void (await running) };
}

export function quarantineFigures({ items, bytes, removed }: ReturnType<Records["quarantine"]["use"]>): Figure[] {
  return [
    gauge("lamppost_quarantine_items", "Messages and readings in quarantine.", items),
    gauge("lamppost_quarantine_bytes", "Their bytes, of LAMPPOST_QUARANTINE_MIB.", bytes),
    counter("lamppost_quarantine_removed_total", "Removed since the start to make room for newer ones.", removed),
  ];
}

/** Whom the sensors of the last hour are charged to. What a restart must not forget is in the registry. */
function createQuotas(known: readonly Sensor[], limits: EnrolmentLimits, now: () => number) {
  /** By sender, the sensors it brought in the last hour, oldest first. A retried batch counts a sensor once. */
  const recent = new Map<string, Map<string, number>>();
  const born = known.filter(({ gateway, createdAt }) => gateway !== undefined && isRecent(createdAt, now()));
  for (const { gateway, id, createdAt } of born.sort((a, b) => a.createdAt - b.createdAt)) {
    charge(gateway!, id, createdAt);
  }

  function charge(name: string, id: string, at: number): void {
    const own = recent.get(name);
    if (own) own.set(id, at);
    else recent.set(name, new Map([[id, at]]));
  }

  function used({ name }: Source): number {
    const own = recent.get(name);
    if (!own) return 0;
    const at = now();
    for (const [id, createdAt] of own) {
      if (isRecent(createdAt, at)) break;
      own.delete(id);
    }
    if (own.size === 0) recent.delete(name);
    return own.size;
  }

  const quotaOf = ({ role }: Source) => (role === "broker" ? limits.brokerPerHour : limits.gatewayPerHour);
  const room = (source: Source) => quotaOf(source) - used(source);
  return {
    count: (source: Source, id: string) => charge(source.name, id, now()),
    room,
    refusal: (source: Source): Fault | undefined => (room(source) > 0 ? undefined : overQuota(source, quotaOf(source))),
  };
}

/** Also where the clock was set back: what then lies in the future is not counted. */
const isRecent = (at: number, now: number) => Math.abs(now - at) < HOUR_MS;

/** Who was over a quota in the last hour, for the health and the audit. */
function createRefusals(now: () => number) {
  const senders = new Map<string, { source: Source; count: number; lastAt: number; told: boolean }>();
  let total = 0;

  function current() {
    for (const [key, { lastAt }] of senders) if (!isRecent(lastAt, now())) senders.delete(key);
    return [...senders.values()];
  }

  return {
    count(source: Source): void {
      total += 1;
      const own = senders.get(source.name);
      if (own) {
        own.count += 1;
        own.lastAt = now();
      } else senders.set(source.name, { source, count: 1, lastAt: now(), told: false });
    },
    total: () => total,
    now: current,
    untold: () =>
      current()
        .filter(({ told }) => !told)
        .map((sender) => ({
          source: sender.source,
          told() {
            sender.told = true;
          },
        })),
  };
}

const settingOf = ({ role }: Source) =>
  role === "broker" ? "LAMPPOST_MQTT_SOURCE_NEW_SENSORS_PER_HOUR" : "LAMPPOST_NEW_SENSORS_PER_HOUR";

function overQuota(source: Source, quota: number): Fault {
  const wait = "the message waits and is tried again by itself";
  return fault(
    "enrolment_quota",
    `${source.name} brought ${quota} new sensors in an hour (${settingOf(source)}); ${wait}.`,
  );
}

function registryFull({ sensorsMax }: EnrolmentLimits): Fault {
  const wait = "the message waits and is tried again when sensors are removed";
  return fault("enrolment_quota", `The registry has ${sensorsMax} sensors (LAMPPOST_SENSORS_MAX); ${wait}.`);
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
