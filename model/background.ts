import type { Figure, Health } from "./health.ts";

/**
 * Work that nobody waits for: timers and event handlers. An error there has no caller to go to, so without care a full
 * disk ends the process. Everything of this kind goes through here: what the world may do (`isWorldFault`) is counted,
 * said once, tried again, and said once more when it works; anything else is a mistake of ours and ends the process.
 */
export type Background = {
  /**
   * Does it every `ms` until the answered function is called, or the service stops. Never twice at the same time; after
   * a failure again with the next turn.
   */
  every(task: string, ms: number, work: () => Promise<void> | void): () => void;
  /** Does it once, `ms` from now, and again every few seconds until it works; the answered function calls it off. */
  later(task: string, ms: number, work: () => void): () => void;
  /**
   * A handler that does not throw for what the world does. An event it cannot deal with now waits, with all behind it,
   * and is dealt with later, in order; of more than 1,000 that wait the oldest is let go and counted.
   */
  handler<A extends readonly unknown[]>(task: string, work: (...args: A) => void): (...args: A) => void;
  health(): readonly Health[];
  figures(): readonly Figure[];
};
