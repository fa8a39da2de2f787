import type { Scenario } from "../run.ts";
import { type Answer, isRefused, type Script } from "../store-server.ts";
import type { World } from "../world.ts";

const MINUTE = 60_000;

/** Answers like this from one moment to another. */
function between(world: World, fromMs: number, toMs: number, script: Script): void {
  world.at(fromMs, () =>
    world.store.setScript((readings, isWrite) => {
      const answer = script(readings, isWrite);
      if (answer) world.happened("store trouble");
      return answer;
    }),
  );
  world.at(toMs, () => world.store.setScript(undefined));
}

const always =
  (answer: Answer): Script =>
  () =>
    answer;

const OUTAGE = { forMs: 11 * MINUTE, everyMs: 20_000 };
const mustHappen = ["store trouble"];
const noTooEarly = ({ store }: World) =>
  store.counts.tooEarly > 0 ? [`${store.counts.tooEarly} requests before Retry-After was over`] : [];

/** Section 5.1 of the fault list: the store is a server on a network, and says no in every way it knows. */
export const STORE_SCENARIOS: readonly Scenario[] = [
  {
    name: "store-down-10-min",
    about: "Nobody answers for ten minutes.",
    traffic: OUTAGE,
    mustHappen,
    play: (world) => between(world, 20_000, 10 * MINUTE + 20_000, always({ delayMs: 1 })),
    check: ({ store }) => (store.counts.requests > 2_000 ? ["the store was asked without rest"] : []),
  },
  {
    name: "store-slow",
    about: "Every answer takes up to nine seconds.",
    mustHappen,
    play: (world) => between(world, 0, 60_000, () => ({ status: 204, delayMs: world.random.int(1_000, 9_000) })),
  },
  {
    name: "store-429-retry-after",
    about: "Too many requests, with a Retry-After of up to two minutes: no request before it is over.",
    traffic: { forMs: 5 * MINUTE, everyMs: 10_000 },
    mustHappen,
    play: (world) => between(world, 5_000, 4 * MINUTE, () => ({ status: 429, retryAfterS: world.random.int(1, 120) })),
    check: noTooEarly,
  },
  {
    name: "store-503",
    about: "503 now and then, with and without Retry-After, sometimes for a write that was kept.",
    mustHappen,
    play: (world) =>
      between(world, 2_000, 40_000, () => {
        if (world.random.chance(0.4)) return undefined;
        const keeps = world.random.chance(0.3) ? "all" : undefined;
        return { status: 503, keeps, ...(world.random.chance(0.3) && { retryAfterS: world.random.int(1, 10) }) };
      }),
    check: noTooEarly,
  },
  {
    name: "store-answer-lost",
    about: "Writes get in, but the connection breaks before the answer: nothing may be written twice.",
    mustHappen,
    play: (world) =>
      between(world, 2_000, 40_000, (_, isWrite) =>
        isWrite && world.random.chance(0.5) ? { keeps: "all", delayMs: world.random.int(1, 10_000) } : undefined,
      ),
  },
  {
    name: "store-half-written",
    about: "A write gets in by a part, and the server fails.",
    mustHappen,
    play: (world) =>
      between(world, 2_000, 40_000, (_, isWrite) =>
        isWrite && world.random.chance(0.5) ? { status: 500, keeps: "half" } : undefined,
      ),
  },
  ...[400, 422].flatMap((status): Scenario[] =>
    (["good", undefined] as const).map((keeps) => ({
      name: `store-${status}-${keeps ? "partial" : "poison-line"}`,
      about: `${status} for a batch with lines it does not like; ${keeps ? "the good ones are kept" : "nothing is kept"}.`,
      traffic: { refused: 0.06, poison: 0.02 },
      // A store that appends takes all of a write or nothing.
      upsert: keeps === "good" ? true : undefined,
      mustHappen: ["refused line"],
      play: (world) =>
        world.store.setScript((readings) => {
          if (!readings.some(isRefused)) return undefined;
          world.happened("refused line");
          return {
            status,
            keeps,
            body: `{"code":"invalid","message":"partial write: unable to parse 'air': invalid number"}`,
          };
        }),
    })),
  ),
  {
    name: "store-413",
    about: "Only very small writes are taken.",
    habits: { writeReadingsMax: 20_000 },
    traffic: { everyMs: 500 },
    mustHappen: ["too large"],
    play: (world) =>
      world.store.setScript((readings) => {
        if (readings.length <= 2) return undefined;
        world.happened("too large");
        return { status: 413 };
      }),
  },
  {
    name: "store-wrong-token",
    about: "401, 403 and 404 until the operator has corrected it: nothing is given up, and it is asked every 15 s.",
    traffic: { forMs: 7 * MINUTE, everyMs: 15_000 },
    mustHappen,
    play(world) {
      const status = world.random.pick([401, 403, 404]);
      between(world, world.someMs(0, 0.2), 6 * MINUTE, always({ status }));
    },
    check: ({ store }) => (store.counts.errors > 28 ? [`asked ${store.counts.errors} times in six minutes`] : []),
  },
  {
    name: "store-server-limit",
    about: "The server is full up to its settings: no reading is at fault, none is quarantined.",
    traffic: { forMs: 5 * MINUTE, everyMs: 15_000 },
    mustHappen,
    play: (world) =>
      between(world, 10_000, 4 * MINUTE, (_, isWrite) =>
        isWrite
          ? { status: 400, body: '{"error":"partial write: max-series-per-database limit exceeded"}' }
          : undefined,
      ),
  },
];
