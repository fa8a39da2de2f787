import type { Background } from "../model/background.ts";
import type { Log } from "../model/log.ts";
import type { ReadingStore } from "./reading-store.ts";
import type { Records } from "./records.ts";
import { startRetention } from "./retention.ts";
import { startRollups } from "./rollups.ts";

type StorageLimitsOptions = {
  readonly store: ReadingStore;
  readonly records: Pick<Records, "rollups" | "offsets" | "ledger" | "removals" | "quarantine" | "events">;
  /** A coarser resolution stays at least as long as a finer one. */
  readonly rawDays: number;
  readonly hourlyDays: number;
  /** 0: for ever. */
  readonly dailyDays: number;
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
