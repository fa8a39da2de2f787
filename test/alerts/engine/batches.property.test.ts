import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEngine } from "../../../alerts/engine/engine.ts";
import type { Reading } from "../../../model/reading.ts";
import { inFull } from "../../helpers/in-full.ts";
import { aReading, aRule, MINUTE, random, T0 } from "../builders.ts";

const rules = [
  aRule({
    id: "hot",
    metric: "temperature",
    condition: { type: "threshold", above: 60, clear: 50, for: "5m", keepFor: "3m" },
  }),
  aRule({ id: "mean", metric: "temperature", condition: { type: "threshold", above: 55, window: "10m" } }),
  aRule({ id: "runs", metric: "no2", condition: { type: "consecutive", above: 55, count: 2, window: "15m" } }),
  aRule({ id: "silent", kind: "any", audience: "crews", condition: { type: "silence", after: "15m" } }),
];

/** Jittered, with holes, late and repeated readings, suspect values, two sensors. */
function aFeed(seed: number): Reading[] {
  const chance = random(seed);
  const feed: Reading[] = [];
  let at = T0;
  for (let i = 0; i < 400; i++) {
    at += chance() < 0.02 ? 40 * MINUTE : chance() * 2 * MINUTE;
    const measuredAt = Math.round(chance() < 0.1 ? at - chance() * 20 * MINUTE : at);
    const values = {
      temperature: Math.round(chance() * 100),
      ...(chance() < 0.5 ? { no2: Math.round(chance() * 100) } : {}),
    };
    const quality = chance() < 0.2 ? ({ temperature: "suspect" } as const) : undefined;
    const reading = aReading(measuredAt, values, { sensorId: chance() < 0.5 ? "s-1" : "s-2", quality, receivedAt: at });
    feed.push(reading);
    if (chance() < 0.05) feed.push(reading);
  }
  return feed;
}

const engine = () => createEngine({ rules, sensor: () => undefined });

describe("whatever the batches", () => {
  it("the same feed gives the same transitions", () => {
    let said = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.array(fc.integer({ min: 1, max: 60 })), (seed, sizes) => {
        const feed = aFeed(seed);
        const whole = engine().observe(feed);
        const parts = engine();
        const cut: unknown[] = [];
        let from = 0;
        for (const size of [...sizes, feed.length]) {
          cut.push(...parts.observe(feed.slice(from, from + size)));
          from += size;
        }
        expect(cut).toEqual(whole);
        said += whole.length;
      }),
      { numRuns: inFull(60) },
    );
    expect(said).toBeGreaterThan(1_000);
  });
});
