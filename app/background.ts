import { type Background, isWorldFault } from "../model/background.ts";
import { counter, type Figure } from "../model/health.ts";
import type { Log } from "../model/log.ts";
import type { StopStack } from "./lifecycle.ts";

const RETRY_MS = 5_000;
const WAITING_MAX = 1_000;

type Task = { failures: number; lost: number; trouble: string | undefined };

/** The one place with timers and handlers that nobody waits for; `model/background.ts` says what may be relied on. */
export function createBackground(log: Log, onStop: StopStack["onStop"], retryMs = RETRY_MS): Background {
  const tasks = new Map<string, Task>();
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;
  // Registered before whatever uses it: the last to stop, when nothing can begin anything any more.
  onStop("background work", () => {
    stopped = true;
    for (const timer of timers) clearTimeout(timer);
  });

  function taskOf(name: string): Task {
    const task = tasks.get(name) ?? { failures: 0, lost: 0, trouble: undefined };
    tasks.set(name, task);
    return task;
  }

  function worked(name: string): void {
    const task = taskOf(name);
    if (task.trouble !== undefined) log.info({ task: name }, "work in the background succeeds again");
    task.trouble = undefined;
  }

  /** Throws what is not the world's: from a timer or a handler that ends the process. */
  function failed(name: string, error: unknown): void {
    if (!isWorldFault(error)) throw error;
    const task = taskOf(name);
    task.failures += 1;
    if (task.trouble === undefined) log.error({ task: name, err: error }, "work in the background failed; tried again");
    task.trouble = error instanceof Error ? error.message : String(error);
  }

  /** Whether it worked. */
  function attempt(name: string, work: () => void): boolean {
    try {
      work();
    } catch (error) {
      failed(name, error);
      return false;
    }
    worked(name);
    return true;
  }

  function every(name: string, ms: number, work: () => Promise<void> | void): () => void {
    taskOf(name);
    let busy = false;
    async function turn(): Promise<void> {
      if (busy || stopped) return;
      busy = true;
      try {
        await work();
        worked(name);
      } catch (error) {
        failed(name, error);
      } finally {
        busy = false;
      }
    }
    const timer = setInterval(turn, ms);
    const end = () => clearInterval(timer);
    onStop(name, end);
    return end;
  }

  function later(name: string, ms: number, work: () => void): () => void {
    taskOf(name);
    let timer: NodeJS.Timeout;
    function wait(forMs: number): void {
      timer = setTimeout(() => {
        timers.delete(timer);
        if (!stopped && !attempt(name, work)) wait(retryMs);
      }, forMs);
      timers.add(timer);
    }
    wait(ms);
    return () => {
      timers.delete(timer);
      clearTimeout(timer);
    };
  }

  function handler<A extends readonly unknown[]>(name: string, work: (...args: A) => void): (...args: A) => void {
    const task = taskOf(name);
    const waiting: A[] = [];
    function retry(): void {
      later(name, retryMs, () => {
        for (let args = waiting[0]; args; args = waiting[0]) {
          work(...args);
          waiting.shift();
        }
      });
    }
    return (...args) => {
      if (waiting.length === 0 && attempt(name, () => work(...args))) return;
      waiting.push(args);
      if (waiting.length === 1) retry();
      if (waiting.length <= WAITING_MAX) return;
      waiting.shift();
      task.lost += 1;
    };
  }

  function figures(): Figure[] {
    const failed = "Attempts of work in the background that failed and were repeated.";
    const lost = "Events let go because too many waited for work that failed.";
    return [...tasks].flatMap(([task, counts]) => [
      counter("lamppost_background_failures_total", failed, counts.failures, { task }),
      counter("lamppost_background_lost_total", lost, counts.lost, { task }),
    ]);
  }

  return {
    every,
    later,
    handler,
    figures,
    health() {
      const failing = [...tasks].flatMap(([name, { trouble }]) =>
        trouble === undefined ? [] : `${name} (${trouble})`,
      );
      const part = "background work";
      if (failing.length === 0) return [{ part, state: "ok", ready: true }];
      const reason = `Cannot be done now and is tried again: ${failing.join(", ")}. Check the disk of the data directory.`;
      return [{ part, state: "degraded", ready: true, reason }];
    },
  };
}
