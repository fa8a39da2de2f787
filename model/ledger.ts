import { REASON_NAMES, type Reason } from "./rejection.ts";

/**
 * What is booked. `received` counts items as they are opened; each of them then ends as `stored`, `duplicate` or one of
 * the reasons. `shed` and `lost` were never opened, so no `received` row goes with them: the sums below add them.
 * `shed`: messages of QoS 0 let go under pressure. `lost`: messages that cannot be read from the journal any
 * more, and readings that were lost with a store.
 */
export type LedgerOutcome = "received" | "stored" | "duplicate" | "shed" | "lost" | Reason;

/** One line of the books. `day` is the UTC day of receipt, "2026-11-21"; `sensorId` is "" where the topic has none. */
export type LedgerRow = {
  readonly day: string;
  readonly sensorId: string;
  readonly outcome: LedgerOutcome;
  readonly count: number;
};

export type LedgerSums = {
  /** All that came in: items, and messages nobody opened (shed, lost, in the journal). */
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly shed: number;
  readonly lost: number;
  /** Messages kept and not opened yet. */
  readonly inJournal: number;
  /** received = stored + duplicate + quarantined + shed + lost + inJournal */
  readonly balanced: boolean;
  /** Of the quarantined, by reason; those that are zero are left out. */
  readonly reasons: Readonly<Partial<Record<Reason, number>>>;
};

/** What was booked and what waits, as sums that balance unless an item was opened and has no outcome, or two. */
export function sumLedger(outcomes: ReadonlyMap<LedgerOutcome, number>, inJournal: number): LedgerSums {
  const count = (outcome: LedgerOutcome) => outcomes.get(outcome) ?? 0;
  const reasons: Partial<Record<Reason, number>> = {};
  let quarantined = 0;
  for (const reason of REASON_NAMES) {
    if (count(reason) !== 0) reasons[reason] = count(reason);
    quarantined += count(reason);
  }
  const [stored, duplicate, shed, lost] = [count("stored"), count("duplicate"), count("shed"), count("lost")];
  const received = count("received") + shed + lost + inJournal;
  const balanced = received === stored + duplicate + quarantined + shed + lost + inJournal;
  return { received, stored, duplicate, quarantined, shed, lost, inJournal, balanced, reasons };
}

export type LedgerQuery = { readonly day?: string; readonly sensorId?: string; readonly bySensor?: boolean };

export type LedgerView = LedgerSums & {
  /**
   * "settled" when too much waits in the journal to look at each message: then only the sums of the whole have it, and
   * days and sensors (and the sums of a filter) show what is settled.
   */
  readonly scope: "all" | "settled";
  /** Newest first, by UTC day of receipt; the newest 31 unless a day is asked for. */
  readonly days: readonly (LedgerSums & { readonly day: string })[];
  /** When asked for; "" stands for messages of no sensor. In no order. */
  readonly sensors?: readonly (LedgerSums & { readonly sensorId: string })[];
};

/**
 * `identity`: items of a day and sensor without an outcome, or with two. `sums`: a day's sums are not those of its
 * sensors. `readings`, `quarantine`: the books say other than the store or the quarantine holds. `journal`: the books
 * are ahead of the journal.
 */
export type LedgerDifference = {
  readonly what: "identity" | "sums" | "readings" | "quarantine" | "journal";
  readonly day?: string;
  readonly sensorId?: string;
  readonly booked: number;
  readonly found: number;
};

/** Rows of one place: `booked - removed - removedByStore = found` unless something is wrong. */
export type Recount = {
  readonly booked: number;
  readonly removed: number;
  /** What the store's server has removed by a retention of its own; absent where it has none, or nothing is missing. */
  readonly removedByStore?: number;
  readonly found: number;
};

export type LedgerCheck = {
  readonly ok: boolean;
  readonly at: number;
  /** What was compared: everything booked of the messages before this number of the journal. */
  readonly seqBefore: number;
  readonly readings: Recount;
  readonly quarantine: Recount;
  /** At most 1,000; `differing` counts all. */
  readonly differences: readonly LedgerDifference[];
  readonly differing: number;
};

/** One message that had a reading of the sensor and moment in question. */
export type TraceCopy = { readonly journalSeq: number; readonly receivedAt: number };

export type LedgerTrace = {
  readonly sensorId: string;
  readonly measuredAt: number;
  readonly found: "stored" | "quarantined" | "in the journal" | "removed" | "unseen";
  readonly sentence: string;
  readonly stored?: TraceCopy & { readonly store: string };
  readonly quarantined: readonly (TraceCopy & {
    readonly id: number;
    readonly reason: Reason;
    readonly detail: string;
  })[];
  /** Kept, not opened yet. */
  readonly waiting: readonly TraceCopy[];
  /** Settled, in the part of the journal that is still on disk. */
  readonly settled: readonly TraceCopy[];
  /** Where could not be looked, because there is too much. */
  readonly notSearched: readonly ("journal" | "quarantine")[];
};
