import { isFault, readReading } from "../ingest/check-reading.ts";
import type { Reading } from "../model/reading.ts";
import type { Mapping } from "../simulators/mapping.ts";
import { mergeRecordings, newCounts, readRecording } from "../simulators/recording.ts";

type RecordingReadings = {
  /** As the service would store them, in the order of time. */
  readonly readings: readonly Reading[];
  /** What the service would put in quarantine, or drop as a duplicate. */
  readonly refused: number;
  readonly duplicates: number;
};

/** A recording as `lamppost replay` and the service would make readings of it: imported history. */
export async function readingsOfRecording(
  mapping: Mapping,
  files: readonly string[],
  now: number,
): Promise<RecordingReadings> {
  const readings: Reading[] = [];
  const keys = new Set<string>();
  let [refused, duplicates, seq] = [0, 0, 0];
  const counts = newCounts();
  for await (const items of mergeRecordings(files.map((file) => readRecording(mapping, file, counts)))) {
    for (const { sensorId, kind, district, at, values } of items) {
      seq += 1;
      const topic = { sensorId, kind, district, imported: true };
      const reading = at === undefined ? undefined : readReading(topic, { measuredAt: at, ...values }, now, seq);
      if (reading === undefined || isFault(reading)) {
        refused += 1;
        continue;
      }
      const key = `${sensorId} ${reading.measuredAt}`;
      if (keys.has(key)) duplicates += 1;
      else readings.push(reading);
      keys.add(key);
    }
  }
  readings.sort((a, b) => a.measuredAt - b.measuredAt || a.journalSeq - b.journalSeq);
  return { readings, refused, duplicates };
}
