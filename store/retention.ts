import { schedule } from "node-cron";
import { KINDS } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import type { ReadingStore } from "./reading-store.ts";
import type { EventRecords, QuarantineRecords } from "./records.ts";

export type RetentionOptions = {
  readonly store: Pick<ReadingStore, "deleteBefore">;
  readonly records: {
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
export function startRetention(options: RetentionOptions) {
  const { log, now } = options;
  const parts = partsOf(options);
  const doneFor = new Map<string, number>();
  let running: Promise<void> | undefined;

  async function runParts(): Promise<void> {
    const today = now() - (now() % DAY_MS);
    for (const part of parts) {
      if (doneFor.get(part.name) === today) continue;
      try {
        const before = today - part.days * DAY_MS;
        const removed = await part.remove(before);
        doneFor.set(part.name, today);
        log.info({ part: part.name, before: new Date(before).toISOString(), removed }, "removed what is past its time");
      } catch (error) {
        log.warn({ part: part.name, reason: String(error) }, "could not remove what is past its time");
      }
    }
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
    // A missed hour is made up for by the next; the library would write to the console.
    suppressMissedWarning: true,
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

type Part = {
  readonly name: string;
  readonly days: number;
  /** Removes what is older than `before`; says how much if it can tell. */
  remove(before: number): Promise<number | undefined>;
};

function partsOf(options: RetentionOptions): Part[] {
  const { store, records, rawDays, quarantineDays = 30, quarantineRowsMax = 1_000_000, eventDays = 30 } = options;
  const readings = KINDS.map((kind) => ({
    name: `readings of ${kind}`,
    days: rawDays,
    remove: (before: number) => store.deleteBefore(kind, before),
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
