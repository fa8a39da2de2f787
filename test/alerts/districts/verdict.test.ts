import { describe, expect, it } from "vitest";
import type { WatchedSensor } from "../../../alerts/conditions/condition.ts";
import { createDetector } from "../../../alerts/detector.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading, Values } from "../../../model/reading.ts";
import type { Rule } from "../../../model/rule.ts";
import { aReading, aRule, aSensor, HOUR, MINUTE, T0 } from "../builders.ts";

const NO2 = aRule({ id: "no2", metric: "no2", condition: { type: "threshold", above: 200, clear: 180 } });
const JAM = aRule({
  id: "jam",
  kind: "traffic",
  metric: "occupancy",
  condition: { type: "threshold", above: 35, for: "10m" },
});
const FINE = aRule({ id: "fine", metric: "pm25", condition: { type: "threshold", above: 100 } });

/** A little of everything that is normal, different for each sensor and minute. */
const wobble = (i: number, at: number) => ((i * 7 + (at / MINUTE) * 3) % 11) - 5;

type City = { readonly count: number; readonly at: number; readonly kind?: "air" | "traffic" };

/** `count` sensors report every 5 minutes for four hours up to and with `at`; `values` tells what. */
function feed({ count, at, kind = "air" }: City, values: (i: number, at: number) => Values): Reading[] {
  const readings: Reading[] = [];
  for (let time = at - 4 * HOUR; time <= at; time += 5 * MINUTE) {
    for (let i = 0; i < count; i++) readings.push(aReading(time + i, values(i, time), { sensorId: `s-${i}`, kind }));
  }
  return readings;
}

function judged(rule: Rule, readings: readonly Reading[], sensor?: (id: string) => WatchedSensor): Transition["alert"] {
  const said = createDetector({ rules: [rule], sensor: sensor ?? (() => undefined) }).observe(readings);
  const firing = said.filter(({ alert, entry }) => entry.what === "firing" && alert.subject.sensorId === "s-0");
  expect(firing).toHaveLength(1);
  return firing[0]!.alert;
}

const FIRES = T0 + 12 * HOUR;
/** s-0 jumps to `value` at the end, the others do what `others` says. */
const jump =
  (value: number, others: (i: number, at: number) => number) =>
  (i: number, at: number): Values => ({
    no2: i === 0 && at === FIRES ? value : i === 0 ? 40 + wobble(0, at) : others(i, at),
  });

