import { DAY_MS, HOUR_MS, startOfHour } from "../../model/time.ts";
import { GAPS_MAX, intervalMs, isIntervalBelow, SILENCE_MIN_MS, silenceLimitMs } from "../conditions/cadence.ts";
import { isHole, localTime, type Pause, withHours, withPause } from "../conditions/rhythm.ts";
import {
  isSameSize,
  type Rolling,
  uncountedOf,
  type Window,
  type WindowSize,
  windowEnd,
  windowStart,
} from "../conditions/window.ts";

/**
 * The window of one size that a stream is filling. Changed in place: within it the rules need not be asked, for all they
 * would do is add the sample to their own.
 */
export type OpenWindow = { -readonly [Key in keyof Window]: number } & {
  readonly windowMs: number;
  readonly days?: string;
  /** Its end. */
  to: number;
  /** All rules of the stream have seen its first sample. */
  isBegun: boolean;
};

/** A state of a condition with windows. */
type Windowed = { readonly rolling?: Rolling };
/** That of a rule with levels: all have the same window. */
type Levelled = { readonly levels?: readonly unknown[] };

function createOpenWindow(size: WindowSize): OpenWindow {
  return {
    ...size,
    from: 0,
    to: 0,
    count: 0,
    good: 0,
    coveredMs: 0,
    uncounted: 0,
    sum: 0,
    min: 0,
    max: 0,
    isBegun: false,
  };
}

/** One more sample in order: of this window, or the first of the next one. */
export function addTo(
  window: OpenWindow,
  at: number,
  value: number,
  good: boolean,
  coversMs: number | undefined,
): void {
  if (window.count > 0 && at < window.to) {
    window.count += 1;
    window.sum += value;
    if (good) window.good += 1;
    if (coversMs === undefined) window.uncounted! += 1;
    else window.coveredMs! += coversMs;
    if (value < window.min) window.min = value;
    if (value > window.max) window.max = value;
    return;
  }
  window.isBegun = true;
  window.from = windowStart(window, at);
  window.to = windowEnd(window, window.from);
  window.count = 1;
  window.good = good ? 1 : 0;
  window.coveredMs = coversMs ?? 0;
  window.uncounted = coversMs === undefined ? 1 : 0;
  // Not the value itself: the sum begins at 0, so that -0 adds up as it does in the conditions.
  window.sum = 0 + value;
  window.min = value;
  window.max = value;
}

/** The rule has begun this window, and the sample does not end it. */
export function isWithin(window: OpenWindow, state: unknown, at: number): boolean {
  if (at >= window.to) return false;
  // The cheap half first: the states of a city are more than a processor keeps at hand.
  return window.isBegun || (((state as Levelled).levels?.[0] ?? state) as Windowed).rolling?.open?.from === window.from;
}

/** The state with all samples of the window that it has begun. */
export function withWindow(state: unknown, window: OpenWindow): unknown {
  const { from, count, good, coveredMs, uncounted, sum, min, max } = window;
  const { levels } = state as Levelled;
  if (levels) return { ...(state as Levelled), levels: levels.map((one) => withWindow(one, window)) };
  const { rolling } = state as Windowed;
  if (rolling?.open?.from !== from || rolling.open.count === count) return state;
  return {
    ...(state as Windowed),
    rolling: { ...rolling, open: { from, count, good, coveredMs, uncounted, sum, min, max } },
  };
}

/**
 * The clock of one stream (a sensor, or one metric of it): its newest time and its last gaps. Changed in place, because
 * every reading passes here; the conditions see it as a read-only `Cadence`.
 */
export type Stream = {
  declaredMs: number | undefined;
  lastAt: number | undefined;
  /** A ring once it is full; `next` is the oldest then. */
  readonly gaps: number[];
  next: number;
  /** None of the gaps is shorter. */
  least: number;
  /** Of the sizes that its rules want. */
  readonly windows: readonly OpenWindow[];
} & Slow &
  Looked;

/**
 * How a sensor sends when nothing happens, of one that sends more often when something does: the slowest interval that it
 * kept for twenty gaps, and when it last did; and its long gaps behind others, `[end, gap, …]`, oldest first, three times
 * the interval of then at least. Only of streams with windows.
 */
