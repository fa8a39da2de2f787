import type { LedgerDifference, LedgerSums, LedgerTrace } from "../../../model/ledger.ts";
import type { Reason } from "../../../model/rejection.ts";

/** As `GET /ledger` shows it. */
export type LedgerView = LedgerSums & {
  readonly scope: "all" | "settled";
  readonly days: readonly (LedgerSums & { readonly day: string })[];
  readonly verified?: CheckView;
};

type Recount = { readonly booked: number; readonly removed: number; readonly found: number };
export type CheckView = {
  readonly ok: boolean;
  readonly at: string;
  readonly readings: Recount;
  readonly quarantine: Recount;
  readonly differences: readonly LedgerDifference[];
  readonly differing: number;
};

/** As `GET /ledger/trace` shows it. */
export type TraceView = {
  readonly found: LedgerTrace["found"];
  readonly sentence: string;
  readonly quarantined: readonly { readonly id: number; readonly reason: Reason; readonly detail: string }[];
};

/** Where everything ended that was received: the terms of the identity, in its order. */
export const TERMS = ["stored", "duplicate", "quarantined", "shed", "lost", "inJournal"] as const;

/**
 * A moment as someone types it: with its zone (as the feed shows it), or without in the viewer's own, or epoch
 * milliseconds. Undefined if it is none.
 */
export function parseMoment(text: string): string | undefined {
  const trimmed = text.trim();
  const time = /^\d{12,14}$/.test(trimmed) ? Number(trimmed) : Date.parse(trimmed.replace(/^(\S+) (\S+)$/, "$1T$2"));
  return Number.isFinite(time) && /\d{4}/.test(trimmed) ? new Date(time).toISOString() : undefined;
}
