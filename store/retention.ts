import type { Background } from "../model/background.ts";
import { KINDS, type Kind } from "../model/kinds.ts";
import type { Log } from "../model/log.ts";
import { DAY_MS, startOfDay } from "../model/time.ts";
import { openSettledClock } from "./clock-watch.ts";
import { startCron } from "./cron.ts";
import type { ReadingStore, RollupStore } from "./reading-store.ts";
import type { Records } from "./records.ts";
import { type Rollups, startRollups } from "./rollups.ts";

type StorageLimitsOptions = {
  readonly store: ReadingStore;
  readonly records: Pick<Records, "rollups" | "offsets" | "ledger" | "removals" | "quarantine" | "events">;
  /** A coarser resolution stays at least as long as a finer one. */
  readonly rawDays: number;
  readonly hourlyDays: number;
  /** 0: for ever. */
  readonly dailyDays: number;
  readonly photos?: RetentionOptions["photos"];
  /** While true nothing is removed. */
  readonly held: () => boolean;
  readonly background: Pick<Background, "every">;
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly uptime?: () => number;
  readonly log: Log;
};

/** Rollups, and the removal of what is past its time, which waits for them. */
export function startStorageLimits({
  rawDays,
  hourlyDays: hours,
  dailyDays: days,
  held,
  ...parts
}: StorageLimitsOptions) {
  const { store } = parts;
  const rollups = startRollups(parts);
  const hourlyDays = Math.max(hours, rawDays);
  const dailyDays = days === 0 ? 0 : Math.max(days, hourlyDays);
  const limits = { removeBefore: rollups.removeBefore, store: store.rollups, hourlyDays, dailyDays };
  const retention = startRetention({ ...parts, rawDays, rollups: limits, held });

  return {
    rollups,
    retention,
    async stop(): Promise<void> {
      await Promise.all([rollups.stop(), retention.stop()]);
    },
  };
}

type RetentionOptions = {
  readonly store: Pick<ReadingStore, "countBySensor" | "deleteBefore">;
  readonly records: {
    readonly removals: Pick<Records["removals"], "plans" | "plan" | "settle">;
    readonly quarantine: Pick<Records["quarantine"], "prune">;
    readonly events: Pick<Records["events"], "deleteBefore">;
    readonly offsets: Records["offsets"];
    readonly ledger: Pick<Records["ledger"], "byDay">;
  };
  /** Readings as they came. */
  readonly rawDays: number;
  /** Hours and days computed from them (0: for ever); a thing is removed only when what follows from it is computed. */
  readonly rollups?: {
    readonly removeBefore: Rollups["removeBefore"];
    readonly store: Pick<RollupStore, "deleteBefore">;
    readonly hourlyDays: number;
    readonly dailyDays: number;
  };
  /** What people took at alerts. */
  readonly photos?: { readonly days: number; readonly removeBefore: (before: number) => Promise<number> };
  /** While true nothing is removed: a copy of everything is being made. What is due is done an hour later. */
  readonly held?: () => boolean;
  readonly quarantineDays?: number;
  readonly quarantineRowsMax?: number;
  /** Events only serve readers that resume a stream; the alerts themselves stay. */
  readonly eventDays?: number;
  readonly background: Pick<Background, "every">;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly uptime?: () => number;
  readonly log: Log;
};

const MINUTE_OF_THE_HOUR = 17;

/**
 * Removes what is past its time: at once on start (a service that was off at night catches up) and then hourly, in
 * whole UTC days, so that there is work once a day and a second run of a day changes nothing. A part that failed is
 * tried again the next hour. `run` does what is due now, or waits for the run under way; it never throws.
 */
export function startRetention({ background, log, now, held = () => false, ...options }: RetentionOptions) {
  const parts = partsOf(options).map((part) => createDailyRun(part, held, log));
  const settled = openSettledClock(options.records, now, options.uptime ?? (() => performance.now()), (clock) =>
    log.warn(
      { clock: new Date(clock).toISOString() },
      "the clock differs by more than a day from what it was: until it has stood for a day, nothing is removed by it",
    ),
  );
  let running: Promise<void> | undefined;

  /** For the next life: started with a clock that is years ahead, it must not remove everything either. */
  function keepClock(): void {
    try {
      settled.keep();
    } catch (error) {
      log.warn({ reason: String(error) }, "the time of the removal could not be kept; it is tried again");
    }
  }

  async function runParts(): Promise<void> {
    const at = settled.now();
    const today = startOfDay(at);
    for (const part of parts) await part(today);
    keepClock();
  }
  function run(): Promise<void> {
    running ??= runParts().finally(() => {
      running = undefined;
    });
    return running;
  }

  const cron = startCron("retention", `${MINUTE_OF_THE_HOUR} * * * *`, run, { background, now });
  void run();

  return {
    run,
    /** Resolves when the run under way, if any, has ended. */
    async stop(): Promise<void> {
      cron.stop();
      await running;
      keepClock();
    },
  };
}

