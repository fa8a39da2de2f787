import type { Batch } from "../../model/batch.ts";
import type { Reading } from "../../model/reading.ts";
import { aReading, HOUR, MINUTE, random, T0 } from "./builders.ts";

export const SENSORS = ["s-1", "s-2", "s-3"];

/** Three sensors for two days, every five minutes, with holes, heat and bad air; one reading per journal record. */
export function aFeed(): Reading[] {
  const chance = random(7);
  const readings: Reading[] = [];
  for (let at = T0; at < T0 + 48 * HOUR; at += 5 * MINUTE) {
    for (const [i, sensorId] of SENSORS.entries()) {
      if (Math.floor(at / (3 * HOUR)) % 7 === i) continue;
      const temperature = 38 + 4 * Math.sin(at / (40 * MINUTE) + i) + chance();
      const no2 = 190 + 60 * Math.sin(at / (5 * HOUR) + i) + 20 * chance();
      readings.push(aReading(at, { temperature, no2 }, { sensorId, journalSeq: readings.length + 1 }));
    }
  }
  return readings;
}

/** The same, a third of it up to 25 minutes late: one reading per journal record, in the order of arrival. */
export function aLateFeed(): Reading[] {
  const chance = random(11);
  const arrivals = aFeed().map((reading) => {
    const delay = chance() < 0.3 ? Math.floor(chance() * 25 * MINUTE) : 0;
    return { ...reading, receivedAt: reading.measuredAt + delay };
  });
  arrivals.sort((a, b) => a.receivedAt - b.receivedAt || a.measuredAt - b.measuredAt);
  return arrivals.map((reading, i) => ({ ...reading, journalSeq: i + 1 }));
}

export function batchesOf(feed: readonly Reading[], size: number): Batch[] {
  const batches: Batch[] = [];
  for (let i = 0; i < feed.length; i += size) {
    const readings = feed.slice(i, i + size);
    batches.push({ from: i + 1, to: i + readings.length + 1, readings, rejections: [] });
  }
  return batches;
}
