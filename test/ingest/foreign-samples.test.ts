import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openYaml } from "../../alerts/rules/yaml-file.ts";
import { FORMATS } from "../../ingest/formats/registry.ts";
import { checkMapping } from "../../ingest/mappings/check.ts";
import { compileMapping } from "../../ingest/mappings/compile.ts";
import { tryMapping } from "../../ingest/mappings/trial.ts";

/*
 * Messages as their makers' documentation and their devices write them, in the spellings that differ from one firmware, codec
 * or client to the next.
 */
const AT = Date.parse("2026-11-21T10:05:00Z");

type Values = Readonly<Record<string, number>>;
type Row = {
  readonly of: string;
  readonly base: string;
  readonly topic: string;
  readonly payload: unknown;
  readonly readings?: readonly Values[];
  /** Epoch milliseconds of the first. */
  readonly at?: number;
  readonly refused?: readonly string[];
  readonly online?: boolean;
};

const UPLINK = "v3/app@ttn/devices/d1/up";
const uplink = (rest: object, more: object = {}) => ({
  end_device_ids: { device_id: "d1" },
  uplink_message: { received_at: "2026-11-21T10:04:58.9Z", ...rest },
  ...more,
});
const notification = (attributes: object, type = "AirQualityObserved") => ({
  id: "urn:ngsi-ld:Notification:1",
  type: "Notification",
  subscriptionId: "s",
  data: [{ id: "urn:ngsi-ld:AirQualityObserved:x", type, ...attributes }],
});

