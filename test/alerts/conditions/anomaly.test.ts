import { describe, expect, it } from "vitest";
import { type AnomalyParams, anomaly } from "../../../alerts/conditions/anomaly.ts";
import { zoneNamed } from "../../../model/zone.ts";
import { aRule } from "../builders.ts";
import { type Note, play } from "./play.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const hourly: AnomalyParams = {
  sigmas: 4,
  windowMs: HOUR,
  season: "week",
  count: 2,
  side: "both",
  atLeast: 0,
  capture: 0.75,
  needsGood: false,
  range: [-1_000, 1_000],
  spreadMin: 0,
};

/** A Monday. */
const MONDAY = 4 * 24;
/** By day 100, by night 20, at the weekend half of it; off by -2 … 2 in a fixed pattern. */
const usual = (hour: number): number => {
  const day = Math.floor((hour - MONDAY) / 24);
  const level = hour % 24 >= 6 && hour % 24 < 22 ? 100 : 20;
  return (((day % 7) + 7) % 7 >= 5 ? level / 2 : level) + ((hour * 7 + day * 3) % 5) - 2;
};
/** One value per hour from Monday on, for so many hours; `other` replaces the usual. */
const feed = (hours: number, other: (hour: number) => number | undefined = () => undefined): Note[] =>
  Array.from({ length: hours }, (_, i): Note => [(MONDAY + i) * 60, other(i) ?? usual(MONDAY + i)]);
const run = (change: Partial<AnomalyParams>, notes: readonly Note[], everyMs = HOUR) =>
  play(anomaly, { ...hourly, ...change }, notes, everyMs);
const within = (hour: number, from: number, to: number, value: number) =>
  hour >= from && hour < to ? value : undefined;
const hoursOf = (time: number) => time / HOUR - MONDAY;

