import type { Reading } from "../../model/reading.ts";
import type { RangeQuery, ReadingStore } from "../../store/reading-store.ts";

/** 2026-11-21T10:00:00Z: a whole hour, so that buckets are easy to read. */
export const T0 = Date.UTC(2026, 10, 21, 10);

/** A reading with what the test does not care about filled in. */
export function aReading(fields: Partial<Reading> = {}): Reading {
  const measuredAt = fields.measuredAt ?? T0;
  return {
    sensorId: "air-1",
    kind: "air",
    district: "north",
    measuredAt,
    receivedAt: measuredAt + 250,
    values: { pm25: 12.5 },
    journalSeq: 1,
    ...fields,
  };
}

export async function collect(store: ReadingStore, query: Partial<RangeQuery> = {}): Promise<Reading[]> {
  const all: Reading[] = [];
  const range = { kind: "air", from: T0 - 86_400_000, to: T0 + 86_400_000, ...query } as const;
  for await (const chunk of store.stream(range)) all.push(...chunk);
  return all;
}
