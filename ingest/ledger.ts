import { REASON_NAMES, type Reason } from "../model/rejection.ts";
import type { LedgerOutcome, LedgerRecords } from "../store/records.ts";

type Sums = {
  /** Items that came in. */
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  /** Of the quarantined, by reason; those that are zero are left out. */
  readonly reasons: Readonly<Partial<Record<Reason, number>>>;
};

export type LedgerView = Sums & {
  /** Messages (not items: nobody has opened them) that wait in the journal; part of `received`. */
  readonly inJournal: number;
  /** received = stored + duplicate + quarantined + inJournal */
  readonly balanced: boolean;
  /** Newest first, by UTC day of receipt. */
  readonly days: readonly (Sums & { readonly day: string; readonly balanced: boolean })[];
};

const DAYS_SHOWN = 31;

/** The books as the contract shows them. `pendingMessages`: what the store writer has not settled yet. */
export function readLedger(parts: {
  readonly ledger: Pick<LedgerRecords, "totals" | "byDay">;
  pendingMessages(): number;
  readonly daysMax?: number;
}): LedgerView {
  const inJournal = parts.pendingMessages();
  const sums = sum(parts.ledger.totals());
  const days = parts.ledger.byDay(parts.daysMax ?? DAYS_SHOWN).map(({ day, outcomes }) => {
    const ofDay = sum(outcomes);
    return { day, ...ofDay, balanced: balances(ofDay) };
  });
  return { ...sums, received: sums.received + inJournal, inJournal, balanced: balances(sums), days };
}

function sum(outcomes: ReadonlyMap<LedgerOutcome, number>): Sums {
  const reasons: Partial<Record<Reason, number>> = {};
  let quarantined = 0;
  for (const reason of REASON_NAMES) {
    const count = outcomes.get(reason) ?? 0;
    if (count > 0) reasons[reason] = count;
    quarantined += count;
  }
  const [received, stored, duplicate] = [get("received"), get("stored"), get("duplicate")];
  function get(outcome: LedgerOutcome): number {
    return outcomes.get(outcome) ?? 0;
  }
  return { received, stored, duplicate, quarantined, reasons };
}

function balances({ received, stored, duplicate, quarantined }: Sums): boolean {
  return received === stored + duplicate + quarantined;
}
