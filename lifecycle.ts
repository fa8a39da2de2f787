import type { Log } from "./model/log.ts";

export type StopStack = {
  /** Register the stop beside the start: the last started stops first. */
  onStop(name: string, stop: () => Promise<void> | void): void;
  /** Runs the stack once, later calls wait for the same run. A stop that throws is logged and does not hold up the others. */
  stop(): Promise<void>;
};

/** A named last-in-first-out stop stack. */
export function createStopStack(log: Log): StopStack {
  const stops: { name: string; stop: () => Promise<void> | void }[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (stops.length > 0) {
      const { name, stop } = stops.pop()!;
      try {
        await stop();
        log.debug({ part: name }, "stopped");
      } catch (error) {
        log.error({ part: name, err: error }, "stopping failed");
      }
    }
  }

  return {
    onStop: (name, stop) => void stops.push({ name, stop }),
    stop: () => (running ??= run()),
  };
}