/** Does its part once for each day it succeeds on. */
function createDailyRun(part: Part, held: () => boolean, log: Log) {
  let doneFor: number | undefined;
  return async function runFor(today: number): Promise<void> {
    if (doneFor === today) return;
    try {
      if (held()) return;
      const before = today - part.days * DAY_MS;
      const removed = await part.remove(before);
      doneFor = today;
      if (removed === 0) return;
      const detail = { part: part.name, before: new Date(before).toISOString(), removed };
      // Where the store does not say how much, there may have been nothing.
      if (removed === undefined) log.debug(detail, "whatever was past its time is removed");
      else log.info(detail, "removed what is past its time");
    } catch (error) {
      log.warn({ part: part.name, reason: String(error) }, "could not remove what is past its time");
    }
  };
}

type Part = {
  readonly name: string;
  readonly days: number;
  /** Removes what is older than `before`; says how much if it can tell. */
  remove(before: number): Promise<number | undefined>;
};

function partsOf(options: Omit<RetentionOptions, "background" | "log" | "now" | "uptime">): Part[] {
  const { store, records, rawDays, quarantineDays = 30, quarantineRowsMax = 1_000_000, eventDays = 30 } = options;
  const readings = KINDS.map((kind) => ({
    name: `readings of ${kind}`,
    days: rawDays,
    remove: (before: number) => {
      const remove = (time: number) => removeReadings({ store, removals: records.removals }, kind, time);
      return options.rollups ? options.rollups.removeBefore(kind, "raw", before, remove) : remove(before);
    },
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
  const photos = options.photos
    ? [{ name: "photos", days: options.photos.days, remove: options.photos.removeBefore }]
    : [];
  return [...readings, ...rollupParts(options.rollups), quarantine, events, ...photos];
}

function rollupParts(rollups: RetentionOptions["rollups"]): Part[] {
  if (!rollups) return [];
  const { store, hourlyDays, dailyDays, removeBefore } = rollups;
  const parts = KINDS.flatMap((kind): Part[] => [
    {
      name: `hours of ${kind}`,
      days: hourlyDays,
      remove: (before) => removeBefore(kind, "hourly", before, (time) => store.deleteBefore(kind, "hourly", time)),
    },
    {
      name: `days of ${kind}`,
      days: dailyDays,
      remove: (before) => store.deleteBefore(kind, "daily", before),
    },
  ]);
  return parts.filter(({ days }) => days > 0);
}

type Parts = { readonly store: Pick<ReadingStore, "countBySensor" | "deleteBefore">; readonly removals: Removals };
type Removals = Pick<Records["removals"], "plans" | "plan" | "settle">;

/**
 * Removes readings that are past their time and books it, so that stored = in the store + removed whatever happens in
 * between: the plan is on disk before the store is told, and a plan found open (a crash, or a store that went away half
 * through) is settled by what the store has left of it. Says how many are gone.
 */
export async function removeReadings({ store, removals }: Parts, kind: Kind, before: number): Promise<number> {
  const open = removals.plans().find((plan) => plan.kind === kind);
  let sum = 0;
  if (open) {
    const left = await store.countBySensor({ past: { kind, time: open.before } });
    const gone = new Map([...open.counts].map(([sensor, n]) => [sensor, Math.max(0, n - (left.get(sensor) ?? 0))]));
    removals.settle(kind, gone);
    sum += total(gone);
  }
  const counts = await store.countBySensor({ past: { kind, time: before } });
  if (counts.size === 0) return sum;
  removals.plan({ kind, before, counts });
  await store.deleteBefore(kind, before);
  removals.settle(kind, counts);
  return sum + total(counts);
}

const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
