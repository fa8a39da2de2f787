import { GAPS_MAX } from "../conditions/cadence.ts";

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
};

export function createStream(declaredMs: number | undefined): Stream {
  return { declaredMs, lastAt: undefined, gaps: [], next: 0 };
}

export function copyStream({ declaredMs, lastAt, gaps, next }: Stream): Stream {
  return { declaredMs, lastAt, gaps: gaps.slice(), next };
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

export function streamOf(declaredMs: number | undefined, times: readonly number[]): Stream {
  const stream = createStream(declaredMs);
  for (const at of times) moveOn(stream, at);
  return stream;
}
