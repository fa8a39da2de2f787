import { joinReadings, whole } from "../model/moment.ts";
import type { Reading } from "../model/reading.ts";
import type { StoredReading } from "./reading-store.ts";

/**
 * Several messages may each bring some metrics of one moment of a sensor. Each of them is kept as a row (a point) of its
 * own, so that the books can be counted again row by row; the first as any other, later ones with the number of the
 * `part`. Whoever reads gets them joined: one reading, with the bookkeeping of the first.
 */
export function joinParts(readings: readonly Reading[]): readonly Reading[] {
  if (!readings.some(({ part }) => part !== undefined)) return readings;
  const joined: Reading[] = [];
  let places = new Map<string, number>();
  let at = Number.NaN;
  for (const reading of readings) {
    if (reading.measuredAt !== at) {
      at = reading.measuredAt;
      places = new Map();
    }
    const place = places.get(reading.sensorId);
    if (place === undefined) places.set(reading.sensorId, joined.push(whole(reading)) - 1);
    else joined[place] = joinReadings(joined[place]!, reading);
  }
  return joined;
}

/** Of the port's chunks. */
const CHUNK_READINGS_MAX = 5_000;

/** One chunk after the other, in the order of time; what may go on in the next chunk waits for it. */
export async function* joinChunks(chunks: AsyncIterable<readonly Reading[]>): AsyncGenerator<readonly Reading[]> {
  let rest: readonly Reading[] = [];
  for await (const chunk of chunks) {
    const all = rest.length > 0 ? [...rest, ...chunk] : chunk;
    const last = all.at(-1)!.measuredAt;
    let end = all.length;
    while (end > 0 && all[end - 1]!.measuredAt === last) end -= 1;
    rest = all.slice(end);
    yield* cut(joinParts(all.slice(0, end)));
  }
  yield* cut(joinParts(rest));
}

function* cut(readings: readonly Reading[]): Generator<readonly Reading[]> {
  for (let from = 0; from < readings.length; from += CHUNK_READINGS_MAX)
    yield readings.slice(from, from + CHUNK_READINGS_MAX);
}

/** All rows of one moment as `find` answers: joined, and with `parts` where there are several. */
export function joinMoment(rows: readonly Reading[]): StoredReading {
  // A row that is there twice, as a crash may leave it, counts once.
  const parts = rows.filter(({ part }, place) => place === 0 || part !== undefined);
  if (parts.length === 1) return whole(parts[0]!);
  return { ...parts.reduce(joinReadings), parts };
}
