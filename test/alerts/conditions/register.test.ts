import { describe, expect, it } from "vitest";
import { classify, type RegisterParams, register } from "../../../alerts/conditions/register.ts";
import { type Note, play } from "./play.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const tenKw: RegisterParams = { maxPowerKw: 10 };
const quarters = (...values: number[]): Note[] => values.map((value, i) => [i * 15, value]);
const letters = (params: RegisterParams, notes: readonly Note[]) => play(register, params, notes, 15 * MINUTE).letters;
const pair = (params: RegisterParams, from: number, to: number, hours = 1) =>
  classify(params, { at: 0, value: from }, { at: hours * HOUR, value: to });

describe("register", () => {
  it("may rise by maxPower x hours x 1.2, and one least count", () => {
    expect(pair(tenKw, 100, 113)).toBe("interval"); // 10 kW x 1 h x 1.2 = 12, + 1
    expect(pair(tenKw, 100, 114)).toBe("jump");
    expect(pair(tenKw, 100.5, 112.6)).toBe("interval");
    expect(pair(tenKw, 100.5, 112.7)).toBe("jump"); // 12.2 > 12 + 0.1
    expect(pair(tenKw, 100, 101, 1 / 3600)).toBe("interval");
    expect(pair(tenKw, 100, 100)).toBe("interval");
  });

  it("takes a fall for a rollover only where the digits say so", () => {
    expect(pair({ ...tenKw, digits: 5 }, 99_998, 3)).toBe("rollover");
    expect(pair({ ...tenKw, digits: 6 }, 99_998, 3)).toBe("decrease");
    expect(pair({ ...tenKw, digits: 5 }, 99_998, 30)).toBe("decrease"); // 32 kWh in an hour at 10 kW
    expect(pair({ ...tenKw, digits: 5 }, 80_000, 3)).toBe("decrease");
    expect(pair(tenKw, 99_998, 3)).toBe("decrease");
  });

  it("a fall fires, starts a new epoch, and ends after an hour of plausible steps", () => {
    const { letters, outcomes } = play(register, tenKw, quarters(500, 501, 0, 1, 2, 3, 4, 5), 15 * MINUTE);
    expect(letters).toBe("..F...R.");
    expect(outcomes[0]).toMatchObject({ at: 30 * MINUTE, startedAt: 30 * MINUTE, value: 0, limit: 501 });
    expect(outcomes[0]!.evidence[0]).toMatchObject({ measuredAt: 15 * MINUTE, value: 501 });
    expect(outcomes[1]).toMatchObject({ at: 90 * MINUTE, startedAt: 30 * MINUTE, why: "cleared" });
  });

  it("a jump says how far it could have come", () => {
    const { outcomes } = play(register, tenKw, quarters(500, 900), 15 * MINUTE);
    expect(outcomes).toMatchObject([{ what: "firing", value: 900, limit: 504 }]);
  });

  it("one wrong value is one alert, not two", () => {
    expect(letters(tenKw, quarters(500, 501, 0, 501, 502, 503, 504, 505, 506))).toBe("..F....R.");
  });

  it("a gap may be long", () => {
    expect(
      letters(tenKw, [
        [0, 500],
        [60 * 24, 700],
      ]),
    ).toBe("..");
  });

  it("says nothing of a first value, nor of a rollover", () => {
    expect(letters({ ...tenKw, digits: 5 }, quarters(99_997, 99_999, 1, 3))).toBe("....");
  });

  it("every pair is exactly one of interval, rollover, decrease and jump, and a step the other way never an interval", () => {
    let seed = 4;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let i = 0; i < 2_000; i++) {
      const [from, to, hours] = [random() * 1e5, random() * 1e5, random() * 100 + 0.01];
      const kind = pair({ maxPowerKw: random() * 1000, digits: 5 }, from, to, hours);
      expect(to >= from ? ["interval", "jump"] : ["rollover", "decrease"], "seed 4").toContain(kind);
    }
  });
});