type Slow = { slowMs: number; slowAt: number; longGaps: readonly number[] };
/** The gap to the sample that is being looked at has lost a reading. */
type Looked = { isHole: boolean };

const NONE_LONG: readonly number[] = [];

export function createStream(declaredMs: number | undefined, sizes: readonly WindowSize[] = []): Stream {
  const windows = sizes.map(createOpenWindow);
  return {
    declaredMs,
    lastAt: undefined,
    gaps: [],
    next: 0,
    least: Number.POSITIVE_INFINITY,
    windows,
    slowMs: 0,
    slowAt: 0,
    longGaps: NONE_LONG,
    isHole: false,
  };
}

/** For a checkpoint. A stream that nothing has come from stays shared: `own` it before it changes. */
export function copyStream(stream: Stream): Stream {
  return stream.lastAt === undefined ? stream : own(stream);
}

export function own(stream: Stream): Stream {
  const { gaps, windows } = stream;
  const copies = windows.length === 0 ? windows : windows.map((window) => ({ ...window }));
  return { ...stream, gaps: gaps.slice(), windows: copies };
}

/** The same with windows of these sizes: those it has go on, for rules that may not have seen them begin. */
export function withWindows(stream: Stream, sizes: readonly WindowSize[]): Stream {
  const windows = sizes.map((size) => {
    const known = stream.windows.find((window) => isSameSize(window, size));
    if (!known) return createOpenWindow(size);
    // Versions before kept neither an end nor what is covered.
    const { coveredMs = 0 } = known;
    return { ...known, to: windowEnd(size, known.from), coveredMs, uncounted: uncountedOf(known), isBegun: false };
  });
  return { ...stream, windows };
}

/** Moves the clock to a sample that is in order. */
export function moveOn(stream: Stream, at: number): void {
  const { lastAt } = stream;
  stream.lastAt = at;
  if (lastAt !== undefined) learn(stream, at - lastAt);
}

function learn(stream: Stream, gap: number): void {
  const { gaps } = stream;
  if (gap < stream.least) stream.least = gap;
  if (gaps.length < GAPS_MAX) {
    gaps.push(gap);
    return;
  }
  gaps[stream.next] = gap;
  stream.next += 1;
  if (stream.next < GAPS_MAX) return;
  stream.next = 0;
  stream.least = Math.min(...gaps);
}

/** Of a steady sensor it need not be counted. */
const isBelow = (stream: Stream, ms: number): boolean =>
  (ms > stream.least || stream.declaredMs !== undefined) && isIntervalBelow(stream, ms);

/** A gap of so many intervals has lost a reading. */
const LOST_FROM = 1.5;
const LONG_TIMES = 3;
/** So many long gaps are kept; they are a rhythm, not outages, from three on that fill a quarter of the time. */
const LONG_KEPT = 8;
const LONG_MIN = 3;
const LONG_SHARE = 0.25;

/**
 * The time a sample that is in order stands for, in ms: since the one before, and after a hole the interval as it was
 * known then; where the sensor also sends slower than that, its slow interval, but no more than an hour. A declared
 * interval is taken at its word. undefined: its interval, which is not known yet.
 */
export function coveredBy(stream: Stream, at: number): number | undefined {
  const { lastAt, declaredMs, gaps } = stream;
  if (lastAt === undefined) return declaredMs;
  if (declaredMs === undefined && gaps.length === 0) return undefined;
  const gap = at - lastAt;
  // Nearly every sample ends here: what `intervalMs` says need not be sorted out.
  stream.isHole = isBelow(stream, gap / LOST_FROM);
  if (!stream.isHole) return gap;
  const interval = intervalMs(stream)!;
  const stands = declaredMs === undefined ? Math.max(interval, slowMsOf(stream, at)) : interval;
  return gap <= LOST_FROM * stands ? gap : stands;
}

function slowMsOf({ slowMs, slowAt, longGaps: long }: Slow, at: number): number {
  const kept = at - slowAt <= DAY_MS ? slowMs : 0;
  const count = long.length / 2;
  if (count < LONG_MIN) return kept;
  const gaps = long.filter((_, i) => i % 2 === 1).sort((a, b) => a - b);
  const sum = gaps.reduce((total, gap) => total + gap, 0);
  const span = at - (long[0]! - long[1]!);
  return sum >= LONG_SHARE * span ? Math.max(kept, gaps[(count - 1) >> 1]!) : kept;
}

