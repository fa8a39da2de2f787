import type { DiskTrouble } from "../disk.ts";
import type { Scenario } from "../run.ts";
import type { World } from "../world.ts";

/** Fails the next operation of this kind at some moments of the traffic. */
function failAt(world: World, times: number, failure: NonNullable<DiskTrouble["failNext"]>): void {
  for (let i = 0; i < times; i += 1) {
    world.at(world.someMs(), () => {
      world.disk.trouble.failNext = failure;
    });
  }
}

function fullFor(world: World, fromMs: number, toMs: number, bytesLeft: number): void {
  world.at(fromMs, () => world.disk.leave(bytesLeft));
  world.at(toMs, () => world.disk.free());
}

const FULL = ["refused: full"];

/** Section 5.2: the disk under the journal, and the one under SQLite. */
export const DISK_SCENARIOS: readonly Scenario[] = [
  {
    name: "disk-full",
    about: "Full for up to half a minute, twice; writes are torn before the error comes.",
    habits: { freeBytesMin: 0 },
    mustHappen: FULL,
    play(world) {
      fullFor(world, world.random.int(2_000, 8_000), world.random.int(12_000, 18_000), world.random.int(0, 2_000));
      fullFor(world, world.random.int(20_000, 25_000), 36_000, world.random.int(0, 2_000));
    },
  },
  {
    name: "disk-nearly-full",
    about: "Less than the reserve is left: refused before anything is torn.",
    mustHappen: FULL,
    play: (world) => fullFor(world, world.random.int(2_000, 8_000), 30_000, world.random.int(4_000, 6_000)),
  },
  {
    name: "disk-full-at-start",
    about: "Opens on a full disk, takes nothing, and goes on by itself when there is room.",
    play(world) {
      world.disk.leave(world.random.int(0, 1_500));
      world.at(world.random.int(3_000, 15_000), () => world.disk.free());
    },
  },
  {
    name: "disk-full-and-killed",
    about: "Killed while the disk is full.",
    habits: { freeBytesMin: 0 },
    mustHappen: [...FULL, "kill"],
    play(world) {
      fullFor(world, 3_000, 30_000, world.random.int(0, 1_000));
      for (const ms of [10_000, 20_000]) world.at(world.random.int(ms, ms + 5_000), () => world.die("kill"));
    },
  },
  {
    name: "disk-eio-sync",
    about: "A sync fails: the process ends, nothing of that file is trusted, the sync is not tried again.",
    mustHappen: ["EIO", "fatal"],
    play: (world) => failAt(world, 3, { operation: "datasync", code: "EIO" }),
  },
  {
    name: "disk-eio-write",
    about: "A write fails: the process ends and the restart replays.",
    mustHappen: ["EIO", "fatal"],
    play: (world) => failAt(world, 3, { operation: "write", code: "EIO" }),
  },
  {
    name: "disk-full-and-no-way-back",
    about: "What a full disk tore cannot be cut off.",
    habits: { freeBytesMin: 0 },
    mustHappen: ["EIO", "fatal"],
    play(world) {
      world.at(5_000, () => {
        world.disk.trouble.failNext = { operation: "truncate", code: "EIO" };
      });
      fullFor(world, 5_000, 15_000, world.random.int(0, 500));
    },
  },
  {
    name: "disk-rename-fails",
    about: "A new segment cannot get its name.",
    habits: { segmentBytes: 2_048 },
    mustHappen: ["EIO", "fatal"],
    play: (world) => failAt(world, 2, { operation: "rename", code: "EIO" }),
  },
  {
    name: "disk-short-writes",
    about: "Every write takes only a part of what it is given, and the process is killed now and then.",
    mustHappen: ["short write", "kill"],
    play(world) {
      world.disk.trouble.shortWrites = true;
      for (let i = 0; i < 3; i += 1) world.at(world.someMs(), () => world.die("kill"));
    },
  },
  {
    name: "disk-slow",
    about: "A sync takes up to two seconds: messages gather, nothing else changes.",
    play: (world) => {
      world.disk.trouble.syncMs = () => world.random.int(1, 2_000);
    },
  },
  {
    name: "records-full",
    about: "SQLite has no room for a quarter of a minute, twice: batches come again, alerts are kept back.",
    mustHappen: ["no room"],
    play(world) {
      for (const ms of [2_000, 22_000]) {
        world.at(ms, () => {
          world.happened("no room");
          world.records.trouble.isFull = true;
        });
        world.at(ms + world.random.int(5_000, 15_000), () => {
          world.records.trouble.isFull = false;
        });
      }
    },
  },
  {
    name: "records-full-and-killed",
    about: "Killed while SQLite has no room.",
    mustHappen: ["kill"],
    play(world) {
      world.at(3_000, () => {
        world.records.trouble.isFull = true;
      });
      world.at(world.random.int(5_000, 25_000), () => {
        world.beforeNextStart(() => {
          world.records.trouble.isFull = false;
        });
        world.die("kill");
      });
    },
  },
];
