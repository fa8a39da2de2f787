import type { Log } from "../model/log.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import type { JournalReader } from "./journal/journal.ts";
import { createLedger } from "./ledger.ts";
import { checkLedger } from "./ledger-check.ts";
import { traceReading } from "./ledger-trace.ts";
import { createLedgerWatch } from "./ledger-watch.ts";

export type LedgerServiceParts = {
  readonly records: Pick<Records, "ledger" | "removals" | "quarantine" | "alerts" | "audit" | "transaction"> &
    Partial<Pick<Records, "storeState">>;
  readonly store: Pick<ReadingStore, "name" | "find" | "countBySensor"> &
    Partial<Pick<ReadingStore, "countByDay" | "limits">>;
  /** Messages committed to the journal and not booked yet. */
  pendingMessages(): number;
  /** Everything before this number of the journal is booked. */
  offset(): number;
  openReader(): JournalReader;
  /** False while a lost store is being filled again: what is missing then is on its way. */
  isWhole?(): boolean;
  readonly rawDays: number;
  readonly now: () => number;
  readonly log: Log;
};

/** All that can be asked of the books, and who looks after them. Call `tick` every `LEDGER_TICK_MS`. */
export function createLedgerService(parts: LedgerServiceParts) {
  const { records, offset } = parts;
  const reader = parts.openReader();
  const end = () => offset() + parts.pendingMessages();
  async function check(signal: AbortSignal) {
    if (parts.isWhole?.() === false) throw new StoreError("unavailable", "the reading store is being filled again");
    return checkLedger({ ...parts, end }, signal);
  }
  const watch = createLedgerWatch({ ...parts, check });
  return {
    read: createLedger({ ...parts, ledger: records.ledger, reader, end }),
    verify: watch.verify,
    trace: (sensorId: string, measuredAt: number, signal?: AbortSignal) =>
      traceReading({ ...parts, quarantine: records.quarantine, end }, sensorId, measuredAt, signal),
    tick: watch.tick,
    health: watch.health,
    figures: watch.figures,
    close: () => reader.close(),
  };
}
