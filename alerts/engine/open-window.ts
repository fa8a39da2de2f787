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

export function createOpenWindow(windowMs: number): OpenWindow {
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
