import { describe, expect, it } from "vitest";
import { createDetector } from "../../../alerts/detector.ts";
import type { Reading } from "../../../model/reading.ts";
import { aReading, aRule, HOUR, line, MINUTE, T0 } from "../builders.ts";

const rule = aRule({ id: "no-no2", metric: "no2", condition: { type: "silence", after: "12h" }, audience: "crews" });

/** A station that reports every hour; NO2 only in the hours that `has` names. */
function station(hours: number, has: (hour: number) => boolean, speaks = (_: number) => true): Reading[] {
  const all = Array.from({ length: hours }, (_, hour) => hour).filter(speaks);
  return all.map((hour) => aReading(T0 + hour * HOUR, has(hour) ? { no2: 20 + hour, o3: 50 } : { o3: 50 }));
}

const detect = () => createDetector({ rules: [rule], sensor: () => undefined });

describe("a value that is missing while its sensor speaks", () => {
  it("fires twelve hours after the last value and ends with the next one", () => {
    const said = detect().observe(station(60, (hour) => hour < 24 || hour >= 44));
    expect(said.map(line)).toEqual(["firing no-no2 s-1 2026-11-22T11:00", "resolved no-no2 s-1 2026-11-22T20:00"]);
    expect(said[0]!.alert).toMatchObject({ metric: "no2", limit: 720, unit: "min" });
    expect(said[1]!.alert.explanation).toBe(
      "No value of nitrogen dioxide from s-1 since 2026-11-21 23:00 UTC, while it sends others; it counts as missing after 12 h. A value came again at 2026-11-22 20:00 UTC.",
    );
  });

  it("says nothing of shorter gaps: of twelve hours, or where the value is rare", () => {
    expect(detect().observe(station(60, (hour) => hour < 24 || hour >= 35))).toEqual([]);
    expect(detect().observe(station(200, (hour) => hour % 8 === 0 && hour !== 96))).toEqual([]);
  });

  it("says nothing where the sensor itself was silent", () => {
    const speaks = (hour: number) => hour < 26 || hour >= 60;
    expect(detect().observe(station(80, (hour) => hour < 24 || hour >= 60, speaks))).toEqual([]);
    // A value every eight hours is missing after 24: the sensor was heard for 20 of them.
    const awhile = (hour: number) => hour <= 164 || hour >= 184;
    expect(detect().observe(station(190, (hour) => hour % 8 === 0 && (hour <= 144 || hour >= 184), awhile))).toEqual(
      [],
    );
  });

  it("fires by the clock while the value is missing, but not for a sensor that is away", () => {
    const away = detect();
    away.observe(station(36, (hour) => hour < 24));
    expect(away.tick(T0 + 80 * HOUR)).toEqual([]);
    const detector = detect();
    detector.observe(station(40, (hour) => hour < 24));
    const said = detector.tick(T0 + 39 * HOUR + 40 * MINUTE);
    expect(said.map(line)).toEqual(["firing no-no2 s-1 2026-11-22T11:00"]);
    const back = detector.observe([aReading(T0 + 41 * HOUR, { no2: 20, o3: 50 })]);
    expect(back.map(line)).toEqual(["resolved no-no2 s-1 2026-11-22T17:00"]);
  });
});
