import { createTask } from "node-cron";
import type { Background } from "../model/background.ts";
import { MINUTE_MS } from "../model/time.ts";

type CronPorts = {
  readonly background: Pick<Background, "every">;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly uptime?: () => number;
};

const LOOK_EVERY_MS = 15_000;

/**
 * A job of this process by the UTC clock, never twice at the same time. A run that was missed is not made up for: each
 * job works out what is due and does it at its next; when the clock has been set forward (or the machine slept), that is
 * now. When it has been set back, a time that comes again does not run the job again, and it goes on by the new time.
 *
 * node-cron reads the expression. Its own timer is not used: after a jump of the clock it plans a beat for every minute
 * that was jumped over, which holds the thread up for 23 seconds after 30 days and without end from 1970.
 */
export function startCron(name: string, expression: string, run: () => Promise<void>, ports: CronPorts) {
  const { background, now, uptime = () => performance.now() } = ports;
  const task = createTask(expression, () => {}, { timezone: "UTC" });
  const [first, second] = task.getNextRuns(2);
  const everyMs = second!.getTime() - first!.getTime();
  let seen = { minute: minuteOf(now()), at: uptime() };
  let ran = { minute: Number.NEGATIVE_INFINITY, at: Number.NEGATIVE_INFINITY };

  async function look(): Promise<void> {
    const before = seen;
    seen = { minute: minuteOf(now()), at: uptime() };
    if (seen.minute === before.minute) return;
    const isJump = (seen.minute - before.minute) * MINUTE_MS - (seen.at - before.at) > 2 * MINUTE_MS;
    if (!isJump && !task.match(new Date(seen.minute * MINUTE_MS))) return;
    const isAgain = seen.minute <= ran.minute && seen.at - ran.at < everyMs;
    if (isAgain) return;
    ran = seen;
    await run();
  }

  const end = background.every(name, LOOK_EVERY_MS, look);
  return {
    stop(): void {
      end();
      void task.destroy();
    },
  };
}

const minuteOf = (time: number) => Math.floor(time / MINUTE_MS);
