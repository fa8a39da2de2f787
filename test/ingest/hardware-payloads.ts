import type { Kind } from "../../model/kinds.ts";
import type { Reason } from "../../model/rejection.ts";

/** What must become of each value of a message, in the notation of `../shared/cases/payloads.json`. */
export type Expected = {
  readonly stored: Readonly<Record<string, number>>;
  readonly suspect?: readonly string[];
  readonly missing?: readonly string[];
  /** `*`: the whole message. */
  readonly refused?: Readonly<Record<string, Reason>>;
  readonly ignored?: readonly string[];
  /** `receipt` without one of its own; `clock` where it was never set; undefined is not looked at. */
  readonly time?: string;
};
type HardwareRow = readonly [Kind, string, unknown, Expected, Readonly<Record<string, string>>?];

/** No value at all, each beside a good one. */
function standInsOutside(kind: Kind, metric: string, values: readonly unknown[]): HardwareRow[] {
  const expected: Expected = { stored: { battery: 80 }, missing: [metric] };
  return values.map((value) => [kind, `${metric} is ${value}`, { [metric]: value, battery: 80 }, expected]);
}

/** Kept, and never good. */
function standInsWithin(kind: Kind, pairs: readonly (readonly [string, number])[]): HardwareRow[] {
  return pairs.map(([metric, value]) => {
    const values = { [metric]: value };
    return [kind, `${metric} is ${value}`, values, { stored: values, suspect: [metric] }];
  });
}

/**
 * Messages as common hardware, firmware and gateways write them, received at 2026-11-30T12:00:00Z. Kind, what it is,
 * payload (a string as it is, anything else as JSON), what becomes of it, tags of the sensor.
 */
