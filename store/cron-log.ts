import type { Logger } from "node-cron";
import type { Log } from "../model/log.ts";

/** Left alone, the library writes to standard output, where programs read our JSON. */
export function toCronLogger(log: Log): Logger {
  const text = (message: string | Error) => String(message);
  return {
    debug: (message) => log.debug({}, text(message)),
    info: (message) => log.info({}, text(message)),
    warn: (message) => log.warn({}, text(message)),
    error: (message, cause) => log.error(cause ? { reason: cause.message } : {}, text(message)),
  };
}
