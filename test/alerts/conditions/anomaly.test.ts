import { describe, expect, it } from "vitest";
import { type AnomalyParams, anomaly } from "../../../alerts/conditions/anomaly.ts";
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
    expect(outcomes[0]!.evidence[1]!.note).toMatch(/^usual at this time: (99|100|101), from \d+\.?\d* to \d+\.?\d*$/);
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

  it("says nothing before it knows the hour", () => {
    expect(
      run(
        {},
        feed(3 * 24, (hour) => within(hour, 60, 64, 900)),
      ).outcomes,
    ).toEqual([]);
    expect(
      run(
        { season: "day" },
        feed(4 * 24, (hour) => within(hour, 90, 94, 900)),
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

  it("does not learn what it calls unusual: after two weeks it still is", () => {
    const start = 35 * 24;
    const { outcomes, state } = run(
      {},
      feed(start + 14 * 24, (hour) => within(hour, start, start + 20 * 24, 300)),
    );
    expect(outcomes.map(({ what }) => what)).toEqual(["firing"]);
    expect(state.baseline.slots.flat().every((value) => value < 110)).toBe(true);
  });

  it("what has lasted four weeks is the new normal", () => {
    const start = 35 * 24;
    const { outcomes } = run(
      {},
      feed(start + 60 * 24, (hour) => (hour >= start ? usual(hour + MONDAY) + 200 : undefined)),
    );
    expect(outcomes.map(({ what }) => what)).toEqual(["firing", "resolved"]);
    expect((outcomes[1]!.at - outcomes[0]!.startedAt) / DAY).toBe(28);
    expect(outcomes[1]!.evidence[0]!.note).toContain("new normal");
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

  it("says nothing before it knows how far values are off", () => {
    const values = (odd: number) => Array.from({ length: 120 }, (_, i): Note => [i * 60, i === odd ? 30 : 8 + (i % 5)]);
    const none = { season: "none", count: 1 } as const;
    expect(run(none, values(60)).outcomes).toEqual([]);
    expect(run(none, values(80)).outcomes).toHaveLength(2);
  });

  it("is bounded and survives JSON, with windows of five minutes as well", () => {
    const minutes = Array.from({ length: 8 * 7 * 288 }, (_, i): Note => [MONDAY * 60 + i * 5, 50 + ((i * 7) % 11)]);
    const { state, outcomes } = run({ windowMs: 5 * MINUTE }, minutes.slice(0, 16_000), 5 * MINUTE);
    expect(outcomes).toEqual([]);
    expect(state.baseline.slots).toHaveLength(168);
    expect(Math.max(...state.baseline.slots.map((slot) => slot.length))).toBe(10);
    expect(JSON.stringify(state)).not.toContain("null");
    expect(JSON.stringify(state).length).toBeLessThan(16_000);
  });
});
