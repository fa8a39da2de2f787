import { describe, expect, it } from "vitest";
import { type ChangeParams, change } from "../../../alerts/conditions/change.ts";
import { type Note, play } from "./play.ts";

const MINUTE = 60_000;
const flood: ChangeParams = { direction: "rise", by: 10, withinMs: 10 * MINUTE, keepForMs: 0, needsGood: true };
const letters = (change_: Partial<ChangeParams>, notes: readonly Note[]) =>
  play(change, { ...flood, ...change_ }, notes, MINUTE).letters;

describe("change", () => {
  it("a rise of ten within ten minutes, from the lowest value", () => {
    const { letters, outcomes } = play(
      change,
      flood,
      [
        [0, 5],
        [3, 3],
        [8, 12.9],
        [9, 13],
        [20, 13],
        [21, 13],
      ],
      MINUTE,
    );
    expect(letters).toBe("...FR.");
    expect(outcomes[0]).toMatchObject({ at: 9 * MINUTE, startedAt: 9 * MINUTE, value: 13, limit: 10 });
    expect(outcomes[0]!.evidence).toEqual([
      { measuredAt: 3 * MINUTE, value: 3 },
      { measuredAt: 9 * MINUTE, value: 13 },
    ]);
    expect(outcomes[1]).toMatchObject({ at: 20 * MINUTE, startedAt: 9 * MINUTE, why: "cleared" });
  });

  it("the lowest value counts up to exactly ten minutes, and no longer", () => {
    expect(
      letters({}, [
        [0, 0],
        [10, 10],
      ]),
    ).toBe(".F");
    expect(
      letters({}, [
        [0, 0],
        [10.1, 10],
      ]),
    ).toBe("..");
  });

  it("a fall is the other way round", () => {
    expect(
      letters({ direction: "fall" }, [
        [0, 5],
        [1, 15],
        [2, 25],
        [3, 15],
      ]),
    ).toBe("...F");
    expect(
      letters({ direction: "rise" }, [
        [0, 25],
        [1, 15],
      ]),
    ).toBe("..");
  });

  it("stays until it has not been so for `keepFor`", () => {
    const notes: Note[] = [
      [0, 0],
      [1, 20],
      [2, 3],
      [3, 20],
      [4, 3],
      [7, 3],
      [9, 3],
    ];
    expect(letters({ keepForMs: 5 * MINUTE }, notes)).toBe(".F....R");
  });

  it("does not call operators on suspect values alone", () => {
    expect(
      letters({}, [
        [0, 0, "?"],
        [1, 20, "?"],
      ]),
    ).toBe("..");
    expect(
      letters({}, [
        [0, 0],
        [1, 20, "?"],
      ]),
    ).toBe(".F");
    expect(
      letters({ needsGood: false }, [
        [0, 0, "?"],
        [1, 20, "?"],
      ]),
    ).toBe(".F");
  });

  it("keeps 65 bases at most of what only ever rises", () => {
    const rising = Array.from({ length: 2_000 }, (_, i): Note => [i / 60, i]);
    const { state } = play(change, { ...flood, by: 1e9 }, rising, MINUTE);
    expect(state.base.length).toBeLessThanOrEqual(66);
    expect(state.base.length).toBeGreaterThan(60);
  });

  it("is bounded, and finds the same as a scan of all values, but for what happens within 1/64 of the window", () => {
    let seed = 20_261_121;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    let value = 0;
    const notes = Array.from({ length: 3_000 }, (_, i): Note => {
      value += random() * 2 - 0.95;
      return [i / 10, value];
    });
    const slack = { ...flood, withinMs: 30 * MINUTE, by: 1e9 };
    const exact = (upTo: number) => {
      const [now, newest] = notes[upTo]!;
      return (
        newest -
        Math.min(
          ...notes
            .slice(0, upTo + 1)
            .filter(([at]) => now - at <= 30)
            .map(([, one]) => one),
        )
      );
    };
    for (const upTo of [400, 1_000, 1_700, 2_999]) {
      const { state } = play(change, slack, notes.slice(0, upTo + 1), MINUTE);
      expect(state.base.length).toBeLessThanOrEqual(66);
      const found = notes[upTo]![1] - state.base[0]!.value;
      expect(found, `seed 20261121, sample ${upTo}`).toBeLessThanOrEqual(exact(upTo) + 1e-9);
      expect(found, `seed 20261121, sample ${upTo}`).toBeGreaterThan(exact(upTo) - 5.3);
    }
  });
});