describe("city or sensor?", () => {
  const quiet = (i: number, at: number) => 40 + wobble(i, at);

  it("an event: neighbours are over the limit as well", () => {
    const others = (i: number, at: number) => (i < 4 && at >= FIRES - 20 * MINUTE ? 210 : quiet(i, at));
    const { verdict, audience } = judged(NO2, feed({ count: 6, at: FIRES }, jump(230, others)));
    expect(verdict).toEqual({ is: "event", why: "3 of 5 neighbours were above 200 µg/m³, too." });
    expect(audience).toBe("operators");
  });

  it("an event: neighbours rose with it, none of them so far", () => {
    const others = (i: number, at: number) => (at >= FIRES - 20 * MINUTE ? 120 : quiet(i, at));
    const { verdict } = judged(NO2, feed({ count: 6, at: FIRES }, jump(230, others)));
    expect(verdict).toEqual({ is: "event", why: "5 of 5 neighbours rose with it, to a median of 120 µg/m³." });
  });

  it("doubt stays with the operators: one sensor alone may stand beside a fire", () => {
    const alert = judged(NO2, feed({ count: 6, at: FIRES }, jump(230, quiet)));
    expect(alert.verdict!.is).toBe("unclear");
    expect(alert.verdict!.why).toMatch(/^Only this sensor shows it: its 5 neighbours stayed near \d+ µg\/m³/);
    expect(alert.audience).toBe("operators");
  });

  it("a sensor fault: alone, and with a value that devices send for none", () => {
    const alert = judged(NO2, feed({ count: 6, at: FIRES }, jump(999, quiet)));
    expect(alert.verdict!.is).toBe("sensor-fault");
    expect(alert.verdict!.why).toContain('999 is a value that devices send for "none"');
    expect(alert.audience).toBe("crews");
  });

  it("not a sensor fault: the same value while the neighbours are beyond the limit, too", () => {
    const others = (i: number, at: number) => (at >= FIRES - 20 * MINUTE ? 700 : quiet(i, at));
    expect(judged(NO2, feed({ count: 6, at: FIRES }, jump(999, others))).verdict!.is).toBe("event");
  });

  it("a sensor fault: alone, and all its values suspect", () => {
    const readings = feed({ count: 6, at: FIRES }, jump(450, quiet)).map((one) =>
      one.sensorId === "s-0" && one.measuredAt === FIRES ? { ...one, quality: { no2: "suspect" } as const } : one,
    );
    const crews = { ...NO2, audience: "crews" } as const;
    expect(judged(crews, readings).verdict!.why).toMatch(/^All its values are suspect/);
  });

  it("a sensor fault: stuck beyond the limit while the neighbours move", () => {
    const held = aRule({ id: "held", metric: "no2", condition: { type: "threshold", above: 200, for: "40m" } });
    const values = (i: number, at: number): Values => {
      if (i === 0) return { no2: at >= FIRES - 45 * MINUTE ? 248 : quiet(0, at) };
      return { no2: quiet(i, at) + ((at - T0) % (30 * MINUTE) === 0 ? 15 : 0) };
    };
    const { verdict } = judged(held, feed({ count: 6, at: FIRES }, values));
    expect(verdict!.is).toBe("sensor-fault");
    expect(verdict!.why).toMatch(/^It has repeated 248 µg\/m³ for \d+ min/);
  });

  it("unclear without neighbours, or with one", () => {
    const why = (count: number) => judged(NO2, feed({ count, at: FIRES }, jump(230, quiet))).verdict;
    expect(why(1)).toEqual({ is: "unclear", why: "No neighbour has recent values to compare with." });
    expect(why(2)).toEqual({ is: "unclear", why: "Only one neighbour has recent values to compare with." });
  });

  it("asks the near ones where places are known: those of the other end of the city do not count", () => {
    const others = (i: number, at: number) => (i < 4 && at >= FIRES - 20 * MINUTE ? 210 : quiet(i, at));
    const readings = feed({ count: 12, at: FIRES }, jump(230, others));
    const place = (id: string) => (Number(id.slice(2)) < 4 ? { lat: 48.1, lon: 11.5 } : { lat: 48.4, lon: 11.5 });
    const city = new Map(
      Array.from({ length: 12 }, (_, i) => [`s-${i}`, aSensor({ id: `s-${i}`, ...place(`s-${i}`) })]),
    );
    expect(judged(NO2, readings, (id) => city.get(id)!).verdict!.why).toBe(
      "3 of 3 neighbours were above 200 µg/m³, too.",
    );
    expect(judged(NO2, readings).verdict!.why).not.toContain("3 of 3");
  });
});

describe("what the sensor's other values say", () => {
  const jam = (speed: number, occupancy: number, flow: number) => (i: number, at: number) => {
    const isJam = i === 0 && at >= FIRES - 10 * MINUTE;
    return isJam ? { speed, occupancy, flow } : { speed: 50 + wobble(i, at), occupancy: 10, flow: 700 + wobble(i, at) };
  };

  it("an event: slower, and longer covered", () => {
    const { verdict } = judged(JAM, feed({ count: 5, at: FIRES, kind: "traffic" }, jam(12, 48, 900)));
    expect(verdict!.is).toBe("event");
    expect(verdict!.why).toMatch(
      /^Its speed fell from 50 km\/h to 12 km\/h while its occupancy rose from 10 % to 48 %\.$/,
    );
  });

  it("a sensor fault: no vehicle is that long", () => {
    const { verdict, audience } = judged(JAM, feed({ count: 5, at: FIRES, kind: "traffic" }, jam(52, 95, 650)));
    expect(verdict!.why).toBe(
      "Flow, occupancy and speed together would mean vehicles of 76 m, and none of its 4 neighbours shows it.",
    );
    expect(verdict!.is).toBe("sensor-fault");
    expect(audience).toBe("crews");
  });

  it("suspect, and still told to operators: more fine particles than particles, either of which may be wrong", () => {
    const values = (i: number, at: number): Values =>
      i === 0 && at === FIRES ? { pm25: 300, pm10: 30 } : { pm25: 20 + wobble(i, at), pm10: 30 };
    const { verdict, audience } = judged(FINE, feed({ count: 1, at: FIRES }, values));
    expect([verdict!.is, audience]).toEqual(["unclear", "operators"]);
    expect(verdict!.why).toMatch(/^The values are suspect: .* one of the two is wrong/);
  });
});

