import type { ReadingView } from "../../contract/reading.ts";
import { KINDS, type Kind } from "../../model/kinds.ts";
import { isMetricName, type MetricName } from "../../model/metrics.ts";

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

  const rowOf = (reading: ReadingView): Row => {
    lastId += 1;
    return { id: lastId, reading };
  };

  /** Rows for what was left out of the stream and is asked for instead: the newest that fit, newest first, none twice. */
  function fill(readings: readonly ReadingView[], filter: FeedFilter, known: readonly Row[]): Row[] {
    const shown = new Set(known.map(({ reading }) => keyOf(reading)));
    const fresh = readings.filter((reading) => fitsFeed(reading, filter) && !shown.has(keyOf(reading)));
    return fresh.map(rowOf).sort(byReceipt).slice(0, ROWS_MAX);
  }

  function turn(): Row[] {
    const rows = sample.map(rowOf);
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

  return {
    take,
    turn,
    fill,
    /** So many came that the stream did not bring: they count as all others do. */
    countMissed(readings: number, filter: FeedFilter): void {
      now.all += readings;
      if (!isFiltered(filter)) now.fitting += readings;
    },
    rates,
  };
}

/** Newest first. */
export const byReceipt = (one: Row, other: Row) => other.reading.receivedAt.localeCompare(one.reading.receivedAt);
const keyOf = ({ sensorId, kind, measuredAt }: ReadingView) => `${sensorId} ${kind} ${measuredAt}`;

export type FeedFilter = {
  readonly kind: Kind | undefined;
  readonly district: string | undefined;
  /** Part of a sensor's id. */
  readonly sensor: string;
  /** Only readings that have this value. */
  readonly metric: MetricName | undefined;
  readonly suspect: boolean;
};

/** What the address asks for. Anything it should not say is left out. */
export function readFeedFilter(query: URLSearchParams): FeedFilter {
  const metric = query.get("metric") ?? "";
  return {
    kind: KINDS.find((kind) => kind === query.get("kind")),
    district: query.get("district") || undefined,
    sensor: (query.get("sensor") ?? "").trim().toLowerCase(),
    metric: isMetricName(metric) ? metric : undefined,
    suspect: query.get("suspect") === "yes",
  };
}

export const isFiltered = ({ kind, district, sensor, metric, suspect }: FeedFilter): boolean =>
  Boolean(kind || district || sensor || metric || suspect);

/** With a metric, `suspect` asks for that value; without one, for any. */
export function fitsFeed(reading: ReadingView, filter: FeedFilter): boolean {
  const { kind, district, sensor, metric, suspect } = filter;
  if (kind && reading.kind !== kind) return false;
  if (district && reading.district !== district) return false;
  if (sensor && !reading.sensorId.includes(sensor)) return false;
  if (metric && reading.values[metric] === undefined) return false;
  if (!suspect) return true;
  return metric ? reading.quality?.[metric] === "suspect" : isSuspect(reading);
}

/** One of its values at least is outside what is usual: that it was corrected, or when, is no matter here. */
export const isSuspect = ({ quality = {} }: ReadingView): boolean => Object.values(quality).includes("suspect");
