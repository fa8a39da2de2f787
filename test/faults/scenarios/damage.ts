import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JOURNAL_DIR } from "../disk.ts";
import type { Scenario } from "../run.ts";
import type { World } from "../world.ts";

type Inode = { current: Buffer; synced: Buffer };

/** Segments of the journal, the oldest first. */
function segmentsOf(world: World): [string, Inode][] {
  return [...world.disk.raw().names]
    .filter(([path]) => path.startsWith(`${JOURNAL_DIR}/`) && path.endsWith(".journal") && !path.includes("damaged"))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function flip({ current }: Inode, at: number, bit: number): void {
  current[at] = current[at]! ^ (1 << bit);
}

/**
 * Ends the service while messages wait in the journal, because the store does not answer, and lets `damage` at the files
 * before it starts again. The oracle has read all of the journal before.
 */
function damageBetween(world: World, damage: () => void, how: "stop" | "kill" = "stop"): void {
  world.at(world.random.int(2_000, 10_000), () => world.store.setScript(() => ({ delayMs: 100 })));
  world.at(world.random.int(15_000, 25_000), () => {
    world.beforeNextStart(async () => {
      await world.audit.readTo(world.disk.raw(), world.service()!.next());
      world.store.setScript(undefined);
      damage();
      world.happened("damage");
    });
    if (how === "kill") world.die("kill");
    else void world.restart();
  });
}

const mustHappen = ["damage"];

/** The last record may have been torn as well as damaged; only what stands before it can be told from a torn write. */
const TAIL_BYTES = 600;

const JOURNAL: readonly Scenario[] = [
  {
    name: "journal-bit-flips",
    about: "Up to three bits of the journal turn over between a stop and a start: what is lost has a name.",
    alerts: false,
    mustHappen,
    play: (world) =>
      damageBetween(world, () => {
        for (let flips = world.random.int(1, 4); flips > 0; flips -= 1) {
          const [, inode] = world.random.pick(segmentsOf(world));
          flip(inode, world.random.int(0, inode.current.length), world.random.int(0, 8));
        }
      }),
  },
  {
    name: "journal-bit-flips-after-kill",
    about: "The same after a kill, anywhere but in the very last record.",
    alerts: false,
    mustHappen,
    play: (world) =>
      damageBetween(
        world,
        () => {
          const segments = segmentsOf(world).filter(([, { current }]) => current.length > TAIL_BYTES + 1_024);
          if (segments.length === 0) return;
          const [, inode] = world.random.pick(segments);
          flip(inode, world.random.int(0, inode.current.length - TAIL_BYTES), world.random.int(0, 8));
        },
        "kill",
      ),
  },
  {
    name: "journal-cut-short",
    about: "A segment ends too early.",
    alerts: false,
    mustHappen,
    play: (world) =>
      damageBetween(world, () => {
        const [, inode] = world.random.pick(segmentsOf(world));
        inode.current = inode.synced = Buffer.from(
          inode.current.subarray(0, world.random.int(0, inode.current.length)),
        );
      }),
  },
  {
    name: "journal-segment-gone",
    about: "A segment is gone.",
    alerts: false,
    mustHappen,
    play: (world) =>
      damageBetween(world, () => {
        const [path] = world.random.pick(segmentsOf(world));
        world.disk.raw().names.delete(path);
      }),
  },
  {
    name: "journal-emptied",
    about: "The whole journal is gone.",
    alerts: false,
    mustHappen,
    play: (world) =>
      damageBetween(world, () => {
        for (const [path] of segmentsOf(world)) world.disk.raw().names.delete(path);
      }),
  },
];

/** Refuses to start on it, touches nothing, and goes on with the copy that the operator puts back. */
function damageRecords(world: World, damage: (bytes: Buffer) => Buffer | undefined): void {
  world.at(world.random.int(10_000, 25_000), () => {
    world.beforeNextStart(() => {
      const path = world.records.path();
      const good = readFileSync(path);
      const bad = damage(Buffer.from(good));
      if (bad) writeFileSync(path, bad);
      else rmSync(path);
      world.happened("damage");
      world.beforeNextStart(() => {
        if (world.refusals.length !== 1) world.problems.push(`started on damaged records`);
        const isAsItWas = bad ? readFileSync(path).equals(bad) : !existsSync(path);
        if (!isAsItWas) world.problems.push("changed the damaged records");
        for (const tail of ["-wal", "-shm"]) rmSync(`${path}${tail}`, { force: true });
        writeFileSync(path, good);
      });
    });
    void world.restart();
  });
}

const RECORDS: readonly Scenario[] = [
  {
    name: "records-garbage",
    about: "SQLite's file begins with garbage: refused, untouched, restored by the operator.",
    mustHappen: ["damage", "refused to start"],
    play: (world) =>
      damageRecords(world, (bytes) => {
        for (let at = 0; at < 100; at += 1) bytes[at] = world.random.int(0, 256);
        return bytes;
      }),
  },
  {
    name: "records-cut-short",
    about: "The end of SQLite's file is missing: refused, untouched, restored by the operator.",
    mustHappen: ["damage", "refused to start"],
    play: (world) =>
      damageRecords(world, (bytes) => bytes.subarray(0, 4_096 * world.random.int(1, bytes.length / 4_096 / 2))),
  },
  {
    name: "records-gone",
    about: "SQLite's file is gone or empty: refused instead of beginning anew, restored by the operator.",
    mustHappen: ["damage", "refused to start"],
    play: (world) => damageRecords(world, () => (world.random.chance(0.5) ? Buffer.alloc(0) : undefined)),
  },
];

/** All that the journal still has is filled in again. */
const KEPT = { keepForMs: 3_600_000 };
const DUCKDB = { duckDb: true, seedsMax: 2, habits: KEPT, alerts: false, unwell: ["reading store"] } as const;

function damageDuckDb(world: World, damage: (file: string) => void): void {
  world.at(world.random.int(15_000, 25_000), () => {
    world.beforeNextStart(() => {
      damage(join(world.duckDb!.folder(), "readings.duckdb"));
      world.happened("damage");
    });
    if (world.random.chance(0.5)) world.die("kill");
    else void world.restart();
  });
  // A block is found damaged when it is read. The service says so, waits, and mends it at the next start.
  for (const ms of [60_000, 120_000]) {
    world.at(ms, () => {
      const isStuck = world
        .service()
        ?.health()
        .some(({ part, state }) => part === "store" && state !== "ok");
      if (isStuck) void world.restart();
    });
  }
}

function flipFile(world: World, path: string, from: number, to: number): void {
  const bytes = readFileSync(path);
  const at = world.random.int(Math.min(from, bytes.length - 1), Math.min(to, bytes.length));
  bytes[at] = bytes[at]! ^ (1 << world.random.int(0, 8));
  writeFileSync(path, bytes);
}

const DUCKDB_FILE: readonly Scenario[] = [
  {
    name: "duckdb-killed",
    about: "The real DuckDB, killed between write and booking and elsewhere.",
    duckDb: true,
    seedsMax: 3,
    mustHappen: ["death"],
    play(world) {
      world.trap("after-write", world.random.int(0, 15), () => world.die("kill"));
      world.trap("before-write", world.random.int(20, 30), () => world.die("kill"));
      world.at(world.someMs(), () => void world.restart());
    },
  },
  {
    ...DUCKDB,
    name: "duckdb-header-flip",
    about: "A bit of the file's headers turns over: rebuilt from the journal, nothing missing.",
    mustHappen,
    play: (world) => damageDuckDb(world, (file) => flipFile(world, file, 0, 12_288)),
  },
  {
    ...DUCKDB,
    name: "duckdb-block-flip",
    about: "A bit of a block turns over: whoever reads it gets an error, the next start mends it.",
    mustHappen,
    play: (world) => damageDuckDb(world, (file) => flipFile(world, file, 12_288, Number.MAX_SAFE_INTEGER)),
  },
  {
    ...DUCKDB,
    name: "duckdb-cut-short",
    about: "The file ends too early.",
    mustHappen,
    play: (world) => damageDuckDb(world, (file) => truncateSync(file, world.random.int(0, readFileSync(file).length))),
  },
  {
    ...DUCKDB,
    name: "duckdb-gone",
    about: "The file is gone, or empty.",
    mustHappen,
    play: (world) =>
      damageDuckDb(world, (file) => {
        for (const name of readdirSync(world.duckDb!.folder())) {
          if (name.startsWith("readings.duckdb")) rmSync(join(world.duckDb!.folder(), name));
        }
        if (world.random.chance(0.3)) writeFileSync(file, "");
      }),
  },
  {
    ...DUCKDB,
    name: "duckdb-log-damaged",
    about: "The write-ahead log is damaged after a kill: DuckDB would open without what it held, silently.",
    mustHappen,
    play(world) {
      world.at(world.random.int(15_000, 25_000), () => {
        world.beforeNextStart(() => {
          const log = join(world.duckDb!.folder(), "readings.duckdb.wal");
          if (!existsSync(log)) return;
          flipFile(world, log, 0, 4_096);
          world.happened("damage");
        });
        world.die("kill");
      });
    },
  },
];

/** Section 5.12. Damage is never silent: what cannot be read any more has been named, and everything else is there. */
export const DAMAGE_SCENARIOS: readonly Scenario[] = [...JOURNAL, ...RECORDS, ...DUCKDB_FILE];
