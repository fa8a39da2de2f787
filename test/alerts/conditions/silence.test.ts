import { describe, expect, it } from "vitest";
import { intervalMs, isIntervalBelow, quietLimitMs, silenceLimitMs } from "../../../alerts/conditions/cadence.ts";
import { HEARD, lookForSilence, stepSilence } from "../../../alerts/conditions/silence.ts";
import { random } from "../builders.ts";

const MINUTE = 60_000;
const params = { afterMs: 15 * MINUTE };
const everyMinute = { declaredMs: MINUTE, gaps: [] };

describe("the interval", () => {
  it("is the declared one, else the median of the gaps, else unknown", () => {
    expect(intervalMs({ declaredMs: 7, gaps: [1, 1, 1] })).toBe(7);
    expect(intervalMs({ gaps: [5, 5, 1_000, 5, 6] })).toBe(5);
    expect(intervalMs({ gaps: [4, 6, 4, 6] })).toBe(4);
    expect(intervalMs({ gaps: [] })).toBeUndefined();
  });

  it("errs on the slow side while there are few gaps", () => {
    expect(intervalMs({ gaps: [5, 60] })).toBe(60);
  });

  it("is counted to be below a limit as it would be sorted", () => {
    const seed = Date.now() % 1e6;
    const next = random(seed);
    for (let i = 0; i < 2_000; i++) {
      const gaps = Array.from({ length: Math.floor(next() * 21) }, () => Math.floor(next() * 6));
      const limit = Math.floor(next() * 7);
      const cadence = next() < 0.1 ? { declaredMs: 3, gaps } : { gaps };
      const expected = (intervalMs(cadence) ?? Number.POSITIVE_INFINITY) < limit;
      expect(isIntervalBelow(cadence, limit), `seed ${seed}: ${gaps} < ${limit}`).toBe(expected);
    }
  });

  it("three of them make a silence, but not before 15 minutes", () => {
    expect(silenceLimitMs(everyMinute)).toBe(15 * MINUTE);
    expect(silenceLimitMs({ declaredMs: 60 * MINUTE, gaps: [] })).toBe(180 * MINUTE);
  });
});

describe("a learnt interval", () => {
  const of = (minutes: readonly number[]) => ({ gaps: minutes.map((one) => one * MINUTE) });

  it("counts with the gaps a sensor often leaves, not with its one outage", () => {
    const irregular = [5, 5, 40, 5, 5, 10, 5, 35, 5, 5];
    expect(quietLimitMs(of(irregular), 30 * MINUTE)).toBe(105 * MINUTE);
    expect(quietLimitMs(of([5, 5, 5, 5, 5, 5000, 5, 5]), 30 * MINUTE)).toBe(30 * MINUTE);
    expect(quietLimitMs(of([60, 60, 60]), 30 * MINUTE)).toBe(180 * MINUTE);
  });

  it("does not loosen what was declared", () => {
    expect(quietLimitMs({ declaredMs: 5 * MINUTE, ...of([5, 40, 40, 5]) }, 30 * MINUTE)).toBe(30 * MINUTE);
  });

  it("is taken by a silence, seen or by the clock", () => {
    const cadence = of([5, 5, 40, 5, 5, 10, 5, 35, 5, 5]);
    const heard = (at: number) => stepSilence({ afterMs: 30 * MINUTE }, HEARD, { at, lastAt: 0, cadence });
    expect(heard(105 * MINUTE)[1]).toEqual([]);
    expect(heard(106 * MINUTE)[1]).toMatchObject([{ what: "firing", at: 105 * MINUTE }, { what: "resolved" }]);
    const look = { lastAt: 0, heardAt: 0, cadence };
    expect(lookForSilence({ afterMs: 30 * MINUTE }, HEARD, { ...look, now: 104 * MINUTE })[1]).toEqual([]);
    expect(lookForSilence({ afterMs: 30 * MINUTE }, HEARD, { ...look, now: 106 * MINUTE })[1]).toHaveLength(1);
  });
});

describe("silence in event time", () => {
  const heard = (lastAt: number | undefined, at: number) => ({ at, lastAt, cadence: everyMinute });

  it("says nothing of a first reading, nor of a gap of exactly the limit", () => {
    expect(stepSilence(params, HEARD, heard(undefined, 0))).toEqual([HEARD, []]);
    expect(stepSilence(params, HEARD, heard(0, 15 * MINUTE))).toEqual([HEARD, []]);
  });

  it("fires and resolves at once, each at its own moment, when the gap is seen", () => {
    const [state, outcomes] = stepSilence(params, HEARD, heard(MINUTE, 100 * MINUTE));
    expect(state).toBe(HEARD);
    expect(outcomes).toMatchObject([
      { what: "firing", at: 16 * MINUTE, startedAt: 16 * MINUTE, limit: 15, evidence: [{ measuredAt: MINUTE }] },
      { what: "resolved", at: 100 * MINUTE, startedAt: 16 * MINUTE },
    ]);
  });

  it("does not hold against a sensor that the service itself was away", () => {
    const gap = { ...heard(0, 100 * MINUTE), listeningSince: 95 * MINUTE };
    expect(stepSilence(params, HEARD, gap)[1]).toEqual([]);
    const long = { ...heard(0, 100 * MINUTE), listeningSince: 80 * MINUTE };
    expect(stepSilence(params, HEARD, long)[1].map(({ what }) => what)).toEqual(["firing", "resolved"]);
  });

  it("has no verdict while the interval is unknown", () => {
    expect(stepSilence(params, HEARD, { at: 1e9, lastAt: 0, cadence: { gaps: [] } })[1]).toEqual([]);
  });
});

describe("silence by the clock", () => {
  const look = (now: number, rest = {}) => ({ now, lastAt: 0, heardAt: 0, cadence: everyMinute, ...rest });

  it("fires once, at the moment the gap would, so that both are the same alert", () => {
    expect(lookForSilence(params, HEARD, look(15 * MINUTE))).toEqual([HEARD, []]);
    const [state, outcomes] = lookForSilence(params, HEARD, look(40 * MINUTE));
    const [, byGap] = stepSilence(params, HEARD, { at: 90 * MINUTE, lastAt: 0, cadence: everyMinute });
    expect(outcomes).toEqual([byGap[0]]);
    expect(lookForSilence(params, state, look(41 * MINUTE))[1]).toEqual([]);
    expect(stepSilence(params, state, { at: 90 * MINUTE, lastAt: 0, cadence: everyMinute })).toEqual([
      HEARD,
      [byGap[1]],
    ]);
  });

  it("gives the sensors time after a start of the service", () => {
    expect(lookForSilence(params, HEARD, look(100 * MINUTE, { listeningSince: 90 * MINUTE }))[1]).toEqual([]);
    expect(lookForSilence(params, HEARD, look(106 * MINUTE, { listeningSince: 90 * MINUTE }))[1]).toHaveLength(1);
  });

  it("does not call a sensor silent that sends old readings", () => {
    expect(lookForSilence(params, HEARD, look(100 * MINUTE, { heardAt: 99 * MINUTE }))[1]).toEqual([]);
  });

  it("a buffer that comes in late cannot end the silence before it began", () => {
    const [, outcomes] = stepSilence(
      params,
      { since: 16 * MINUTE },
      { at: 2 * MINUTE, lastAt: 0, cadence: everyMinute },
    );
    expect(outcomes).toMatchObject([{ what: "resolved", at: 16 * MINUTE, startedAt: 16 * MINUTE }]);
  });
});
