import type { Figure, Health } from "./health.ts";

/**
 * Work that nobody waits for: timers and event handlers. An error there has no caller to go to, so without care a full
 * disk ends the process. Everything of this kind goes through here: what the world may do (`isWorldFault`) is counted,
 * said once, tried again, and said once more when it works; anything else is a mistake of ours and ends the process.
 */
export type Background = {
  /**
   * Does it every `ms` until the answered function is called, or the service stops. Never twice at the same time; after
   * a failure again with the next turn.
   */
  every(task: string, ms: number, work: () => Promise<void> | void): () => void;
  /** Does it once, `ms` from now, and again every few seconds until it works; the answered function calls it off. */
  later(task: string, ms: number, work: () => void): () => void;
  /**
   * A handler that does not throw for what the world does. An event it cannot deal with now waits, with all behind it,
   * and is dealt with later, in order; of more than 1,000 that wait the oldest is let go and counted.
   */
  handler<A extends readonly unknown[]>(task: string, work: (...args: A) => void): (...args: A) => void;
  health(): readonly Health[];
  figures(): readonly Figure[];
};

/** Primary result codes of SQLite: busy, locked, out of memory, read-only, I/O, full, cannot open, locking protocol. */
const SQLITE = new Set([5, 6, 7, 8, 10, 13, 14, 15]);
const SYSTEM = new Set(
  ["ENOSPC EDQUOT EIO EROFS EMFILE ENFILE ENOMEM EAGAIN EBUSY EACCES EPERM ETXTBSY ESTALE"]
    .concat([
      "ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENETDOWN ENOTFOUND EAI_AGAIN",
    ])
    .flatMap((codes) => codes.split(" ")),
);
const NAMES = new Set(["StoreError", "JournalError", "EdgeError", "TransactionEnded"]);
const CAUSES_MAX = 5;

type Known = { readonly name?: unknown; readonly code?: unknown; readonly errcode?: unknown; readonly cause?: unknown };

/**
 * Whether it is what the world may do to us (a full or failing disk, a busy database, a store or network that is away),
 * which passes and is tried again, and not a mistake of our own, which must end the process. Looks through `cause`.
 */
export function isWorldFault(error: unknown): boolean {
  let one = error as Known | undefined;
  for (let depth = 0; depth < CAUSES_MAX && typeof one === "object" && one !== null; depth++) {
    const { name, code, errcode, cause } = one;
    if (NAMES.has(name as string) || SYSTEM.has(code as string)) return true;
    // The extended code carries the primary one in its lowest byte.
    if (typeof errcode === "number" && SQLITE.has(errcode & 0xff)) return true;
    one = cause as Known | undefined;
  }
  return false;
}
