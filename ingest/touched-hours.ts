import type { Reading } from "../model/reading.ts";
import type { RollupPart } from "../store/reading-store.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Gathers the hours of a batch whose rollups its readings change: few, however many readings. */
export function createTouchedHours() {
  const parts = new Map<string, RollupPart>();
  let last: RollupPart | undefined;

  function note({ kind, measuredAt, receivedAt }: Pick<Reading, "kind" | "measuredAt" | "receivedAt">): void {
    const start = Math.floor(measuredAt / HOUR_MS) * HOUR_MS;
    const receivedDay = Math.floor(receivedAt / DAY_MS) * DAY_MS;
    // Neighbours mostly share their hour: no text is made for them.
    if (last && last.start === start && last.kind === kind && last.receivedDay === receivedDay) return;
    last = { kind, resolution: "hourly", start, receivedDay };
    parts.set(`${kind} ${start} ${receivedDay}`, last);
  }
  return { note, parts: () => parts.values() };
}
