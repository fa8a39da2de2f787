import { describe, expect, it } from "vitest";
import { createSettledClock, type SettledState } from "../../model/time.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const T0 = Date.UTC(2026, 10, 21, 10);

function aClock(from?: SettledState) {
  let wall = T0;
  let uptime = 500;
  const leaps: number[] = [];
  const clock = createSettledClock(
    () => wall,
    () => uptime,
    { from, onLeap: (to) => leaps.push(to - T0) },
  );
  return {
    leaps,
    state: clock.state,
    /** What it says so much later, as time after T0; the clock of the wall was set by `set` meanwhile. */
    pass(ms: number, set = 0): number {
      wall += ms + set;
      uptime += ms;
      return clock.now() - T0;
    },
  };
}

describe("the time for what ends by its age", () => {
  it("is the clock's, also where that is set by up to a day", () => {
    const { pass, leaps } = aClock();
    expect(pass(HOUR)).toBe(HOUR);
    expect(pass(0, 20 * HOUR)).toBe(21 * HOUR);
    expect(pass(0, -20 * HOUR)).toBe(HOUR);
    expect(pass(40 * DAY)).toBe(40 * DAY + HOUR);
    expect(leaps).toEqual([]);
  });

  it.each([
    ["ahead", YEAR],
    ["back", -YEAR],
  ])("goes on by itself when the clock leaps a year %s", (_, leap) => {
    const { pass, leaps } = aClock();
    expect(pass(HOUR, leap)).toBe(HOUR);
    expect(pass(HOUR)).toBe(2 * HOUR);
    expect(pass(HOUR, -leap)).toBe(3 * HOUR);
    expect(leaps).toEqual([leap + HOUR]);
  });

  it("believes a leap that has stood for a day, and each leap for itself", () => {
    const { pass, leaps } = aClock();
    pass(0, YEAR);
    expect(pass(DAY - 1)).toBe(DAY - 1);
    expect(pass(0, YEAR)).toBe(DAY - 1);
    expect(pass(DAY - 1)).toBe(2 * DAY - 2);
    expect(pass(1)).toBe(2 * YEAR + 2 * DAY - 1);
    expect(leaps).toHaveLength(2);
  });

  it("goes on from what a former life kept", () => {
    const first = aClock();
    first.pass(0, YEAR);
    first.pass(20 * HOUR);
    const kept = first.state();
    expect(kept).toEqual({ time: T0 + 20 * HOUR, stoodMs: 20 * HOUR });
    const second = aClock({ time: T0 - YEAR, stoodMs: 20 * HOUR });
    expect(second.pass(3 * HOUR)).toBe(3 * HOUR - YEAR);
    expect(second.pass(HOUR)).toBe(4 * HOUR);
  });
});
