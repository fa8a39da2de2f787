import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkReading, explainUnknownKey } from "../../ingest/check-reading.ts";
import { decodeMessage } from "../../ingest/decode.ts";
import type { Kind } from "../../model/kinds.ts";
import { isMetricName, metricRowOf } from "../../model/metrics.ts";
import { createSites } from "../../model/site.ts";
import { HOME } from "../helpers/city.ts";
import { type Expected, HARDWARE } from "./hardware-payloads.ts";
import { aMessage, aSensor, CITY } from "./helpers.ts";

const NOW = Date.UTC(2026, 10, 30, 12);
const site = createSites();

/** What became of each value, as the tables say it. */
function outcome(kind: Kind, payload: unknown, tags: Readonly<Record<string, string>> = {}, receivedAt = NOW) {
  const sensor = aSensor({ id: "one", kind, tags });
  const message = aMessage(payload, { receivedAt, topic: `city/north/${kind}/one` });
  const { readings, rejections, values } = decodeMessage(message, { ...CITY, sensor: () => sensor, site });
  const reading = readings[0];
  const refused = Object.fromEntries(rejections.map(({ metric, reason }) => [metric ?? "*", reason]));
  const sent = keysOf(payload).filter((name) => metricRowOf(kind, name));
  const told = new Set([...Object.keys(reading?.values ?? {}), ...Object.keys(refused)]);
  const time = !reading ? null : reading.clock ? "clock" : new Date(reading.measuredAt).toISOString();
  return {
    stored: reading?.values ?? {},
    suspect: Object.keys(reading?.quality ?? {}),
    missing: reading ? sent.filter((name) => !told.has(name)) : [],
    refused,
    ignored: [...(values?.unknown?.keys() ?? [])],
    time: time === new Date(receivedAt).toISOString() ? "receipt" : time,
    missingCount: values?.missing ?? 0,
    detail: rejections.map(({ detail }) => detail).join(" "),
  };
}

function keysOf(payload: unknown): readonly string[] {
  try {
    return Object.keys(typeof payload === "string" ? JSON.parse(payload) : (payload as object));
  } catch {
    return [];
  }
}

function check(found: ReturnType<typeof outcome>, expected: Expected): void {
  const { stored, suspect = [], missing = [], refused = {}, ignored = [] } = expected;
  expect(found.stored).toEqual(stored);
  expect([...found.suspect].sort()).toEqual([...suspect].sort());
  expect([...found.missing].sort()).toEqual([...missing].sort());
  expect(found.refused).toEqual(refused);
  expect([...found.ignored].sort()).toEqual([...ignored].sort());
  if (Object.keys(stored).length > 0) expect(found.missingCount).toBe(missing.length);
}

describe("payloads of common hardware", () => {
  it("are many", () => expect(HARDWARE.length).toBeGreaterThanOrEqual(75));

  it.each(HARDWARE.map(([kind, what, payload, expected, tags]) => ({ kind, what, payload, expected, tags })))(
    "$kind: $what",
    ({ kind, payload, expected, tags }) => {
      const found = outcome(kind, payload, tags);
      check(found, expected);
      if (expected.time) expect(found.time).toBe(expected.time);
    },
  );

  it("are told with what they look like", () => {
    const detail = (kind: Kind, payload: object) => outcome(kind, payload).detail;
    expect(detail("energy", { powerFactor: 97, voltage: 231 })).toContain("looks like percent");
    expect(detail("energy", { frequency: 49_980, voltage: 231 })).toContain("looks like millihertz");
    expect(detail("energy", { oilTemperature: 850, voltage: 231 })).toContain("looks like tenths of a degree");
    expect(detail("air", { temperature: 2150, no2: 1 })).toContain("looks like hundredths of a degree");
    for (const none of [{ temperature: -99.4 }, { temperature: -95 }, { relativeHumidity: 105.2 }])
      expect(detail("air", { ...none, no2: 1 })).not.toContain("looks like");
    expect(detail("energy", { lampState: 2, voltage: 231 })).not.toContain("looks like");
    expect(detail("air", { co: 400, no2: 1 })).toContain("looks like µg/m³");
    expect(detail("air", { measuredAt: "2007-04-16T12:00:00Z", no2: 1 })).toContain("GPS");
    expect(detail("air", { humidity: 40 })).toContain('did you mean "relativeHumidity"?');
  });
});

// ---- the cases that the service once failed ------------------------------------------------------------------------

type Case = {
  readonly kind: Kind;
  readonly what: string;
  readonly payload: string;
  readonly expect: Omit<Expected, "time"> & { readonly time: string | null };
};

const CASES = join(HOME, "../shared/cases/payloads.json");
const cases: readonly Case[] = existsSync(CASES) ? JSON.parse(readFileSync(CASES, "utf8")).cases : [];
if (cases.length === 0) process.stderr.write("../shared/cases/payloads.json is not here: its payloads are not read\n");

describe.runIf(cases.length > 0)("the payloads of the cases", () => {
  it.each(cases.map((one) => [one.kind, one.what, one] as const))(
    "%s: %s",
    (kind, _, { payload, expect: expected }) => {
      // Within the seven days of the moment it tells, where that is a real one.
      const named = /^2026/.test(expected.time ?? "") ? Date.parse(expected.time!) + 60_000 : NOW;
      const { time: _time, ...values } = expected;
      const found = outcome(kind, payload, {}, named);
      check(found, values);
      expect(found.time === "clock" ? "receipt" : found.time).toBe(expected.time);
    },
  );
});

it("every metric of the tables is one", () => {
  for (const [kind, , , { stored }] of HARDWARE) {
    for (const name of Object.keys(stored)) expect(isMetricName(name) && metricRowOf(kind, name)).toBeTruthy();
  }
});

it.each([
  ["air", "pm02", /did you mean "pm25"\?/],
  ["air", "pm2_5_atm", /did you mean "pm25"\?/],
  ["air", "Temperature", /did you mean "temperature"\?/],
  ["air", "BatV", /did you mean "batteryVoltage"\?/],
  ["energy", "pf", /did you mean "powerFactor"\?/],
  ["air", "timestamp", /the time of a reading is "measuredAt"/],
  ["air", "ts", /the time of a reading is "measuredAt"/],
  ["air", "values", /metrics stand in the reading itself/],
  ["air", "tvoc", /^"tvoc" is not a metric of air sensors\.$/],
] as const)("a field of %s that is called %s is told with what was meant", (kind, key, told) => {
  expect(explainUnknownKey(key, kind)).toMatch(told);
});

it("a message of which nothing is known names the field that was nearly one, and a unit behind a number", () => {
  const at = { district: "d", kind: "air", sensorId: "s" } as const;
  const of = (value: object) => (checkReading(at, value, NOW) as { detail: string }).detail;
  expect(of({ time_utc: 1, Foo: 2, CO2: 640 })).toMatch(/"CO2" is not a metric of air sensors; did you mean "co2"\?/);
  expect(of({ pm25: "12.4 ug/m3" })).toMatch(/send the number alone, without its unit/);
});
