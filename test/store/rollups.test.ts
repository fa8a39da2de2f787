import { describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import type { Bucket, ReadingStore, RollupPart, RollupSpan } from "../../store/reading-store.ts";
import { openRecords } from "../../store/records.ts";
import { mergeBuckets, planSegments, withRollups } from "../../store/resolutions.ts";
import { spansOf, startRollups } from "../../store/rollups.ts";
import { aBackground } from "../helpers/background.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const D = Date.UTC(2026, 10, 21);

const hour = (start: number, receivedDay = D): RollupPart => ({
  kind: "air",
  resolution: "hourly",
  start,
  receivedDay,
});

function play() {
  const records = openRecords({ path: ":memory:", now: () => D, log: SILENT });
  const computed: string[] = [];
  const at = { compute: async (_span: RollupSpan) => {} };
  const text = ({ resolution, from, to }: RollupSpan) => `${resolution} ${(from - D) / HOUR}-${(to - D) / HOUR}`;
  const rollups: ReadingStore["rollups"] = {
    async compute(span) {
      computed.push(text(span));
      await at.compute(span);
    },
    aggregate: async () => [],
    parts: async () => [],
    days: async () => [],
    read: async () => [],
    write: async () => {},
    replace: async () => {},
    deleteBefore: async () => 0,
  };
  let time = D + DAY;
  const running = startRollups({
    store: { rollups },
    records,
    background: aBackground(),
    now: () => time,
    log: SILENT,
  });
  const runAt = async (later: number) => {
    time = later;
    await running.run();
    return computed.splice(0);
  };
  return { ...running, records, computed, at, runAt };
}

describe("rollups", () => {
  it("keeps what is booked while an hour is computed due", async () => {
    const { records, at, runAt, stop } = play();
    records.rollups.touch([hour(D)]);
    at.compute = async () => records.rollups.touch([hour(D)]);
    expect(await runAt(D + HOUR)).toEqual(["hourly 0-1"]);
    at.compute = async () => {};
    expect(await runAt(D + HOUR)).toEqual(["hourly 0-1"]);
    expect(await runAt(D + HOUR)).toEqual([]);
    expect(await runAt(D + DAY)).toEqual(["daily 0-24"]);
    await stop();
    records.close();
  });

  it("tries again what failed, and computes a day only after its hours", async () => {
    const { records, at, runAt, stop } = play();
    records.rollups.touch([hour(D), hour(D + HOUR), hour(D + 5 * HOUR), hour(D - 30 * HOUR)]);
    at.compute = async () => Promise.reject(new Error("away"));
    expect(await runAt(D + DAY)).toHaveLength(1);
    at.compute = async () => {};
    const all = ["hourly -30--29", "hourly 0-6", "daily -48-24"];
    expect((await runAt(D + DAY)).sort()).toEqual(all.sort());
    await stop();
    records.close();
  });

  it("removes readings only when what was measured and received before is computed, and remembers the cut", async () => {
    const { records, at, computed, removeBefore, runAt, stop } = play();
    await runAt(D + 9 * DAY);
    records.rollups.touch([hour(D - DAY, D - DAY)]);
    at.compute = async () => Promise.reject(new Error("away"));
    const remove = async (before: number) => 7 + before - D;
    await expect(removeBefore("air", "raw", D, remove)).rejects.toThrow(/not all computed/);
    expect(records.rollups.cut("air", "raw")).toBeUndefined();
    at.compute = async () => {};
    expect(await removeBefore("air", "raw", D - DAY, async () => 0)).toBe(0);
    expect(records.rollups.cut("air", "raw")).toBeUndefined();
    expect(await removeBefore("air", "raw", D, remove)).toBe(7);
    expect(records.rollups.cut("air", "raw")).toEqual({ at: D, pending: false });
    expect(await removeBefore("air", "raw", D + DAY, async () => 0)).toBe(0);
    expect(records.rollups.cut("air", "raw")).toEqual({ at: D, pending: false });
    computed.length = 0;
    records.rollups.touch([hour(D - DAY, D + 9 * DAY)]);
    expect(await runAt(D + 9 * DAY)).toEqual(["hourly -24--23", "daily -24-0"]);
    await stop();
    records.close();
  });

  it("finishes a removal that broke off, as far as it had said", async () => {
    const { records, removeBefore, runAt, stop } = play();
    await runAt(D + 9 * DAY);
    await expect(removeBefore("air", "raw", D, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    records.rollups.touch([hour(D - DAY, D + 2 * DAY)]);
    expect(await runAt(D + 9 * DAY)).toEqual(["hourly -24--23", "daily -24-0"]);
    // A shorter memory meanwhile.
    expect(await removeBefore("air", "raw", D - DAY, async (before) => before)).toBe(D);
    expect(await runAt(D + 9 * DAY)).toEqual([]);
    await stop();
    records.close();
  });

  it("waits with a removal for what came within a day of being measured", async () => {
    const { records, at, removeBefore, runAt, stop } = play();
    await runAt(D + 9 * DAY);
    at.compute = async () => Promise.reject(new Error("away"));
    records.rollups.touch([hour(D - HOUR, D)]);
    await expect(removeBefore("air", "raw", D, async () => 1)).rejects.toThrow(/not all computed/);
    await stop();
    records.close();
  });

  it("asks for a day of hours at once, parts of one receipt together", () => {
    const parts = [0, 1, 2, 5, 23, 24].map((n) => ({ ...hour(D + n * HOUR), touched: 1 }));
    const spans = spansOf([...parts, { ...hour(D, D + DAY), touched: 1 }]);
    expect(spans.map(({ span, parts: own }) => [(span.from - D) / HOUR, (span.to - D) / HOUR, own.length])).toEqual([
      [0, 24, 5],
      [24, 25, 1],
      [0, 1, 1],
    ]);
  });
});

describe("the choice of a resolution", () => {
  const reach = { rawFrom: D - 90 * DAY, hourlyTo: D + 5 * HOUR, dailyTo: D };
  const plan = (fromDays: number, toDays: number, everyMs: number, known = reach) =>
    planSegments({ from: D + fromDays * DAY, to: D + toDays * DAY, everyMs }, known).map(
      ({ resolution, from, to }) => `${resolution} ${(from - D) / DAY}..${(to - D) / DAY}`,
    );

  it("takes readings where they are, hours and days where they are not", () => {
    expect(plan(-10, 0, HOUR)).toEqual(["raw -10..0"]);
    expect(plan(-10, 0, 60_000)).toEqual(["raw -10..0"]);
    expect(plan(-100, -80, HOUR)).toEqual(["hourly -100..-90", "raw -90..-80"]);
    expect(plan(-100, -95, 5 * HOUR)).toEqual(["hourly -100..-95"]);
    // Hours of imported history stay by the day of receipt, however old they are.
    expect(plan(-800, -720, HOUR)).toEqual(["hourly -800..-720"]);
    expect(plan(-1_000, -995, 7 * DAY)).toEqual(["daily -1000..-995"]);
    expect(plan(-100.5, -80, DAY)).toEqual(["daily -101..-90", "raw -90..-80"]);
    expect(plan(-100, -80, 90 * 60_000)).toEqual(["raw -100..-80"]);
  });

  it("takes what is computed for the middle of a long range, and the readings at its ends", () => {
    expect(plan(-40.25, 0.5, DAY)).toEqual(["raw -40.25..-40", "daily -40..0", "raw 0..0.5"]);
    expect(plan(-40, 0.5, 6 * HOUR)).toEqual(["hourly -40..0.20833333333333334", "raw 0.20833333333333334..0.5"]);
    expect(plan(-40, 0, DAY, { ...reach, dailyTo: D - 41 * DAY })).toEqual(["raw -40..0"]);
    const whole = { rawFrom: -Infinity, hourlyTo: D, dailyTo: D };
    expect(plan(-40, 0, DAY, whole)).toEqual(["daily -40..0"]);
  });

  it("takes no readings from where a server with a retention of its own may have removed them", async () => {
    const records = openRecords({ path: ":memory:", now: () => D, log: SILENT });
    const asked: string[] = [];
    const note = (resolution: string) => async (query: { from: number; to: number }) => {
      asked.push(`${resolution} ${(query.from - D) / DAY}..${(query.to - D) / DAY}`);
      return [];
    };
    const plans: Record<string, string[]> = {};
    for (const keepsMs of [undefined, 30 * DAY, HOUR]) {
      asked.length = 0;
      const store = {
        aggregate: note("raw"),
        rollups: { aggregate: (query: { from: number; to: number }) => note("hourly")(query) },
        limits: { known: () => ({ keepsMs, noRemoval: undefined }), ask: async () => undefined },
      } as unknown as ReadingStore;
      const view = withRollups(store, records.rollups, () => D + 2 * HOUR);
      const range = { kind: "air", sensorId: "air-1", from: D - 50 * DAY, to: D - 20 * DAY, everyMs: HOUR } as const;
      await view.aggregate(range);
      plans[String(keepsMs)] = [...asked];
    }
    expect(plans).toEqual({
      undefined: ["raw -50..-20"],
      [30 * DAY]: ["hourly -50..-29", "raw -29..-20"],
      [HOUR]: ["hourly -50..-20"],
    });
    records.close();
  });

  it("joins the two halves of a bucket", () => {
    const one = (mean: number, count: number) => ({ mean, min: mean - 1, max: mean + 1, count });
    const a: Bucket = { start: 0, values: { pm25: one(2, 1), no2: one(7, 1) }, resolution: "hourly" };
    const b: Bucket = { start: 0, values: { pm25: one(8, 2), o3: one(3, 1) } };
    expect(mergeBuckets([a, b, { ...b, start: 9 }])).toEqual([
      {
        start: 0,
        values: { pm25: { mean: 6, min: 1, max: 9, count: 3 }, no2: one(7, 1), o3: one(3, 1) },
        resolution: "hourly",
      },
      { ...b, start: 9 },
    ]);
  });
});
