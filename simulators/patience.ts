import { setTimeout as wait } from "node:timers/promises";
import { ServiceError } from "../client/client.ts";

export type Patience = {
  /** How long to wait before the next try, after so many. */
  waitMs(tries: number): number;
  /** Without it there is no end of trying. */
  readonly triesMax?: number;
  /** Ends the waiting: what was said last is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, at the first failure that may pass. */
  onAway?(error: ServiceError): void;
};

/**
 * Asks again while the service does not answer, or answers with a fault of its own: a busy one may be slow once, and one
 * that starts again comes back. Throws at once where it says that the question is wrong.
 */
export async function patiently<T>(ask: () => Promise<T>, patience: Patience): Promise<T> {
  const { signal, triesMax = Number.POSITIVE_INFINITY } = patience;
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const mayPass = error instanceof ServiceError && (error.status === undefined || error.status >= 500);
      if (!mayPass || tries === triesMax || signal?.aborted) throw error;
      if (tries === 1) patience.onAway?.(error);
      await wait(patience.waitMs(tries), undefined, { signal }).catch(() => {});
      if (signal?.aborted) throw error;
    }
  }
}
