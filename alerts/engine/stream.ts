import { GAPS_MAX } from "../conditions/cadence.ts";
import { createOpenWindow, type OpenWindow } from "./open-window.ts";

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
