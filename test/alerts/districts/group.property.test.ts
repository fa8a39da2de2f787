import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Child, createGroup, type EpisodeNews, type Group } from "../../../alerts/conditions/quorum.ts";
import { MINUTE, random, T0 } from "../builders.ts";

const PARAMS = { count: 3, share: 0.5, withinMs: 20 * MINUTE };
const SENSORS = 8;

function aChild(sensor: number, from: number, to: number | undefined): Child {
  const begunAt = T0 + from * MINUTE;
  const endedAt = to === undefined ? undefined : T0 + to * MINUTE;
  return { id: `al-${sensor}-${from}`, sensorId: `s-${sensor}`, kind: "air", begunAt, firedAt: begunAt, endedAt };
}

/** Up to three alerts per sensor, one after the other, on a grid of minutes so that many things happen at once. */
function someChildren(chance: () => number): Child[] {
  return Array.from({ length: SENSORS }, (_, sensor) => {
    const times = [0, 1, 2, 3, 4, 5].map(() => Math.floor(chance() * 50)).sort((a, b) => a - b);
    return [0, 2, 4].flatMap((i) => {
      const [from, to] = [times[i]!, times[i + 1]!];
      if (to === from || times.slice(0, i).includes(from)) return [];
      return [aChild(sensor, from, i === 4 && chance() < 0.3 ? undefined : to)];
    });
  }).flat();
}

function aGroup(): Group {
  const group = createGroup({ district: "north" }, PARAMS);
  for (let i = 0; i < SENSORS; i++) group.watched.add(T0 - MINUTE + (i > 5 ? 20 * MINUTE : 0));
  return group;
}

/** What stands in the end, told news by news. */
function play(group: Group, steps: readonly (() => void)[]): Map<number, EpisodeNews> {
  const standing = new Map<number, EpisodeNews>();
  for (const step of steps) {
    step();
    for (const one of group.news()) {
      if (one.what === "retracted") standing.delete(one.episode.startedAt);
      else standing.set(one.episode.startedAt, one);
    }
  }
  return standing;
}

/** The definition, minute by minute, with no memory but whether it is on. */
function byDefinition(children: readonly Child[]): { from: number; to: number | undefined }[] {
  const found: { from: number; to: number | undefined }[] = [];
  let counted: Child[] | undefined;
  for (let minute = 0; minute <= 60; minute++) {
    const at = T0 + minute * MINUTE;
    const firing = children.filter(({ firedAt, endedAt }) => firedAt <= at && (endedAt === undefined || endedAt > at));
    const watched = minute < 19 ? 6 : 8;
    const isEnough = (list: readonly Child[]) => list.length >= 3 && list.length >= 0.5 * watched;
    if (counted) {
      // Ends come first: only of those who were there a minute before.
      const left: Child[] = counted.filter((one) => firing.includes(one));
      const someoneLeft = left.length < counted.length;
      if (someoneLeft && !isEnough(left)) {
        found.at(-1)!.to = at;
        counted = undefined;
      } else counted = [...new Set([...left, ...firing.filter(({ firedAt }) => firedAt === at)])];
    }
    // Only a beginning makes a quorum: the share may also be reached, but never by waiting.
    if (!counted && firing.some(({ firedAt }) => firedAt === at)) {
      const windows = firing.map((one) =>
        firing.filter(({ begunAt }) => begunAt >= one.begunAt && begunAt - one.begunAt <= PARAMS.withinMs),
      );
      const best = windows.sort((a, b) => b.length - a.length || a[0]!.begunAt - b[0]!.begunAt)[0]!;
      if (isEnough(best)) {
        counted = best;
        found.push({ from: at, to: undefined });
      }
    }
  }
  return found;
}

describe("a quorum over event time", () => {
  it("is what its definition says, and the same whatever the order of the news, with wrong ones taken back", () => {
    let episodes = 0;
    let corrections = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (seed) => {
        const chance = random(seed);
        const children = someChildren(chance);
        const wrong = [aChild(0, 51, undefined), aChild(1, 3, 9), aChild(2, 51, undefined)].filter(
          ({ id }) => !children.some((child) => child.id === id),
        );
        const shuffled = children.map((child) => ({ child, place: chance() })).sort((a, b) => a.place - b.place);
        const group = aGroup();
        const steps = shuffled.flatMap(({ child }) => [
          () => group.put(child.id, { ...child, endedAt: undefined }),
          () => group.put(child.id, child),
        ]);
        const taken = wrong.map((child) => () => group.put(child.id, child));
        const back = wrong.map((child) => () => group.put(child.id, undefined));
        const half = Math.floor(steps.length / 2);
        const standing = play(group, [...steps.slice(0, half), ...taken, ...steps.slice(half), ...back]);
        const expected = byDefinition(children);
        const spans = [...standing.values()].map(({ episode }) => ({ from: episode.startedAt, to: episode.endedAt }));
        expect(spans.sort((a, b) => a.from - b.from)).toEqual(expected);
        const inOrder = aGroup();
        const straight = play(inOrder, [() => children.map((child) => inOrder.put(child.id, child))]);
        const ids = (map: Map<number, EpisodeNews>) =>
          [...map].map(([at, { episode }]) => [at, episode.children]).sort();
        expect(ids(standing)).toEqual(ids(straight));
        episodes += expected.length;
        corrections += [...standing.values()].filter(({ what }) => what === "corrected").length;
      }),
      { numRuns: 300 },
    );
    expect(episodes).toBeGreaterThan(200);
    expect(corrections).toBeGreaterThan(10);
  });

  it("says the same after a restart in the middle", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 1, max: 20 }), (seed, cut) => {
        const children = someChildren(random(seed));
        const whole = aGroup();
        const first = aGroup();
        const second = aGroup();
        const told = play(
          whole,
          children.map((child) => () => whole.put(child.id, child)),
        );
        const before = play(
          first,
          children.slice(0, cut).map((child) => () => first.put(child.id, child)),
        );
        second.restore(JSON.parse(JSON.stringify(first.toJson())));
        const after = play(
          second,
          children.slice(cut).map((child) => () => second.put(child.id, child)),
        );
        for (const [at, one] of before)
          if (!after.has(at) && second.said().some(({ startedAt }) => startedAt === at)) after.set(at, one);
        const spans = (map: Map<number, EpisodeNews>) =>
          [...map.values()]
            .map(({ episode }) => [episode.startedAt, episode.endedAt ?? 0, episode.children.length])
            .sort();
        expect(spans(after)).toEqual(spans(told));
      }),
      { numRuns: 100 },
    );
  });
});
