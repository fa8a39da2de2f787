import type { LedgerTrace, TraceCopy } from "../model/ledger.ts";

const iso = (time: number) => new Date(time).toISOString();
/** 0: it came with a message that this journal never had, before the folder was restored from a backup. */
const message = ({ journalSeq, receivedAt }: TraceCopy) =>
  `${journalSeq === 0 ? "a message of before the restore" : `message ${journalSeq}`}, received at ${iso(receivedAt)}`;

/** What a person wants to hear, in plain words. */
export function describeTrace(trace: Omit<LedgerTrace, "sentence">, rawDays: number): string {
  const { sensorId, measuredAt, stored } = trace;
  const what = `The reading of ${sensorId} of ${iso(measuredAt)}`;
  const rest = [describeCopies(trace), describeGaps(trace)].filter((text) => text !== "");
  if (stored) {
    return [`${what} is stored in ${stored.store} (${message(stored)}).`, describeQuarantined(trace), ...rest]
      .filter((text) => text !== "")
      .join(" ");
  }
  switch (trace.found) {
    case "quarantined":
      return [`${what} is not stored.`, describeQuarantined(trace), ...rest].join(" ");
    case "in the journal":
      return [`${what} is kept in the journal (${message(trace.waiting[0]!)}) and waits to be stored.`, ...rest].join(
        " ",
      );
    case "removed":
      return [
        `${what} is not here: it is older than the ${rawDays} days that readings are kept, so if it was stored it has been removed.`,
        ...rest,
      ].join(" ");
    default:
      return [describeUnseen(trace, what), ...rest].join(" ");
  }
}

function describeUnseen({ settled }: Omit<LedgerTrace, "sentence">, what: string): string {
  const [copy] = settled;
  if (!copy) return `${what} was never seen: it is in no store, no quarantine, and not in the journal.`;
  return `${what} came (${message(copy)}) and was settled, but is neither in the store nor in quarantine.`;
}

function describeQuarantined({ quarantined, stored }: Omit<LedgerTrace, "sentence">): string {
  if (quarantined.length === 0) return "";
  const items = quarantined.map(({ id, reason, ...copy }) => `item ${id} (${reason}; ${message(copy)})`);
  return `${stored ? "Another one" : "It"} is in quarantine: ${items.join(", ")}.`;
}

function describeCopies({ settled, waiting, stored, quarantined, found }: Omit<LedgerTrace, "sentence">): string {
  const named = new Set([stored?.journalSeq, ...quarantined.map(({ journalSeq }) => journalSeq)]);
  const duplicates = stored ? settled.filter(({ journalSeq }) => !named.has(journalSeq)).length : 0;
  const later = found === "in the journal" ? waiting.length - 1 : waiting.length;
  const parts = [
    duplicates > 0 ? `It came ${times(duplicates)} more (duplicates, as far as the journal is still on disk).` : "",
    later > 0 ? `${later === 1 ? "One more copy waits" : `${later} more copies wait`} in the journal.` : "",
  ];
  return parts.filter((text) => text !== "").join(" ");
}

function describeGaps({ notSearched }: Omit<LedgerTrace, "sentence">): string {
  if (notSearched.length === 0) return "";
  return `Not looked through to the end, because there is too much: ${notSearched.join(", ")}.`;
}

const times = (n: number) => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`);
