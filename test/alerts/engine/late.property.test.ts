import { describe, expect, it } from "vitest";
import type { Transition } from "../../../model/alert.ts";
import { inFull } from "../../helpers/in-full.ts";
import { MINUTE } from "../builders.ts";
import { feedInOrder, finalTimeline, hashOf, play, RULES, shuffled } from "./late-feed.ts";

const SEEDS = Array.from({ length: inFull(200) }, (_, i) => i + 1);
const FEEDS = new Map([1, 2, 3, 4].map((seed) => [seed, feedInOrder(seed)]));
const feedOf = (seed: number) => FEEDS.get((seed % 4) + 1)!;
const inOrder = new Map([...FEEDS].map(([seed, feed]) => [seed, finalTimeline(play(feed, { seed }))]));
const expected = (seed: number) => inOrder.get((seed % 4) + 1)!;

const whats = (said: readonly Transition[]) => new Set(said.map(({ entry }) => entry.what));

describe("200 shuffles within the lateness", () => {
  it("come to the same alerts as the feed in order, whatever the batches", () => {
    const seen = new Set<string>();
    for (const seed of SEEDS) {
      const said = play(shuffled(feedOf(seed), seed), { seed });
      for (const what of whats(said)) seen.add(what);
      const final = finalTimeline(said);
      if (hashOf(final) !== hashOf(expected(seed))) expect(final, `seed ${seed}`).toEqual(expected(seed));
    }
    expect(seen).toEqual(new Set(["pending", "firing", "resolved", "retracted", "corrected", "late-confirmed"]));
    for (const lines of inOrder.values()) {
      for (const { id } of RULES)
        expect(
          lines.some((line) => line.includes(`"rule":{"id":"${id}"`)),
          id,
        ).toBe(true);
    }
  });

  it("and a clock that looks every minute", () => {
    for (const seed of SEEDS.slice(0, inFull(60))) {
      const said = play(shuffled(feedOf(seed), seed), { seed, tickEveryMs: MINUTE });
      expect(finalTimeline(said), `seed ${seed}`).toEqual(expected(seed));
    }
  });

  it("and the same rules put in force again", () => {
    for (const seed of SEEDS.slice(0, inFull(30))) {
      const said = play(shuffled(feedOf(seed), seed), { seed, replace: 0.2, restart: 0.1 });
      expect(finalTimeline(said), `seed ${seed}`).toEqual(expected(seed));
    }
  });

  it("and restarts anywhere", () => {
    for (const seed of SEEDS.slice(0, inFull(60))) {
      const ticks = seed % 2 === 0 ? { tickEveryMs: MINUTE } : {};
      const whole = play(shuffled(feedOf(seed), seed), { seed, ...ticks });
      const said = play(shuffled(feedOf(seed), seed), { seed, restart: 0.3, ...ticks });
      expect(finalTimeline(said), `seed ${seed}`).toEqual(expected(seed));
      // Not only the end: every word of it.
      expect(JSON.parse(JSON.stringify(said)), `seed ${seed}`).toEqual(JSON.parse(JSON.stringify(whole)));
    }
  });
});

it("one rule and sensor never have two alerts open, and what is over has been said to be over", () => {
  for (const seed of SEEDS.slice(0, inFull(40))) {
    const open = new Map<string, Set<string>>();
    let knownAt = 0;
    for (const { alert, entry } of play(shuffled(feedOf(seed), seed), { seed, tickEveryMs: MINUTE })) {
      // A correction may tell of an alert that began and ended while another is open: what counts is when all is said.
      if (entry.knownAt !== knownAt)
        for (const [key, ids] of open) expect(ids.size, `${key}, seed ${seed}`).toBeLessThan(2);
      knownAt = entry.knownAt;
      const key = `${alert.rule.id} ${alert.subject.sensorId}`;
      const ids = open.get(key) ?? new Set();
      open.set(key, ids);
      if (alert.state === "pending" || alert.state === "firing") ids.add(alert.id);
      else ids.delete(alert.id);
    }
    expect(
      [...open.values()].flatMap((ids) => [...ids]),
      `seed ${seed}`,
    ).toEqual([]);
  }
});
