import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { KINDS, type Kind } from "../../model/kinds.ts";
import type { Log } from "../../model/log.ts";
import type { Rule } from "../../model/rule.ts";
import type { ReadingStore, ScanQuery } from "../../store/reading-store.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import type { BacktestAnswer, FromWorker, ToWorker, WorkerStart } from "./worker.ts";

type BacktestRequest = {
  readonly rules: readonly Rule[];
  /** Rules whose alerts are wanted; others are there because these count their alerts. Without it all. */
  readonly reported?: readonly string[];
  readonly from: number;
  readonly to: number;
  /** Read so much before `from`, so that windows and baselines are full when the span begins. */
  readonly warmUpMs: number;
  readonly sensorId?: string;
  readonly by: string;
};

type BacktestOptions = {
  readonly store: Pick<ReadingStore, "scan">;
  readonly sensors: () => readonly WatchedSensor[];
  /** The city's, as of the rules in force. */
  readonly zone?: string | undefined;
  readonly place?: Rule["place"] | undefined;
  readonly holidays?: readonly string[] | undefined;
  readonly now: () => number;
  readonly log: Log;
};

/** Somebody else's is running. */
export class BacktestBusy extends Error {
  override readonly name = "BacktestBusy";
}

/** Blocks on their way to the thread: enough to keep it busy, little to hold in memory. */
const BLOCKS_AHEAD = 4;
const MEMORY_MB_MAX = 1_024;
/** Clients give up on an answer after five minutes. */
const RUN_MS_MAX = 4 * 60_000;

/**
 * Backtests in the running service: the store is read here, because it belongs to this process, and the rules run in a
 * thread of their own. The core thread only passes on blocks of numbers, so ingest is never held up. One at a time.
 */
export function createBacktests({ store, sensors, zone, place, holidays, now, log }: BacktestOptions) {
  let running: { readonly by: string; readonly since: number } | undefined;

  /** Rejects with `BacktestBusy`, with `signal.reason` when aborted, or with what went wrong. */
  async function run(request: BacktestRequest, signal: AbortSignal): Promise<BacktestAnswer> {
    if (running)
      throw new BacktestBusy(`${running.by} is running a backtest since ${new Date(running.since).toISOString()}`);
    running = { by: request.by, since: now() };
    const limit = AbortSignal.timeout(RUN_MS_MAX);
    try {
      const result = await runInThread(request, AbortSignal.any([signal, limit]));
      log.info({ by: request.by, readings: result.readings, ms: now() - running.since }, "backtest done");
      return result;
    } catch (error) {
      if (limit.aborted)
        throw new Error("the backtest took longer than 4 minutes: choose a shorter span or one sensor");
      throw error;
    } finally {
      running = undefined;
    }
  }

  async function runInThread(request: BacktestRequest, signal: AbortSignal): Promise<BacktestAnswer> {
    signal.throwIfAborted();
    const { rules, from, to, reported = rules.map(({ id }) => id) } = request;
    const workerData: WorkerStart = { rules, sensors: sensors().map(plainSensor), zone, place, holidays };
    const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MB_MAX };
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData, resourceLimits });
    const thread = followThread(worker, signal);
    try {
      let sent = 0;
      for await (const block of store.scan(scanOf(request))) {
        worker.postMessage({ block } satisfies ToWorker, [block.columns.buffer]);
        sent += 1;
        await thread.takenAtLeast(sent - BLOCKS_AHEAD);
      }
      worker.postMessage({ span: { from, to }, reported } satisfies ToWorker);
      return await thread.result;
    } finally {
      await worker.terminate();
    }
  }

  return { run, running: () => running };
}

/** Waits for the thread's answers; whatever ends it early, and the signal, ends the waiting. */
function followThread(worker: Worker, signal: AbortSignal) {
  const { promise: result, resolve, reject } = Promise.withResolvers<BacktestAnswer>();
  result.catch(() => {}); // also when nobody waits for it any more
  let taken = 0;
  const fail = () => reject(signal.reason);
  signal.addEventListener("abort", fail, { once: true });
  worker.on("message", (message: FromWorker) => {
    if ("body" in message) resolve(message);
    else taken += 1;
  });
  worker.on("error", (error: Error) => reject(new Error(`the backtest failed: ${error.message}`, { cause: error })));
  worker.on("exit", () => {
    signal.removeEventListener("abort", fail);
    reject(new Error("the thread of the backtest ended early"));
  });
  return {
    result,
    async takenAtLeast(count: number): Promise<void> {
      while (taken < count) await Promise.race([once(worker, "message"), result]);
      signal.throwIfAborted();
    },
  };
}

/** Only the kinds that a rule watches; a quorum, or a rule for any device, may look at all. */
function scanOf({ rules, from, to, warmUpMs, sensorId }: BacktestRequest): ScanQuery {
  const all = rules.some(({ kind }) => kind === "any");
  const kinds = all ? KINDS : KINDS.filter((kind: Kind) => rules.some((rule) => rule.kind === kind));
  return { kinds, from: from - warmUpMs, to, ...(sensorId === undefined ? {} : { sensorId }) };
}

/** Only what the rules look at goes to the thread. */
function plainSensor({ id, kind, district, name, intervalS, lat, lon, gateway, tags }: WatchedSensor): WatchedSensor {
  return { id, kind, district, name, intervalS, lat, lon, gateway, tags };
}
