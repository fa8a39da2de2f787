import { setImmediate as immediate } from "node:timers/promises";
import { type Alert, SEVERITIES, type Severity } from "../model/alert.ts";
import type { Kind } from "../model/kinds.ts";
import { type MetricName, metricRow } from "../model/metrics.ts";
import { alertTopic, readingTopic, statusTopic, WHOLE_CITY } from "../model/topics.ts";

/**
 * What Home Assistant's MQTT integration finds by itself: one retained config topic for each sensor and for each district's
 * alerts, in its form for devices (home-assistant.io, MQTT, "Device discovery payload"). The states are on our own topics.
 */
const ROOT = "homeassistant";
const ORIGIN = { name: "Lamppost" };

export type DiscoveredSensor = {
  readonly id: string;
  readonly kind: Kind;
  readonly district: string;
  /** What it has sent since the start. */
  readonly metrics: readonly MetricName[];
  /** It says whether it is there. */
  readonly hasStatus: boolean;
};

/** Device classes that take our unit as it is (home-assistant.io, Sensor, "Device class"); another would be refused. */
const CLASSES: Readonly<Partial<Record<MetricName, string>>> = {
  pm25: "pm25",
  pm10: "pm10",
  pm1: "pm1",
  no2: "nitrogen_dioxide",
  no: "nitrogen_monoxide",
  o3: "ozone",
  so2: "sulphur_dioxide",
  co2: "carbon_dioxide",
  temperature: "temperature",
  relativeHumidity: "humidity",
  pressure: "atmospheric_pressure",
  windSpeed: "wind_speed",
  speed: "speed",
  activePower: "power",
  voltage: "voltage",
  current: "current",
  frequency: "frequency",
  powerFactor: "power_factor",
  energyImport: "energy",
  energyExport: "energy",
  oilTemperature: "temperature",
  battery: "battery",
  batteryVoltage: "voltage",
  rssi: "signal_strength",
  enclosureTemperature: "temperature",
  uptime: "duration",
};
/** They only grow: its energy dashboard counts with them. */
const TOTALS: ReadonlySet<string> = new Set(["energyImport", "energyExport"]);

export const configTopic = (id: string) => `${ROOT}/device/lamppost-${id}/config`;
const alertsId = (district: string) => `alerts-${district}`;
const alertsStateTopic = (district: string) => `${ROOT}/lamppost/${district}/alerts`;

export function sensorConfig({ id, kind, district, metrics, hasStatus }: DiscoveredSensor): string {
  const components = metrics.map((metric) => {
    const { unit, label } = metricRow(metric)!;
    const deviceClass = CLASSES[metric];
    const component = {
      platform: "sensor",
      name: label,
      unique_id: `lamppost-${id}-${metric}`,
      ...(deviceClass !== undefined && { device_class: deviceClass }),
      ...(unit !== "" && { unit_of_measurement: unit }),
      state_class: TOTALS.has(metric) ? "total_increasing" : "measurement",
      // A message without this metric leaves the state as it is.
      value_template: `{{ value_json.${metric} | default('') }}`,
    };
    return [metric, component] as const;
  });
  return JSON.stringify({
    device: { identifiers: [`lamppost-${id}`], name: id, model: kind, suggested_area: district },
    origin: ORIGIN,
    state_topic: readingTopic({ district, kind, sensorId: id }),
    ...(hasStatus && { availability_topic: statusTopic({ district, kind, sensorId: id }) }),
    components: Object.fromEntries(components),
  });
}

export function alertsConfig(district: string): string {
  const name = district === WHOLE_CITY ? "Alerts" : `Alerts: ${district}`;
  const unique = `lamppost-${alertsId(district)}`;
  const state = { state_topic: alertsStateTopic(district) };
  const events = SEVERITIES.map((severity) => {
    const component = {
      platform: "event",
      name: severity,
      unique_id: `${unique}-${severity}`,
      state_topic: alertTopic({ district, severity, id: "+" }),
      event_types: ["firing", "resolved", "retracted"],
      // What the broker forgets is an empty message: it is no event.
      value_template:
        "{% if value_json is defined %}{{ {'event_type': value_json.state, 'title': value_json.rule.title, 'id': value_json.id} | to_json }}{% endif %}",
    };
    return [severity, component] as const;
  });
  return JSON.stringify({
    device: {
      identifiers: [unique],
      name,
      model: "alerts",
      ...(district !== WHOLE_CITY && { suggested_area: district }),
    },
    origin: ORIGIN,
    components: {
      problem: {
        platform: "binary_sensor",
        name: "Open alerts",
        unique_id: `${unique}-problem`,
        device_class: "problem",
        ...state,
        value_template: "{{ 'ON' if value_json.open > 0 else 'OFF' }}",
        json_attributes_topic: state.state_topic,
      },
      open: {
        platform: "sensor",
        name: "Number of open alerts",
        unique_id: `${unique}-open`,
        state_class: "measurement",
        ...state,
        value_template: "{{ value_json.open }}",
      },
      ...Object.fromEntries(events),
    },
  });
}