export const HARDWARE: readonly HardwareRow[] = [
  // Particle counters and gas cells
  [
    "air",
    "numbers as texts: dtostrf, SDI-12, printf with zeros, a bare point",
    {
      temperature: "  21.50",
      pressure: "+1013.2",
      relativeHumidity: "047.5",
      no2: ".5",
      pm10: "5.",
      pm25: "-1.2E+0\r\n",
    },
    {
      stored: { temperature: 21.5, pressure: 1013.2, relativeHumidity: 47.5, no2: 0.5, pm10: 5, pm25: -1.2 },
      suspect: ["pm25"],
    },
  ],
  ...standInsOutside("air", "temperature", [-3276.7, -32_767, -327.67, 163.835, 163.83500671386719]),
  ["air", "SDS011", { pm25: 7.3, pm10: 15.1 }, { stored: { pm25: 7.3, pm10: 15.1 }, time: "receipt" }],
  [
    "air",
    "SDS011 saturated",
    { pm25: 999.9, pm10: 999.9 },
    { stored: { pm25: 999.9, pm10: 999.9 }, suspect: ["pm25", "pm10"] },
  ],
  [
    "air",
    "PMS5003 by Tasmota",
    { pm1: 3, pm25: 5, pm10: 6, PB0_3: 600 },
    { stored: { pm1: 3, pm25: 5, pm10: 6 }, ignored: ["PB0_3"] },
  ],
  [
    "air",
    "fan stopped, -1",
    { pm25: -1, pm10: -1, temperature: 9 },
    { stored: { pm25: -1, pm10: -1, temperature: 9 }, suspect: ["pm25", "pm10"] },
  ],
  ["air", "uint16 hundredths", { pm25: 655.35, no2: 20 }, { stored: { pm25: 655.35, no2: 20 }, suspect: ["pm25"] }],
  ["air", "analyser in calibration", { no2: -999, o3: 61 }, { stored: { o3: 61 }, missing: ["no2"] }],
  ["air", "network's -9999", { no2: -9999, so2: -9999, co: 0.3 }, { stored: { co: 0.3 }, missing: ["no2", "so2"] }],
  ["air", "AirQuality UCI, -200", { co: 2.6, no2: -200 }, { stored: { co: 2.6 }, missing: ["no2"] }],
  [
    "air",
    "ozone lamp broken",
    { pm25: 200, pm10: 230, o3: 1071 },
    { stored: { pm25: 200, pm10: 230 }, refused: { o3: "out_of_range" } },
  ],
  ["air", "CO in µg/m³", { co: 400, no2: 12 }, { stored: { no2: 12 }, refused: { co: "out_of_range" } }],
  [
    "air",
    "SCD30 before its first sample",
    { co2: 0, temperature: 0, relativeHumidity: 0 },
    { stored: { temperature: 0, relativeHumidity: 0 }, suspect: ["relativeHumidity"], missing: ["co2"] },
  ],
  ["air", "CO2 with a checksum fault", { co2: 65_535, pm25: 4 }, { stored: { pm25: 4 }, missing: ["co2"] }],
  [
    "air",
    "stack of an all-in-one",
    { no: 4, nox: 31, benzene: 0.6, windSpeed: 3.1, windDirection: 270, rain: 0.2 },
    { stored: { no: 4, nox: 31, benzene: 0.6, windSpeed: 3.1, windDirection: 270, rain: 0.2 } },
  ],
  [
    "air",
    "wind vane stuck at its end",
    { windDirection: 65_535, windSpeed: 2 },
    { stored: { windSpeed: 2 }, missing: ["windDirection"] },
  ],
  [
    "air",
    "wind in nines",
    { windDirection: 999, windSpeed: 999.9, rain: 0 },
    { stored: { rain: 0 }, missing: ["windDirection", "windSpeed"] },
  ],
  ...standInsOutside("air", "temperature", [
    ...[-99.9, -999.9, -9999.9, 999.9, 9999.9, 99_999.9, -777, -888, -8888, -9999],
    ...[3.4028235e38, -3.4028235e38, 9.96921e36, 1e20, Number.MAX_VALUE],
    // As a float of 32 bits is printed by one who has 64.
    ...[655.3499755859375, 327.6700134277344, -999.9000244140625],
    ...["-nan", "nan(ind)", "-nan(ind)", "NaN", "1.#QNAN", "-1.#IND", "1.#INF00", "+Inf", "Infinity", "-Infinity"],
    ...["undefined", "---", "???", "n.a.", "error", "#N/A", "#DIV/0!", "####", " N/A ", "No data", "k.A."],
  ]),
  [
    "air",
    "nines that a value could be",
    { temperature: 9.9, relativeHumidity: 99.9, pressure: 999.9, no2: 99.99 },
    { stored: { temperature: 9.9, relativeHumidity: 99.9, pressure: 999.9, no2: 99.99 } },
  ],
  [
    "air",
    "Fahrenheit that looks like nines",
    { temperature: 99.9, noise: 55 },
    { stored: { noise: 55 }, refused: { temperature: "out_of_range" } },
  ],
  [
    "air",
    "what is left of a float, and bytes that were none",
    { pm25: 1e-40, no2: -4.9e-324, noise: 55 },
    { stored: { pm25: 0, no2: 0, noise: 55 } },
  ],
  ["air", "bare NaN of Python's json.dumps", '{"pm25":NaN}', { stored: {}, refused: { "*": "malformed_json" } }],
  // Temperature and humidity
  [
    "air",
    "DHT22 not answering",
    '{"temperature":null,"relativeHumidity":null,"pm25":8}',
    { stored: { pm25: 8 }, missing: ["temperature", "relativeHumidity"] },
  ],
  [
    "air",
    "DHT22, Arduino text",
    { temperature: "nan", relativeHumidity: "NaN", pm25: 8 },
    { stored: { pm25: 8 }, missing: ["temperature", "relativeHumidity"] },
  ],
  ["air", "DS18B20 not found", { temperature: -127.0, noise: 55 }, { stored: { noise: 55 }, missing: ["temperature"] }],
  [
    "air",
    "DS18B20 after power-up, as air",
    { temperature: 85, noise: 55 },
    { stored: { noise: 55 }, missing: ["temperature"] },
  ],
  ["air", "int16 tenths", { temperature: 3276.7, noise: 55 }, { stored: { noise: 55 }, missing: ["temperature"] }],
  [
    "air",
    "int16 hundredths, low end",
    { temperature: -327.68, noise: 55 },
    { stored: { noise: 55 }, missing: ["temperature"] },
  ],
  [
    "air",
    "int8",
    { temperature: 127, relativeHumidity: 255, noise: 55 },
    { stored: { noise: 55 }, missing: ["temperature", "relativeHumidity"] },
  ],
  ["air", "absolute zero", { temperature: -273.15, noise: 55 }, { stored: { noise: 55 }, missing: ["temperature"] }],
  [
    "air",
    "Siberian winter",
    { temperature: -58.2, noise: 40 },
    { stored: { temperature: -58.2, noise: 40 }, suspect: ["temperature"] },
  ],
  [
    "air",
    "Fahrenheit",
    { temperature: 77.4, noise: 55 },
    { stored: { noise: 55 }, refused: { temperature: "out_of_range" } },
  ],
  [
    "air",
    "humidity of 104",
    { relativeHumidity: 104.2, temperature: 3 },
    { stored: { relativeHumidity: 100, temperature: 3 }, suspect: ["relativeHumidity"] },
  ],
  [
    "air",
    "humidity in tenths",
    { relativeHumidity: 553, temperature: 3 },
    { stored: { temperature: 3 }, refused: { relativeHumidity: "out_of_range" } },
  ],
  [
    "air",
    "a sensor's own stand-in",
    { temperature: -55, noise: 40 },
    { stored: { noise: 40 }, missing: ["temperature"] },
    { standIns: "temperature=-55, 0; noise=20" },
  ],
  // Pressure by place
  [
    "air",
    "BMP280 not answering",
    { pressure: 0, temperature: 3 },
    { stored: { temperature: 3 }, missing: ["pressure"] },
  ],
  [
    "air",
    "kilopascal",
    { pressure: 101.3, temperature: 3 },
    { stored: { temperature: 3 }, refused: { pressure: "out_of_range" } },
  ],
  [
    "air",
    "770 hPa at 2,240 m",
    { pressure: 770, temperature: 20 },
    { stored: { pressure: 770, temperature: 20 } },
    { altitude: "2240" },
  ],
  [
    "air",
    "1013 hPa at 2,240 m: reduced to the sea",
    { pressure: 1013, temperature: 20 },
    { stored: { pressure: 1013, temperature: 20 }, suspect: ["pressure"] },
    { altitude: "2240" },
  ],
  [
    "air",
    "770 hPa at the sea",
    { pressure: 770, temperature: 20 },
    { stored: { pressure: 770, temperature: 20 }, suspect: ["pressure"] },
    { altitude: "12" },
  ],
  // Device health
  [
    "air",
    "LoRaWAN battery on mains",
    { battery: 0, pm25: 8 },
    { stored: { battery: 0, pm25: 8 }, suspect: ["battery"] },
  ],
  ["air", "LoRaWAN battery full", { battery: 254, pm25: 8 }, { stored: { pm25: 8 }, missing: ["battery"] }],
  ["air", "LoRaWAN battery not known", { battery: 255, pm25: 8 }, { stored: { pm25: 8 }, missing: ["battery"] }],
  [
    "air",
    "millivolts",
    { batteryVoltage: 3312, pm25: 8 },
    { stored: { pm25: 8 }, refused: { batteryVoltage: "out_of_range" } },
  ],
  [
    "air",
    "uint16 millivolts",
    { batteryVoltage: 65.535, pm25: 8 },
    { stored: { pm25: 8 }, missing: ["batteryVoltage"] },
  ],
  ["air", "+CSQ not known", { rssi: 99, pm25: 8 }, { stored: { pm25: 8 }, missing: ["rssi"] }],
  [
    "air",
    "signal not measured",
    { rssi: 0, snr: 9.5, pm25: 8 },
    { stored: { rssi: 0, snr: 9.5, pm25: 8 }, suspect: ["rssi"] },
  ],
  ["air", "uptime as text", { uptime: "86399", pm25: 8 }, { stored: { uptime: 86_399, pm25: 8 } }],
  [
    "air",
    "enclosure 85 °C once",
    { enclosureTemperature: 85, pm25: 8 },
    { stored: { enclosureTemperature: 85, pm25: 8 }, suspect: ["enclosureTemperature"] },
  ],
  [
    "air",
    "enclosure probe gone",
    { enclosureTemperature: -127, pm25: 8 },
    { stored: { pm25: 8 }, missing: ["enclosureTemperature"] },
  ],
  // How gateways write
  [
    "air",
    "Home Assistant states",
    { pm25: "12.4", temperature: "unavailable", noise: "unknown" },
    { stored: { pm25: 12.4 }, missing: ["temperature", "noise"] },
  ],
  [
    "air",
    "a spreadsheet's n/a",
    { pm25: "12.4", no2: "N/A", o3: "", so2: "-" },
    { stored: { pm25: 12.4 }, missing: ["no2", "o3", "so2"] },
  ],
  ["air", "decimal comma", { pm25: "12,4", pm10: 20 }, { stored: { pm10: 20 }, refused: { pm25: "wrong_type" } }],
  [
    "air",
    "with its unit",
    { temperature: "21.5 C", pm10: 20 },
    { stored: { pm10: 20 }, refused: { temperature: "wrong_type" } },
  ],
  [
    "air",
    "NGSI-like object",
    { pm25: { value: 12.4, unitCode: "GQ" }, pm10: 20 },
    { stored: { pm10: 20 }, refused: { pm25: "wrong_type" } },
  ],
  [
    "air",
    "a list of samples",
    { pm25: [12.4, 12.5], pm10: 20 },
    { stored: { pm10: 20 }, refused: { pm25: "wrong_type" } },
  ],
  ["air", "scientific notation", '{"pm25":1.24e1,"pm10":"2.0E+1"}', { stored: { pm25: 12.4, pm10: 20 } }],
  [
    "air",
    "other names",
    { humidity: 40, temp: 20, "PM2.5": 3, no2: 4 },
    { stored: { no2: 4 }, ignored: ["humidity", "temp", "PM2.5"] },
  ],
  [
    "air",
    "only other names",
    { humidity: 40, temp: 20 },
    { stored: {}, ignored: ["humidity", "temp"], refused: { "*": "no_values" } },
  ],
  [
    "air",
    "with its address",
    { sensorId: "air-1", firmware: "1.2", uptime_ms: 5, pm25: 3 },
    { stored: { pm25: 3 }, ignored: ["sensorId", "firmware", "uptime_ms"] },
  ],
  [
    "air",
    "with a position",
    { location: { lat: 48.2, lon: 16.3 }, pm25: 3 },
    { stored: { pm25: 3 }, ignored: ["location"] },
  ],
  [
    "air",
    "with a radio address",
    { mac: "a4:cf:12:00:00:01", pm25: 3 },
    { stored: {}, refused: { "*": "personal_data" } },
  ],
  [
    "air",
    "with a radio address inside",
    { wifi: { bssid: "a4:cf:12:00:00:01" }, pm25: 3 },
    { stored: {}, refused: { "*": "personal_data" } },
  ],
  ["air", "counter as text", { seq: "17", pm25: 3 }, { stored: { pm25: 3 } }],
  ["air", "bare nan of a C printf", '{"pm25":nan}', { stored: {}, refused: { "*": "malformed_json" } }],
  // Clocks
  [
    "air",
    "ISO with micros and +00:00",
    { measuredAt: "2026-11-30T11:59:58.123456+00:00", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.123Z" },
  ],
  [
    "air",
    "Python's str()",
    { measuredAt: "2026-11-30 12:59:58+01:00", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.000Z" },
  ],
  [
    "air",
    "Go's or Postgres' UTC",
    { measuredAt: "2026-11-30 11:59:58 UTC", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.000Z" },
  ],
  [
    "air",
    "offset after a blank",
    { measuredAt: "2026-11-30 12:59:58 +0100", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.000Z" },
  ],
  [
    "air",
    "comma",
    { measuredAt: "2026-11-30t11:59:58,5z", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.500Z" },
  ],
  ["air", "seconds", { measuredAt: 1_796_039_998, pm25: 1 }, { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.000Z" }],
  [
    "air",
    "milliseconds as text",
    { measuredAt: "1796039998250", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.250Z" },
  ],
  [
    "air",
    "microseconds",
    { measuredAt: 1_796_039_998_250_999, pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.250Z" },
  ],
  [
    "air",
    "nanoseconds as text",
    { measuredAt: "1796039998250999999", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.250Z" },
  ],
  ["air", "NTP never came: seconds since boot", { measuredAt: 372, pm25: 1 }, { stored: { pm25: 1 }, time: "clock" }],
  [
    "air",
    "1970 in a zone",
    { measuredAt: "1970-01-01T00:05:00+01:00", pm25: 1 },
    { stored: { pm25: 1 }, time: "clock" },
  ],
  ["air", "modem's 1980", { measuredAt: "1980-01-06T00:12:41Z", pm25: 1 }, { stored: { pm25: 1 }, time: "clock" }],
  [
    "air",
    "DS3231 after its battery",
    { measuredAt: "2000-01-01T03:12:41Z", pm25: 1 },
    { stored: { pm25: 1 }, time: "clock" },
  ],
  ["air", ".NET's first day", { measuredAt: "0001-01-01T00:00:00Z", pm25: 1 }, { stored: { pm25: 1 }, time: "clock" }],
  [
    "air",
    "1970 without a zone",
    { measuredAt: "1970-01-01T00:00:00", pm25: 1 },
    { stored: { pm25: 1 }, time: "clock" },
  ],
  [
    "air",
    "a zeroed clock chip",
    { measuredAt: "2000-00-00T00:00:00Z", pm25: 1 },
    { stored: { pm25: 1 }, time: "clock" },
  ],
  ["air", "NTP's era of 2036", { measuredAt: "2036-02-07T06:28:16Z", pm25: 1 }, { stored: { pm25: 1 }, time: "clock" }],
  ["air", "no time, as text", { measuredAt: "null", pm25: 1 }, { stored: { pm25: 1 }, time: "receipt" }],
  [
    "air",
    "ISO 8601 basic",
    { measuredAt: "20261130T115958Z", pm25: 1 },
    { stored: { pm25: 1 }, time: "2026-11-30T11:59:58.000Z" },
  ],
  [
    "air",
    "history on the live topic",
    { measuredAt: "2013-03-01T00:00:00Z", pm25: 1 },
    { stored: {}, refused: { "*": "too_late" } },
  ],
  [
    "air",
    "GPS week number began anew",
    { measuredAt: "2007-04-16T12:00:00Z", pm25: 1 },
    { stored: {}, refused: { "*": "too_late" } },
  ],
  [
    "air",
    "local time",
    { measuredAt: "2026-11-30 12:59:58", pm25: 1 },
    { stored: {}, refused: { "*": "bad_timestamp" } },
  ],
  // Meters and lamps
  [
    "energy",
    "Modbus not there, uint16",
    { activePower: 65_535, voltage: 65_535, current: 12 },
    { stored: { current: 12 }, missing: ["activePower", "voltage"] },
  ],
  [
    "energy",
    "Modbus not there, int16",
    { activePower: -32_768, voltage: 231, current: -32_768 },
    { stored: { voltage: 231 }, missing: ["activePower", "current"] },
  ],
  [
    "energy",
    "Modbus not there, tenths",
    { voltage: 6553.5, current: 6553.5, activePower: 4 },
    { stored: { current: 6553.5, activePower: 4 }, suspect: ["current"], missing: ["voltage"] },
  ],
  [
    "energy",
    "register of uint32 Wh",
    { energyImport: 4_294_967.295, voltage: 231 },
    { stored: { voltage: 231 }, missing: ["energyImport"] },
  ],
  [
    "energy",
    "between phases, said so",
    { voltage: 397.1, activePower: 20 },
    { stored: { voltage: 397.1, activePower: 20 } },
    { nominalVoltage: "400" },
  ],
  [
    "energy",
    "10 kV feeder, said so",
    { voltage: 10_300, activePower: 2000 },
    { stored: { voltage: 10_300, activePower: 2000 } },
    { nominalVoltage: "10000" },
  ],
  [
    "energy",
    "60 Hz, said so",
    { frequency: 60.01, voltage: 121 },
    { stored: { frequency: 60.01, voltage: 121 } },
    { nominalFrequency: "60", nominalVoltage: "120" },
  ],
  [
    "energy",
    "50 Hz on a 60 Hz grid",
    { frequency: 50, voltage: 121 },
    { stored: { frequency: 50, voltage: 121 }, suspect: ["frequency"] },
    { nominalFrequency: "60", nominalVoltage: "120" },
  ],
  [
    "energy",
    "power factor in percent",
    { powerFactor: 97, voltage: 231 },
    { stored: { voltage: 231 }, refused: { powerFactor: "out_of_range" } },
  ],
  [
    "energy",
    "millihertz",
    { frequency: 49_980, voltage: 231 },
    { stored: { voltage: 231 }, refused: { frequency: "out_of_range" } },
  ],
  [
    "energy",
    "street lamp",
    { lampState: true, dimLevel: 60, activePower: 0.07 },
    { stored: { lampState: 1, dimLevel: 60, activePower: 0.07 } },
  ],
  [
    "energy",
    "street lamp in words",
    { lampState: "OFF", dimLevel: 0, activePower: "0.0" },
    { stored: { lampState: 0, dimLevel: 0, activePower: 0 } },
  ],
  [
    "energy",
    "lamp with a foreign word",
    { lampState: "dimmed", dimLevel: 60 },
    { stored: { dimLevel: 60 }, refused: { lampState: "wrong_type" } },
  ],
  ["energy", "lamp, true as text", { lampState: "true", dimLevel: 60 }, { stored: { lampState: 1, dimLevel: 60 } }],
  ...standInsOutside("energy", "current", [
    ...[-2_147_483.648, 2 ** 64, 2 ** 63, -(2 ** 63)],
    ...["18446744073709551615", "-9223372036854775808", "9223372036854775807", 16_777_215],
  ]),
  ...standInsOutside("energy", "powerFactor", [1.27, -1.28, 2.55]),
  [
    "energy",
    "grid off",
    { frequency: 0, voltage: 230 },
    { stored: { frequency: 0, voltage: 230 }, suspect: ["frequency"] },
  ],
  [
    "energy",
    "16 bits in thousandths",
    { activePower: 65.535, reactivePower: 32.767, current: 65.535, voltage: 231 },
    {
      stored: { activePower: 65.535, reactivePower: 32.767, current: 65.535, voltage: 231 },
      suspect: ["activePower", "reactivePower", "current"],
    },
  ],
  // Traffic
  ...standInsWithin("traffic", [
    ["flow", 9999],
    ["headway", 999],
    ["headway", 65.535],
    ["travelTime", 9999],
    ["queueLength", 9999],
    ["carCount", 999],
    ["busCount", 255],
    ["lorryCount", 999],
    ["pedestrianCount", 9999],
    ["pedestrianCount", 32_767],
  ]),
  [
    "traffic",
    "a busy hour that meets the ends of 8 bits",
    { carCount: 255, bicycleCount: 255, pedestrianCount: 999, flow: 999, speed: 127 },
    { stored: { carCount: 255, bicycleCount: 255, pedestrianCount: 999, flow: 999, speed: 127 } },
  ],
  ...standInsOutside("traffic", "carCount", [9999, 65_535, 32_767, 4_294_967_295]),
  [
    "traffic",
    "no vehicle in the interval",
    { flow: 0, speed: 255, occupancy: 0 },
    { stored: { flow: 0, occupancy: 0 }, missing: ["speed"] },
  ],
  [
    "traffic",
    "loop without an answer",
    { flow: -1, speed: -1, occupancy: -1, battery: 80 },
    { stored: { battery: 80 }, missing: ["flow", "speed", "occupancy"] },
  ],
  ["traffic", "counter overflow", { carCount: 65_535, flow: 480 }, { stored: { flow: 480 }, missing: ["carCount"] }],
  [
    "traffic",
    "camera with plates",
    { flow: 10, plates: ["AB-123"] },
    { stored: {}, refused: { "*": "personal_data" } },
  ],
  [
    "traffic",
    "camera's other classes",
    { carCount: 10, dogCount: 1, trackIds: [7, 8] },
    { stored: { carCount: 10 }, ignored: ["dogCount", "trackIds"] },
  ],
];
