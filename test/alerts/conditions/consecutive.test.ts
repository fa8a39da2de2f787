import { describe, expect, it } from "vitest";
import { type ConsecutiveParams, consecutive } from "../../../alerts/conditions/consecutive.ts";
import { type Note, play } from "./play.ts";

const HOUR = 3_600_000;
const threeHours: ConsecutiveParams = { above: 200, count: 3, windowMs: HOUR, capture: 0.75, needsGood: true };

/** One value per hour; undefined: no reading. The last one only closes the window before. */
const hourly = (...values: (number | undefined | "?")[]): Note[] =>
  values.flatMap((value, hour): Note[] => {
    if (value === undefined) return [];
    return [value === "?" ? [hour * 60, 250, "?"] : [hour * 60, value]];
  });

const letters = (notes: Note[], change: Partial<ConsecutiveParams> = {}, everyMs = HOUR) =>
  play(consecutive, { ...threeHours, ...change }, notes, everyMs).letters;

describe("consecutive", () => {
  it("fires at the end of the third hour in a row and says which three", () => {
    const played = play(consecutive, threeHours, hourly(100, 210, 220, 230, 90, 90), HOUR);
    expect(played.letters).toBe("....FR");
    expect(played.outcomes[0]).toMatchObject({ startedAt: HOUR, at: 4 * HOUR, value: 230 });
    expect(played.outcomes[0]!.evidence.map(({ measuredAt, value }) => [measuredAt / HOUR, value])).toEqual([
      [2, 210],
      [3, 220],
      [4, 230],
    ]);
    expect(played.outcomes[1]).toMatchObject({ startedAt: HOUR, at: 5 * HOUR, value: 90, why: "cleared" });
  });

  it("does not fire for exactly the limit, nor for two hours and one apart", () => {
    expect(letters(hourly(200, 200, 200, 200, 200))).toBe(".....");
    expect(letters(hourly(210, 210, 190, 210, 210, 190))).toBe("......");
  });

  it("a missing hour breaks the run", () => {
    expect(letters(hourly(210, 210, undefined, 210, 210, 100))).toBe(".....");
    expect(letters(hourly(210, 210, undefined, 210, 210, 210, 100))).toBe(".....F");
  });

  it("an hour with less than 45 minutes of data breaks the run", () => {
    const minutes = (hour: number, count: number): Note[] =>
      Array.from({ length: count }, (_, i) => [hour * 60 + i, 250] as const);
    const full = [...minutes(0, 60), ...minutes(1, 45), ...minutes(2, 60), ...minutes(3, 1)];
    const thin = [...minutes(0, 60), ...minutes(1, 44), ...minutes(2, 60), ...minutes(3, 1)];
    expect(letters(full, {}, 60_000)).toContain("F");
    expect(letters(thin, {}, 60_000)).not.toContain("F");
  });

  it("a day counts with 18 hours", () => {
    const day = { windowMs: 24 * HOUR, count: 1 };
    const hours = (count: number): Note[] => [...hourly(...Array<number>(count).fill(250)), [24 * 60, 10]];
    expect(letters(hours(18), day)).toContain("F");
    expect(letters(hours(17), day)).not.toContain("F");
  });

  it("estimates the interval where none is declared", () => {
    expect(play(consecutive, threeHours, hourly(210, 210, 210, 210, 210)).letters).toBe("....F");
  });

  it("a sensor that reports every three hours has no hourly mean", () => {
    const notes: Note[] = [0, 3, 6, 9, 12, 15].map((hour) => [hour * 60, 250]);
    expect(letters(notes, { count: 1 }, 3 * HOUR)).toBe("......");
  });

  it("with count 1 one hour is enough", () => {
    expect(letters(hourly(210, 100, 100), { count: 1 })).toBe(".FR");
  });

  it("does not call operators on suspect hours alone, but on the first run with a good one", () => {
    expect(letters(hourly("?", "?", "?", "?"))).toBe("....");
    expect(letters(hourly("?", "?", "?", 210, 210))).toBe("....F");
    expect(letters(hourly("?", "?", "?", "?"), { needsGood: false })).toBe("...F");
  });

  it("goes on firing over a hole, keeps its start, and ends after three hours without a mean", () => {
    const short = play(consecutive, threeHours, hourly(210, 210, 210, 210, undefined, 210, 100, 100), HOUR);
    expect(short.letters).toBe("...F..R");
    expect(short.outcomes[1]).toMatchObject({ startedAt: 0, at: 7 * HOUR });
    const long = play(consecutive, threeHours, [...hourly(210, 210, 210), [20 * 60, 210]], HOUR);
    expect(long.letters).toBe("...[FR]");
    expect(long.outcomes[1]).toMatchObject({ at: 6 * HOUR, startedAt: 0, why: "no-data", evidence: [] });
  });

  it("time alone ends a window, and an alert whose sensor has died, at the same moments as the next reading would", () => {
    const { state } = play(consecutive, threeHours, hourly(210, 210, 210), HOUR);
    const cadence = { declaredMs: HOUR, gaps: [] };
    const [fired, first] = consecutive.advance!(threeHours, state, 3 * HOUR, cadence);
    expect(first).toMatchObject([{ what: "firing", at: 3 * HOUR, startedAt: 0 }]);
    const [waiting, none] = consecutive.advance!(threeHours, fired, 6 * HOUR - 1, cadence);
    expect(none).toEqual([]);
    const [ended, last] = consecutive.advance!(threeHours, waiting, 6 * HOUR, cadence);
    expect(last).toMatchObject([{ what: "resolved", at: 6 * HOUR, startedAt: 0, why: "no-data" }]);
    expect(consecutive.advance!(threeHours, ended, 9 * HOUR, cadence)[1]).toEqual([]);
  });

  it("keeps no more than the run it needs, however long the feed", () => {
    const { state } = play(consecutive, threeHours, hourly(...Array<number>(500).fill(250)), HOUR);
    expect(state.run).toHaveLength(3);
    expect(JSON.stringify(state).length).toBeLessThan(800);
  });
});
