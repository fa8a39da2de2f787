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
