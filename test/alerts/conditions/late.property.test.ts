import { describe, expect, it } from "vitest";
import type { Reading } from "../../../model/reading.ts";
import { inFull } from "../../helpers/in-full.ts";
import { aReading, aRule, HOUR, MINUTE, random, T0 } from "../builders.ts";
import { finalTimeline, hashOf, play, shuffled } from "../engine/late-feed.ts";

const rule = (id: string, condition: object, metric = "temperature") =>
  aRule({ id, metric, condition, audience: "crews" });
const RULES = [
  rule("stuck", { type: "flatline", after: "10m", samples: 3, tolerance: 3 }),
  rule("spikes", { type: "spike", above: 12, count: 2, within: "30m" }),
  rule("rise", { type: "change", rise: 25, within: "20m", keepFor: "5m" }),
  rule("soon", { type: "forecast", above: 45, within: "1h", over: "1h" }),
  rule("odd", { type: "anomaly", season: "none", window: "2m", count: 1, sigmas: 3, capture: 0.5 }),
  rule("index", { type: "threshold", above: 3 }, "europeanAqi"),
];

/** Five hours of a sensor: calm, wild and rising by turns; then an hour of calm, so that all ends. */
function feed(seed: number): Reading[] {
  const chance = random(seed);
  const found: Reading[] = [];
  const sensorId = "s-2";
  let level = 20;
  for (let at = T0; at < T0 + 6 * HOUR; at += Math.round((0.5 + chance()) * 1.5 * MINUTE)) {
    const mood = Math.floor((at - T0) / (30 * MINUTE)) % 4;
    const isOver = at > T0 + 5 * HOUR;
    level = isOver ? 15 : mood === 1 ? level + 0.5 : 20 + (level - 20) * 0.8;
    const noise = isOver ? found.length % 7 : mood === 2 ? chance() * 40 : mood === 3 ? 0 : chance() * 6;
    const temperature = Math.min(69, Math.round((level + noise) * 10) / 10);
    const values = { temperature, no2: isOver ? 1 : Math.round(chance() * 180), pm25: 3, o3: 20 };
    found.push(aReading(at, values, { sensorId, receivedAt: at }));
  }
  return found.sort((a, b) => a.receivedAt - b.receivedAt || a.measuredAt - b.measuredAt);
}

describe("late readings, whatever the condition", () => {
  const FEEDS = [1, 2].map(feed);
  const options = { rules: RULES };
  const expected = FEEDS.map((one) => finalTimeline(play(one, { seed: 1, options })));

  it("every condition has something to say in the feed", () => {
    for (const { id } of RULES) {
      expect(
        expected.flat().some((line) => line.includes(`"rule":{"id":"${id}"`)),
        id,
      ).toBe(true);
    }
  });

  it("come to the same alerts as the feed in order, with a clock that looks and restarts", () => {
    for (let seed = 1; seed <= inFull(12); seed++) {
      const which = seed % 2;
      const arrivals = shuffled(FEEDS[which]!, seed);
      const habits = {
        seed,
        options,
        restart: seed % 3 === 0 ? 0.2 : 0,
        tickEveryMs: seed % 4 === 0 ? undefined : MINUTE,
      };
      const final = finalTimeline(play(arrivals, habits));
      if (hashOf(final) !== hashOf(expected[which]!)) expect(final, `seed ${seed}`).toEqual(expected[which]);
    }
  });
});