const ROWS: readonly Row[] = [
  {
    of: "The Things Stack: no f_port, no f_cnt, text for a number, 0",
    base: "tts",
    topic: UPLINK,
    payload: uplink({
      frm_payload: "AQ==",
      decoded_payload: { pm2_5: "12.5", temperature: 0 },
      rx_metadata: [{ rssi: -42 }],
    }),
    readings: [{ pm25: 12.5, temperature: 0, rssi: -42, snr: 0 }],
    at: AT - 1_100,
  },
  {
    of: "The Things Stack: CayenneLPP, a channel behind each name",
    base: "tts",
    topic: UPLINK,
    payload: uplink({
      f_port: 1,
      decoded_payload: { temperature_3: 21.4, relative_humidity_4: 55, barometric_pressure_5: 1011.5 },
    }),
    readings: [{ temperature: 21.4, relativeHumidity: 55, pressure: 1011.5 }],
  },
  {
    of: "The Things Stack: normalized payload only, two moments",
    base: "tts",
    topic: UPLINK,
    payload: uplink({
      normalized_payload: [
        {
          air: { temperature: 21.5, relativeHumidity: 52, location: "indoor" },
          battery: 3.6,
          time: "2026-11-21T10:00:00Z",
        },
        { air: { temperature: 20 }, time: "2026-11-21T09:50:00Z" },
      ],
    }),
    readings: [{ temperature: 21.5, relativeHumidity: 52, batteryVoltage: 3.6 }, { temperature: 20 }],
    at: AT - 300_000,
  },
  {
    of: "The Things Stack: simulated",
    base: "tts",
    topic: UPLINK,
    payload: uplink({ decoded_payload: { pm25: 5 } }, { simulated: true }),
    refused: ["simulated"],
  },
  {
    of: "The Things Stack: no payload formatter",
    base: "tts",
    topic: UPLINK,
    payload: uplink({ frm_payload: "AQ==", rx_metadata: [{ rssi: -42, snr: 4 }] }),
    refused: ["no_values"],
  },
  {
    of: "ChirpStack: CayenneLPP, heard by two gateways",
    base: "chirpstack",
    topic: "application/8/device/0101010101010101/event/up",
    payload: {
      time: "2026-11-21T10:00:00.335+00:00",
      deviceInfo: { devEui: "0101010101010101" },
      fPort: 1,
      object: { temperatureSensor: { "1": 24.3 }, humiditySensor: { "0": 51.5 }, barometer: { "2": 1003 } },
      rxInfo: [
        { gatewayId: "a", rssi: -103, snr: -4 },
        { gatewayId: "b", rssi: -48, snr: 9 },
      ],
    },
    readings: [{ temperature: 24.3, relativeHumidity: 51.5, pressure: 1003, rssi: -48, snr: 9 }],
    at: AT - 299_665,
  },
  {
    of: "Shelly Gen2: a switch with a meter",
    base: "shelly",
    topic: "shellyplus1pm-a8032abe54dc/status/switch:0",
    payload: {
      id: 0,
      output: true,
      apower: 8.9,
      voltage: 237.5,
      current: 0.064,
      aenergy: { total: 6.532, by_minute: [45.1, 47.1] },
    },
    readings: [{ activePower: 0.0089, voltage: 237.5, current: 0.064, energyImport: 0.006532 }],
  },
  {
    of: "Shelly Gen2: three phases, notified",
    base: "shelly",
    topic: "shellypro3em-a0/events/rpc",
    payload: {
      src: "shellypro3em-a0",
      method: "NotifyStatus",
      params: { ts: 1795255440.62, "em:0": { total_act_power: 100.9, a_voltage: 234.2 } },
    },
    readings: [{ activePower: 0.1009, voltage: 234.2 }],
    at: 1795255440620,
  },
  {
    of: "Shelly Gen1: energy of a relay is in watt minutes",
    base: "shelly-gen1",
    topic: "shellies/shelly1pm-8C/relay/0/energy",
    payload: "60000",
    readings: [{ energyImport: 1 }],
  },
  {
    of: "Shelly Gen1: energy of a meter is in watt hours",
    base: "shelly-gen1",
    topic: "shellies/shellyem-8C/emeter/0/total",
    payload: "1000.5",
    readings: [{ energyImport: 1.0005 }],
  },
  {
    of: "Tasmota: lists of two channels",
    base: "tasmota",
    topic: "tele/tasmota_1/SENSOR",
    payload: {
      Time: "2026-11-21T11:04:00",
      ENERGY: { Total: 1.5, Power: [0, 14], Factor: [0, 0.62], Voltage: [230, 231], Current: [0, 0.097] },
    },
    readings: [{ activePower: 0.014, powerFactor: 0.31, voltage: 230.5, current: 0.097, energyImport: 1.5 }],
  },
  {
    of: "Tasmota: the chip's own temperature is none of the air",
    base: "tasmota",
    topic: "tele/tasmota_2/SENSOR",
    payload: {
      ESP32: { Temperature: 43.9 },
      BME280: { Temperature: 12.5, Humidity: 60 },
      SDS0X1: { "PM2.5": 3.7 },
      TempUnit: "C",
    },
    readings: [{ temperature: 12.5, relativeHumidity: 60, pm25: 3.7, enclosureTemperature: 43.9 }],
  },
  {
    of: "Tasmota: Fahrenheit and inches of mercury",
    base: "tasmota",
    topic: "tele/tasmota_2/SENSOR",
    payload: { BME280: { Temperature: 70.5, Humidity: null, Pressure: 29.9 }, PressureUnit: "inHg", TempUnit: "F" },
    readings: [{ temperature: 21.388889, pressure: 1012.530311 }],
  },
  {
    of: "Zigbee2MQTT: millivolts of a battery, a name with a slash, epoch milliseconds",
    base: "zigbee2mqtt",
    topic: "zigbee2mqtt/school/hall",
    payload: { battery: 100, humidity: 48.07, temperature: 22.43, voltage: 3005, last_seen: 1795255440123 },
    readings: [{ battery: 100, relativeHumidity: 48.07, temperature: 22.43, batteryVoltage: 3.005 }],
    at: 1795255440123,
  },
  {
    of: "Zigbee2MQTT: availability in JSON",
    base: "zigbee2mqtt",
    topic: "zigbee2mqtt/hall/availability",
    payload: { state: "offline" },
    online: false,
  },
  {
    of: "Zigbee2MQTT: availability as a bare word",
    base: "zigbee2mqtt",
    topic: "zigbee2mqtt/hall/availability",
    payload: "online",
    online: true,
  },
  {
    of: "NGSI-v2: keyValues",
    base: "ngsi-v2",
    topic: "in/m",
    payload: notification({
      NO2: 22,
      temperature: 12.2,
      relativeHumidity: 0.54,
      dateObserved: "2026-11-21T10:00:00.00Z",
    }),
    readings: [{ no2: 22, temperature: 12.2, relativeHumidity: 54 }],
    at: AT - 300_000,
  },
  {
    of: "NGSI-LD: concise",
    base: "ngsi-ld",
    topic: "in/m",
    payload: notification({
      no2: { value: 22, unitCode: "GQ", observedAt: "2026-11-21T10:00:00Z" },
      pm25: 7.5,
      refDevice: { object: "urn:x" },
    }),
    readings: [{ no2: 22, pm25: 7.5 }],
    at: AT - 300_000,
  },
  {
    of: "NGSI-LD: several instances of an attribute, names in full",
    base: "ngsi-ld",
    topic: "in/m",
    payload: notification({
      "https://smartdatamodels.org/dataModel.Environment/no2": [
        { type: "Property", value: 22, datasetId: "urn:ngsi-ld:Dataset:raw" },
        { type: "Property", value: 23 },
      ],
    }),
    readings: [{ no2: 23 }],
  },
  {
    of: "SenML: base value, base unit, base time, relative time",
    base: "senml",
    topic: "in/m",
    payload: [
      { bn: "urn:dev:ow:10e2073a01080063:", bt: 1795255440, bu: "Cel", bver: 10, bv: 20, n: "temperature", v: 1.5 },
      { n: "temperature", t: -60, v: 1.2 },
      { n: "humidity", u: "%RH", v: 33 },
    ],
    readings: [{ temperature: 21.5, relativeHumidity: 53 }, { temperature: 21.2 }],
    at: 1795255440000,
  },
  {
    of: "SenML in CBOR: indefinite lengths, half floats",
    base: "senml",
    topic: "in/m",
    // [_ {_ -2: "urn:dev:x:", 0: "temperature", 1: "Cel", 2: 21.5 (half), _}]
    payload: Buffer.from(
      "9fbf216a75726e3a6465763a783a006b74656d70657261747572650163436 56c02f94d60ffff".replace(" ", ""),
      "hex",
    ),
    readings: [{ temperature: 21.5 }],
  },
  {
    of: "line protocol: a quoted line feed, a quote within, seconds",
    base: "line-protocol",
    topic: "in/m?query.precision=s",
    payload: 'air,sensor=a pm25=1,note="two\nlines, a=b \\"q\\"" 1795255440\nair,sensor=b pm25=2i 1795255441\n',
    readings: [{ pm25: 1 }, { pm25: 2 }],
    at: 1795255440000,
  },
  {
    of: "line protocol: escapes, unsigned, CRLF, a backslash at the end of a text",
    base: "line-protocol",
    topic: "in/m",
    payload:
      'air,sensor=a\\ b\\,c,t\\=g=x\\ y pm25=1,no2=3u,s="a\\\\" 1795255440000000000\r\nair,sensor=b pm25=1e1\r\n# c\r\n',
    readings: [{ pm25: 1, no2: 3 }, { pm25: 10 }],
  },
  {
    of: "line protocol: NaN is no number",
    base: "line-protocol",
    topic: "in/m",
    payload: "air,sensor=a pm25=NaN,no2=1",
    refused: ["malformed_reading"],
  },
  {
    of: "line protocol: a clock that was never set",
    base: "line-protocol",
    topic: "in/m?query.precision=s",
    payload: "air,sensor=a pm25=1 5000",
    readings: [{ pm25: 1 }],
    at: AT,
  },
  {
    of: "Sensor.Community: own API, with the node in the body",
    base: "sensor-community",
    topic: "in/m",
    payload: {
      esp8266id: "12345",
      sensordatavalues: [
        { value_type: "SDS_P1", value: "14.35" },
        { value_type: "BME280_pressure", value: "95841.53" },
      ],
    },
    readings: [{ pm10: 14.35, pressure: 958.4153 }],
  },
  {
    of: "AirGradient outdoor: two channels and their mean",
    base: "airgradient",
    topic: "airgradient/readings/x",
    payload: { wifi: -46, serialno: "x", channels: { "1": { pm02: 3 }, "2": { pm02: 5 } }, pm02: 4, rco2: 410 },
    readings: [{ pm25: 4, co2: 410, rssi: -46 }],
  },
  {
    of: "arrays in arrays",
    base: "json\ndevice: x",
    topic: "a/b",
    payload: "[".repeat(30_000),
    refused: ["malformed_json"],
  },
  {
    of: "objects in objects",
    base: "tts",
    topic: UPLINK,
    payload: `${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`,
    refused: ["malformed_reading"],
  },
];

