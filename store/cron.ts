import { type Logger, type ScheduledTask, schedule } from "node-cron";
import type { Log } from "../model/log.ts";

/**
 * A job of this process by the UTC clock, never twice at the same time. A run that was missed is not made up for: each
 * job works out what is due and does it at its next.
 */
export function startCron(name: string, expression: string, run: () => Promise<void>, log: Log): ScheduledTask {
  const logger = toCronLogger(log);
  return schedule(expression, run, {
    name,
    timezone: "UTC",
    noOverlap: true,
    suppressMissedWarning: true,
    logger,
    unref: true,
  });
}

/** Left alone, the library writes to standard output, where programs read our JSON. */
function toCronLogger(log: Log): Logger {
  const text = (message: string | Error) => String(message);
  return {
    debug: (message) => log.debug({}, text(message)),
    info: (message) => log.info({}, text(message)),
    warn: (message) => log.warn({}, text(message)),
    error: (message, cause) => log.error(cause ? { reason: cause.message } : {}, text(message)),
  };
}
