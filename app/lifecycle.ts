import { writeSync } from "node:fs";
import { isWorldFault } from "../model/background.ts";
import type { Log } from "../model/log.ts";
import { plausibleTime } from "../model/time.ts";

/** The clock of both threads, epoch milliseconds. It may jump, but never to what no date can say. */
export const wallClock = (): number => plausibleTime(Date.now());

/** Where logs go: standard error. A line that cannot be written (a full disk, a reader that has gone) is lost and stops nothing. */
export const logLines = {
  write(line: string): void {
    try {
      writeSync(2, line);
    } catch {
      // There is nowhere to say it.
    }
  },
};

/**
 * A promise that nobody waits for and that fails. What the world did passes, and is said; anything else is a mistake of
 * ours and ends the process, as Node does. Work in the background has its own guard, which tries again: this is the net
 * below it.
 */
export function guardRejections(log: Log): void {
  process.on("unhandledRejection", (error) => {
    if (!isWorldFault(error)) throw error;
    log.error({ err: error }, "something that nobody waited for failed; the service goes on");
  });
}

/** `isClean`: everything that stopped before has ended; nothing that was cut off can still be at work. */
type Stop = (isClean: boolean) => Promise<void> | void;

export type StopStack = {
  /**
   * Register the stop beside the start, with nothing between the two: whatever throws next, what runs is stopped. The
   * last started stops first; a stop may be called twice, so that a part can be registered again at another place.
   * `withinMs`: it is cut off after this time (5 s). Throws when the start has been called off.
   */
  onStop(name: string, stop: Stop, withinMs?: number): void;
  /**
   * Runs the stack, once. Answers the parts that were cut off because they did not end in their time; empty after a stop
   * in order. A stop that throws is logged and does not hold up the others.
   */
  stop(): Promise<readonly string[]>;
};

type StopStackOptions = {
  readonly log: Log;
  /** Aborted when the process is told to end while it starts. */
  readonly signal?: AbortSignal | undefined;
  /** For the fault harness: called as `start:<name>` when a part has started and as `stop:<name>` before it stops. */
  readonly at?: ((point: string) => Promise<void> | void) | undefined;
  /** All stops together take so long at most; what is left then is called, but not waited for. 8 s. */
  readonly withinMs?: number;
};

const PART_WITHIN_MS = 5_000;
const ALL_WITHIN_MS = 8_000;

/** A named last-in-first-out stop stack with a time limit. */
export function createStopStack({ log, signal, at, withinMs = ALL_WITHIN_MS }: StopStackOptions): StopStack {
  const stops: { name: string; stop: Stop; withinMs: number }[] = [];
  const cutOff: string[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (let part = stops.pop(); part; part = stops.pop()) {
      const { name, stop } = part;
      const work = async () => {
        await at?.(`stop:${name}`);
        await stop(cutOff.length === 0);
      };
      try {
        const leftMs = Math.max(0, deadline - performance.now());
        if (await endsWithin(Math.min(part.withinMs, leftMs), work())) log.debug({ part: name }, "stopped");
        else {
          cutOff.push(name);
          log.error({ part: name }, "a part of the service did not stop in its time and was cut off");
        }
      } catch (error) {
        log.error({ part: name, err: error }, "stopping failed");
      }
    }
  }

  return {
    onStop(name, stop, partWithinMs = PART_WITHIN_MS) {
      stops.push({ name, stop, withinMs: partWithinMs });
      at?.(`start:${name}`);
      signal?.throwIfAborted();
    },
    async stop() {
      // Again for what has been registered meanwhile by a start that was called off.
      running = (running ?? Promise.resolve()).then(run);
      await running;
      return cutOff;
    },
  };
}

/** Whether `work` has ended by then; what it does later is nobody's, its error included. */
async function endsWithin(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Named points where the fault harness may end the process the hard way, as a power cut would. `spec` names the point,
 * optionally how many passes to let through first, and how many milliseconds later to end it: "after-fsync@3",
 * "before-write@1+4" (in the middle of the write). With `throw=` in front the point throws instead, with `hang=` it never
 * comes back where it is awaited: "throw=start:api". `ACK_BEFORE_FSYNC` may stand beside it, behind a comma. Undefined
 * does nothing.
 */
export function createFaultPoint(
  spec: string | undefined,
): ((point: string) => Promise<never> | undefined) | undefined {
  const text = partsOf(spec).find((part) => part !== ACK_BEFORE_FSYNC) ?? "";
  const parts = /^(?:(throw|hang)=)?([^@+=]+)(?:@(\d+))?(?:\+(\d+))?$/.exec(text);
  if (!parts) return undefined;
  const [, how = "end", wanted, passes = "0", afterMs] = parts;
  let left = Number(passes);
  const end = () => process.kill(process.pid, "SIGKILL");
  return (point) => {
    if (point !== wanted || left-- > 0) return undefined;
    if (how === "throw") throw new Error(`a fault was asked for at ${point}`);
    if (how === "hang") return new Promise<never>(() => {});
    if (afterMs === undefined) end();
    else setTimeout(end, Number(afterMs));
    return undefined;
  };
}

/** The control run of the harness, which must lose messages: they are acknowledged before the journal has them. */
export const isGateOff = (spec: string | undefined): boolean => partsOf(spec).includes(ACK_BEFORE_FSYNC);

const ACK_BEFORE_FSYNC = "ack-before-fsync";
const partsOf = (spec: string | undefined) => spec?.split(",") ?? [];