function open({ base, topic, payload }: Row) {
  const kind = /kind":/.test(JSON.stringify(base)) ? "" : "kind: air\n";
  const yaml = `base: ${base}\n${/shelly|tasmota|zigbee/.test(base) ? "" : kind}sensor: "{device}"\ndistrict: north\n`;
  const { mapping, mistakes } = checkMapping(openYaml(yaml, "m.yaml"));
  expect(mistakes).toEqual([]);
  const isBytes = typeof payload === "string" || Buffer.isBuffer(payload);
  const bytes = isBytes ? Buffer.from(payload as string) : Buffer.from(JSON.stringify(payload));
  return tryMapping(compileMapping("m", 1, mapping!), { topic }, bytes, AT);
}

describe("messages of other makers, in the spellings there are", () => {
  it.each(ROWS.map((row) => [row.of, row] as const))("%s", (_, row) => {
    const { readings, refused, statuses } = open(row);
    const near = (values: Values) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(6))]));
    expect(refused.map(({ reason }) => reason)).toEqual(row.refused ?? []);
    expect(readings.map(({ values }) => near(values))).toEqual((row.readings ?? []).map(near));
    if (row.at !== undefined) expect(Date.parse(readings[0]!.measuredAt)).toBe(row.at);
    expect(statuses.map(({ online }) => online)).toEqual(row.online === undefined ? [] : [row.online]);
  });

  it("a line feed in a text is no place to cut", () => {
    const lines = ['air,sensor=a pm25=1,s="x\ny\n" 1795255440000000000', "air,sensor=b pm25=2", 'c s="\\"\n"'];
    const cut = (itemsMax: number) =>
      FORMATS["line-protocol"].cut!(Buffer.from(`${lines.join("\n")}\n`), 200, itemsMax)!.map((one) =>
        Buffer.from(one).toString(),
      );
    expect(cut(1)).toEqual(lines);
    expect(cut(2)).toEqual([lines.slice(0, 2).join("\n"), lines[2]]);
  });

  it("a node of Sparkplug takes its devices along when it dies", () => {
    const yaml = `base: sparkplug-b
district: north
kind: air
sensors:
  - { device: city/edge-1, sensor: edge }
  - { device: city/edge-1/roadside-4, sensor: roadside-4 }
  - { device: city/edge-10/roadside-5, sensor: roadside-5 }
`;
    const { mapping } = checkMapping(openYaml(yaml, "m.yaml"));
    const died = (topic: string) =>
      tryMapping(compileMapping("m", 1, mapping!), { topic }, Buffer.from([]), AT).statuses.map(
        ({ sensorId, online }) => `${sensorId} ${online}`,
      );
    expect(died("spBv1.0/city/NDEATH/edge-1")).toEqual(["edge false", "roadside-4 false"]);
    expect(died("spBv1.0/city/DDEATH/edge-1/roadside-4")).toEqual(["roadside-4 false"]);
  });
});

