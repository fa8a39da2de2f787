import type { Figure, Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { type ReadingStore, StoreError } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import { createAdoption } from "./adoption.ts";
import { createBatchWriter, createHeldMetrics } from "./batch-writer.ts";
import { type createRetrier, realSleep } from "./retry.ts";
import { createRewriter, type RewriteFrom } from "./rewrite.ts";
import { createStoreCheck } from "./store-check.ts";

export type UpkeepOptions = RewriteFrom & {
  readonly records: Pick<
    Records,
    "storeState" | "sensors" | "quarantine" | "resends" | "rollups" | "ledger" | "removals" | "audit" | "transaction"
  >;
  /** The first number that is still in the journal. */
  first(): number;
  /** The next number of the journal when it was opened. */
  readonly end: number;
  /** What was written within this time is held in the journal. */
  readonly windowMs: number;
  readonly rawDays: number;
  /** Somebody said that this is the real one, should another work on a copy of the data folder. */
  readonly takesOver?: boolean;
  /** Epoch milliseconds; does not leap. */
  readonly settled: () => number;
};

/** How often `tick` should be called. */
export const UPKEEP_TICK_MS = 10_000;
const ASK_EVERY_MS = 30_000;
const STOP_GRACE_MS = 2_000;

/**
 * Looks after a store on a server of its own, which can do what a file of ours does not: be restarted, be emptied, refuse
 * a metric because of what others wrote. The store writer holds everything back until `settle` is done with it.
 */
export function createStoreUpkeep(
  options: UpkeepOptions & {
    readonly store: Pick<
      ReadingStore,
      | "name"
      | "write"
      | "find"
      | "stream"
      | "repeatable"
      | "startedAt"
      | "sentinel"
      | "countByDay"
      | "countBySensor"
      | "limits"
    >;
    readonly retrier: ReturnType<typeof createRetrier>;
    readonly writeReadingsMax: number;
    offset(): number;
    readonly now: () => number;
    readonly log: Log;
  },
) {
  const { store, retrier, records, now, log } = options;
  const held = createHeldMetrics({
    store,
    state: records.storeState,
    findReading: (from, isOne) => rewriter.findReading(from, isOne),
    first: options.first,
    rewrite: (from, why) => rewriter.request(from, why),
    now,
    log,
  });
  const { write } = createBatchWriter(store, retrier, options.writeReadingsMax, held);
  const rewriter = createRewriter({ ...options, write });
  const check = createStoreCheck({ ...options, rewriter });
  const adoption = createAdoption({ ...options, write, lose: check.lose });
  const leaving = new AbortController();
  let askedAt = Number.NEGATIVE_INFINITY;
  let seen: number | undefined;
  let isCounted = false;
  let ticking: Promise<void> | undefined;
  let isFailing = false;

  async function ask(): Promise<void> {
    const interruptions = retrier.interruptions();
    const isNew = seen !== interruptions;
    await rewriter.checkStart(seen !== undefined && isNew);
    await check.checkMark();
    if (isNew) isCounted = false;
    seen = interruptions;
    askedAt = now();
  }

  /** Resolves when the store has what it should have, as far as that can be. Nothing else may be written meanwhile. */
  async function settle(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (seen !== retrier.interruptions()) await retrier.retry(ask, signal);
      else if (adoption.isPending()) await retrier.retry(() => adoption.adopt(signal), signal);
      else if (rewriter.isPending()) await rewriter.run(signal);
      else if (check.isRepairing()) await retrier.retry(check.repair, signal);
      else return;
    }
  }

  async function look(exclusively: (work: () => Promise<void>) => Promise<void>): Promise<void> {
    const { signal } = leaving;
    await exclusively(async () => {
      if (Math.abs(now() - askedAt) >= ASK_EVERY_MS) await retrier.retry(ask, signal);
      await settle(signal);
      await retrier.retry(held.tryAgain, signal);
      await settle(signal);
    });
    await check.count(!isCounted);
    isCounted = true;
    await exclusively(() => settle(signal));
  }

  return {
    settle,
    held,
    /** Call it in the transaction that moves the offset to what comes after `from`. */
    note: rewriter.note,
    /** `exclusively` runs work while the store writer does not write. Never throws; one at a time. */
    tick(exclusively: (work: () => Promise<void>) => Promise<void>): Promise<void> {
      ticking ??= look(exclusively)
        .then(() => {
          isFailing = false;
        })
        .catch((error: unknown) => {
          if (leaving.signal.aborted || error instanceof StoreError) return;
          if (!isFailing) log.error({ err: error }, "the store could not be looked after; trying again");
          isFailing = true;
        })
        .finally(() => {
          ticking = undefined;
        });
      return ticking;
    },
    async stop(): Promise<void> {
      leaving.abort(new Error("the service is stopping"));
      // A server that has a question and does not answer it holds up nobody: what it says later is not heard.
      const ended = new AbortController();
      const grace = realSleep(STOP_GRACE_MS, ended.signal).catch(() => {});
      await Promise.race([ticking, grace]);
      ended.abort();
    },
    /** The journal should keep everything from here on, as far as its own limits let it. */
    holdsFrom: () => Math.min(rewriter.holdsFrom(), held.holdsFrom()),
    /** Whether another service writes there with our mark. */
    isShared: check.isShared,
    isOutranked: check.isOutranked,
    /** False from the start until the store has answered what it is asked before anything is written. */
    isChecked: () => seen !== undefined,
    /** False while something is known to be missing that is still to be written again. */
    isWhole: () => !adoption.isPending() && !rewriter.isPending() && !check.isRepairing(),
    health: (): readonly Health[] => [...adoption.health(), ...check.health(), ...held.health()],
    figures: (): readonly Figure[] => [...rewriter.figures(), ...check.figures(), ...held.figures()],
  };
}