describe("anomaly", () => {
  it("fires with the second unusual hour, says what is usual, and ends when it is so again", () => {
    const start = 35 * 24 + 10;
    const { outcomes } = run(
      {},
      feed(36 * 24, (hour) => within(hour, start, start + 5, 20)),
    );
    expect(outcomes.map(({ what, at }) => [what, hoursOf(at)])).toEqual([
      ["firing", start + 2],
      ["resolved", start + 6],
    ]);
    expect(outcomes[0]).toMatchObject({ value: 20, startedAt: (MONDAY + start) * HOUR });
    expect(outcomes[0]!.evidence).toHaveLength(2);
    expect(outcomes[0]!.evidence[1]!.note).toMatch(
      /^usual at this time: (99|100|101)\.?\d*, from \d+\.?\d* to \d+\.?\d*$/,
    );
    expect(outcomes[0]!.limit).toBeGreaterThan(80);
    expect(outcomes[0]!.limit).toBeLessThan(100);
    expect(outcomes[1]).toMatchObject({ why: "cleared" });
  });

  it("by hand: median 10, MAD 1, four sigmas are 5.9304", () => {
    // Season none: 8, 9, 10, 11, 12 for ever. Deviations 2 1 0 1 2, median 1; 4 x 1.4826 x 1 = 5.9304.
    const quiet = Array.from({ length: 100 }, (_, i): Note => [i * 60, 8 + (i % 5)]);
    const last = (value: number): Note[] => [...quiet, [100 * 60, value], [101 * 60, 10]];
    const none = { season: "none", count: 1 } as const;
    expect(run(none, last(15.93)).outcomes).toEqual([]);
    expect(run(none, last(15.94)).outcomes).toMatchObject([{ what: "firing", value: 15.94, limit: 15.93 }]);
    expect(run(none, last(4.06)).outcomes).toMatchObject([{ what: "firing", value: 4.06, limit: 4.07 }]);
    expect(run({ ...none, side: "above" }, last(4.06)).outcomes).toEqual([]);
    expect(run({ ...none, side: "below" }, last(15.94)).outcomes).toEqual([]);
    expect(run({ ...none, atLeast: 6 }, last(15.94)).outcomes).toEqual([]);
    expect(run({ ...none, atLeast: 6 }, last(16.01)).outcomes).toHaveLength(1);
  });

  it("one unusual hour is not two", () => {
    const start = 35 * 24 + 10;
    expect(
      run(
        {},
        feed(36 * 24, (hour) => within(hour, start, start + 1, 20)),
      ).outcomes,
    ).toEqual([]);
  });

  it("is silent for weeks of the usual, weekends and nights included, from the first hour on", () => {
    expect(run({}, feed(60 * 24)).outcomes).toEqual([]);
  });

  it("says nothing of an hour it does not know, but for what lies far beyond all it has seen for a day", () => {
    const odd = (value: number) =>
      run(
        {},
        feed(3 * 24, (hour) => within(hour, 60, 64, value)),
      ).outcomes;
    expect(odd(130)).toEqual([]);
    expect(odd(900).map(({ what }) => what)).toEqual(["firing", "resolved"]);
    expect(
      run(
        {},
        feed(20, (hour) => within(hour, 12, 18, 900)),
      ).outcomes,
    ).toEqual([]);
  });

  it("a working day is known after four of its kind, before there are three weeks", () => {
    const start = 9 * 24 + 10;
    const { outcomes } = run(
      {},
      feed(10 * 24, (hour) => within(hour, start, start + 4, 20)),
    );
    expect(outcomes.map(({ what }) => what)).toEqual(["firing", "resolved"]);
  });

  it("does not learn what it calls unusual: after four days it still is", () => {
    const start = 35 * 24;
    const { outcomes, state } = run(
      {},
      feed(start + 4 * 24, (hour) => within(hour, start, start + 20 * 24, 300)),
    );
    expect(outcomes.map(({ what }) => what)).toEqual(["firing"]);
    expect(state.baseline.slots.flat().every((value) => value < 110)).toBe(true);
  });

  it("what stays is learnt on the fifth day and said as the new level, weekends included", () => {
    for (const from of [0, 2, 4, 6]) {
      const start = (35 + from) * 24;
      const { outcomes } = run(
        {},
        feed(start + 60 * 24, (hour) => (hour >= start ? usual(hour + MONDAY) + 200 : undefined)),
      );
      expect(outcomes.map(({ what }) => what)).toEqual(["firing", "resolved"]);
      expect((outcomes[1]!.at - outcomes[0]!.startedAt) / DAY).toBeLessThanOrEqual(7);
      expect(outcomes[1]!.evidence[0]!.says!.key).toBe("note.newNormal");
      const about = { rule: aRule({ metric: "no2", condition: { type: "anomaly" } }), spec: {} as never };
      const said = anomaly.explainEnd!({ ...about, params: hourly, outcome: outcomes[1]! } as never);
      expect(said!.params).toMatchObject({ since: outcomes[0]!.startedAt });
    }
  });

  it("a meter that is frozen for 42 days teaches nothing", () => {
    const start = 35 * 24;
    const end = start + 42 * 24;
    const { outcomes } = run(
      {},
      feed(end + 28 * 24, (hour) => within(hour, start, end, 88.3)),
    );
    // What fired meanwhile ends, and nothing is said of the days that are as they were before.
    expect(outcomes.filter(({ what, at }) => what === "firing" && hoursOf(at) > end)).toEqual([]);
  });

  it("zeros of a lamp by day are learnt, though they repeat for sixteen hours", () => {
    const lamp = (hour: number) => (hour % 24 >= 4 && hour % 24 < 20 ? 0 : 4 + ((hour * 7) % 5) / 10);
    const burning = 20 * 24 + 10;
    const { outcomes } = run(
      { season: "day", atLeast: 0.2, spreadMin: 0.05 },
      feed(21 * 24, (hour) => within(hour, burning, burning + 4, 4) ?? lamp(hour)),
    );
    expect(outcomes.map(({ what, at }) => [what, hoursOf(at)])).toEqual([
      ["firing", burning + 2],
      ["resolved", burning + 5],
    ]);
  });

  it("never claims as usual what cannot be", () => {
    const start = 35 * 24 + 12;
    const params = { range: [0, 101] as const, sigmas: 60 };
    const { outcomes } = run(
      params,
      feed(36 * 24, (hour) => within(hour, start, start + 4, 900)),
    );
    expect(outcomes[0]!.evidence.at(-1)!.note).toMatch(/, from 0 to 101$/);
  });

  it("goes on from what versions before had kept: it learns anew, and what fires ends", () => {
    const old = {
      rolling: {},
      baseline: { slots: [[1]], offs: [] },
      run: [],
      since: 5,
      firing: true,
      missed: 0,
    } as never;
    const cadence = { declaredMs: HOUR, gaps: [] };
    const step = (state: typeof anomaly.quiet, hour: number) =>
      anomaly.step({ ...hourly }, state, { at: hour * HOUR, value: 7, good: true, lastAt: (hour - 1) * HOUR, cadence });
    const [first] = step(old, MONDAY);
    expect(step(first, MONDAY + 1)[1]).toMatchObject([{ what: "resolved", startedAt: 5 }]);
  });

  it("ends within half of the distance, not at the edge", () => {
    const quiet = Array.from({ length: 100 }, (_, i): Note => [i * 60, 8 + (i % 5)]);
    const notes: Note[] = [...quiet, [6000, 30], [6060, 15], [6120, 12.9], [6180, 10]];
    const { outcomes } = run({ season: "none", count: 1 }, notes);
    expect(outcomes).toMatchObject([{ what: "firing" }, { what: "resolved", value: 12.9 }]);
  });

  it("a hole breaks the run; three hours without a mean end what fires", () => {
    const quiet = Array.from({ length: 100 }, (_, i): Note => [i * 60, 8 + (i % 5)]);
    const none = { season: "none" } as const;
    expect(run(none, [...quiet, [6000, 30], [6120, 30], [6180, 10]]).outcomes).toEqual([]);
    const { outcomes } = run(none, [...quiet, [6000, 30], [6060, 30], [6600, 30], [6660, 10]]);
    expect(outcomes).toMatchObject([
      { what: "firing", at: 102 * HOUR },
      { what: "resolved", at: 105 * HOUR, why: "no-data" },
    ]);
  });

  it("time alone ends a window and an alert whose sensor has died, at the same moments", () => {
    const quiet = Array.from({ length: 100 }, (_, i): Note => [i * 60, 8 + (i % 5)]);
    const params = { ...hourly, season: "none" } as const;
    const { state } = play(anomaly, params, [...quiet, [6000, 30], [6060, 30]], HOUR);
    const cadence = { declaredMs: HOUR, gaps: [] };
    const [fired, first] = anomaly.advance!(params, state, 102 * HOUR, cadence);
    expect(first).toMatchObject([{ what: "firing", at: 102 * HOUR, startedAt: 100 * HOUR }]);
    expect(anomaly.advance!(params, fired, 105 * HOUR - 1, cadence)[1]).toEqual([]);
    expect(anomaly.advance!(params, fired, 106 * HOUR, cadence)[1]).toMatchObject([{ at: 105 * HOUR, why: "no-data" }]);
  });

  it("for operators one window must have a good value", () => {
    const quiet = Array.from({ length: 100 }, (_, i): Note => [i * 60, 8 + (i % 5)]);
    const odd: Note[] = [
      [6000, 30, "?"],
      [6060, 30, "?"],
      [6120, 30, "?"],
      [6180, 10],
    ];
    expect(run({ season: "none", needsGood: true }, [...quiet, ...odd]).outcomes).toEqual([]);
    expect(run({ season: "none" }, [...quiet, ...odd]).outcomes).toHaveLength(1);
  });

  it("where nothing ever moves there is no usual spread, and no verdict without `atLeast`", () => {
    const flat = Array.from({ length: 200 }, (_, i): Note => [i * 60, i === 150 || i === 151 ? 6 : 5]);
    expect(run({ season: "none" }, flat).outcomes).toEqual([]);
  });

  it("an hour that was alike by chance is judged by the spread of all", () => {
    const alike = (hour: number) => (hour % 24 === 12 ? 100 + (hour % 72) / 100 : undefined);
    const start = 35 * 24 + 12;
    const two = (hour: number) => within(hour, start, start + 1, 103) ?? alike(hour);
    expect(run({ count: 1 }, feed(36 * 24, two)).outcomes).toEqual([]);
  });

  it("is bounded and survives JSON, with windows of five minutes as well", () => {
    const minutes = Array.from({ length: 8 * 7 * 288 }, (_, i): Note => [MONDAY * 60 + i * 5, 50 + ((i * 7) % 11)]);
    const { state, outcomes } = run({ windowMs: 5 * MINUTE }, minutes.slice(0, 6_000), 5 * MINUTE);
    expect(outcomes).toEqual([]);
    expect(state.baseline.slots).toHaveLength(3 * 144);
    expect(Math.max(...state.baseline.slots.map((slot) => slot.length))).toBe(8);
    expect(JSON.stringify(state)).not.toContain("null");
    expect(JSON.stringify(state).length).toBeLessThan(16_000);
  });
});

