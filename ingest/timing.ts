import { setTimeout as timeout } from "node:timers/promises";

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
