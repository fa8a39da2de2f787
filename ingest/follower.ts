import { counter, type Figure, gauge, type Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { mergeBatches, type OpenedBatch } from "./batch.ts";
import { backOffMs, type FaultHook, type Sleep } from "./timing.ts";
import type { createWindow } from "./window.ts";

/** One end of the fan-out. */
export type Consumer = {
  readonly name: string;
  /** The sequence number it wants first. Read once, at the start. */
  readonly offset: number;
  /** A durable consumer gets every message, after a crash again from its offset. Any other skips what it was too slow for. */
  readonly durable: boolean;
  /**
   * Takes the batch; the next one comes when this has resolved. A throw means: not taken, bring the same batch again.
   * When `signal` aborts, give up waiting (throw) or finish.
   */
  take(batch: OpenedBatch, signal: AbortSignal): Promise<void> | void;
  /** What a crash would not undo. Left out where `take` resolves only after that. */
  durableOffset?(): number;
  /** Batches that wait are handed over as one until they hold about this many readings. Without it, one at a time. */
  readonly gatherReadingsMax?: number;
  /** With little waiting, let so much time pass before the next batch: for a consumer whose batch costs the same however small. */
  readonly gatherForMs?: number;
};

export type Follower = ReturnType<typeof createFollower>;

type Surroundings = {
  readonly window: Pick<ReturnType<typeof createWindow>, "at" | "nextStart" | "forget">;
  readFromDisk(offset: number, before: number): Promise<OpenedBatch>;
  end(): number;
  moved(): void;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Lets sockets, timers and the other consumers have their turn. */
  pause(): Promise<void>;
  readonly sleep: Sleep;
  readonly random: () => number;
  readonly now: () => number;
  readonly at: FaultHook | undefined;
};

/** Waiting messages from which on a batch is worth its cost at once. */
const GATHERED_ENOUGH = 5_000;
/** A batch under way for so long: the consumer waits for something, and will go on from disk. */
const HELD_UP_AFTER_MS = 2_000;
/** Who gathers gives way so often, and stops at so many sensors that nobody knew before. */
const SLICE_MS = 20;
const NEWCOMERS_MAX = 1_000;
/** A rejection is explained and kept in quarantine: it costs as much as so many readings. */
const REJECTION_READINGS = 10;
const RETRY_BASE_MS = 250;
const RETRY_MAX_MS = 30_000;

/** Walks one consumer along the journal: from the shared window while it keeps up, from disk when it does not. */
export function createFollower(consumer: Consumer, around: Surroundings) {
  const { window, signal, log } = around;
  const { name, durable } = consumer;
  let offset = consumer.offset;
  let failure: string | undefined;
  let busySince: number | undefined;
  const counts = { retries: 0, skipped: 0, fromDisk: 0 };
  let wake = () => {};

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (offset >= around.end()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      await gather();
      const batch = await persist("reading the journal", next);
      if (batch?.newcomers) await around.pause();
      if (batch) await persist("taking a batch", () => deliver(batch));
      // Consumers that never wait would otherwise keep sockets and timers waiting until the window is empty.
      await around.pause();
    }
  }

  async function gather(): Promise<void> {
    if (!consumer.gatherForMs || around.end() - offset >= GATHERED_ENOUGH) return;
    await around.sleep(consumer.gatherForMs, signal).catch(() => {});
  }

  /** Brings the same thing again until it works or the worker stops: nothing is skipped silently. */
  async function persist<T>(doing: string, work: () => Promise<T> | T): Promise<T | undefined> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const result = await work();
        if (failure) log.info({ consumer: name }, "consumer works again");
        failure = undefined;
        return result;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!failure) log.error({ consumer: name, doing, err: error, offset }, "consumer failed; trying again");
        failure = `${doing} fails: ${error instanceof Error ? error.message : String(error)}`;
        counts.retries += 1;
        await around.sleep(backOffMs(attempt, RETRY_BASE_MS, RETRY_MAX_MS, around.random), signal).catch(() => {});
      }
    }
    return undefined;
  }

  /**
   * As much as the consumer likes, from the window and what the window no longer has from disk. It goes on from one to
   * the other: one that stopped where the window begins would find that the window has moved on meanwhile, for ever.
   */
  async function next(): Promise<OpenedBatch | undefined> {
    const batches: OpenedBatch[] = [];
    let readings = 0;
    let newcomers = 0;
    let since = around.now();
    for (let from = offset; from < around.end(); from = batches.at(-1)!.to) {
      if (around.now() - since > SLICE_MS) {
        await around.pause();
        since = around.now();
      }
      const batch = openAt(from) ?? (durable ? await fromDisk(from, batches.length > 0) : undefined);
      if (!batch) break;
      batches.push(batch);
      readings += batch.readings.length + REJECTION_READINGS * batch.rejections.length;
      newcomers += batch.newcomers ?? 0;
      if (readings >= (consumer.gatherReadingsMax ?? 0) || newcomers >= NEWCOMERS_MAX) break;
    }
    if (batches.length > 0) return mergeBatches(batches);
    const target = window.nextStart(offset) ?? around.end();
    counts.skipped += target - offset;
    offset = target;
    around.moved();
    return undefined;
  }

  /** Undefined if it cannot be read and there are others to deliver before it. */
  async function fromDisk(from: number, hasOthers: boolean): Promise<OpenedBatch | undefined> {
    try {
      // Decoding is done on the thread that serves everyone else, too.
      if (hasOthers) await around.pause();
      counts.fromDisk += 1;
      return await around.readFromDisk(from, window.nextStart(from) ?? around.end());
    } catch (error) {
      if (hasOthers) return undefined;
      throw error;
    }
  }

  function openAt(start: number): OpenedBatch | undefined {
    try {
      return window.at(start);
    } catch (error) {
      // The copy on disk has checksums and a reader that steps over damage.
      log.error({ err: error, offset: start }, "a chunk of the journal could not be opened; reading it from disk");
      window.forget(start);
      return undefined;
    }
  }

  async function deliver(batch: OpenedBatch): Promise<void> {
    await around.at?.(`${name}:before-take`);
    busySince ??= around.now();
    await consumer.take(batch, signal);
    busySince = undefined;
    await around.at?.(`${name}:after-take`);
    offset = batch.to;
    around.moved();
  }

  function health(): Health {
    if (failure) return { part: name, state: "failed", ready: !durable, reason: failure };
    return { part: name, state: "ok", ready: true };
  }

  function figures(end: number): Figure[] {
    const consumer = { consumer: name };
    const { retries, skipped, fromDisk } = counts;
    const skips = "Messages a lossy consumer was too slow for.";
    const lag = "Committed messages the consumer has not taken yet.";
    return [
      gauge("lamppost_consumer_lag_messages", lag, end - offset, consumer),
      counter("lamppost_consumer_retries_total", "Batches brought again after a failure.", retries, consumer),
      counter("lamppost_consumer_skipped_messages_total", skips, skipped, consumer),
      counter("lamppost_consumer_disk_reads_total", "Reads from the journal's files to catch up.", fromDisk, consumer),
    ];
  }

  return {
    name,
    durable,
    run,
    health,
    figures,
    offset: () => offset,
    /** Nothing needs to be kept in memory for it. */
    isHeldUp: () => busySince !== undefined && around.now() - busySince > HELD_UP_AFTER_MS,
    durableOffset: () => consumer.durableOffset?.() ?? offset,
    wake: () => wake(),
  };
}