/**
 * Call it after `coveredBy` and before `moveOn`: what the gap to this sample says of how the sensor sends. This is done for
 * every sample: its slow interval is looked at once an hour, and where it may be another one.
 */
export function noteSlow(stream: Stream, at: number): void {
  const { lastAt, gaps, declaredMs, slowMs } = stream;
  if (lastAt === undefined || declaredMs !== undefined || gaps.length < LONG_MIN) return;
  const gap = at - lastAt;
  // Nearly every sample ends here: nothing is new.
  if (!stream.isHole && gap <= slowMs && at - stream.slowAt < (gap === slowMs ? HOUR_MS : DAY_MS)) return;
  const former = gaps[(stream.next + gaps.length - 1) % gaps.length]!;
  // Two in a row: one alone is as much as an outage is.
  if (stream.isHole && gap <= HOUR_MS && isIntervalBelow(stream, Math.min(former, gap) / LONG_TIMES)) {
    stream.longGaps = [...stream.longGaps, at, gap].slice(-2 * LONG_KEPT);
  }
  if (gaps.length < GAPS_MAX || (gap < slowMs && at - stream.slowAt <= DAY_MS)) return;
  if (gap >= slowMs && isBelow(stream, slowMs)) return;
  stream.slowAt = at;
  // Sorted out only where it is another one.
  if (gap < slowMs || !isIntervalBelow(stream, slowMs + 1)) stream.slowMs = Math.min(HOUR_MS, intervalMs(stream)!);
}

/**
 * The clock of a sensor as a whole. What comes within a minute is one burst, and gaps are those between bursts: four
 * messages at joining are no interval of ten seconds. No silence is shorter than fifteen minutes, so nothing is lost.
 */
export type Clock = Stream & {
  /** When the newest burst began, and when the first was. */
  burstAt: number | undefined;
  firstAt: number | undefined;
  pauses: readonly Pause[];
  /** How often it was heard in the hours of a week, where somebody counts them (`countHour`). */
  hours: readonly number[];
  /** The hour of its newest burst, and how many of them were in it. */
  hourAt: number;
  inHour: number;
  /** How many of the gaps are long enough to matter: three of the others are no silence. */
  long: number;
};

const LONG_MS = SILENCE_MIN_MS / 3;

const BURST_MS = 60_000;

export function createClock(declaredMs: number | undefined): Clock {
  return {
    ...createStream(declaredMs),
    burstAt: undefined,
    firstAt: undefined,
    pauses: [],
    hours: [],
    hourAt: 0,
    inHour: 0,
    long: 0,
  };
}

export const copyClock = (clock: Clock): Clock => (clock.lastAt === undefined ? clock : ownClock(clock));
export const ownClock = (clock: Clock): Clock => ({ ...clock, gaps: clock.gaps.slice() });

export const isNewBurst = ({ burstAt }: Clock, at: number): boolean =>
  burstAt === undefined || at - burstAt >= BURST_MS;

/** `gapMs`: what is learnt in place of the gap itself, at most; 0: nothing. */
export function moveClock(clock: Clock, at: number, gapMs = Number.POSITIVE_INFINITY): void {
  const { burstAt } = clock;
  clock.lastAt = at;
  clock.firstAt ??= at;
  if (!isNewBurst(clock, at)) return;
  if (burstAt !== undefined && gapMs > 0) learnGap(clock, Math.min(gapMs, at - burstAt));
  clock.burstAt = at;
}

/** A burst has begun. `zone`: whose hours and days the sensor lives by. */
export function countHour(clock: Clock, at: number, zone: string | undefined): void {
  const { hourAt, inHour } = clock;
  clock.inHour += 1;
  if (at - hourAt < HOUR_MS) return;
  clock.hourAt = startOfHour(at);
  clock.inHour = 1;
  if (inHour === 0) return;
  const from = startOfHour(localTime(hourAt, zone));
  clock.hours = withHours(clock.hours, from, inHour, from + (clock.hourAt - hourAt));
}

