import type { Reading } from "../model/reading.ts";
import { startOfDay, startOfHour } from "../model/time.ts";
import type { RollupPart } from "../store/reading-store.ts";

/** Gathers the hours of a batch whose rollups its readings change: few, however many readings. */
export function createTouchedHours() {
  const parts = new Map<string, RollupPart>();
  let last: RollupPart | undefined;

  function note({ kind, measuredAt, receivedAt }: Pick<Reading, "kind" | "measuredAt" | "receivedAt">): void {
    const start = startOfHour(measuredAt);
    const receivedDay = startOfDay(receivedAt);
    // Neighbours mostly share their hour: no text is made for them.
    if (last && last.start === start && last.kind === kind && last.receivedDay === receivedDay) return;
    last = { kind, resolution: "hourly", start, receivedDay };
    parts.set(`${kind} ${start} ${receivedDay}`, last);
  }
  return { note, parts: () => parts.values() };
}
