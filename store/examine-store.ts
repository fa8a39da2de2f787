import type { StoreReport } from "../model/store-report.ts";
import type { ReadingStore } from "./reading-store.ts";

type Settings = {
  readonly retentionRawDays: number;
  readonly retentionHourlyDays: number;
  /** 0 is for ever. */
  readonly retentionDailyDays: number;
};

/** What whoever runs the place of the readings should know of it; nothing to say where that is a file of ours. */
export async function examineStore(
  { name, place, examine }: Pick<ReadingStore, "name" | "place" | "examine">,
  { retentionRawDays, retentionHourlyDays, retentionDailyDays }: Settings,
): Promise<StoreReport> {
  const keepDays = {
    raw: retentionRawDays,
    hourly: retentionHourlyDays,
    daily: retentionDailyDays === 0 ? Number.POSITIVE_INFINITY : retentionDailyDays,
  };
  return { store: name, place, ...((await examine?.(keepDays)) ?? { findings: [] }) };
}
