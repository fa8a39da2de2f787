import { setImmediate as turn } from "node:timers/promises";

/** What a dead process would have gone on with. */
export const never = (): Promise<never> => new Promise(() => {});

type Timer = { readonly at: number; readonly order: number; fire: (() => void) | undefined };

export type Clock = ReturnType<typeof createClock>;

/** Turns of the event loop without a sign of life after which nothing can move before the time does. */
const QUIET_TURNS = 3;

/**
 * Time that stands still while anything can still happen and then jumps to the next timer. `note` is a sign of life;
 * `real` wraps work of the real world (DuckDB's threads): time waits for it.
 */
export function createClock(start: number) {
  const timers: Timer[] = [];
  let time = start;
  let order = 0;
  let signs = 0;
  let busy = 0;
  let onFree = () => {};

  /** Timers of the same moment fire in the order they were set. Returns how to take it back. */
  function after(ms: number, fire: () => void): () => void {
    const timer: Timer = { at: time + Math.max(0, ms), order: order++, fire };
    timers.push(timer);
    rise(timers.length - 1);
    return () => {
      timer.fire = undefined;
    };
  }

  const isBefore = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function swap(a: number, b: number): void {
    [timers[a], timers[b]] = [timers[b]!, timers[a]!];
  }

  function rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timers[at]!, timers[parent]!)) return;
      swap(at, parent);
      at = parent;
    }
  }

  function take(): Timer | undefined {
    const first = timers[0];
    const last = timers.pop();
    if (!first || !last || timers.length === 0) return first;
    timers[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= timers.length) return first;
      const child = left + 1 < timers.length && isBefore(timers[left + 1]!, timers[left]!) ? left + 1 : left;
      if (!isBefore(timers[child]!, timers[at]!)) return first;
      swap(at, child);
      at = child;
    }
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        cancel();
        reject(signal!.reason);
      };
      const cancel = after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  async function real<T>(work: Promise<T>): Promise<T> {
    busy += 1;
    try {
      return await work;
    } finally {
      busy -= 1;
      signs += 1;
      if (busy === 0) onFree();
    }
  }

  async function settle(): Promise<void> {
    let seen = -1;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = signs === seen ? quiet + 1 : 0) {
      seen = signs;
      if (busy > 0) await new Promise<void>((resolve) => (onFree = resolve));
      await turn();
    }
  }

  /** Lives on until `done`, at most until `deadline`. False: it is not done, and waiting longer would not help. */
  async function runUntil(done: () => boolean, deadline: number): Promise<boolean> {
    for (;;) {
      await settle();
      if (done()) return true;
      let timer = take();
      while (timer && !timer.fire) timer = take();
      if (!timer) return false;
      if (timer.at > deadline) {
        timers.push(timer);
        rise(timers.length - 1);
        time = deadline;
        return false;
      }
      time = timer.at;
      timer.fire!();
    }
  }

  return {
    /** Monotonic milliseconds, beginning with `start`. What the service takes for the time of day may be off. */
    now: () => time,
    after,
    sleep,
    real,
    note: () => {
      signs += 1;
    },
    runUntil,
  };
}
