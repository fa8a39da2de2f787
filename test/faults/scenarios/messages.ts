import type { Scenario } from "../run.ts";
import { START, type World } from "../world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function jump(world: World, sizesMs: readonly number[], times: number): void {
  for (let i = 0; i < times; i += 1) {
    const ms = world.random.pick(sizesMs);
    world.at(world.someMs(), () => {
      world.happened("clock jump");
      world.setClock(ms);
    });
  }
}

/** Some deaths on top: each of these must also hold when batches are done twice. */
function withDeaths(world: World, times = 2): void {
  for (let i = 0; i < times; i += 1) {
    world.trap("after-write", world.random.int(0, 30), () => world.die("kill"));
    world.at(world.someMs(), () => world.die(world.random.pick(["kill", "power cut"])));
  }
}

/** Sections 5.5 to 5.8 and 5.10: what is said, when, how often, and who listens. */
export const MESSAGE_SCENARIOS: readonly Scenario[] = [
  { name: "calm", about: "Nothing goes wrong but the usual: broken connections, repetitions, noise." },
  {
    name: "clock-jumps-hour",
    about: "The time of day jumps an hour ahead or back, several times.",
    mustHappen: ["clock jump"],
    play: (world) => jump(world, [-HOUR, 0, HOUR], 4),
  },
  {
    name: "clock-jumps-day",
    about: "The time of day jumps by a day or ten.",
    mustHappen: ["clock jump"],
    play: (world) => jump(world, [-10 * DAY, -DAY, 0, DAY, 10 * DAY], 4),
  },
  {
    name: "clock-1970",
    about: "Starts in 1970, until the network tells the time; killed meanwhile.",
    mustHappen: ["kill"],
    play(world) {
      world.setClock(-START);
      world.at(world.random.int(5_000, 15_000), () => world.die("kill"));
      world.at(20_000, () => world.setClock(0));
    },
  },
  {
    name: "clock-jumps-and-deaths",
    about: "Jumps of the clock, and deaths between them.",
    mustHappen: ["clock jump", "death"],
    play(world) {
      jump(world, [-DAY, -HOUR, 0, HOUR, DAY], 4);
      withDeaths(world);
    },
  },
  {
    name: "late",
    about: "Half of the readings are old, some too old.",
    traffic: { late: 0.5 },
    mustHappen: ["death"],
    play: withDeaths,
  },
  {
    name: "duplicates",
    about: "A third is said again, in the same bytes or others.",
    traffic: { duplicate: 0.35 },
    mustHappen: ["death"],
    play: withDeaths,
  },
  {
    name: "conflicts",
    about: "A third contradicts what was said before: the first stays, the rest is kept in quarantine.",
    traffic: { conflict: 0.35 },
    mustHappen: ["death"],
    play: withDeaths,
  },
  {
    name: "parts",
    about: "A third are second metrics of moments that came before, some of them twice or contradicted.",
    traffic: { parts: 0.3, duplicate: 0.1, conflict: 0.1 },
    mustHappen: ["death"],
    play: withDeaths,
  },
  {
    name: "future",
    about: "A third comes from the future.",
    traffic: { future: 0.35 },
    mustHappen: ["death"],
    play: withDeaths,
  },
  {
    name: "poison",
    about: "Half is noise of eight kinds: each piece in quarantine once, the rest untouched.",
    traffic: { poison: 0.5 },
    mustHappen: ["death"],
    play: withDeaths,
  },
  {
    name: "rule-throws",
    about: "A rule throws on its first reading: it is put out of use, the other one goes on, nothing else notices.",
    habits: { ruleThrows: true },
    mustHappen: ["rule threw"],
    unwell: ["alerts"],
    play(world) {
      world.trap("rule-throws", 0, () => world.happened("rule threw"));
      world.at(world.someMs(), () => world.die("kill"));
    },
  },
  {
    name: "reconnect-storm",
    about: "Forty devices lose their connections together, again and again.",
    traffic: { devices: 40, everyMs: 4_000 },
    flaky: 0.05,
    mustHappen: ["storm"],
    play(world) {
      for (let i = 0; i < 10; i += 1) {
        world.at(world.someMs(), () => {
          world.happened("storm");
          world.cutAll();
        });
      }
      world.at(world.someMs(), () => world.die("kill"));
    },
  },
  {
    name: "frozen-live",
    about: "The live subscribers take nothing for half a minute: nobody else waits for them.",
    habits: { windowMessagesMax: 10 },
    traffic: { everyMs: 500 },
    mustHappen: ["frozen"],
    play(world) {
      world.at(5_000, () => {
        world.happened("frozen");
        world.habits.liveFrozen = true;
      });
      world.at(34_000, () => {
        const waiting = world.service()?.ledger().inJournal ?? 0;
        if (waiting > 50) world.problems.push(`${waiting} messages wait for frozen subscribers`);
      });
      world.at(35_000, () => {
        world.habits.liveFrozen = false;
      });
    },
  },
  {
    name: "frozen-live-sigterm",
    about: "SIGTERM with frozen subscribers.",
    mustHappen: ["SIGTERM"],
    habits: { liveFrozen: true },
    play: (world) => world.at(world.someMs(), () => void world.restart()),
  },
  {
    name: "core-behind",
    about: "The core is told numbers instead of being handed bytes, off and on, and reads from the files.",
    mustHappen: ["behind"],
    play(world) {
      for (let i = 0; i < 8; i += 1) {
        world.at(world.someMs(), () => {
          world.happened("behind");
          world.habits.coreBehind = !world.habits.coreBehind;
        });
      }
      withDeaths(world, 1);
    },
  },
  {
    name: "everything",
    about: "Store, disk, clock, connections and the process itself, all at once.",
    flaky: 0.05,
    traffic: { duplicate: 0.1, conflict: 0.1, late: 0.1, poison: 0.1, refused: 0 },
    mustHappen: ["death", "clock jump", "EIO"],
    play(world) {
      const { random, disk, store } = world;
      disk.trouble.syncMs = () => random.int(0, 40);
      disk.trouble.shortWrites = random.chance(0.5);
      store.setScript((_, isWrite) => {
        if (random.chance(0.7)) return { status: 204, delayMs: random.int(1, 500) };
        return isWrite
          ? { status: random.pick([500, 503, 429]), keeps: random.pick(["all", undefined]) }
          : { status: 503 };
      });
      world.at(38_000, () => store.setScript(undefined));
      jump(world, [-HOUR, 0, HOUR], 3);
      withDeaths(world, 3);
      world.at(world.someMs(), () => {
        disk.trouble.failNext = { operation: random.pick(["write", "datasync"]), code: "EIO" };
      });
      world.at(15_000, () => disk.leave(random.int(0, 3_000)));
      world.at(25_000, () => disk.free());
      world.at(world.someMs(), world.cutAll);
      world.at(world.someMs(), () => void world.restart());
    },
  },
];
