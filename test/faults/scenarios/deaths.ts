import type { Scenario } from "../run.ts";
import type { Death, World } from "../world.ts";

const DEATHS: readonly Death[] = ["kill", "power cut", "torn power cut"];

/** Where the service can be hit: in the journal, between the answers and the core, in the store writer, in the worker. */
const POINTS = [
  "before-append",
  "after-append",
  "after-fsync",
  "mid-segment-rotate",
  "after-answer",
  "before-write",
  "after-write",
  "after-booking",
  "store:before-take",
  "alerts:before-take",
  "alerts:after-take",
] as const;

/** Rotations are rarer than anything else. */
const habitsFor = (point: string) => (point === "mid-segment-rotate" ? { segmentBytes: 2_048 } : {});
const passesMax = (point: string) => (point === "mid-segment-rotate" ? 3 : 15);

function springAt(world: World, point: string, times: number, spring: () => void): void {
  world.trap(point, world.random.int(0, passesMax(point)), () => {
    spring();
    if (times > 1) springAt(world, point, times - 1, spring);
  });
}

const anyDeath = (world: World) => world.die(world.random.pick(DEATHS));

/** Section 5.3, 5.4 and 5.11: the process ends, in every way and at every moment that matters. */
export const DEATH_SCENARIOS: readonly Scenario[] = [
  ...POINTS.map(
    (point): Scenario => ({
      name: `kill-${point.replace(":", "-")}`,
      about: `Killed, or the power cut, at "${point}", up to three times.`,
      habits: habitsFor(point),
      mustHappen: ["death"],
      play: (world) => springAt(world, point, world.random.int(1, 4), () => anyDeath(world)),
    }),
  ),
  {
    name: "kill-mid-write",
    about: "Killed while a write is on its way to the store.",
    mustHappen: ["kill"],
    play: (world) =>
      springAt(world, "before-write", 3, () => {
        world.clock.after(world.random.int(0, 21), () => world.die("kill"));
      }),
  },
  {
    name: "kill-anytime",
    about: "Killed at five random moments, the store slow meanwhile.",
    mustHappen: ["death"],
    play(world) {
      world.store.setScript(() => ({ status: 204, delayMs: world.random.int(1, 2_000) }));
      for (let i = 0; i < 5; i += 1) world.at(world.someMs(), () => anyDeath(world));
    },
  },
  {
    name: "power-cut-slow-sync",
    about: "The power is cut while syncs take their time: sectors that were not synced are gone, or not.",
    mustHappen: ["power cut", "torn power cut"],
    play(world) {
      world.disk.trouble.syncMs = () => world.random.int(0, 60);
      for (let i = 0; i < 5; i += 1) {
        springAt(world, "after-append", 1, () =>
          world.clock.after(world.random.int(0, 60), () => world.die(world.random.pick(DEATHS.slice(1)))),
        );
        world.at(world.someMs(), () => world.die(world.random.pick(DEATHS.slice(1))));
      }
    },
  },
  {
    name: "kill-then-power-cut",
    about: "Killed with writes that are not synced, and the power cut soon after the next start has read them.",
    mustHappen: ["kill", "power cut"],
    play: (world) =>
      springAt(world, "after-append", 3, () => {
        world.die("kill");
        world.clock.after(world.random.int(300, 4_000), () => world.die("power cut"));
      }),
  },
  {
    name: "crash-loop",
    about: "Ends again and again soon after its start, also in the middle of opening the journal.",
    mustHappen: ["death"],
    play(world) {
      springAt(world, "mid-segment-rotate", 4, () => anyDeath(world));
      for (let i = 0; i < 8; i += 1) world.at(10_000 + i * world.random.int(500, 4_000), () => anyDeath(world));
    },
  },
  ...POINTS.map(
    (point): Scenario => ({
      name: `sigterm-${point.replace(":", "-")}`,
      about: `SIGTERM at "${point}": ends in order within ten seconds.`,
      habits: habitsFor(point),
      mustHappen: ["SIGTERM"],
      play: (world) => springAt(world, point, world.random.int(1, 4), () => void world.restart()),
    }),
  ),
  {
    name: "sigterm-store-down",
    about: "SIGTERM while the store does not answer.",
    mustHappen: ["SIGTERM"],
    play(world) {
      world.at(3_000, () => world.store.setScript(() => ({ delayMs: 10_000 })));
      for (const ms of [8_000, 20_000]) world.at(world.random.int(ms, ms + 10_000), () => void world.restart());
      world.at(35_000, () => world.store.setScript(undefined));
    },
  },
  {
    name: "sigterm-disk-full",
    about: "SIGTERM while the journal's disk is full.",
    mustHappen: ["SIGTERM", "refused: full"],
    play(world) {
      world.at(5_000, () => world.disk.leave(world.random.int(0, 6_000)));
      world.at(world.random.int(12_000, 20_000), () => void world.restart());
      world.at(30_000, () => world.disk.free());
    },
  },
  {
    name: "sigterm-records-full",
    about: "SIGTERM while SQLite has no room.",
    mustHappen: ["SIGTERM"],
    play(world) {
      world.at(5_000, () => {
        world.records.trouble.isFull = true;
      });
      world.at(world.random.int(12_000, 20_000), () => {
        world.beforeNextStart(() => {
          world.records.trouble.isFull = false;
        });
        void world.restart();
      });
    },
  },
];

/** The gate is open: acknowledged before the journal has it. These must lose, or the harness is blind. */
export const CONTROL: Scenario = {
  name: "control-gate-off",
  about: "Acknowledges before the journal has the message, and dies: must lose.",
  habits: { gateOff: true },
  play(world) {
    world.disk.trouble.syncMs = () => world.random.int(0, 60);
    springAt(world, "before-append", 3, () => anyDeath(world));
    springAt(world, "after-append", 3, () => world.die("power cut"));
  },
};
