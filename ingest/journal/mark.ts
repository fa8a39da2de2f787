import { isWorldFault } from "../../model/background.ts";
import type { Records } from "../../store/records.ts";

const DURABLE = ["store", "alerts"];
const JOURNAL_END = "journal.end";

/**
 * What the journal must reach: how far the consumers have booked, and how far it went when it was last looked at. It
 * never gives these numbers again, and names the ones from the lowest on that are missing.
 */
export function bookedOffsets(offsets: Pick<Records["offsets"], "get">) {
  const booked = DURABLE.flatMap((name) => offsets.get(name) ?? []);
  const highest = Math.max(offsets.get(JOURNAL_END) ?? 0, ...booked);
  return highest === 0 ? undefined : { lowest: booked.length > 0 ? Math.min(...booked) : 1, highest };
}

/** Keeps how far the journal goes outside of it: a journal that is lost or cut short while a store lags then shows. */
export function markJournal(offsets: Records["offsets"], next: number): void {
  try {
    if (next > (offsets.get(JOURNAL_END) ?? 1)) offsets.set(JOURNAL_END, next);
  } catch (error) {
    // A full disk: an older mark only shows less.
    if (!isWorldFault(error)) throw error;
  }
}
