import { describe, expect, it } from "vitest";
import { gapsIn, type Heard } from "../../api/gaps.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../model/time.ts";

/** So many readings every so often, from a moment on; with their end, so that another part can follow. */
function every(ms: number, times: number, from: number): Heard[] {
  return Array.from({ length: times }, (_, i) => ({ at: from + i * ms, count: 1 }));
}

const gaps = (heard: readonly Heard[], more: Partial<Parameters<typeof gapsIn>[1]> = {}) => {
  const range = { from: heard[0]!.at, to: heard.at(-1)!.at + 1, stepMs: 0, intervalMs: undefined };
  return gapsIn(heard, { ...range, ...more });
};

describe("the times in which a sensor was not heard", () => {
  it("are none where it only changed its interval, either way", () => {
    const slow = every(60_000, 60, 0);
    const fast = every(10_000, 600, HOUR_MS);
    expect(gaps([...slow, ...fast])).toEqual([]);
    expect(gaps([...every(10_000, 600, 0), ...every(60_000, 60, 6_000_000)])).toEqual([]);
  });

  it("are told by the interval that it had then", () => {
    const heard = [
      ...every(60_000, 60, 0),
      ...every(10_000, 360, HOUR_MS),
      ...every(10_000, 100, 2 * HOUR_MS + 120_000),
    ];
    expect(gaps(heard)).toEqual([{ from: 2 * HOUR_MS - 10_000, to: 2 * HOUR_MS + 120_000 }]);
  });

  it.each([4, 30])("are none between batches of %s", (size) => {
    const batches = Array.from({ length: 12 }, (_, i) => every(1_000, size, i * 30 * MINUTE_MS)).flat();
    expect(gaps(batches)).toEqual([]);
    const without = batches.filter(({ at }) => at < 3 * HOUR_MS || at > 5 * HOUR_MS);
    expect(gaps(without)).toHaveLength(1);
  });

  it("are none of what comes once a day, and a week is one", () => {
    expect(gaps(every(DAY_MS, 20, 0))).toEqual([]);
    const heard = [...every(DAY_MS, 10, 0), ...every(DAY_MS, 10, 17 * DAY_MS)];
    expect(gaps(heard)).toEqual([{ from: 9 * DAY_MS, to: 17 * DAY_MS }]);
  });

  it("are few of what comes by chance, and those of an outage all the same", () => {
    let at = 0;
    let seed = 7;
    const heard = Array.from({ length: 500 }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      at += Math.ceil(-Math.log(seed / 2_147_483_647) * 5 * MINUTE_MS);
      return { at, count: 1 };
    });
    expect(gaps(heard).length).toBeLessThan(10);
    const late = heard.map((one, i) => (i < 250 ? one : { ...one, at: one.at + DAY_MS }));
    expect(gaps(late).some(({ from, to }) => to - from >= DAY_MS)).toBe(true);
  });

  it("begin before the first and go on until now", () => {
    const heard = every(MINUTE_MS, 30, HOUR_MS);
    expect(gaps(heard, { from: 0, to: 3 * HOUR_MS })).toEqual([
      { from: 0, to: HOUR_MS },
      { from: HOUR_MS + 29 * MINUTE_MS, to: 3 * HOUR_MS },
    ]);
    expect(gapsIn([], { from: 0, to: HOUR_MS, stepMs: 0, intervalMs: MINUTE_MS })).toEqual([{ from: 0, to: HOUR_MS }]);
    expect(gapsIn([], { from: 0, to: HOUR_MS, stepMs: 0, intervalMs: DAY_MS })).toEqual([]);
    expect(gapsIn([], { from: 0, to: HOUR_MS, stepMs: 0, intervalMs: undefined })).toEqual([]);
  });

  it("of steps are those that should not be empty", () => {
    const step = 5 * MINUTE_MS;
    const minutes = every(step, 40, 0).map(({ at }) => ({ at, count: 5 }));
    const hole = minutes.filter((_, i) => i !== 20);
    expect(gaps(hole, { stepMs: step, to: 40 * step })).toEqual([{ from: 20 * step, to: 21 * step }]);
    // Of one reading every ten minutes each second step is empty.
    expect(gaps(every(2 * step, 40, 0), { stepMs: step, to: 79 * step })).toEqual([]);
  });
});
