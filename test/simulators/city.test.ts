import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isId } from "../../model/ids.ts";
import { METRICS, METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { cityClock, createCity, loadShare, trafficShare } from "../../simulators/city.ts";
import { ORDINARY_DAY } from "../../simulators/scenarios.ts";
import { CENTRE } from "../../simulators/town.ts";

const NOW = Date.parse("2026-11-21T20:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const cityOf = (seed = 1, scenario = ORDINARY_DAY) => createCity({ seed, scenario, startedAt: NOW });
const city = cityOf();
const quiet = cityOf(1, { name: "quiet", events: [] });
const sensor = (id: string) => city.sensors.find((one) => one.id === id)!;
const value = (id: string, metric: MetricName, at: number) => city.measure(sensor(id), at)?.[metric];

describe("the city", () => {
  it("has at least 60 sensors of three kinds in five districts around one centre, by both kinds of login", () => {
    expect(city.sensors.length).toBeGreaterThanOrEqual(60);
    expect(new Set(city.sensors.map((one) => one.id)).size).toBe(city.sensors.length);
    expect(new Set(city.sensors.map((one) => one.kind)).size).toBe(3);
    expect(new Set(city.sensors.map((one) => one.district)).size).toBe(5);
    expect(city.sensors.every((one) => isId(one.id) && isId(one.district))).toBe(true);
    for (const { lat, lon } of city.sensors) {
      expect(Math.abs(lat - CENTRE.lat)).toBeLessThan(0.05);
      expect(Math.abs(lon - CENTRE.lon)).toBeLessThan(0.08);
    }
    const gateways = new Set(city.sensors.flatMap((one) => one.gateway ?? []));
    expect([...gateways].sort()).toEqual(city.gateways.map(({ name }) => name).sort());
    expect(city.sensors.some((one) => !one.gateway)).toBe(true);
  });

  it("is the same for the same seed, whatever the order it is asked in, and another for another seed", () => {
    fc.assert(
      fc.property(
        fc.nat(city.sensors.length - 1),
        fc.integer({ min: -30 * 24 * 60, max: 24 * 60 }),
        (index, minutes) => {
          const at = NOW + minutes * MINUTE;
          const again = cityOf();
          again.measure(again.sensors[0]!, at + 7 * HOUR);
          expect(again.measure(again.sensors[index]!, at)).toEqual(city.measure(city.sensors[index]!, at));
        },
      ),
      { numRuns: 100 },
    );
    const other = cityOf(2);
    expect(other.measure(other.sensors[0]!, NOW)).not.toEqual(city.measure(city.sensors[0]!, NOW));
  });

  it("sends only metrics of its kind, inside the suspect limits, quiet or not, for a week", () => {
    const odd: string[] = [];
    for (const one of city.sensors) {
      for (let at = NOW - 7 * 24 * HOUR; at <= NOW; at += 97 * MINUTE) {
        for (const [name, measured] of Object.entries(city.measure(one, at) ?? {})) {
          const metric = name as MetricName;
          const [low, high] = METRICS[metric].suspect;
          if (!METRICS_OF[one.kind].includes(metric) || !(measured >= low && measured <= high))
            odd.push(`${one.id} ${name} ${measured}`);
        }
      }
    }
    expect(odd).toEqual([]);
  });

  it("follows the day and the week", () => {
    const local = (text: string) => cityClock(Date.parse(text));
    const monday = (hour: string) => trafficShare(local(`2026-11-16T${hour}:00:00+01:00`));
    expect(monday("08")).toBeGreaterThan(3 * monday("04"));
    expect(monday("17")).toBeGreaterThan(monday("12"));
    expect(trafficShare(local("2026-11-15T08:00:00+01:00"))).toBeLessThan(monday("08") / 2);
    const load = (hour: string) => loadShare(local(`2026-11-16T${hour}:00:00+01:00`));
    expect(load("19")).toBeGreaterThan(load("09"));
    expect(load("09")).toBeGreaterThan(load("03"));
    const ozone = (hour: number) =>
      quiet.measure(sensor("air-northfield-02"), Date.parse("2026-07-14T00:00:00+02:00") + hour * HOUR)!.o3!;
    expect(ozone(14)).toBeGreaterThan(ozone(3) + 20);
  });

  it("stays below every limit when nothing is planted", () => {
    const odd: string[] = [];
    for (let at = NOW - 14 * 24 * HOUR; at <= NOW; at += 31 * MINUTE) {
      for (const one of quiet.sensors) {
        const { occupancy = 0, no2 = 0, o3 = 0, voltage = 230, battery = 100, current = 0 } = quiet.measure(one, at)!;
        const load = current / Number(one.tags.ratedCurrent ?? 1e9);
        if (occupancy >= 35 || no2 >= 150 || o3 >= 180 || voltage <= 215 || battery <= 30 || load >= 0.8)
          odd.push(`${one.id} ${new Date(at).toISOString()}`);
      }
    }
    expect(odd).toEqual([]);
  });

  it("has a jam up to now, hours of bad air, a weak feeder, an overloaded transformer and an empty battery", () => {
    for (let minutes = 0; minutes <= 35; minutes += 1) {
      const at = NOW - minutes * MINUTE;
      expect(value("traffic-centre-01", "occupancy", at)).toBeGreaterThan(35);
      expect(value("feeder-hillside-02", "voltage", at)).toBeLessThan(207);
      expect(value("transformer-southgate", "current", at)).toBeGreaterThan(
        Number(sensor("transformer-southgate").tags.ratedCurrent),
      );
      expect(value("air-hillside-04", "battery", at)).toBeLessThan(15);
    }
    for (let hours = 0; hours <= 5; hours += 0.25)
      expect(value("air-harbour-01", "no2", NOW - hours * HOUR)).toBeGreaterThan(200);
    for (let hours = 0; hours <= 4; hours += 0.25)
      expect(value("air-northfield-02", "o3", NOW - hours * HOUR)).toBeGreaterThan(180);
    expect(value("traffic-centre-01", "occupancy", NOW - 2 * HOUR)).toBeLessThan(35);
    for (const hours of [-8, 3]) {
      const at = NOW + hours * HOUR;
      const jammed = sensor("traffic-centre-01");
      expect(city.measure(jammed, at)).toEqual(quiet.measure(jammed, at));
    }
  });

  it("has a sensor that fell silent two hours ago and one that is stuck", () => {
    expect(city.measure(sensor("air-southgate-02"), NOW - 121 * MINUTE)).toBeDefined();
    expect(city.measure(sensor("air-southgate-02"), NOW - 119 * MINUTE)).toBeUndefined();
    const stuck = sensor("traffic-northfield-04");
    expect(city.measure(stuck, NOW)).toEqual(city.measure(stuck, NOW - 4 * HOUR));
    expect(city.measure(stuck, NOW)).not.toEqual(city.measure(stuck, NOW - 6 * HOUR));
  });

  it("sends rubbish and repeats now and then, from the sensors it is planned for", () => {
    const during = (id: string) => {
      const sent: string[] = [];
      for (let at = NOW; at < NOW + 12 * MINUTE; at += 10_000)
        sent.push(...city.mischief(sensor(id), at - 10_000, at, "again"));
      return sent;
    };
    expect(new Set(during("air-centre-04")).size).toBe(4);
    expect(during("traffic-harbour-03")).toEqual(Array(6).fill("again"));
    expect(during("air-centre-01")).toEqual([]);
  });
});
