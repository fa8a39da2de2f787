/** Something was heard: `count` readings within a step from `at` on, or a single one. */
export type Heard = { readonly at: number; readonly count: number };
export type Gap = { readonly from: number; readonly to: number };

type Asked = {
  readonly from: number;
  /** Not beyond now: what has not come yet is not missing. */
  readonly to: number;
  /** Of steps; 0 for single readings. */
  readonly stepMs: number;
  /** The interval where too few were heard to learn one. undefined: then nothing can be said. */
  readonly intervalMs: number | undefined;
};

/** On each side of a moment so many times between readings say how often it spoke then. */
const AROUND = 20;
/** Fewer of them say little. */
export const LEARNT_MIN = 3;
/** Of four of them in five: what comes irregularly often waits longer than the median. */
const SHARE = 0.8;
/** As with alerts of silence: an interval may be missed twice. */
const INTERVALS = 3;
const BURST_MS = 60_000;
/** A pause that comes three times and fills half of the time is how it sends, batch by batch. */
const PAUSES_MIN = 3;
const PAUSES_SHARE = 0.5;
/** As long as another, about. */
const ALIKE = 2 / 3;

/**
 * Where a sensor said nothing although it speaks more often than that: by what it did just before and after, so that a
 * sensor that was told to report every ten seconds has no gaps in the time when it did so every minute. `heard` in order
 * of time.
 */
export function gapsIn(heard: readonly Heard[], { from, to, stepMs, intervalMs }: Asked): Gap[] {
  const steps = heard.slice(1).map(({ at }, i) => (at - heard[i]!.at) / heard[i]!.count);
  const pauses = stepMs === 0 ? pausesOf(heard) : [];
  /** Between the reading before `next`, by its number, and that one. */
  const isGap = (next: number, start: number, end: number): boolean => {
    const silent = end - start;
    if (silent <= 0) return false;
    const usual = steps.length < LEARNT_MIN ? intervalMs : usualAround(steps, next);
    return usual !== undefined && silent > INTERVALS * usual && !isHabit(pauses, silent, start);
  };
  const first = heard[0]?.at;
  if (first === undefined) return isGap(0, from, to) ? [{ from, to }] : [];
  const gaps: Gap[] = isGap(0, from, first) ? [{ from, to: first }] : [];
  for (let i = 1; i < heard.length; i++) {
    const [start, end] = [heard[i - 1]!.at + stepMs, heard[i]!.at];
    if (isGap(i, start, end)) gaps.push({ from: start, to: end });
  }
  const last = heard.at(-1)!.at + stepMs;
  return isGap(heard.length, last, to) ? [...gaps, { from: last, to }] : gaps;
}

/** The interval as it was before and after: the longer one, so that neither side of a change has gaps. */
function usualAround(steps: readonly number[], next: number): number {
  // The step from the reading before to the next one is what is judged.
  const before = steps.slice(Math.max(0, next - 1 - AROUND), Math.max(0, next - 1));
  const after = steps.slice(next, next + AROUND);
  const known = [before, after].filter(({ length }) => length >= LEARNT_MIN);
  return Math.max(...(known.length > 0 ? known : [[...before, ...after]]).map(usualOf));
}

/** `steps`: times between readings; 0 where there are none. */
export function usualOf(steps: readonly number[]): number {
  const sorted = Float64Array.from(steps).sort();
  return sorted[Math.floor(SHARE * (sorted.length - 1))] ?? 0;
}

type Pause = { readonly at: number; readonly ms: number };

/** Between bursts: what comes within a minute belongs together. */
function pausesOf(heard: readonly Heard[]): Pause[] {
  const pauses: Pause[] = [];
  let burstAt = heard[0]?.at ?? 0;
  for (const [i, { at }] of heard.entries()) {
    if (at - burstAt < BURST_MS) continue;
    pauses.push({ at: heard[i - 1]!.at, ms: at - burstAt });
    burstAt = at;
  }
  return pauses;
}

function isHabit(pauses: readonly Pause[], silent: number, at: number): boolean {
  const next = pauses.findIndex((one) => one.at >= at);
  const own = next < 0 ? pauses.length : next;
  const around = pauses.slice(Math.max(0, own - AROUND), own + AROUND + 1);
  const alike = around.filter(({ ms }) => ms >= ALIKE * silent);
  const sum = (some: readonly Pause[]) => some.reduce((total, { ms }) => total + ms, 0);
  return alike.length >= PAUSES_MIN && sum(alike) >= PAUSES_SHARE * sum(around);
}
