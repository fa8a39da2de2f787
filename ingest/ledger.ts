import type { LedgerOutcome } from "../model/ledger.ts";
import { type LedgerQuery, type LedgerSums, type LedgerView, sumLedger } from "../model/ledger.ts";
import type { Records } from "../store/records.ts";
import type { JournalReader } from "./journal/journal.ts";
import { createPendingIndex, type Pending } from "./pending.ts";

export type LedgerParts = {
  readonly ledger: Pick<Records["ledger"], "totals" | "byDay" | "bySensor">;
  /** Everything before this number of the journal is booked. */
  offset(): number;
  /** Everything before this number is committed to the journal. */
  end(): number;
  /** A reader of its own. */
  readonly reader: Pick<JournalReader, "read">;
  readonly now: () => number;
  /** The most messages looked at to say whose they are (200,000). */
  readonly pendingMessagesMax?: number;
};

const DAYS_SHOWN = 31;
const NOTHING: ReadonlyMap<LedgerOutcome, number> = new Map();

/**
 * The books as the contract shows them, at one moment: what is booked, and what is committed to the journal and not
 * booked yet, each message in the one or the other. Answers include everything that was acknowledged before the question.
 */
export function createLedger(parts: LedgerParts) {
  const { ledger } = parts;
  const index = createPendingIndex(parts.reader, { now: parts.now, messagesMax: parts.pendingMessagesMax });

  return async function read(query: LedgerQuery = {}): Promise<LedgerView> {
    const committed = parts.end();
    const covered = await index.cover(parts.offset(), committed);
    // From here on nothing is awaited: books and offset are those of one moment.
    const offset = parts.offset();
    const end = Math.max(committed, offset);
    const waiting: Pending = covered ? index.tally(offset, end) : new Map();
    const filtered = query.day !== undefined || query.sensorId !== undefined;
    const inJournal = filtered ? count(waiting, query) : end - offset;
    const { day, sensorId } = query;
    const outcomes = ledger.totals({ day, ...(sensorId === undefined ? {} : { sensors: [sensorId] }) });
    return {
      ...sumLedger(outcomes, inJournal),
      scope: covered ? "all" : "settled",
      days: daysOf(ledger, waiting, query),
      ...(query.bySensor ? { sensors: sensorsOf(ledger, waiting, day) } : {}),
    };
  };
}

/** The same without a look into the journal: days show what is settled. */
export function readLedger(parts: {
  readonly ledger: Pick<Records["ledger"], "totals" | "byDay">;
  pendingMessages(): number;
}): LedgerView {
  const days = parts.ledger.byDay(DAYS_SHOWN).map(({ day, outcomes }) => ({ day, ...sumLedger(outcomes, 0) }));
  return { ...sumLedger(parts.ledger.totals(), parts.pendingMessages()), scope: "settled", days };
}

function daysOf(ledger: LedgerParts["ledger"], waiting: Pending, query: LedgerQuery): LedgerView["days"] {
  const { day, sensorId } = query;
  const booked = new Map<string, ReadonlyMap<LedgerOutcome, number>>();
  if (day !== undefined) {
    booked.set(day, ledger.totals({ day, ...(sensorId === undefined ? {} : { sensors: [sensorId] }) }));
  } else {
    for (const one of ledger.byDay(DAYS_SHOWN, sensorId)) booked.set(one.day, one.outcomes);
    // What waits may be the first of its day; what is older than all days shown is left out like them.
    const oldest = booked.size < DAYS_SHOWN ? "" : [...booked.keys()].at(-1)!;
    for (const one of waiting.keys()) {
      if (one > oldest && !booked.has(one) && count(waiting, { day: one, sensorId }) > 0) booked.set(one, NOTHING);
    }
  }
  return [...booked]
    .map(([one, outcomes]) => ({ day: one, ...sumLedger(outcomes, count(waiting, { day: one, sensorId })) }))
    .sort((a, b) => (a.day < b.day ? 1 : -1));
}

function sensorsOf(ledger: LedgerParts["ledger"], waiting: Pending, day: string | undefined) {
  const booked = new Map(ledger.bySensor(day).map(({ sensorId, outcomes }) => [sensorId, outcomes]));
  const pending = new Map<string, number>();
  for (const [one, sensors] of waiting) {
    if (day !== undefined && one !== day) continue;
    for (const [sensorId, n] of sensors) pending.set(sensorId, (pending.get(sensorId) ?? 0) + n);
  }
  const ids = new Set([...booked.keys(), ...pending.keys()]);
  return Array.from(ids, (sensorId): LedgerSums & { sensorId: string } => {
    return { sensorId, ...sumLedger(booked.get(sensorId) ?? NOTHING, pending.get(sensorId) ?? 0) };
  });
}

function count(waiting: Pending, { day, sensorId }: LedgerQuery): number {
  let sum = 0;
  for (const [one, sensors] of waiting) {
    if (day !== undefined && one !== day) continue;
    if (sensorId !== undefined) sum += sensors.get(sensorId) ?? 0;
    else for (const n of sensors.values()) sum += n;
  }
  return sum;
}
