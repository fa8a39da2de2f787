import { REASON_NAMES, type Reason } from "./rejection.ts";

/**
 * What is booked. `received` counts items as they are opened; each of them then ends as `stored`, `duplicate` or one of
 * the reasons. `shed` and `lost` were never opened, so no `received` row goes with them: the sums below add them.
 * `shed`: messages of QoS 0 let go under pressure. `lost`: numbers of the journal that cannot be read any more.
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

const DAY_MS = 86_400_000;

/** The UTC day of a moment, as the books name it. */
export function dayOf(time: number): string {
  return new Date(Math.floor(time / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
}
