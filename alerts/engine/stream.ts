import { GAPS_MAX } from "../conditions/cadence.ts";
import type { Rolling, Window } from "../conditions/window.ts";

/**
 * The window of one size that a stream is filling. Changed in place: within it the rules need not be asked, for all they
 * would do is add the sample to their own.
 */
export type OpenWindow = { -readonly [Key in keyof Window]: number } & {
  readonly windowMs: number;
  /** All rules of the stream have seen its first sample. */
  isBegun: boolean;
};

/** A state of a condition with windows. */
type Windowed = { readonly rolling?: Rolling };

function createOpenWindow(windowMs: number): OpenWindow {
  return { windowMs, from: 0, count: 0, good: 0, sum: 0, min: 0, max: 0, isBegun: false };
}

/** One more sample in order: of this window, or the first of the next one. */
export function addTo(window: OpenWindow, at: number, value: number, good: boolean): void {
  if (window.count > 0 && at < window.from + window.windowMs) {
    window.count += 1;
    window.sum += value;
    if (good) window.good += 1;
    if (value < window.min) window.min = value;
    if (value > window.max) window.max = value;
    return;
  }
  window.isBegun = true;
  window.from = Math.floor(at / window.windowMs) * window.windowMs;
  window.count = 1;
  window.good = good ? 1 : 0;
  // Not the value itself: the sum begins at 0, so that -0 adds up as it does in the conditions.
  window.sum = 0 + value;
  window.min = value;
  window.max = value;
}

/** The rule has begun this window, and the sample does not end it. */
export function isWithin(window: OpenWindow, state: unknown, at: number): boolean {
  if (at >= window.from + window.windowMs) return false;
  // The cheap half first: the states of a city are more than a processor keeps at hand.
  return window.isBegun || (state as Windowed).rolling?.open?.from === window.from;
}

/** The state with all samples of the window that it has begun. */
export function withWindow(state: unknown, { from, count, good, sum, min, max }: OpenWindow): unknown {
  const { rolling } = state as Windowed;
  if (rolling?.open?.from !== from || rolling.open.count === count) return state;
  return { ...(state as Windowed), rolling: { ...rolling, open: { from, count, good, sum, min, max } } };
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
  /** Of the sizes that its rules want. */
  readonly windows: readonly OpenWindow[];
};

export function createStream(declaredMs: number | undefined, windowsMs: readonly number[] = []): Stream {
  const windows = windowsMs.map(createOpenWindow);
  return { declaredMs, lastAt: undefined, gaps: [], next: 0, windows };
}

/** For a checkpoint. A stream that nothing has come from stays shared: `own` it before it changes. */
export function copyStream(stream: Stream): Stream {
  return stream.lastAt === undefined ? stream : own(stream);
}

export function own({ declaredMs, lastAt, gaps, next, windows }: Stream): Stream {
  const copies = windows.length === 0 ? windows : windows.map((window) => ({ ...window }));
  return { declaredMs, lastAt, gaps: gaps.slice(), next, windows: copies };
}

/** The same with windows of these sizes: those it has go on, for rules that may not have seen them begin. */
export function withWindows(stream: Stream, windowsMs: readonly number[]): Stream {
  const known = new Map(stream.windows.map((window) => [window.windowMs, { ...window, isBegun: false }]));
  return { ...stream, windows: windowsMs.map((windowMs) => known.get(windowMs) ?? createOpenWindow(windowMs)) };
}

/** Moves the clock to a sample that is in order. */
export function moveOn(stream: Stream, at: number): void {
  const { lastAt, gaps } = stream;
  stream.lastAt = at;
  if (lastAt === undefined) return;
  if (gaps.length < GAPS_MAX) {
    gaps.push(at - lastAt);
    return;
  }
  gaps[stream.next] = at - lastAt;
  stream.next = stream.next + 1 === GAPS_MAX ? 0 : stream.next + 1;
}

/** Oldest first: as JSON keeps it. */
export function recentTimes({ lastAt, gaps, next }: Stream): number[] {
  if (lastAt === undefined) return [];
  const times = [lastAt];
  for (let i = gaps.length - 1; i >= 0; i--) times.push(times.at(-1)! - gaps[(next + i) % gaps.length]!);
  return times.reverse();
}

export function streamOf(
  declaredMs: number | undefined,
  times: readonly number[],
  windows: readonly OpenWindow[] = [],
): Stream {
  const stream = { ...createStream(declaredMs), windows };
  for (const at of times) moveOn(stream, at);
  return stream;
}
