import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import { loadRules } from "../../../alerts/rules/check.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import { createCity, type Scenario } from "../../../simulators/city.ts";
import { aReading, HOUR, MINUTE, T0 } from "../builders.ts";

const START = T0 + 10 * HOUR;
const rules = loadRules();

/** The simulated city minute by minute, the default rules on it, a look at the clock every five minutes. */
function live(scenario: Scenario, minutes: number): { city: ReturnType<typeof createCity>; said: Transition[] } {
  const city = createCity({ seed: 1, scenario, startedAt: START });
  const sensors = new Map(city.sensors.map((sensor) => [sensor.id, sensor]));
  const detector = createDetector({ rules, sensor: (id) => sensors.get(id) });
  const said: Transition[] = [];
  for (let minute = -60; minute < minutes; minute++) {
    const at = START + minute * MINUTE;
    const readings = city.sensors.flatMap((sensor, i): Reading[] => {
      const values = city.measure(sensor, at + i * 100);
      const { id: sensorId, kind, district } = sensor;
      return values ? [aReading(at + i * 100, values, { sensorId, kind, district })] : [];
    });
    said.push(...detector.observe(readings));
    if (minute % 5 === 0) said.push(...detector.tick(at + 30_000));
  }
  return { city, said };
}

describe("the simulated city under the default rules", () => {
  it("a gateway that fails is one alert with its sensors as children, and one end", () => {
    const behind = createCity({ seed: 1, scenario: { name: "none", events: [] }, startedAt: START }).sensors.filter(
      ({ gateway }) => gateway === "gw-harbour",
    );
    const sensors = behind.map(({ id }) => id);
    const { said } = live({ name: "outage", events: [{ what: "silent", sensors, fromMin: 0, toMin: 90 }] }, 120);
    const outage = said.filter(({ alert }) => alert.rule.id === "gateway-outage");
    const silent = said.filter(({ alert, entry }) => alert.rule.id === "sensor-silent" && entry.what === "firing");
    expect(silent.map(({ alert }) => alert.subject.sensorId).sort()).toEqual(sensors.toSorted());
    expect(outage.map(({ entry }) => entry.what).filter((what) => what !== "joined")).toEqual(["firing", "resolved"]);
    const last = outage.at(-1)!.alert;
    expect(last).toMatchObject({ state: "resolved", subject: { district: "harbour", gateway: "gw-harbour" } });
    expect([...last.children!].sort()).toEqual(silent.map(({ alert }) => alert.id).sort());
    expect(last.explanation).toContain(
      `${sensors.length} of ${sensors.length} sensors behind gateway gw-harbour fell silent`,
    );
  });

  it("high nitrogen dioxide at half the stations of a district is an event; a stuck detector is none of the city's", () => {
    const { said } = live(
      {
        name: "episode",
        events: [
          {
            what: "level",
            sensors: ["air-harbour-01", "air-harbour-03"],
            values: { no2: 248 },
            fromMin: 0,
            toMin: 300,
            rampMin: 10,
          },
          { what: "stuck", sensors: ["traffic-northfield-04"], fromMin: 0, toMin: 300 },
        ],
      },
      260,
    );
    const firing = said.filter(({ entry }) => entry.what === "firing");
    const no2 = firing.filter(({ alert }) => alert.rule.id === "eu-no2");
    expect(no2.map(({ alert }) => alert.subject.sensorId).sort()).toEqual(["air-harbour-01", "air-harbour-03"]);
    const stuck = firing.filter(({ alert }) => alert.subject.sensorId === "traffic-northfield-04");
    expect(stuck.length).toBeGreaterThan(0);
    expect(stuck.map(({ alert }) => alert.verdict?.is)).toEqual(stuck.map(() => "sensor-fault"));
    for (const { alert } of no2) expect(alert.verdict!.is).toBe("event");
  });
});
