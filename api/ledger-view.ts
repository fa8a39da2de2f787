import { REASON_NAMES, type Reason } from "../model/rejection.ts";
import type { LedgerOutcome } from "../store/records.ts";

/** The books of a day or a sensor. What was not opened yet is in neither side, so these balance without the journal. */
export function sumOutcomes(outcomes: ReadonlyMap<LedgerOutcome, number>) {
  const count = (outcome: LedgerOutcome) => outcomes.get(outcome) ?? 0;
  const entries = REASON_NAMES.map((name) => [name, count(name)] as const).filter(([, value]) => value > 0);
  const reasons = Object.fromEntries(entries) as Partial<Record<Reason, number>>;
  const quarantined = entries.reduce((sum, [, value]) => sum + value, 0);
  const [received, stored, duplicate] = [count("received"), count("stored"), count("duplicate")];
  return { received, stored, duplicate, quarantined, balanced: received === stored + duplicate + quarantined, reasons };
}
