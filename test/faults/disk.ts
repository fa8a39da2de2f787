import type { JournalFile, JournalFs } from "../../ingest/journal/fs.ts";
import { createMemoryFs, type MemoryFs, systemError } from "../ingest/journal/memory-fs.ts";
import { type Clock, never } from "./clock.ts";
import type { Random } from "./random.ts";

/** A process: when it is dead, whatever of it is still running gets no answer any more. */
export type Life = { readonly number: number; alive: boolean };

export type DiskTrouble = {
  /** Each write takes only a part, as a signal or a network disk may make it. */
  shortWrites?: boolean;
  /** Milliseconds a sync takes; undefined is at once. */
  syncMs?: (() => number) | undefined;
  /** Fails the next operation of this name with this code. */
  failNext?: { operation: "write" | "datasync" | "truncate" | "rename"; code: string } | undefined;
};

export const JOURNAL_DIR = "journal";

/** The disk under the journal: it outlives the lives, and loses what a power cut takes. */
export function createDisk(clock: Clock, random: Random, happened: (what: string) => void) {
  let memory: MemoryFs = createMemoryFs();
  const trouble: DiskTrouble = {};

  function prepare(): void {
    memory.faults.before = async (operation) => {
      clock.note();
      if (operation === "datasync" && trouble.syncMs) await clock.sleep(trouble.syncMs());
      if (trouble.failNext?.operation !== operation) return;
      const { code } = trouble.failNext;
      trouble.failNext = undefined;
      happened(code);
      throw systemError(code);
    };
  }

  function used(): number {
    return [...memory.names.values()].reduce((sum, { current }) => sum + current.length, 0);
  }

  function replace(next: MemoryFs): void {
    next.faults.capacity = memory.faults.capacity;
    memory = next;
    prepare();
  }

  prepare();
  return {
    trouble,
    /** What a process sees. */
    fsFor: (life: Life): JournalFs => guard(life, memory, trouble, random, happened),
    /** The same files for the oracle, without guard and trouble. */
    raw: (): MemoryFs => memory,
    /** The process is gone, the system lives: all that was written is there, and as little of it is synced as before. */
    afterKill: () => {
      const names = [...memory.names].map(([path, inode]) => [path, { ...inode }] as const);
      replace(createMemoryFs({ names: new Map(names) }));
    },
    /** Without `torn` nothing unsynced got there; with it each sector may or may not. */
    afterPowerCut: (torn: boolean) => replace(memory.crash(torn ? () => random.chance(0.5) : undefined)),
    /** Leaves so many bytes. */
    leave: (bytes: number) => {
      memory.faults.capacity = used() + bytes;
    },
    free: () => {
      memory.faults.capacity = Number.MAX_SAFE_INTEGER;
    },
  };
}

export type Disk = ReturnType<typeof createDisk>;

function guard(
  life: Life,
  memory: MemoryFs,
  trouble: DiskTrouble,
  random: Random,
  happened: (what: string) => void,
): JournalFs {
  const { fs } = memory;
  /** Neither begins anything nor hears of the end of anything after its death. */
  async function alive<T>(work: () => Promise<T>): Promise<T> {
    if (!life.alive) return never();
    const result = await work();
    return life.alive ? result : never();
  }

  const guardFile = (file: JournalFile): JournalFile => ({
    write: (bytes, from, to, position) =>
      alive(() => {
        const isShort = trouble.shortWrites === true && to - from > 1;
        if (isShort) happened("short write");
        return file.write(bytes, from, isShort ? random.int(from + 1, to + 1) : to, position);
      }),
    read: (bytes, from, to, position) => alive(() => file.read(bytes, from, to, position)),
    datasync: () => alive(() => file.datasync()),
    truncate: (bytes) => alive(() => file.truncate(bytes)),
    size: () => alive(() => file.size()),
    close: () => alive(() => file.close()),
  });

  return {
    open: (path, mode) => alive(async () => guardFile(await fs.open(path, mode))),
    makeDir: (path) => alive(() => fs.makeDir(path)),
    list: (dir) => alive(() => fs.list(dir)),
    rename: (from, to) => alive(() => fs.rename(from, to)),
    unlink: (path) => alive(() => fs.unlink(path)),
    copy: (from, to) => alive(() => fs.copy(from, to)),
    syncDir: (dir) => alive(() => fs.syncDir(dir)),
    freeBytes: (dir) => alive(() => fs.freeBytes(dir)),
  };
}
