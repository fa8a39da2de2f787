import { describe, expect, it } from "vitest";
import { type ForecastParams, forecast } from "../../../alerts/conditions/forecast.ts";
import { trendScore } from "../../../alerts/conditions/statistics.ts";
import { type Note, play } from "./play.ts";

const MINUTE = 60_000;
const DAY = 1440;
const flat: ForecastParams = {
  side: "below",
  limit: 10,
  withinMs: 30 * DAY * MINUTE,
  overMs: 20 * DAY * MINUTE,
  needsGood: false,
};
/** Four values a day with a daily swing and some noise that is always the same. */
const days = (from: number, count: number, level: (day: number) => number): Note[] =>
  Array.from({ length: count * 4 }, (_, i): Note => {
    const day = from + i / 4;
    return [day * DAY, Math.round((level(day) + [-0.4, 0.1, 0.5, -0.2][i % 4]! + ((i * 7) % 5) / 10) * 100) / 100];
  });
const run = (change: Partial<ForecastParams>, notes: readonly Note[]) =>
  play(forecast, { ...flat, ...change }, notes, 360 * MINUTE);
const daysOf = (time: number) => time / DAY / MINUTE;

describe("forecast", () => {
  it("says when a battery will be flat, from when to when, once it is within `within`", () => {
    const { outcomes } = run(
      {},
      days(0, 40, (day) => 100 - 2 * day),
    ); // 10 % at day 45
    expect(outcomes).toHaveLength(1);
    const [{ what, at, value, limit, expected }] = outcomes as [(typeof outcomes)[0]];
    expect([what, limit]).toEqual(["firing", 10]);
    // Not further ahead than 0.7 of the 20 days that are known, and once three days have agreed.
    expect(daysOf(at)).toBeGreaterThanOrEqual(32);
    expect(daysOf(at)).toBeLessThanOrEqual(37);
    expect(daysOf(expected!.at)).toBeGreaterThan(44.5);
    expect(daysOf(expected!.at)).toBeLessThan(45.8);
    expect(expected!.from).toBeLessThanOrEqual(expected!.at);
    expect(expected!.to).toBeGreaterThanOrEqual(expected!.at);
    expect(value).toBeCloseTo(100 - 2 * (daysOf(at) - 0.5), 0);
  });

  it("by hand: a straight line of daily values", () => {
    const line: Note[] = Array.from({ length: 16 }, (_, day): Note => [day * DAY, 50 - 2 * day]);
    const { letters, outcomes } = run({ overMs: 18 * DAY * MINUTE }, line);
    // Day 12 is the first with 0.7 of what is known ahead of it: 8.5 days to 10 %, of 12. Day 14 is the third, judged at its end.
    expect(letters).toBe("...............F");
    expect(outcomes[0]).toMatchObject({ at: 15 * DAY * MINUTE, startedAt: 15 * DAY * MINUTE });
    expect(outcomes[0]!.value).toBeCloseTo(22, 1);
    const { at, from, to } = outcomes[0]!.expected!;
    expect(daysOf(at)).toBeCloseTo(20.5, 0);
    expect([from <= 20.5 * DAY * MINUTE, to >= 20.5 * DAY * MINUTE]).toEqual([true, true]);
    expect(outcomes[0]!.evidence[1]!.note).toMatch(/^trend of -(2|1\.9\d|2\.0\d) per day \(.* to .*\) over 15 values$/);
  });

  it("is silent while little is known, without a trend, and when the trend leads away", () => {
    expect(
      run(
        {},
        days(0, 9, (day) => 40 - 3 * day),
      ).outcomes,
    ).toEqual([]);
    expect(
      run(
        {},
        days(0, 60, () => 12),
      ).outcomes,
    ).toEqual([]);
    expect(
      run(
        {},
        days(0, 60, (day) => 12 + day),
      ).outcomes,
    ).toEqual([]);
    expect(
      run(
        {},
        days(0, 30, (day) => 90 - 0.5 * day),
      ).outcomes,
    ).toEqual([]);
  });

  it("waits until half of `over` is known", () => {
    const [first] = run(
      { overMs: 40 * DAY * MINUTE },
      days(0, 40, (day) => 24 - day / 2),
    ).outcomes;
    expect(daysOf(first!.at)).toBeGreaterThanOrEqual(21);
  });

  it("a line through noise that leads to the limit is no trend: p < 0.05 to begin", () => {
    // z = -1.72, the line reaches 10 after 13 days.
    const doubtful = [17, 18, 18.5, 17, 16.5, 18.5, 15.5, 14.5, 15, 16.5];
    expect(trendScore(doubtful.map((value, at) => ({ at, value })))).toBeCloseTo(-1.72, 2);
    const daily = (values: readonly number[]) => values.map((value, day): Note => [day * DAY, value]);
    const params = { overMs: 18 * DAY * MINUTE };
    expect(run(params, daily([...doubtful, 14])).outcomes).toEqual([]);
  });

  it("does not flap where the expected time stays about `within`", () => {
    const slowing = [...days(0, 16, (day) => 100 - 2 * day), ...days(16, 42, (day) => 68 - 1.2 * (day - 16))];
    expect(run({}, slowing).outcomes.map(({ what }) => what)).toEqual(["firing"]);
  });

  it("ends when the limit is reached, and when what was said is overdue", () => {
    const reached = run(
      {},
      days(0, 50, (day) => 100 - 2 * day),
    ).outcomes;
    expect(reached.map(({ what }) => what)).toEqual(["firing", "resolved"]);
    expect(reached[1]!.limit).toBe(10);
    const stops = [...days(0, 42, (day) => 100 - 2 * day), ...days(42, 20, (day) => 16 - 0.3 * (day - 42))];
    const [first, end] = run({}, stops).outcomes;
    expect(end!.what).toBe("resolved");
    expect(end!.at).toBeLessThanOrEqual(first!.expected!.to);
  });

  it("ends by the clock alone when what was said is overdue, at that very time", () => {
    const { state, outcomes } = run(
      {},
      days(0, 38, (day) => 100 - 2 * day),
    );
    const { to } = outcomes[0]!.expected!;
    expect(forecast.advance!(flat, state, to, { gaps: [] })[1].map(({ what }) => what)).toEqual([]);
    const [next, [end]] = forecast.advance!(flat, state, to + 1, { gaps: [] });
    expect(end).toMatchObject({ what: "resolved", at: to, startedAt: outcomes[0]!.startedAt });
    expect(next.since).toBeUndefined();
  });

  it("says nothing of what settles before its limit, nor of a knee that has just begun", () => {
    expect(
      run(
        {},
        days(0, 90, (day) => 20 + 80 * Math.exp(-day / 12)),
      ).outcomes,
    ).toEqual([]);
    expect(
      run(
        {},
        days(0, 45, (day) => (day < 35 ? 95 : 95 - 8 * (day - 35))),
      ).outcomes,
    ).toEqual([]);
  });

  it("a battery replaced ends it, and what was before is forgotten", () => {
    const notes = [...days(0, 30, (day) => 80 - 2 * day), ...days(30, 30, (day) => 100 - 0.1 * (day - 30))];
    const { outcomes, state } = run({}, notes);
    expect(outcomes.map(({ what }) => what)).toEqual(["firing", "resolved"]);
    expect(daysOf(outcomes[1]!.at)).toBeLessThanOrEqual(32);
    expect(state.points.every(({ value }) => value > 90)).toBe(true);
  });

  it("ends when the trend no longer reaches the limit", () => {
    const notes = [...days(0, 30, (day) => 80 - 2 * day), ...days(30, 40, () => 21)];
    expect(run({}, notes).outcomes.map(({ what }) => what)).toEqual(["firing", "resolved"]);
  });

  it("an upper limit in minutes: a transformer over its rating within the hour", () => {
    const hour: ForecastParams = {
      side: "above",
      limit: 400,
      withinMs: 60 * MINUTE,
      overMs: 120 * MINUTE,
      needsGood: true,
    };
    const notes: Note[] = Array.from({ length: 200 }, (_, i): Note => [i, 200 + i + [0, 1.5, -1, 0.5][i % 4]!]);
    const [first] = play(forecast, hour, notes, MINUTE).outcomes;
    expect(first!.at / MINUTE).toBeGreaterThanOrEqual(138);
    expect(first!.at / MINUTE).toBeLessThanOrEqual(160);
    expect(first!.expected!.at / MINUTE).toBeGreaterThan(197);
    expect(first!.expected!.at / MINUTE).toBeLessThan(203);
  });

  it("a sensor whose forecasts fail is told of in wider intervals", () => {
    // Falls towards the limit for 16 days, turns back in time, and again.
    const turning = days(0, 400, (day) => (day % 40 < 28 ? 80 - 2.2 * (day % 40) : 18 + (62 / 12) * ((day % 40) - 28)));
    const { outcomes, state } = run({}, turning);
    const said = outcomes.filter(({ what }) => what === "firing");
    const widths = said.map(({ expected }) => expected!.to - expected!.from);
    expect(said.length).toBeGreaterThan(1);
    expect(widths[1]!).toBeGreaterThan(widths[0]!);
    expect(state.wide).toBeGreaterThan(1);
  });

  it("for operators suspect values do not make a trend", () => {
    const suspect = days(0, 40, (day) => 100 - 2 * day).map(([at, value]): Note => [at, value, "?"]);
    expect(run({ needsGood: true }, suspect).outcomes).toEqual([]);
  });

  it("time alone ends a bucket as the next value would, and a value that comes after that is too late for it", () => {
    const line: Note[] = Array.from({ length: 15 }, (_, day): Note => [day * DAY, 50 - 2 * day]);
    const params = { ...flat, overMs: 18 * DAY * MINUTE };
    const { state } = play(forecast, params, line, DAY * MINUTE);
    expect(forecast.advance!(params, state, 15 * DAY * MINUTE - 1, { gaps: [] })).toEqual([state, []]);
    const [next, outcomes] = forecast.advance!(params, state, 15 * DAY * MINUTE, { gaps: [] });
    expect(outcomes).toMatchObject([{ what: "firing", at: 15 * DAY * MINUTE }]);
    const late = { at: 14.5 * DAY * MINUTE, value: 0, good: true, lastAt: undefined, cadence: { gaps: [] } };
    expect(forecast.step(params, next, late)).toEqual([next, []]);
  });

  it("is bounded and free of NaN, however long and however constant", () => {
    const { state, outcomes } = run(
      { overMs: 90 * DAY * MINUTE },
      days(0, 300, (day) => 100 - day / 10),
    );
    expect(state.points.length).toBeLessThanOrEqual(181);
    expect(JSON.stringify([state, outcomes])).not.toContain("null");
  });
});
