import type { JournalFile, JournalFs } from "../../../ingest/journal/fs.ts";

type Inode = { current: Buffer; synced: Buffer };
type Names = Map<string, Inode>;
export type Operation = "open" | "write" | "datasync" | "truncate" | "rename" | "copy";

/** What may go wrong; change it at any time. */
export type Faults = {
  /** Throws to make an operation fail; may wait to hold it up. */
  before?: ((operation: Operation, path: string) => void | Promise<void>) | undefined;
  /** The most a single write takes. */
  writeBytesMax?: number;
  capacity: number;
};

/**
 * A disk with a cache in front of it: what was not synced is there for readers and gone (or half there) after `crash`.
 * Names count as written only after `syncDir`.
 */
export function createMemoryFs(start: { names?: Names } = {}) {
  const faults: Faults = { capacity: Number.MAX_SAFE_INTEGER };
  const names: Names = new Map(start.names);
  let durableNames: Names = new Map(start.names);
  const used = () => [...new Set(names.values())].reduce((sum, inode) => sum + inode.current.length, 0);

  function get(path: string): Inode {
    const inode = names.get(path);
    if (!inode) throw systemError("ENOENT");
    return inode;
  }

  async function open(path: string, mode: "read" | "change" | "replace"): Promise<JournalFile> {
    await faults.before?.("open", path);
    if (mode === "replace") names.set(path, { current: Buffer.alloc(0), synced: Buffer.alloc(0) });
    return openInode(get(path), path);
  }

  function openInode(inode: Inode, path: string): JournalFile {
    let isClosed = false;
    const check = () => {
      if (isClosed) throw systemError("EBADF");
    };
    return {
      write: async (bytes, from, to, position) => {
        check();
        await faults.before?.("write", path);
        const grows = (count: number) => Math.max(0, position + count - inode.current.length);
        let count = Math.min(to - from, faults.writeBytesMax ?? Number.MAX_SAFE_INTEGER);
        // As ext4 and tmpfs do: a part fits and is written, the next write gets the error.
        const room = faults.capacity - used();
        if (grows(count) > room) count = Math.max(0, inode.current.length - position + room);
        if (count === 0) throw systemError("ENOSPC");
        const grown = Buffer.concat([inode.current, Buffer.alloc(grows(count))]);
        grown.set(bytes.subarray(from, from + count), position);
        inode.current = grown;
        return count;
      },
      read: async (bytes, from, to, position) =>
        inode.current.subarray(position, position + to - from).copy(bytes, from),
      datasync: async () => {
        await faults.before?.("datasync", path);
        check();
        inode.synced = Buffer.from(inode.current);
      },
      truncate: async (bytes) => {
        await faults.before?.("truncate", path);
        inode.current = Buffer.from(inode.current.subarray(0, bytes));
      },
      size: async () => inode.current.length,
      close: async () => {
        check();
        isClosed = true;
      },
    };
  }

  const fs: JournalFs = {
    open,
    makeDir: async () => {},
    list: async (dir) => {
      const prefix = `${dir}/`;
      const inside = [...names.keys()].filter((path) => path.startsWith(prefix));
      return [...new Set(inside.map((path) => path.slice(prefix.length).split("/")[0] as string))];
    },
    rename: async (from, to) => {
      await faults.before?.("rename", to);
      names.set(to, get(from));
      names.delete(from);
    },
    unlink: async (path) => {
      get(path);
      names.delete(path);
    },
    copy: async (from, to) => {
      await faults.before?.("copy", to);
      const current = Buffer.from(get(from).current);
      names.set(to, { current, synced: current });
    },
    syncDir: async () => {
      durableNames = new Map(names);
    },
    freeBytes: async () => Math.max(0, faults.capacity - used()),
  };

  /**
   * The disk after a power cut. `keep` decides for each 512-byte sector that was not synced whether it got there;
   * without it, none did.
   */
  function crash(keep: () => boolean = () => false) {
    const after: Names = new Map();
    for (const [path, { current, synced }] of durableNames) {
      const bytes = Buffer.alloc(keep() ? current.length : synced.length);
      synced.copy(bytes);
      for (let at = 0; at < bytes.length; at += 512) if (keep()) current.copy(bytes, at, at, at + 512);
      after.set(path, { current: bytes, synced: bytes });
    }
    return createMemoryFs({ names: after });
  }

  /** The disk as it is, as if the process alone was killed. */
  function clone() {
    const after: Names = new Map();
    for (const [path, { current }] of names) {
      const bytes = Buffer.from(current);
      after.set(path, { current: bytes, synced: bytes });
    }
    return createMemoryFs({ names: after });
  }

  return { fs, faults, crash, clone, names, bytes: (path: string) => get(path).current };
}

export type MemoryFs = ReturnType<typeof createMemoryFs>;

export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
