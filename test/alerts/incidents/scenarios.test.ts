import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createAlerts } from "../../../alerts/alerts.ts";
import { createNoise } from "../../../alerts/noise/noise.ts";
import { loadRules } from "../../../alerts/rules/check.ts";
import type { Alert } from "../../../model/alert.ts";
import { SILENT } from "../../../model/log.ts";
import type { Reading } from "../../../model/reading.ts";
import { createCity, type Scenario } from "../../../simulators/city.ts";
import { SCENARIOS } from "../../../simulators/scenarios.ts";
import { openRecords } from "../../../store/records.ts";
import { MINUTE, T0 } from "../builders.ts";

const RULES = loadRules(join(import.meta.dirname, "../../../alerts/rules"));
/** Noon of a Saturday in the city's zone: no rush hour. */
const START = T0 + 11 * 60 * MINUTE;

/** The simulated city as the service hears it: one reading a minute of each sensor of these districts. */
function play(scenario: Scenario, districts: readonly string[], fromMin: number, toMin: number) {
  const city = createCity({ seed: 1, scenario, startedAt: START });
  let now = START + fromMin * MINUTE;
  const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  const sensors = city.sensors.filter(({ district }) => districts.includes(district));
  for (const { role: _, ...sensor } of sensors) records.sensors.add({ ...sensor, createdAt: now });
  const told: string[] = [];
  const noise = createNoise({
    records,
    rules: () => RULES,
    sensor: records.sensors.get,
    now: () => now,
    // One target that hears everything: it knows what it has heard of.
    enqueue({ what, alert }, besides) {
      if (what === "firing" && besides.length > 0) return false;
      told.push(`${what} ${alert.rule.id} ${alert.subject.sensorId ?? alert.subject.gateway}`);
      return true;
    },
    log: SILENT,
  });
  const alerts = createAlerts({ rules: RULES, records, first: 1, now: () => now, log: SILENT, apply: noise.apply });
  for (let seq = 1; now < START + toMin * MINUTE; now += MINUTE) {
    const readings = sensors.flatMap((sensor): Reading[] => {
      const values = city.measure(sensor, now);
      const { id: sensorId, kind, district } = sensor;
      return values
        ? [{ sensorId, kind, district, measuredAt: now, receivedAt: now + 200, values, journalSeq: seq }]
        : [];
    });
    alerts.take({ from: seq, to: seq + 1, readings, rejections: [] });
    seq += 1;
    alerts.tick();
    noise.tick();
  }
  const all = records.alerts.list({ state: ["firing", "resolved"] }, 1_000).items;
  const incidents = records.incidents.list({}, 100).items;
  records.close();
  return { all, incidents, told };
}

const ofSensors = (all: readonly Alert[], prefix: string) =>
  all.filter(({ subject }) => subject.sensorId?.startsWith(prefix));
const incidentsOf = (all: readonly Alert[]) => new Set(all.map(({ incident }) => incident));

describe("in the simulated city", () => {
  it("a hot transformer is one incident", () => {
    const { all, incidents, told } = play(SCENARIOS["ordinary-day"], ["southgate"], -150, 100);
    const hot = ofSensors(all, "transformer-southgate");
    console.log(hot.map(({ rule, severity }) => `${rule.id} ${severity}`).join(", "), told.join(", "));
    // What measures the same is one alert, whose severity rises and falls.
    const [load, ...others] = hot.filter(({ rule }) => rule.id === "transformer-load");
    expect(others).toEqual([]);
    expect(load!.timeline.map(({ what }) => what)).toEqual(expect.arrayContaining(["firing", "raised", "lowered"]));
    expect(hot.length).toBeGreaterThan(1);
    expect([...incidentsOf(hot)]).toEqual([expect.any(String)]);
    const incident = incidents.find(({ id }) => id === hot[0]!.incident);
    expect(incident).toMatchObject({ district: "southgate", impact: { things: [{ thing: "transformer", count: 1 }] } });
  });

  it("an episode of nitrogen dioxide is one incident", () => {
    const { all, incidents, told } = play(SCENARIOS["ordinary-day"], ["harbour"], -8 * 60, 150);
    const air = ofSensors(all, "air-harbour");
    console.log(air.map(({ rule, subject }) => `${rule.id} ${subject.sensorId}`).join(", "), told.join(", "));
    expect(air.length).toBeGreaterThan(3);
    expect([...incidentsOf(air)]).toEqual([expect.any(String)]);
    expect(incidents.filter(({ district }) => district === "harbour")).toHaveLength(1);
    expect(incidents[0]).toMatchObject({ impact: { things: [{ thing: "air", count: 2 }] } });
    expect(told.filter((line) => line.startsWith("firing")).length).toBeLessThan(4);
  });

  it("an outage is one incident of the district without power, and one of the overloaded net beside it", () => {
    const { all, incidents, told } = play(SCENARIOS.outage, ["harbour", "centre"], -120, 30);
    console.log(
      incidents.map(({ lead, alerts, impact }) => `${lead.rule} ${alerts} ${JSON.stringify(impact)}`).join("\n"),
    );
    console.log(told.join(", "));
    const silent = all.filter(({ rule }) => rule.id === "sensor-silent" || rule.id === "gateway-outage");
    expect(silent.length).toBeGreaterThan(12);
    expect([...incidentsOf(silent)]).toEqual([expect.any(String)]);
    const net = [...ofSensors(all, "transformer-centre"), ...ofSensors(all, "feeder-centre")];
    expect([...incidentsOf(net)]).toEqual([expect.any(String)]);
    expect(incidents.find(({ id }) => id === silent[0]!.incident)).toMatchObject({ lead: { rule: "gateway-outage" } });
    expect(incidents.find(({ id }) => id === net[0]!.incident)?.impact.things).toEqual([
      { thing: "feeder", count: 3 },
      { thing: "transformer", count: 1 },
    ]);
  });
});
