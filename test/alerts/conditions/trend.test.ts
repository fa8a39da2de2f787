import { describe, expect, it } from "vitest";
import { median, trendOf, trendScore } from "../../../alerts/conditions/statistics.ts";

const series = (...values: number[]) => values.map((value, at) => ({ at, value }));

describe("the trend", () => {
  it("of a straight line is its slope, exactly, with no doubt", () => {
    const trend = trendOf(series(10, 8, 6, 4, 2, 0));
    expect(trend).toEqual({ slope: -2, low: -2, high: -2, level: 0 });
    // S = -15, var = 6 x 5 x 17 / 18 = 28.33, z = -14 / sqrt(28.33)
    expect(trendScore(series(10, 8, 6, 4, 2, 0))).toBeCloseTo(-14 / Math.sqrt(510 / 18), 10);
  });

  it("by hand: 1 3 2 4", () => {
    // Slopes 2, 1/2, -1, 1, 1/2, 2: in order -1, 1/2, 1/2, 1, 2, 2, median 3/4. S = 4; var = 4 x 3 x 13 / 18 = 8.6667.
    const trend = trendOf(series(1, 3, 2, 4));
    expect(trend.slope).toBe(0.75);
    expect(trendScore(series(1, 3, 2, 4))).toBeCloseTo(3 / Math.sqrt(26 / 3), 10);
    // C = 1.96 x 2.944 = 5.77: (6 - 5.77) / 2 = 0.1, (6 + 5.77) / 2 + 1 = 6.9: the outermost slopes.
    expect([trend.low, trend.high]).toEqual([-1, 2]);
    // 1 + 2.25, 3 + 1.5, 2 + 0.75, 4: median of 3.25, 4.5, 2.75, 4
    expect(trend.level).toBe(3.625);
  });

  it("counts ties in the variance, and a constant has no trend", () => {
    // Ten values, four pairs of ties at 1 and one group of two: 1 1 2 2 3 3 4 4 5 5.
    const score = trendScore(series(1, 1, 2, 2, 3, 3, 4, 4, 5, 5));
    const variance = (10 * 9 * 25 - 5 * 2 * 1 * 9) / 18;
    expect(score).toBeCloseTo(39 / Math.sqrt(variance), 10);
    expect(trendOf(series(7, 7, 7, 7, 7))).toEqual({ slope: 0, low: 0, high: 0, level: 7 });
    expect(trendScore(series(7, 7, 7, 7, 7))).toBe(0);
  });

  it("is not moved by a quarter of bad points", () => {
    const values = Array.from({ length: 20 }, (_, i) => (i % 5 === 2 ? 500 : 100 - i));
    expect(trendOf(series(...values)).slope).toBeCloseTo(-1, 6);
  });

  it("medians", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});
