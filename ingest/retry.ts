import { setTimeout as timeout } from "node:timers/promises";
import { byLabel, counter, type Figure, gauge, type Health } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import { HOUR_MS } from "../model/time.ts";
import { type StoreCause, StoreError } from "../store/reading-store.ts";

/** Resolves after `ms`; rejects at once when the signal aborts. A port, so that tests do not wait. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export const realSleep: Sleep = (ms, signal) => timeout(ms, undefined, { signal });

/** Named points at which a fault test may stop the world. */
export type FaultHook = (point: string) => void | Promise<void>;

/**
 * Resolves in a turn of the loop of its own: those who wait for it at the same time go on one by one, with sockets and
 * timers in between. Their pieces of work, each short enough, would add up.
 */
export function createTurnstile(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  function next(): void {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(next);
  }
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(next);
    });
}

/** Exponential back-off with jitter between half and the whole step. `attempt` counts from 0. */
export function backOffMs(attempt: number, baseMs: number, maxMs: number, random: () => number): number {
  const step = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return step * (0.5 + random() / 2);
}

const RETRY_BASE_MS = 250;
const RETRY_MAX_MS = 15_000;
const PROBE_EVERY_MS = 15_000;
/** A store that answers and refuses is left alone for longer: each new round costs it hundreds of writes. */
const PAUSE_MS = 30_000;
/** A server that asks for more is asked again all the same (and a timer of more than 24 days would fire at once). */
const RETRY_AFTER_MAX_MS = HOUR_MS;
/** How long a stop waits for a store that has been asked and does not answer. */
const STOP_GRACE_MS = 2_000;

type Trouble = {
  readonly kind: "unavailable" | "misconfigured";
  readonly reason: StoreCause;
  readonly text: string;
};

/** After these the store may not have what it said it had: it may have been restarted, or its log be torn. */
const DOUBTFUL: ReadonlySet<StoreCause> = new Set([
  "unreachable",
  "log_not_written",
  "database_missing",
  "bucket_missing",
]);

/**
 * Waits out a store that does not answer (back-off with jitter, never less than the server asks for, 15 s at most
 * unless it asks for more, and never beyond an hour) or that needs its operator (a try every 15 s). Everything else is
 * thrown on.
 */
export function createRetrier(parts: {
  readonly storeName: string;
  readonly sleep: Sleep;
  readonly random: () => number;
  readonly log: Log;
}) {
  const { storeName, sleep, random, log } = parts;
  let trouble: Trouble | undefined;
  let interruptions = 0;
  const counts = { unavailable: 0, misconfigured: 0 };

  /** `work` gets the number of the attempt, from 0: what may have half happened before must be looked at again. */
  async function retry<T>(work: (attempt: number) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      try {
        const result = await beforeStop(work(attempt), signal);
        answered();
        return result;
      } catch (error) {
        const ms = waitMs(error, attempt);
        if (ms === undefined) {
          if (error instanceof StoreError) answered();
          throw error;
        }
        await sleep(ms, signal);
      }
    }
  }

  function answered(): void {
    if (trouble) log.info({ store: storeName }, "store is back");
    trouble = undefined;
  }

  function waitMs(error: unknown, attempt: number): number | undefined {
    if (!(error instanceof StoreError)) return undefined;
    const { kind, reason, message: text } = error;
    if (kind !== "unavailable" && kind !== "misconfigured") return undefined;
    if (DOUBTFUL.has(reason) && trouble?.reason !== reason) interruptions += 1;
    if (trouble?.kind !== kind) log.warn({ store: storeName, kind, reason: text }, "store does not take readings");
    trouble = { kind, reason, text };
    counts[kind] += 1;
    if (kind === "misconfigured") return PROBE_EVERY_MS;
    const askedMs = Math.min(error.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
    return Math.max(askedMs, backOffMs(attempt, RETRY_BASE_MS, RETRY_MAX_MS, random));
  }

  /** The store answers, but with something that only its operator can end: says so, and leaves it alone for a while. */
  async function pause(text: string, signal: AbortSignal): Promise<void> {
    waitMs(new StoreError("misconfigured", text), 0);
    await sleep(PAUSE_MS, signal);
  }

  function health(part: string): Health {
    if (!trouble) return { part, state: "ok", ready: true };
    if (trouble.reason === "log_not_written") {
      const reason = `${storeName} has readings in its memory that it could not write to its log (${trouble.text}); they would be gone after a restart of it, so nothing counts as stored. Make room on its disk and restart it; readings wait in the journal and are written again`;
      return { part, state: "failed", ready: true, reason };
    }
    if (trouble.kind === "unavailable") {
      const reason = `${storeName} does not answer (${trouble.text}); readings wait in the journal and are tried again`;
      return { part, state: "degraded", ready: true, reason };
    }
    const reason = `${storeName} is misconfigured (${trouble.text}); readings wait in the journal, correct the settings`;
    // Still ready: messages are kept, and an orchestrator that restarts us would not mend the settings.
    return { part, state: "failed", ready: true, reason };
  }

  function figures(): Figure[] {
    const waits = "Times the store was waited for; misconfigured: its settings or its account must be corrected.";
    const states = "1 for the state the store is in; misconfigured waits for an operator, /readyz says what to do.";
    const state = { ok: 0, unavailable: 0, misconfigured: 0, [trouble?.kind ?? "ok"]: 1 };
    return [
      ...byLabel(counter, "lamppost_store_waits_total", waits, "kind", counts),
      ...byLabel(gauge, "lamppost_store_state", states, "state", state),
    ];
  }

  return {
    retry,
    pause,
    health,
    figures,
    /** How often the store went away in a way after which it may have lost something. */
    interruptions: () => interruptions,
    isWaiting: () => trouble !== undefined,
  };
}

/**
 * The work's result; when `signal` aborts, its reason if the work takes longer than the grace from then on. What the store
 * does with an abandoned write is found after the restart: the batch is not booked, so it comes again.
 */
async function beforeStop<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => late.reject(signal.reason), STOP_GRACE_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  }
}
