import { describe, expect, it } from "vitest";
import { type SpikeParams, spike } from "../../../alerts/conditions/spike.ts";
import { type Note, play } from "./play.ts";

const MINUTE = 60_000;
const DAY = 1440;
const over10: SpikeParams = { above: 10, count: 1, withinMs: DAY * MINUTE, needsGood: true };
const every = (...values: number[]): Note[] => values.map((value, minute) => [minute, value]);
const letters = (change: Partial<SpikeParams>, notes: readonly Note[]) =>
  play(spike, { ...over10, ...change }, notes, MINUTE).letters;

describe("spike", () => {
  it("compares a value with the mean of its neighbours, strictly", () => {
    const { outcomes } = play(spike, over10, every(20, 34, 22), MINUTE);
    // |34 - (20 + 22) / 2| = 13
    expect(outcomes).toMatchObject([{ what: "firing", at: 2 * MINUTE, startedAt: MINUTE, value: 34, limit: 10 }]);
    expect(outcomes[0]!.evidence.map(({ value }) => value)).toEqual([20, 34, 22]);
    expect(letters({}, every(20, 31, 22))).toBe("..."); // |31 - 21| = 10
  });

  it("keeps the signs: neighbours on both sides of zero, and a spike below zero", () => {
    // The mean of the neighbours is 0, of their absolute values 12.
    expect(letters({}, every(-12, 14, 12))).toBe("...");
    expect(letters({}, every(-2, 14, 2))).toBe("..F");
    expect(letters({}, every(-20, -34, -22))).toBe("..F");
  });

  it("a step is no spike, though QARTOD's formula alone would say so; nor is a ramp, nor a peak of two", () => {
    expect(letters({}, every(0, 0, 100, 100, 100))).toBe(".....");
    expect(letters({}, every(0, 0, 100, 99, 99))).toBe(".....");
    expect(letters({}, every(0, 50, 100, 150, 200))).toBe(".....");
    expect(letters({}, every(0, 60, 60, 0))).toBe("....");
  });

  it("a rise that slows down is none", () => {
    expect(letters({}, every(0, 100, 160))).toBe("..."); // |100 - (0 + 160) / 2| = 20
  });

  it("does not compare across a gap", () => {
    expect(
      letters({}, [
        [0, 20],
        [1, 50],
        [60, 20],
      ]),
    ).toBe("...");
  });

  it("ends when `within` has passed without another, at that very moment", () => {
    const { letters, outcomes } = play(spike, over10, [...every(20, 50, 20), [DAY + 30, 20]], MINUTE);
    expect(letters).toBe("..FR");
    expect(outcomes[1]).toMatchObject({ at: (DAY + 1) * MINUTE, startedAt: MINUTE, why: "cleared" });
  });

  it("ends by time alone at the same moment", () => {
    const { state } = play(spike, over10, every(20, 50, 20), MINUTE);
    expect(spike.advance!(over10, state, (DAY + 1) * MINUTE - 1, { gaps: [] })[1]).toEqual([]);
    expect(spike.advance!(over10, state, 3 * DAY * MINUTE, { gaps: [] })[1]).toMatchObject([
      { what: "resolved", at: (DAY + 1) * MINUTE, startedAt: MINUTE },
    ]);
  });

  it("counts them: three within ten minutes, not three within an hour", () => {
    const three = { count: 3, withinMs: 10 * MINUTE };
    expect(letters(three, every(20, 50, 20, 50, 20, 50, 20))).toBe("......F");
    const slow = [0, 8, 16, 24].flatMap((from): Note[] => [
      [from, 20],
      [from + 1, 50],
      [from + 2, 20],
    ]);
    expect(letters(three, slow)).not.toContain("F");
  });

  it("does not call operators on suspect values alone", () => {
    const suspect: Note[] = [
      [0, 20, "?"],
      [1, 50, "?"],
      [2, 20, "?"],
    ];
    expect(letters({}, suspect)).toBe("...");
    expect(letters({ needsGood: false }, suspect)).toBe("..F");
  });

  it("keeps at most `count` times", () => {
    const many = every(...Array.from({ length: 400 }, (_, i) => (i % 2 ? 50 : 20)));
    expect(play(spike, { ...over10, count: 5 }, many, MINUTE).state.spikes).toHaveLength(5);
  });
});
