import { describe, expect, it } from "vitest";
import { createDetector } from "../../alerts/detector.ts";
import { loadRules } from "../../alerts/rules/check.ts";
import { cityRules } from "../../alerts/rules/zoned.ts";
import { MINUTE_MS } from "../../model/time.ts";
import { createCity } from "../../simulators/city.ts";
import { CITY_ZONE } from "../../simulators/places.ts";
import { LIVING_DAY, ORDINARY_DAY } from "../../simulators/scenarios.ts";
import { aReading, aSensor } from "../alerts/builders.ts";

const START = Date.parse("2026-11-21T20:00:00Z");
const LIVE_EVERY_MS = 10_000;
const cityOf = (more: object = {}) => createCity({ seed: 1, scenario: LIVING_DAY, startedAt: START, ...more });

/** What the city's rules say from its start on, in minutes after it. */
function watch(minutes: number, ids?: readonly string[]) {
  const city = cityOf();
  const sensors = new Map(city.sensors.map((one) => [one.id, aSensor({ ...one })]));
  const rules = cityRules(loadRules(), { zone: CITY_ZONE });
  const detector = createDetector({ rules, sensor: (id) => sensors.get(id) });
  const said = [];
  for (let at = START - 10 * MINUTE_MS; at < START + minutes * MINUTE_MS; at += LIVE_EVERY_MS) {
    const readings = city.sensors.flatMap((sensor) => {
      const values = ids && !ids.includes(sensor.id) ? undefined : city.measure(sensor, at);
      const { id: sensorId, kind, district } = sensor;
      return values ? [aReading(at, values, { sensorId, kind, district, receivedAt: at })] : [];
    });
    said.push(...detector.observe(readings), ...(at % MINUTE_MS === 0 ? detector.tick(at) : []));
  }
  return said.map(({ alert, entry }) => ({
    what: entry.what,
    rule: alert.rule.id,
    sensor: alert.subject.sensorId,
    minute: (entry.at - START) / MINUTE_MS,
  }));
}

describe("the living day", () => {
  it("begins something new about every five minutes, which rises, is seen by neighbours, and ends", () => {
    const lively = LIVING_DAY.events.filter((event) => event.what === "level" && event.everyMin !== undefined);
    const ids = [...new Set(lively.flatMap(({ sensors }) => sensors))];
    const said = watch(62, ids).filter(({ minute }) => minute >= 0);
    const at = (what: string) => said.filter((one) => one.what === what).map(({ minute }) => minute);
    const begun = at("firing");
    for (let from = 0; from < 60; from += 6)
      expect([from, begun.filter((minute) => minute >= from && minute < from + 6)]).not.toEqual([from, []]);
    expect(at("resolved").filter((minute) => minute < 15).length).toBeGreaterThan(1);
    const jam = said.filter((one) => one.rule === "traffic-congestion" && one.what === "firing" && one.minute < 30);
    expect(jam.map(({ sensor }) => sensor).sort()).toEqual(["traffic-harbour-01", "traffic-harbour-02"]);
    expect(said.some(({ rule }) => rule === "battery-level")).toBe(true);
  });

  it("has a gateway that is without power for a while, and comes back", () => {
    const city = cityOf();
    const behind = city.sensors.filter(({ gateway }) => gateway === "gw-hillside");
    const silentAt = (minute: number) =>
      behind.map((one) => city.measure(one, START + minute * MINUTE_MS) === undefined);
    expect([silentAt(1), silentAt(20), silentAt(46), silentAt(190)].map((all) => new Set(all))).toEqual(
      [false, true, false, true].map((one) => new Set([one])),
    );
    expect(behind.length).toBeGreaterThan(2);
  });

  it("lets a day pass in an hour where that is wished, from the start on", () => {
    const [slow, fast] = [{}, { pace: 24 }].map((more) => cityOf({ scenario: { name: "quiet", events: [] }, ...more }));
    const sensor = slow!.sensors.find(({ id }) => id === "traffic-centre-01")!;
    const flow = (city: ReturnType<typeof cityOf>, at: number) => city.measure(sensor, at)!.flow;
    expect(flow(fast!, START - MINUTE_MS)).toEqual(flow(slow!, START - MINUTE_MS));
    const half = START + 30 * MINUTE_MS;
    expect(flow(fast!, half)).toEqual(flow(slow!, START + 12 * 60 * MINUTE_MS));
  });

  it("is the ordinary day, and more", () => {
    for (const event of ORDINARY_DAY.events) expect(LIVING_DAY.events).toContain(event);
  });
});
