import { describe, expect, it } from "vitest";
import { overValues, paramsMaker } from "../../../alerts/conditions/registry.ts";
import { type ThresholdParams, threshold } from "../../../alerts/conditions/threshold.ts";
import { aRule, aSensor } from "../builders.ts";
import { type Note, play } from "./play.ts";

const MINUTE = 60_000;
const above50: ThresholdParams = {
  side: "above",
  limit: 50,
  clear: 50,
  forMs: 0,
  keepForMs: 0,
  needsGood: true,
  aggregate: "mean",
  capture: 0.75,
};

const letters = (change: Partial<ThresholdParams>, notes: readonly Note[], everyMs = MINUTE) =>
  play(threshold, { ...above50, ...change }, notes, everyMs).letters;

describe("threshold on values", () => {
  it("fires strictly above the limit and resolves at it", () => {
    expect(
      letters({}, [
        [0, 50],
        [1, 50.1],
        [2, 60],
        [3, 50],
      ]),
    ).toBe(".F.R");
  });

  it("watches the other side, too", () => {
    expect(
      letters({ side: "below" }, [
        [0, 50],
        [1, 49],
        [2, 50],
      ]),
    ).toBe(".FR");
  });

  it("does not flap around the limit: it ends at the clear level", () => {
    expect(
      letters({ clear: 40 }, [
        [0, 60],
        [1, 45],
        [2, 55],
        [3, 41],
        [4, 40],
      ]),
    ).toBe("F...R");
  });

  it("is pending until it has held for `for`", () => {
    expect(
      letters({ forMs: 2 * MINUTE }, [
        [0, 60],
        [1, 60],
        [2, 60],
        [3, 60],
        [4, 20],
      ]),
    ).toBe("p.F.R");
  });

  it("gives up a pending that did not hold", () => {
    const played = play(
      threshold,
      { ...above50, forMs: 2 * MINUTE },
      [
        [0, 60],
        [1, 50],
        [2, 60],
      ],
      MINUTE,
    );
    expect(played.letters).toBe("pRp");
    expect(played.outcomes[1]).toMatchObject({ startedAt: 0, at: MINUTE, why: "not-held" });
  });

  it("keeps firing until it has been clear for `keepFor` without a break", () => {
    const notes: Note[] = [
      [0, 60],
      [1, 40],
      [2, 60],
      [3, 40],
      [4, 40],
      [5, 40],
    ];
    expect(letters({ keepForMs: 2 * MINUTE }, notes)).toBe("F....R");
  });

  it("starts `for` anew after a hole in the data: nobody saw that it held", () => {
    const played = play(
      threshold,
      { ...above50, forMs: 10 * MINUTE },
      [
        [0, 60],
        [5, 60],
        [90, 60],
        [100, 60],
      ],
      5 * MINUTE,
    );
    expect(played.letters).toBe("p.[Rp]F");
    expect(played.outcomes[1]).toMatchObject({ at: 5 * MINUTE, why: "no-data" });
    expect(played.outcomes[3]).toMatchObject({ startedAt: 90 * MINUTE, at: 100 * MINUTE });
  });

  it("bridges the gaps that are normal for a slow sensor", () => {
    expect(
      letters(
        { forMs: 60 * MINUTE },
        [
          [0, 60],
          [60, 60],
        ],
        60 * MINUTE,
      ),
    ).toBe("pF");
  });

  it("waits for a value that is not suspect before it calls operators, and counts from the first all the same", () => {
    const notes: Note[] = [
      [0, 60, "?"],
      [1, 60, "?"],
      [2, 60],
    ];
    const played = play(threshold, above50, notes, MINUTE);
    expect(played.letters).toBe("..F");
    expect(played.outcomes[0]).toMatchObject({ startedAt: 0, at: 2 * MINUTE });
    expect(played.outcomes[0]!.evidence).toEqual([
      { measuredAt: 0, value: 60, quality: "suspect" },
      { measuredAt: 2 * MINUTE, value: 60 },
    ]);
    expect(letters({ needsGood: false }, notes)).toBe("F..");
  });
});

