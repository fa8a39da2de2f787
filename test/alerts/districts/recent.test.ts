import { describe, expect, it } from "vitest";
import {
  createRecent,
  noteValue,
  recentToJson,
  restoreRecent,
  VALUES_KEPT,
  valuesIn,
} from "../../../alerts/districts/recent.ts";
import { HOUR, MINUTE, random, T0 } from "../builders.ts";

const all = (recent: ReturnType<typeof createRecent>) =>
  valuesIn(recent, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, VALUES_KEPT);

describe("the recent values of a sensor", () => {
  it("are the first of every five minutes, whatever the order, and never more than some", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const chance = random(seed);
      const feed = Array.from({ length: 900 }, (_, i) => ({
        at: T0 + i * MINUTE + Math.floor(chance() * 60_000),
        value: i,
      }));
      const inOrder = createRecent();
      for (const { at, value } of feed) noteValue(inOrder, at, value);
      const shuffled = createRecent();
      const late = feed
        .map((one) => ({ ...one, seen: one.at + chance() * 30 * MINUTE }))
        .sort((a, b) => a.seen - b.seen);
      for (const { at, value } of late) noteValue(shuffled, at, value);
      expect(all(shuffled), `seed ${seed}`).toEqual(all(inOrder));
      expect(all(inOrder)).toEqual(Array.from({ length: VALUES_KEPT }, (_, i) => (900 / 5 - VALUES_KEPT + i) * 5));
      expect(shuffled.at.length).toBeLessThanOrEqual(96);
    }
  });

  it("hold days of an hourly station, and come back from the records as they were", () => {
    const recent = createRecent();
    for (let i = 0; i < 100; i++) noteValue(recent, T0 + i * HOUR + 17, i / 7);
    const full = recentToJson(recent)!;
    for (let i = 100; i < 104; i++) noteValue(recent, T0 + i * HOUR + 3, i / 7);
    const since = recentToJson(recent, T0 + 99 * HOUR + 17)!;
    expect(since).toHaveLength(8);
    const back = createRecent();
    restoreRecent(back, JSON.parse(JSON.stringify(full)));
    expect(restoreRecent(back, JSON.parse(JSON.stringify(since)))).toBe(T0 + 103 * HOUR + 3);
    expect(all(back)).toEqual(all(recent));
    expect(back.at.slice(-VALUES_KEPT)).toEqual(recent.at.slice(-VALUES_KEPT));
  });
});
