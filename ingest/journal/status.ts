import { isWorldFault } from "../../model/background.ts";
import { counter, type Figure, gauge, type Health } from "../../model/health.ts";
import type { Log } from "../../model/log.ts";
import type { Records } from "../../store/records.ts";
import type { JournalState, RecoveryReport } from "./journal.ts";

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

/** How the journal is, and the senders that have had their share of a nearly full disk (as `senderKey`). */
type JournalView = { readonly journal: JournalState; readonly held: readonly string[] };

const GAPS_SHOWN = 10;
const SENDERS_SHOWN = 5;

export function reportRecovery({ first, next, tornBytes, gaps }: RecoveryReport, log: Log): void {
  if (tornBytes > 0)
    log.warn({ tornBytes }, "the journal's tail was torn by a crash and has been cut; nothing acknowledged was in it");
  for (const gap of gaps)
    log.error(gap, "acknowledged messages are missing from the journal; damaged segments are kept in journal/damaged");
  log.info({ first, next }, "journal is open");
}

/** Not ready while messages cannot be kept; degraded for ever after messages were found missing, until the next start. */
export function journalHealth(
  { journal: { state }, held }: JournalView,
  { gaps }: Pick<RecoveryReport, "gaps">,
): Health {
  const part = "journal";
  if (state === "full")
    return {
      part,
      state: "failed",
      ready: false,
      reason:
        "The disk is full: nothing is acknowledged until there is room. Free space; the service goes on by itself.",
    };
  if (state === "failed")
    return {
      part,
      state: "failed",
      ready: false,
      reason: "The journal cannot be written. The service restarts and replays.",
    };
  if (held.length > 0) {
    const more = held.length > SENDERS_SHOWN ? ` and ${held.length - SENDERS_SHOWN} more` : "";
    const reason =
      `The disk is nearly full (LAMPPOST_DISK_FREE_MIN_MIB). ${held.slice(0, SENDERS_SHOWN).join(", ")}${more} had ` +
      "their share of what was left and are not read; nobody else is held up. Free space; the service goes on by itself.";
    return { part, state: "degraded", ready: true, reason };
  }
  const missing = missingIn(gaps);
  if (missing === 0) return { part, state: "ok", ready: true };
  const reason = `${missing} acknowledged messages were missing at the start: ${numbersOf(gaps)}. Damaged segments are kept in journal/damaged.`;
  return { part, state: "degraded", ready: true, reason };
}

function numbersOf(gaps: RecoveryReport["gaps"]): string {
  const shown = gaps.slice(0, GAPS_SHOWN).map(({ from, to }) => (to - from === 1 ? `${from}` : `${from} to ${to - 1}`));
  const more = gaps.length > GAPS_SHOWN ? ` and ${gaps.length - GAPS_SHOWN} more gaps` : "";
  return `numbers ${shown.join(", ")}${more}`;
}

export function journalFigures({ journal }: JournalView, { gaps }: Pick<RecoveryReport, "gaps">): Figure[] {
  return [
    gauge("lamppost_journal_next_sequence", "Sequence number the next message gets.", journal.next),
    gauge("lamppost_journal_first_sequence", "First sequence number still on disk.", journal.first),
    gauge("lamppost_journal_bytes", "Bytes of segments on disk.", journal.bytes),
    gauge("lamppost_journal_missing_messages", "Acknowledged messages found missing at the start.", missingIn(gaps)),
    counter("lamppost_journal_commits_total", "Group commits (fsyncs) since the start.", journal.commits),
  ];
}

function missingIn(gaps: RecoveryReport["gaps"]): number {
  return gaps.reduce((sum, { from, to }) => sum + (to - from), 0);
}
