import { describe, expect, it } from "vitest";
import type { WatchedSensor } from "../../../alerts/conditions/condition.ts";
import { createDetector } from "../../../alerts/detector.ts";
import type { Transition } from "../../../model/alert.ts";
import type { Reading } from "../../../model/reading.ts";
import { aReading, aRule, aSensor, DAY, HOUR, random, T0 } from "../builders.ts";

const DRIFT = aRule({
  id: "drift",
  metric: "pm25",
  audience: "operators",
  condition: { type: "drift", ratio: 0.3, for: "7d", radiusKm: 5 },
});

/** 5 km are 0.045 degrees of latitude. */
const place = (i: number, km = 0) => ({ lat: 48 + i * 0.001 + km / 111, lon: 11 });
const city = (count: number, far: number[] = []) =>
  new Map(
    Array.from({ length: count }, (_, i) => [
      `s-${i}`,
      aSensor({ id: `s-${i}`, ...place(i, far.includes(i) ? 20 : 0) }),
    ]),
  );

/** The air of the city, another every day and hour; s-0 reads `gain(day)` times that. */
function feed(
  days: number,
  count: number,
  gain: (day: number) => number,
  others: (i: number, day: number) => number = () => 1,
): Reading[] {
  const chance = random(7);
  const readings: Reading[] = [];
  for (let day = 0; day < days; day++) {
    const level = 40 + 60 * chance();
    for (let hour = 0; hour < 24; hour++) {
      for (let i = 0; i < count; i++) {
        const value = (level + 10 * Math.sin(hour / 4) + 4 * chance()) * (i === 0 ? gain(day) : others(i, day));
        readings.push(aReading(T0 + day * DAY + hour * HOUR + i, { pm25: value }, { sensorId: `s-${i}` }));
      }
    }
  }
  return readings;
}

function run(readings: readonly Reading[], sensors: ReadonlyMap<string, WatchedSensor>): Transition[] {
  return createDetector({ rules: [DRIFT], sensor: (id) => sensors.get(id) }).observe(readings);
}

describe("drift against neighbours", () => {
  it("is told after seven days off, with what it was compared with, and goes to the crews", () => {
    const said = run(
      feed(20, 5, (day) => (day >= 8 ? 1.6 : 1)),
      city(5),
    );
    expect(said).toHaveLength(1);
    const [{ alert, entry }] = said as [Transition];
    expect(alert).toMatchObject({
      subject: { sensorId: "s-0", district: "north" },
      state: "firing",
      startedAt: T0 + 8 * DAY,
      firedAt: T0 + 15 * DAY,
      audience: "crews",
      verdict: { is: "sensor-fault" },
    });
    expect(alert.explanation).toMatch(
      /^Fine particles \(PM2\.5\) at s-0 have been (5|6)\d % above the median of its 4 neighbours for 7 days/,
    );
    expect(alert.evidence).toHaveLength(7);
    // The day is over, and the half hour in which its last readings may come: the next reading after that tells.
    expect(entry).toEqual({ what: "firing", at: T0 + 15 * DAY, knownAt: T0 + 15 * DAY + HOUR + 500 });
  });

  it("ends with three days near its neighbours", () => {
    const said = run(
      feed(26, 5, (day) => (day >= 8 && day < 17 ? 0.5 : 1)),
      city(5),
    );
    expect(said.map(({ entry }) => [entry.what, (entry.at - T0) / DAY])).toEqual([
      ["firing", 15],
      ["resolved", 20],
    ]);
    expect(said[1]!.alert).toMatchObject({ state: "resolved", resolvedAt: T0 + 20 * DAY });
    expect(said[1]!.alert.explanation).toContain("when it was near its neighbours again");
  });

  it("is not six days, nor the air of the whole city, nor a sensor whose neighbours are far or few", () => {
    expect(
      run(
        feed(20, 5, (day) => (day >= 8 && day < 14 ? 1.6 : 1)),
        city(5),
      ),
    ).toEqual([]);
    const all = (day: number) => (day >= 8 ? 1.6 : 1);
    expect(
      run(
        feed(20, 5, all, (_, day) => all(day)),
        city(5),
      ),
    ).toEqual([]);
    expect(
      run(
        feed(20, 5, () => 1.6),
        city(5, [3, 4]),
      ),
    ).toEqual([]);
    expect(
      run(
        feed(20, 3, () => 1.6),
        city(3),
      ),
    ).toEqual([]);
  });

  it("does not compare with neighbours that move otherwise", () => {
    // Two of four go up where the others go down.
    const others = (i: number, day: number) => (i > 2 ? (day % 2 ? 3 : 0.2) : 1);
    expect(
      run(
        feed(20, 5, () => 1.6, others),
        city(5),
      ),
    ).toEqual([]);
  });

  it("what a place shows from the first day on is its bias, and no fault", () => {
    const winter = (day: number) => (day < 30 ? 0.7 : 0.62);
    for (const gain of [() => 0.6, () => 1.6, winter]) expect(run(feed(60, 5, gain), city(5))).toEqual([]);
    const [first] = run(
      feed(60, 5, (day) => (day < 40 ? 0.65 : 0.3)),
      city(5),
    );
    expect((first!.alert.startedAt - T0) / DAY).toBe(40);
  });

  it("begins anew with a calibration, and ends what it had said", () => {
    const sensors = city(5);
    const readings = feed(24, 5, (day) => (day < 8 ? 1 : 1.6));
    const detector = createDetector({ rules: [DRIFT], sensor: (id) => sensors.get(id) });
    const half = readings.filter(({ measuredAt }) => measuredAt < T0 + 16 * DAY);
    expect(detector.observe(half).map(({ entry }) => entry.what)).toEqual(["firing"]);
    sensors.set("s-0", { ...sensors.get("s-0")!, tags: { calibratedAt: "2026-12-07" } });
    const after = detector.observe(readings.slice(half.length));
    expect(after.map(({ entry }) => [entry.what, (entry.at - T0) / DAY])).toEqual([["resolved", 16]]);
    expect(after[0]!.entry.note).toBe("The sensor was calibrated or moved.");
  });

  it("says the same after restarts, and is held by nothing if its rule is gone", () => {
    const sensors = city(5);
    const registry = (id: string) => sensors.get(id);
    const readings = feed(26, 5, (day) => (day >= 8 && day < 17 ? 0.5 : 1));
    const straight = run(readings, sensors);
    const rows = new Map<string, { rule: string; subject: string; state: string }>();
    const said: Transition[] = [];
    for (let from = 0; from < readings.length; from += 333) {
      const detector = createDetector({ rules: [DRIFT], sensor: registry });
      detector.states.load([...rows.values()]);
      expect(detector.held().size).toBe(said.length === 1 ? 1 : 0);
      said.push(...detector.observe(readings.slice(from, from + 333)));
      for (const row of detector.states.snapshot()) {
        if (row.state === "") rows.delete(`${row.rule} ${row.subject}`);
        else rows.set(`${row.rule} ${row.subject}`, row);
      }
      if (said.length === 1) {
        const other = createDetector({ rules: [], sensor: registry });
        other.states.load([...rows.values()]);
        expect(other.held().size).toBe(0);
      }
    }
    expect(said).toEqual(straight);
    expect(said).toHaveLength(2);
  });
});