const EVENTS = join(import.meta.dirname, "../../../shared/open/kit/lorawan/other-events");

describe.skipIf(!existsSync(EVENTS))("what network servers say beside decoded uplinks (the kit's other events)", () => {
  const read = (file: string) => {
    const base = file.startsWith("tts") ? "tts" : "chirpstack";
    const [, event = "up"] = /^chirpstack-([a-z]+)/.exec(file) ?? [];
    const topic = base === "tts" ? UPLINK : `application/1/device/a84041ffff180001/event/${event}`;
    const payload = readFileSync(join(EVENTS, file));
    const { mapping } = checkMapping(
      openYaml(`base: ${base}\nkind: air\ndistrict: north\nsensor: "{device}"\n`, "m.yaml"),
    );
    const at = Date.parse(`${/20\d\d-\d\d-\d\dT\d\d:\d\d/.exec(payload.toString())![0]}:59Z`) + 60_000;
    return tryMapping(compileMapping("m", 1, mapping!), { topic }, payload, at);
  };

  it.each([
    ["chirpstack-status.json", { battery: 74.8 }],
    ["chirpstack-up-duplicate-gateways.json", { pm25: 11.5, rssi: -87, snr: 8 }],
    [
      "tts-zero-left-out.json",
      { pm25: 11.5, temperature: 9.25, relativeHumidity: 71.5, batteryVoltage: 2.9, rssi: -101, snr: 2.5 },
    ],
  ])("%s is one reading", (file, values) => {
    const { readings, refused } = read(file);
    expect([readings.map((one) => one.values), refused]).toEqual([[values], []]);
  });

  it.each([
    ["chirpstack-join.json", [], 1, [true]],
    ["chirpstack-log.json", ["no_values"], 0, []],
    ["tts-join.json", [], 1, []],
    ["tts-location-solved.json", [], 1, []],
    ["tts-simulated.json", ["simulated"], 0, []],
  ])("%s is no reading", (file, reasons, ignored, online) => {
    const tried = read(file);
    expect(tried.readings).toEqual([]);
    expect(tried.refused.map(({ reason }) => reason)).toEqual(reasons);
    expect([tried.ignored, tried.statuses.map((one) => one.online)]).toEqual([ignored, online]);
  });
});
