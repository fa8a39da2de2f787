import { HOUR_MS, MINUTE_MS, parseDuration } from "../../model/time.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import {
  type Clock,
  type ClockJson,
  clockFrom,
  clockToJson,
  createClock,
  isNewBurst,
  moveClock,
  notePause,
} from "./stream.ts";

/**
 * How the messages of a sensor come, in the time of receipt: how often, and how old they are then. In the order of the
 * journal and no part of the fold over the readings, which is the same in whatever order they come. Changed in place.
 */
export type Arrivals = {
  readonly clock: Clock;
  /** How many bursts brought news, up to those that are kept. */
  bursts: number;
  /** How old the oldest news of each of the last bursts was; none while all of them were as good as new. */
  lags: number[];
  /** What follows from them; undefined: not worked out yet. */
  delayMs: number | undefined;
};

const LAGS_MAX = 20;
/** A delay below this lies within the half hour that the clock waits for anyone. */
const DELAY_MIN_MS = 10 * MINUTE_MS;
/** Most of the bursts must have been that late: a clock that is wrong now and then is no delay. */
const MOST = 0.25;

export const createArrivals = (): Arrivals => ({
  clock: createClock(undefined),
  bursts: 0,
  lags: [],
  delayMs: undefined,
});

/**
 * A message has come. Of a sensor whose interval is declared only those gaps are learnt that its samples fill. `newsAt`:
 * when its reading was measured, if that is news to the sensor, `lastAt` the newest time known before. `wasAway`: the
 * service itself, since the message before. Every reading passes here.
 */
export function arrive(
  arrivals: Arrivals,
  receivedAt: number,
  newsAt: number | undefined,
  { lastAt, declaredMs }: Pick<Clock, "lastAt" | "declaredMs">,
  wasAway: boolean,
  zone?: string,
): void {
  const { clock } = arrivals;
  if (clock.lastAt !== undefined && receivedAt < clock.lastAt) return;
  const isNew = isNewBurst(clock, receivedAt);
  if (isNew && clock.lastAt !== undefined) {
    const gap = receivedAt - clock.lastAt;
    const isFilled = newsAt !== undefined && lastAt !== undefined && newsAt - lastAt <= gap / 2;
    if (!wasAway && (declaredMs === undefined || isFilled)) notePause(clock, receivedAt, zone);
    moveClock(clock, receivedAt, wasAway || (declaredMs !== undefined && !isFilled) ? (declaredMs ?? 0) : gap);
  } else moveClock(clock, receivedAt);
  if (newsAt !== undefined) noteLag(arrivals, Math.max(0, receivedAt - newsAt), isNew);
}

function noteLag(arrivals: Arrivals, lag: number, isNew: boolean): void {
  const isFirst = arrivals.bursts === 0;
  if ((isNew || isFirst) && arrivals.bursts < LAGS_MAX) arrivals.bursts += 1;
  // Nearly every message of a city ends here.
  if (lag < DELAY_MIN_MS && arrivals.lags.length === 0) return;
  arrivals.delayMs = undefined;
  if (arrivals.lags.length === 0) arrivals.lags = new Array<number>(arrivals.bursts).fill(0);
  else if (isNew) arrivals.lags.push(0);
  const { lags } = arrivals;
  if (lags.length > LAGS_MAX) lags.shift();
  lags[lags.length - 1] = Math.max(lags.at(-1)!, lag);
  if (lags.every((one) => one < DELAY_MIN_MS)) arrivals.lags = [];
}

/** So many bursts make a feed known: one buffer of the past is no delay. */
const BURSTS_KNOWN = 3;

/** The same, of a feed that is known for long enough to tell its delay from a backlog. */
export function knownDelayOf(arrivals: Arrivals, sensor: WatchedSensor): number {
  return arrivals.bursts < BURSTS_KNOWN && sensor.tags.delay === undefined ? 0 : delayOf(arrivals, sensor);
}

/** How much later than measured the readings of a sensor come: declared in its tag `delay`, or learnt. */
export function delayOf(arrivals: Arrivals, { tags }: WatchedSensor): number {
  const declared = Object.hasOwn(tags, "delay") ? parseDuration(tags.delay!.trim()) : undefined;
  if (declared !== undefined) return declared;
  if (arrivals.lags.length === 0) return 0;
  arrivals.delayMs ??= learntDelay(arrivals.lags);
  return arrivals.delayMs;
}

function learntDelay(lags: readonly number[]): number {
  // The least of nearly all of them, with a tenth more for what varies.
  const sorted = Float64Array.from(lags).sort();
  const common = sorted[Math.floor(MOST * (sorted.length - 1))]!;
  if (common < DELAY_MIN_MS) return 0;
  const usual = sorted[Math.ceil((1 - MOST) * (sorted.length - 1))]!;
  // A backlog that is sent faster than it grew old is none, either.
  if (usual - common > Math.max(usual / 4, HOUR_MS)) return 0;
  return usual + Math.min(usual / 10, HOUR_MS / 2);
}

export type ArrivalsJson = { readonly clock: ClockJson; readonly bursts?: number; readonly lags: readonly number[] };

export function arrivalsToJson({ clock, bursts, lags }: Arrivals): ArrivalsJson | undefined {
  const json = clockToJson(clock);
  return json && { clock: json, bursts, lags };
}

export function arrivalsFrom(json: ArrivalsJson | undefined): Arrivals {
  return {
    clock: clockFrom(undefined, json?.clock),
    bursts: json?.bursts ?? json?.lags.length ?? 0,
    lags: [...(json?.lags ?? [])],
    delayMs: undefined,
  };
}
