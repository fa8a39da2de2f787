import { type LedgerSums, sumLedger } from "../model/ledger.ts";
import type { LedgerRecords } from "../store/records.ts";

export type LedgerView = LedgerSums & {
  /** Newest first, by UTC day of receipt. */
  readonly days: readonly (LedgerSums & { readonly day: string })[];
};

const DAYS_SHOWN = 31;

/** The books as the contract shows them. `pendingMessages`: what the store writer has not settled yet. */
export function readLedger(parts: {
  readonly ledger: Pick<LedgerRecords, "totals" | "byDay">;
  pendingMessages(): number;
  readonly daysMax?: number;
}): LedgerView {
  const days = parts.ledger.byDay(parts.daysMax ?? DAYS_SHOWN).map(({ day, outcomes }) => {
    return { day, ...sumLedger(outcomes, 0) };
  });
  return { ...sumLedger(parts.ledger.totals(), parts.pendingMessages()), days };
}
