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

/** "beyond": older than the ring remembers, so nobody can say whether it is a duplicate. */
export type Place = "in-order" | "duplicate" | "late" | "beyond";

export function placeOf(stream: Stream, at: number): Place {
  const { lastAt } = stream;
  if (lastAt === undefined || at > lastAt) return "in-order";
  if (at === lastAt) return "duplicate";
  const times = recentTimes(stream);
  if (times.includes(at)) return "duplicate";
  return times.length > GAPS_MAX && at < times[0]! ? "beyond" : "late";
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

/** Remembers a late sample, so that its repetition is seen to be one. */
export function remember(stream: Stream, at: number): void {
  const times = [...recentTimes(stream), at].sort((a, b) => a - b).slice(-(GAPS_MAX + 1));
  setTimes(stream, times);
}

/** Oldest first. */
export function recentTimes({ lastAt, gaps, next }: Stream): number[] {
  if (lastAt === undefined) return [];
  const times = [lastAt];
  for (let i = gaps.length - 1; i >= 0; i--) times.push(times.at(-1)! - gaps[(next + i) % gaps.length]!);
  return times.reverse();
}

export function setTimes(stream: Stream, times: readonly number[]): void {
  stream.lastAt = times.at(-1);
  stream.next = 0;
  stream.gaps.length = 0;
  for (let i = 1; i < times.length; i++) stream.gaps.push(times[i]! - times[i - 1]!);
}
