import { type Logger, schedule } from "node-cron";
import { KINDS } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import type { ReadingStore } from "./reading-store.ts";
import type { EventRecords, QuarantineRecords, RemovalRecords } from "./records.ts";
import { removeReadings } from "./removal.ts";

export type RetentionOptions = {
  readonly store: Pick<ReadingStore, "countBySensor" | "deleteBefore">;
  readonly records: {
    readonly removals: Pick<RemovalRecords, "plans" | "plan" | "settle">;
    readonly quarantine: Pick<QuarantineRecords, "prune">;
    readonly events: Pick<EventRecords, "deleteBefore">;
  };
  /** Readings as they came. */
  readonly rawDays: number;
  readonly quarantineDays?: number;
  readonly quarantineRowsMax?: number;
  /** Events only serve readers that resume a stream; the alerts themselves stay. */
  readonly eventDays?: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly log: Log;
};

const DAY_MS = 86_400_000;
const MINUTE_OF_THE_HOUR = 17;

/**
 * Removes what is past its time: at once on start (a service that was off at night catches up) and then hourly, in
 * whole UTC days, so that there is work once a day and a second run of a day changes nothing. A part that failed is
 * tried again the next hour. `run` does what is due now, or waits for the run under way; it never throws.
 */
export function startRetention({ log, now, ...options }: RetentionOptions) {
  const parts = partsOf(options).map((part) => createDailyRun(part, log));
  let running: Promise<void> | undefined;

  async function runParts(): Promise<void> {
    const today = now() - (now() % DAY_MS);
    for (const part of parts) await part(today);
  }
  function run(): Promise<void> {
    running ??= runParts().finally(() => {
      running = undefined;
    });
    return running;
  }

  const task = schedule(`${MINUTE_OF_THE_HOUR} * * * *`, run, {
    name: "retention",
    timezone: "UTC",
    noOverlap: true,
    // A missed hour is made up for by the next.
    suppressMissedWarning: true,
    logger: toCronLogger(log),
    unref: true,
  });
  void run();

  return {
    run,
    /** Resolves when the run under way, if any, has ended. */
    async stop(): Promise<void> {
      await task.destroy();
      await running;
    },
  };
}

/** Does its part once for each day it succeeds on. */
function createDailyRun(part: Part, log: Log) {
  let doneFor: number | undefined;
  return async function runFor(today: number): Promise<void> {
    if (doneFor === today) return;
    try {
      const before = today - part.days * DAY_MS;
      const removed = await part.remove(before);
      doneFor = today;
      if (removed === 0) return;
      log.info({ part: part.name, before: new Date(before).toISOString(), removed }, "removed what is past its time");
    } catch (error) {
      log.warn({ part: part.name, reason: String(error) }, "could not remove what is past its time");
    }
  };
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

type Part = {
  readonly name: string;
  readonly days: number;
  /** Removes what is older than `before`; says how much if it can tell. */
  remove(before: number): Promise<number | undefined>;
};

function partsOf(options: Omit<RetentionOptions, "log" | "now">): Part[] {
  const { store, records, rawDays, quarantineDays = 30, quarantineRowsMax = 1_000_000, eventDays = 30 } = options;
  const readings = KINDS.map((kind) => ({
    name: `readings of ${kind}`,
    days: rawDays,
    remove: (before: number) => removeReadings({ store, removals: records.removals }, kind, before),
  }));
  const quarantine: Part = {
    name: "quarantine",
    days: quarantineDays,
    remove: async (before) => records.quarantine.prune(before, quarantineRowsMax),
  };
  const events: Part = {
    name: "events",
    days: eventDays,
    remove: async (before) => records.events.deleteBefore(before),
  };
  return [...readings, quarantine, events];
}
