import type { ReadingView } from "../../../model/reading.ts";
import { type FeedFilter, fitsFeed } from "./feed-filter.ts";

export type Row = { readonly id: number; readonly reading: ReadingView };

/** Readings per second over the last seconds. */
export type Rates = { readonly all: number; readonly fitting: number; readonly shown: number };

/** Rows that are kept at most, and how many of a turn are shown: more could not be read anyway. */
export const ROWS_MAX = 300;
export const PER_TURN_MAX = 10;
const TURNS_COUNTED = 10;

/**
 * The readings between the stream and the screen. `take` counts all of them and draws a fair sample of at most
 * `PER_TURN_MAX`; `turn` ends a stretch of `turnMs` and hands over its rows, newest first. What it costs does not depend
 * on how many rows there would be.
 */
export function createFeedBuffer(turnMs: number, random: () => number) {
  const turns: { all: number; fitting: number; shown: number }[] = [];
  let now = { all: 0, fitting: 0 };
  let sample: ReadingView[] = [];
  let lastId = 0;

  function take(readings: readonly ReadingView[], filter: FeedFilter): void {
    now.all += readings.length;
    for (const reading of readings) {
      if (!fitsFeed(reading, filter)) continue;
      now.fitting += 1;
      if (sample.length < PER_TURN_MAX) sample.push(reading);
      else {
        // Reservoir sampling: each of the turn is as likely to stay as any other.
        const place = Math.floor(random() * now.fitting);
        if (place < PER_TURN_MAX) sample[place] = reading;
      }
    }
  }

  function turn(): Row[] {
    const rows = sample.map((reading) => {
      lastId += 1;
      return { id: lastId, reading };
    });
    turns.push({ ...now, shown: rows.length });
    if (turns.length > TURNS_COUNTED) turns.shift();
    now = { all: 0, fitting: 0 };
    sample = [];
    return rows.reverse();
  }

  function rates(): Rates {
    const seconds = (Math.max(turns.length, 1) * turnMs) / 1_000;
    const perSecond = (what: "all" | "fitting" | "shown") => turns.reduce((sum, one) => sum + one[what], 0) / seconds;
    return { all: perSecond("all"), fitting: perSecond("fitting"), shown: perSecond("shown") };
  }

  return { take, turn, rates };
}