type Open = Pick<Alert, "subject" | "severity">;

/** How many alerts are open in each district, and the worst of them. */
export function alertsStates(districts: readonly string[], open: readonly Open[]): ReadonlyMap<string, string> {
  const counts = new Map(districts.map((id) => [id, { open: 0, worst: null as Severity | null }]));
  for (const { subject, severity } of open) {
    const count = counts.get(subject.district ?? WHOLE_CITY);
    if (!count) continue;
    count.open += 1;
    if (count.worst === null || SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(count.worst)) count.worst = severity;
  }
  return new Map([...counts].map(([id, state]) => [alertsStateTopic(id), JSON.stringify(state)]));
}

export type DiscoveryPorts = {
  /** All there are; without metrics those that have sent nothing since the start. */
  sensors(): Iterable<DiscoveredSensor>;
  districts(): readonly string[];
  openAlerts(): readonly Open[];
  /** Resolves when the broker has taken it; an empty payload takes away what was retained. */
  publish(message: { topic: string; payload: string; retain: true }): Promise<void>;
  /** The config topics of this and of earlier starts, which Home Assistant knows until they are emptied. */
  readonly kept: { load(): readonly string[]; save(topics: readonly string[]): void };
};

/** Config of so many things: what is beyond would fill the broker. */
const THINGS_MAX = 20_000;
const AT_ONCE = 200;
/** Ticks. */
const TAKEN_BACK_EVERY = 6;

/**
 * Keeps on the broker what there is to be found, and takes back what is gone. `tick` looks at all of it and publishes the
 * differences. Switched off, it takes everything back that an earlier start has told.
 */
export function createHomeAssistant(isOn: boolean, ports: DiscoveryPorts) {
  /** What each topic says, in short. */
  const told = new Map<string, string>();
  const known = new Set(ports.kept.load());
  let ticks = 0;

  const empty = (topic: string) => ports.publish({ topic, payload: "", retain: true });

  async function say(topic: string, sign: string, payload: () => string): Promise<void> {
    if (told.get(topic) === sign) return;
    await ports.publish({ topic, payload: payload(), retain: true });
    told.set(topic, sign);
  }

  async function tick(): Promise<void> {
    // Whoever knows of them may not be connected yet: they are emptied again and again for as long as the service runs.
    if (!isOn) {
      if (ticks % TAKEN_BACK_EVERY === 0) for (const topic of known) await empty(topic);
      ticks += 1;
      return;
    }
    const there = new Set<string>();
    const districts = [...ports.districts(), WHOLE_CITY];
    for (const id of districts) {
      const topic = configTopic(alertsId(id));
      there.add(topic);
      await say(topic, id, () => alertsConfig(id));
    }
    for (const [topic, state] of alertsStates(districts, ports.openAlerts())) await say(topic, state, () => state);
    let looked = 0;
    for (const sensor of ports.sensors()) {
      looked += 1;
      if (looked > THINGS_MAX) break;
      if (looked % AT_ONCE === 0) await immediate();
      const { id, kind, district, metrics, hasStatus } = sensor;
      const topic = configTopic(id);
      // Of a sensor that is silent since the start it stays as it was told before.
      if (metrics.length > 0 || known.has(topic)) there.add(topic);
      if (metrics.length > 0)
        await say(topic, `${kind} ${district} ${hasStatus} ${metrics.join()}`, () => sensorConfig(sensor));
    }
    await settle(there);
  }

  async function settle(there: ReadonlySet<string>): Promise<void> {
    const gone = [...known].filter((topic) => !there.has(topic));
    const isSame = gone.length === 0 && there.size === known.size;
    // Kept before it is known to anybody would be too much, after it too little: nobody minds what is emptied in vain.
    for (const topic of there) known.add(topic);
    if (!isSame) ports.kept.save([...known]);
    for (const topic of gone) {
      await empty(topic);
      known.delete(topic);
      told.delete(topic);
    }
    if (gone.length > 0) ports.kept.save([...known]);
  }

  return { tick };
}