/** Ten-minute values of a cabinet that switches at local times: off from 06:00 to 20:00, on holidays from 09:00 on. */
const cabinet = (zone: string, from: string, days: number, holidays: readonly string[] = []): Note[] => {
  const start = Date.parse(`${from}T00:00:00Z`);
  return Array.from({ length: days * 144 }, (_, i): Note => {
    const at = start + i * 10 * MINUTE;
    const wall = new Date(at + zoneNamed(zone).offsetMs(at));
    const hour = wall.getUTCHours();
    const date = wall.toISOString().slice(0, 10);
    const isRest = wall.getUTCDay() === 0 || holidays.includes(date);
    return [at / MINUTE, hour >= (isRest ? 9 : 6) && hour < 20 ? 0.2 : 4 + ((i * 7) % 5) / 50];
  });
};
const tenMinutes = { season: "week", windowMs: 10 * MINUTE, atLeast: 0.5, count: 2 } as const;

describe("the local clock", () => {
  it("says nothing of a switching time that goes with the clocks, through both changes", () => {
    const zone = "Europe/Berlin";
    for (const from of ["2026-02-16", "2026-09-14"]) {
      const notes = cabinet(zone, from, 70);
      expect(run({ ...tenMinutes, zone }, notes, 10 * MINUTE).outcomes).toEqual([]);
      expect(run({ ...tenMinutes, zone: "UTC" }, notes, 10 * MINUTE).outcomes).not.toEqual([]);
    }
  });

  it("a holiday is a day like a Sunday, if it is set", () => {
    const holidays = ["2026-05-14", "2026-12-25"];
    const notes = cabinet("Europe/Berlin", "2026-04-06", 45, holidays);
    const params = { ...tenMinutes, zone: "Europe/Berlin" };
    expect(run({ ...params, holidays: ["2026-05-14", "12-25"] }, notes, 10 * MINUTE).outcomes).toEqual([]);
    const [first] = run(params, notes, 10 * MINUTE).outcomes;
    expect(new Date(first!.startedAt).toISOString()).toBe("2026-05-14T04:10:00.000Z");
  });
});
