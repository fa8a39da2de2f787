import type { Reason } from "./rejection.ts";

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

export type LedgerQuery = { readonly day?: string; readonly sensorId?: string; readonly bySensor?: boolean };