describe("threshold on windows", () => {
  const tenMinutes = { windowMs: 10 * MINUTE };
  const fill = (from: number, count: number, value: number): Note[] =>
    Array.from({ length: count }, (_, i) => [from + i, value] as const);

  it("compares the mean of each aligned window when it has ended", () => {
    const notes = [...fill(0, 10, 40), ...fill(10, 10, 60), ...fill(20, 11, 40)];
    const played = play(threshold, { ...above50, ...tenMinutes }, notes, MINUTE);
    expect(played.letters).toBe(`${".".repeat(20)}F${".".repeat(9)}R`);
    expect(played.outcomes[0]).toMatchObject({ startedAt: 10 * MINUTE, at: 20 * MINUTE, value: 60 });
    expect(played.outcomes[0]!.evidence[0]).toEqual({
      measuredAt: 20 * MINUTE,
      value: 60,
      window: { from: 10 * MINUTE, samples: 10, expected: 10 },
    });
  });

  it("takes the maximum or the minimum where the rule says so", () => {
    const notes: Note[] = [...fill(0, 9, 10), [9, 90], [10, 10]];
    expect(letters({ ...tenMinutes, aggregate: "max" }, notes)).toContain("F");
    expect(letters({ ...tenMinutes, aggregate: "min" }, notes)).not.toContain("F");
    expect(letters({ ...tenMinutes, aggregate: "min", side: "below", limit: 20, clear: 20 }, notes)).toContain("F");
  });

  it("passes over a window with less than three quarters of its data", () => {
    expect(letters(tenMinutes, [...fill(0, 7, 60), [10, 60]])).not.toContain("F");
    expect(letters(tenMinutes, [...fill(0, 8, 60), [10, 60]])).toContain("F");
  });

  it("counts `for` from the start of the first window", () => {
    const notes = [...fill(0, 31, 60)];
    const played = play(threshold, { ...above50, ...tenMinutes, forMs: 30 * MINUTE }, notes, MINUTE);
    expect(played.letters).toBe(`${".".repeat(10)}p${".".repeat(19)}F`);
    expect(played.outcomes[1]).toMatchObject({ startedAt: 0, at: 30 * MINUTE });
  });

  it("a missing window starts `for` anew", () => {
    const notes = [...fill(0, 10, 60), ...fill(20, 11, 60)];
    expect(letters({ ...tenMinutes, forMs: 20 * MINUTE }, notes).replaceAll(".", "")).toBe("p[Rp]");
  });

  it("a mean of exactly the limit is not above it, whatever adding up does", () => {
    const notes: Note[] = [
      [0, 0.1],
      [1, 0.2],
      [2, 0.3],
      [3, 0.2],
    ];
    const params = { ...above50, limit: 0.2, clear: 0.2, windowMs: 3 * MINUTE };
    expect(play(threshold, params, notes, MINUTE).letters).toBe("....");
  });

  it("ends a window by time as well, once and with the same verdict", () => {
    const params = { ...above50, ...tenMinutes };
    const { state } = play(threshold, params, fill(0, 10, 60), MINUTE);
    const cadence = { declaredMs: MINUTE, gaps: [] };
    expect(threshold.advance!(params, state, 10 * MINUTE - 1, cadence)[1]).toEqual([]);
    const [closed, outcomes] = threshold.advance!(params, state, 10 * MINUTE, cadence);
    expect(outcomes).toMatchObject([{ what: "firing", startedAt: 0, at: 10 * MINUTE }]);
    expect(threshold.advance!(params, closed, 60 * MINUTE, cadence)[1]).toEqual([]);
    const straggler = { at: 9.5 * MINUTE, value: 1, good: true, lastAt: 9 * MINUTE, cadence };
    expect(threshold.step(params, closed, straggler)).toEqual([closed, []]);
  });
});

describe("a critical alert for crews", () => {
  const rule = (fields: object) =>
    aRule({ kind: "any", metric: "battery", audience: "crews", severity: "critical", ...fields });
  const played = (fields: object, notes: readonly Note[]) => {
    const one = rule(fields);
    const condition = overValues(one.condition.type)!;
    return play(condition, paramsMaker(one)(aSensor())!, notes, 5 * 60_000).letters;
  };

  it("waits for a second sample: one may be what a device says that has nothing to say", () => {
    const condition = { type: "threshold", below: 10, clear: 20 };
    expect(
      played({ condition }, [
        [0, 80],
        [5, 0],
        [10, 80],
        [15, 0],
        [20, 0],
        [25, 80],
      ]),
    ).toBe("....FR");
    expect(
      played({ condition, severity: "warning" }, [
        [0, 80],
        [5, 0],
        [10, 80],
      ]),
    ).toBe(".FR");
    expect(
      played({ condition, audience: "operators" }, [
        [0, 80],
        [5, 0],
        [10, 80],
      ]),
    ).toBe(".FR");
    // A window of one sample is one sample.
    const hourly = { type: "threshold", below: 10, window: "5m" };
    expect(
      played({ condition: hourly }, [
        [0, 80],
        [5, 0],
        [10, 80],
        [15, 0],
        [20, 0],
        [25, 80],
      ]),
    ).toBe(".....F");
  });

  it("of a change, too, which no suspect value makes", () => {
    const condition = { type: "change", fall: 30, within: "1h" };
    expect(
      played({ condition }, [
        [0, 80],
        [5, 0],
        [10, 80],
        [15, 20],
        [20, 20],
      ]),
    ).toBe("....F");
    expect(
      played({ condition }, [
        [0, 20],
        [5, 85, "?"],
        [10, 20],
        [15, 20],
      ]),
    ).toBe("....");
  });
});
