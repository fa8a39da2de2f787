import type { Log } from "../model/log.ts";
import type { Records } from "../store/records.ts";

type Entry = Omit<Parameters<Records["audit"]["add"]>[0], "at">;

/** After the first row of a burst, the next one says how many more there were, at the earliest so much later. */
const ROW_EVERY_MS = 60_000;
/** Bursts that are told apart; what more there is becomes one burst of its own. */
const BURSTS_MAX = 1_000;

/**
 * What anyone can cause as often as they like, in the audit log: the first at once, those that follow counted into one row a
 * minute for each account or address and each kind of thing. What is counted and not written yet is written before the log is
 * read. A log that cannot be written (a full disk) changes no answer: it is said once, and the counts go on.
 */
export function createAuditBursts(audit: Pick<Records["audit"], "add">, now: () => number, log: Log) {
  // In the order of their last rows.
  const bursts = new Map<string, { readonly entry: Entry; writtenAt: number; more: number }>();
  let failing = false;

  function note(entry: Entry): void {
    const at = now();
    for (const [key, burst] of bursts) {
      if (Math.abs(at - burst.writtenAt) < ROW_EVERY_MS) break;
      if (burst.more > 0) write(key, burst.entry, burst.more);
      else bursts.delete(key);
    }
    const key = `${entry.what}\n${entry.by}\n${entry.target}`;
    const known = bursts.get(key) ?? (bursts.size < BURSTS_MAX ? undefined : crowd(entry.what));
    if (known) known.more += 1;
    else write(key, entry, 0);
  }

  /** One burst for all who come beyond those that are told apart. */
  function crowd(what: string) {
    const known = bursts.get(what) ?? { entry: { by: "api", what, target: "many others" }, writtenAt: now(), more: 0 };
    bursts.set(what, known);
    return known;
  }

  /** A row, with how many `more` there were since the one before. */
  function write(key: string, entry: Entry, more: number): void {
    const at = now();
    bursts.delete(key); // to the end
    const said = [...(entry.detail ? [entry.detail] : []), ...(more > 0 ? [`${more} more since the row before`] : [])];
    try {
      audit.add({ ...entry, at, ...(said.length > 0 ? { detail: said.join(", ") } : {}) });
      bursts.set(key, { entry, writtenAt: at, more: 0 });
      failing = false;
    } catch (error) {
      bursts.set(key, { entry, writtenAt: at, more: Math.max(1, more) });
      if (!failing) log.error({ err: error }, "the audit log cannot be written; what the API refuses is not in it yet");
      failing = true;
    }
  }

  /** Writes all that was counted. */
  function flush(): void {
    for (const [key, { entry, more }] of [...bursts]) if (more > 0) write(key, entry, more);
  }

  return { note, flush };
}
