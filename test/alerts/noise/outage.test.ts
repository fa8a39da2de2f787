import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createAlerts } from "../../../alerts/alerts.ts";
import { createNoise } from "../../../alerts/noise/noise.ts";
import { loadRules } from "../../../alerts/rules/check.ts";
import { SILENT } from "../../../model/log.ts";
import { openRecords, type Records } from "../../../store/records.ts";
import { aReading, MINUTE, T0 } from "../builders.ts";

const RULES = loadRules(join(import.meta.dirname, "../../../alerts/rules"));
const SENSORS = Array.from({ length: 12 }, (_, n) => `s-${n}`);
const INTERVAL_MS = 5 * MINUTE;

let records: Records;
let now = T0;
let seq = 0;
let city: ReturnType<typeof aCity>;
beforeEach(() => {
  now = T0;
  seq = 0;
  records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  for (const id of SENSORS) {
    const sensor = { id, kind: "air", district: "north", gateway: "gw-1", intervalS: 300, tags: {} } as const;
    records.sensors.add({ ...sensor, createdAt: T0 });
  }
  city = aCity();
});
afterEach(() => records.close());

/** The default rules, from readings to what is told. */
function aCity() {
  const told: string[] = [];
  const noise = createNoise({
    records,
    rules: () => RULES,
    sensor: records.sensors.get,
    now: () => now,
    enqueue: ({ what, alert }) =>
      void told.push(`${what} ${alert.rule.id} ${alert.subject.sensorId ?? alert.subject.gateway}`),
    log: SILENT,
  });
  const alerts = createAlerts({ rules: RULES, records, first: 1, now: () => now, log: SILENT, apply: noise.apply });

  /** The sensors report in turn, each every five minutes, for so long; those that are not named say nothing. */
  function pass(ms: number, reporting: readonly string[]): void {
    for (const end = now + ms; now < end; now += 5_000) {
      for (const [n, sensorId] of SENSORS.entries()) {
        if ((now - T0) % INTERVAL_MS !== n * 25_000 || !reporting.includes(sensorId)) continue;
        seq += 1;
        const temperature = 15 + (seq % 7) / 10;
        const reading = aReading(now, { temperature }, { sensorId, receivedAt: now, journalSeq: seq });
        alerts.take({ from: seq, to: seq + 1, readings: [reading], rejections: [] });
      }
      alerts.tick();
      noise.tick();
    }
  }
  return { pass, told };
}

it("an outage of a gateway is one alert with one end, although its sensors report one after the other", () => {
  city.pass(60 * MINUTE, SENSORS);
  city.pass(60 * MINUTE, []);
  expect(city.told).toEqual(["firing gateway-outage gw-1"]);
  const silent = records.alerts.list({ rule: "sensor-silent", state: ["firing"] }, 100).items;
  expect(silent.map(({ suppressedBy }) => suppressedBy)).toEqual(SENSORS.map(() => "rule:gateway-outage"));
  city.pass(30 * MINUTE, SENSORS);
  expect(city.told).toEqual(["firing gateway-outage gw-1", "resolved gateway-outage gw-1"]);
});

it("a sensor that stays silent after the outage is told of itself, and so is one that falls silent alone", () => {
  city.pass(60 * MINUTE, SENSORS);
  city.pass(60 * MINUTE, []);
  city.pass(30 * MINUTE, SENSORS.slice(1));
  city.pass(60 * MINUTE, SENSORS.slice(1, -1));
  expect(city.told).toEqual([
    "firing gateway-outage gw-1",
    "resolved gateway-outage gw-1",
    "firing sensor-silent s-0",
    "firing sensor-silent s-11",
  ]);
});