describe("more fine particles than particles", () => {
  const city =
    (own: Values) =>
    (i: number, at: number): Values =>
      i === 0 && at === FIRES ? own : { pm25: 90 + wobble(i, at), pm10: 130 + wobble(i, at) };

  it.each([
    [
      "unclear",
      { pm25: 600, pm10: 135 },
      /^The values are suspect: .*; out of line .* value of fine particles \(PM2\.5\)\.$/,
    ],
    ["event", { pm25: 101, pm10: 5 }, /^The values are suspect: .*; out of line .* value of particles \(PM10\)\.$/],
  ])("asks the neighbours which of them is wrong: %s, %j", (is, own, why) => {
    const { verdict, audience } = judged(FINE, feed({ count: 6, at: FIRES }, city(own)));
    expect(verdict!.why).toMatch(why);
    expect([verdict!.is, audience]).toEqual([is, "operators"]);
  });
});

describe("the second look", () => {
  const others = (i: number, at: number) => (at >= FIRES ? 205 : 40 + wobble(i, at));
  const readings = feed({ count: 6, at: FIRES }, jump(230, others));
  const later = [aReading(FIRES + 46 * MINUTE, { no2: 40 }, { sensorId: "s-1" })];

  it("comes when the lateness has passed, and a change is an entry that tells why", () => {
    const detector = createDetector({ rules: [NO2], sensor: () => undefined });
    // s-0 is the first to report at that time: its neighbours follow.
    const first = detector.observe(readings).find(({ alert }) => alert.subject.sensorId === "s-0")!;
    expect(first.alert.verdict!.is).toBe("unclear");
    const about = detector.observe(later).filter(({ alert }) => alert.id === first.alert.id);
    expect(about).toMatchObject([
      {
        alert: { state: "firing", verdict: { is: "event", why: "5 of 5 neighbours were above 200 µg/m³, too." } },
        entry: { what: "verdict", at: FIRES + 45 * MINUTE, note: "5 of 5 neighbours were above 200 µg/m³, too." },
      },
    ]);
    const end = detector.observe([aReading(FIRES + 50 * MINUTE, { no2: 40 }, { sensorId: "s-0" })]);
    expect(end.find(({ alert }) => alert.id === first.alert.id)).toMatchObject({
      alert: { state: "resolved", verdict: { is: "event" } },
    });
  });

  it("comes by the clock, too, and after a restart in between", () => {
    const before = createDetector({ rules: [NO2], sensor: (id) => city.get(id) });
    const city = new Map(Array.from({ length: 6 }, (_, i) => [`s-${i}`, aSensor({ id: `s-${i}` })]));
    before.observe(readings);
    const after = createDetector({ rules: [NO2], sensor: (id) => city.get(id) });
    after.states.load(before.states.snapshot());
    const said = after.tick(FIRES + HOUR).filter(({ entry }) => entry.what === "verdict");
    expect(said.map(({ alert }) => alert.subject.sensorId)).toContain("s-0");
    expect(said.every(({ alert }) => alert.verdict!.is === "event")).toBe(true);
    before.states.saved();
    before.observe(later);
    const rows = before.states.snapshot();
    expect(rows.some(({ rule }) => rule === "~recent-since")).toBe(true);
  });

  it("finds one verdict for three feeders that one outage takes within minutes", () => {
    const dead = aRule({
      id: "dead",
      kind: "energy",
      metric: "activePower",
      condition: { type: "threshold", below: 1 },
    });
    const trips = [FIRES - 7 * MINUTE, FIRES - 4 * MINUTE, FIRES];
    const powers: Reading[] = [];
    for (let at = FIRES - 4 * HOUR; at <= FIRES + HOUR; at += MINUTE)
      for (const [i, trip] of trips.entries())
        powers.push(
          aReading(
            at + i,
            { activePower: at < trip ? 400 + wobble(i, at) : 0 },
            { sensorId: `s-${i}`, kind: "energy" },
          ),
        );
    const said = createDetector({ rules: [dead], sensor: () => undefined }).observe(powers);
    const last = new Map(said.map(({ alert }) => [alert.subject.sensorId, alert.verdict]));
    expect([...last.values()]).toEqual(Array(3).fill({ is: "event", why: "2 of 2 neighbours were below 1 kW, too." }));
  });

  it("leaves what the device says of itself alone", () => {
    const low = aRule({ id: "low", kind: "any", metric: "battery", condition: { type: "threshold", below: 20 } });
    const said = createDetector({ rules: [low], sensor: () => undefined }).observe([aReading(T0, { battery: 5 })]);
    expect(said).toHaveLength(1);
    expect(said[0]!.alert).not.toHaveProperty("verdict");
  });
});
