import type { Reason } from "./rejection.ts";

/**
 * What is booked. `received` counts items as they are opened; each of them then ends as `stored`, `duplicate` or one of
 * the reasons. `shed` and `lost` were never opened, so no `received` row goes with them: the sums below add them.
 * `shed`: messages of QoS 0 let go under pressure. `lost`: messages that cannot be read from the journal any
 * more, and readings that were lost with a store.
 */
export type LedgerOutcome = "received" | "stored" | "duplicate" | "shed" | "lost" | Reason;

/**
 * Beside the items: what became of each value that was judged. `taken`: stored, `suspect` ones among them. `repeated`: the
 * store had it of this moment. They are in no sum of items.
 */
export const VALUE_OUTCOMES = ["taken", "suspect", "missing", "refused", "repeated"] as const;
export type ValueOutcome = (typeof VALUE_OUTCOMES)[number];
export type ValueSums = Record<ValueOutcome, number>;
/** What sums of the books are called where they are read. */
export type LedgerFigure = LedgerOutcome | `values.${ValueOutcome}`;

/** One line of the books. `day` is the UTC day of receipt, "2026-11-21"; `sensorId` is "" where the topic has none. */
export type LedgerRow = {
  readonly day: string;
  readonly sensorId: string;
  readonly outcome: LedgerOutcome;
  readonly count: number;
  /** Only of `received`. */
  readonly values?: Readonly<ValueSums>;
};

export type LedgerQuery = { readonly day?: string; readonly sensorId?: string; readonly bySensor?: boolean };

export const noValues = (): ValueSums => ({ taken: 0, suspect: 0, missing: 0, refused: 0, repeated: 0 });

export function addValueSums(sums: ValueSums, more: Readonly<Partial<ValueSums>>): void {
  for (const name of VALUE_OUTCOMES) sums[name] += more[name] ?? 0;
}