function learnGap(clock: Clock, gap: number): void {
  if (isHole(gap, clock)) return;
  const isFull = clock.gaps.length === GAPS_MAX;
  // Nearly every message of a city ends here: one more short gap behind twenty says nothing new.
  if (gap < LONG_MS && clock.long === 0 && isFull) return;
  if (isFull && clock.gaps[clock.next]! >= LONG_MS) clock.long -= 1;
  if (gap >= LONG_MS) clock.long += 1;
  learn(clock, gap);
}

/** The gap to `at` is a pause if it was too long for what is known. Of a declared interval nothing is learnt. */
export function notePause(clock: Clock, at: number, zone?: string): void {
  const { lastAt } = clock;
  // The cheap half first: nearly every gap is short.
  if (lastAt === undefined || at - lastAt <= SILENCE_MIN_MS || clock.declaredMs !== undefined) return;
  const limitMs = silenceLimitMs(clock, SILENCE_MIN_MS);
  if (limitMs === undefined || at - lastAt <= limitMs) return;
  clock.pauses = withPause(clock, { from: lastAt, to: at }, zone);
}

export type ClockJson = {
  readonly lastAt: number;
  readonly burstAt: number;
  readonly firstAt: number;
  readonly gaps: readonly number[];
  /** Their beginnings and ends in turn; versions before kept objects. */
  readonly pauses?: readonly number[] | readonly Pause[];
  readonly hours?: readonly number[];
  readonly hourAt?: number;
  readonly inHour?: number;
};

export function clockToJson(clock: Clock): ClockJson | undefined {
  const { lastAt, burstAt, firstAt, gaps, next, pauses, hours, hourAt, inHour } = clock;
  if (lastAt === undefined) return undefined;
  const inOrder = [...gaps.slice(next), ...gaps.slice(0, next)];
  const ends = pauses.flatMap(({ from, to }) => [from, to]);
  return {
    lastAt,
    burstAt: burstAt!,
    firstAt: firstAt!,
    gaps: inOrder,
    ...(ends.length > 0 ? { pauses: ends } : {}),
    ...(inHour > 0 ? { hours, hourAt, inHour } : {}),
  };
}

export function clockFrom(declaredMs: number | undefined, json: ClockJson | undefined): Clock {
  if (!json) return createClock(declaredMs);
  const { gaps, pauses = [], hours = [], hourAt = 0, inHour = 0, ...times } = json;
  const long = gaps.filter((gap) => gap >= LONG_MS).length;
  const least = Math.min(...gaps);
  const learnt = { gaps: [...gaps], least, pauses: pausesFrom(pauses), hours, hourAt, inHour, long };
  return { ...createStream(declaredMs), ...times, ...learnt };
}

function pausesFrom(ends: NonNullable<ClockJson["pauses"]>): Pause[] {
  const pauses: Pause[] = [];
  for (let i = 0; i < ends.length; i++) {
    const one = ends[i]!;
    if (typeof one === "object") pauses.push(one);
    else pauses.push({ from: one, to: ends[++i] as number });
  }
  return pauses;
}

/** As versions before kept it: the newest times. */
export function clockOfTimes(declaredMs: number | undefined, times: readonly number[]): Clock {
  const clock = createClock(declaredMs);
  for (const at of times) moveClock(clock, at);
  return clock;
}

/** Oldest first: as JSON keeps it. */
export function recentTimes({ lastAt, gaps, next }: Stream): number[] {
  if (lastAt === undefined) return [];
  const times = [lastAt];
  for (let i = gaps.length - 1; i >= 0; i--) times.push(times.at(-1)! - gaps[(next + i) % gaps.length]!);
  return times.reverse();
}

export type SlowJson = Partial<Slow>;

/** undefined: nothing to remember. */
export function slowToJson({ slowMs, slowAt, longGaps }: Stream): SlowJson | undefined {
  return slowMs === 0 && longGaps.length === 0 ? undefined : { slowMs, slowAt, longGaps };
}

export function streamOf(
  declaredMs: number | undefined,
  times: readonly number[],
  windows: readonly OpenWindow[] = [],
  slow: SlowJson = {},
): Stream {
  const stream = { ...createStream(declaredMs), windows, ...slow };
  for (const at of times) moveOn(stream, at);
  return stream;
}
