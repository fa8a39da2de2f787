import { HOUR_MS } from "../model/time.ts";
import { type Gap, gapsIn, type Heard, LEARNT_MIN } from "./gaps.ts";

/** Neighbouring steps that were heard say how often a sensor spoke then. */
const AROUND = 20;
/**
 * An hour counts where at least 75 % of its values are there (Directive 2008/50/EC, Annex XI; (EU) 2024/2881, Annex V).
 */
const VALID_SHARE = 0.75;
/** What comes a moment early or late belongs to the hour beside it. */
const OVER_MAX = 1;

/** One resolution's part of the time, with what was heard in it: hours, or days where only those are left. */
export type CapturePart = {
  readonly stepMs: number;
  readonly from: number;
  readonly to: number;
  readonly heard: readonly Heard[];
};

export type Captured = {
  readonly from: number;
  readonly to: number;
  readonly values: number;
  readonly expected?: number;
  readonly share?: number;
  readonly hours?: number;
  readonly validHours?: number;
  readonly gaps: number;
  readonly gapMs: number;
  readonly longestGapMs: number;
};

type Sum = {
  values: number;
  expected: number;
  captured: number;
  hours: number;
  validHours: number;
  gaps: number;
  gapMs: number;
  longestGapMs: number;
};

/**
 * What came of what should have come, for each stretch between two bounds (the beginnings of months and the end of the
 * last), within the time that the parts cover. `intervalMs`: as declared; without it each hour is measured by what the
 * sensor did around it, the slower of before and after, so that a new interval makes no loss. Pure.
 */
export function captureOf(
  parts: readonly CapturePart[],
  bounds: readonly number[],
  intervalMs: number | undefined,
): (Captured | undefined)[] {
  const sums = bounds.slice(1).map(() => nothing());
  let known = true;
  for (const part of parts) {
    const usual = intervalMs === undefined ? learn(part.heard) : () => intervalMs;
    if (usual === undefined) known = false;
    countSteps(part, bounds, usual, sums);
    for (const gap of gapsIn(part.heard, { ...part, intervalMs })) addGap(gap, bounds, sums);
  }
  const covered = { from: parts[0]?.from ?? 0, to: parts.at(-1)?.to ?? 0 };
  return sums.map((sum, i) => {
    const [from, to] = [Math.max(covered.from, bounds[i]!), Math.min(covered.to, bounds[i + 1]!)];
    return from < to ? toCaptured(sum, from, to, known) : undefined;
  });
}

function nothing(): Sum {
  return { values: 0, expected: 0, captured: 0, hours: 0, validHours: 0, gaps: 0, gapMs: 0, longestGapMs: 0 };
}

function toCaptured(sum: Sum, from: number, to: number, known: boolean): Captured {
  const { values, expected, captured, hours, validHours, gaps, gapMs, longestGapMs } = sum;
  const share = Math.min(1, captured / expected);
  return {
    from,
    to,
    values,
    ...(known && expected > 0 ? { expected: Math.round(expected), share } : {}),
    ...(known && hours > 0 ? { hours, validHours } : {}),
    gaps,
    gapMs,
    longestGapMs,
  };
}

type Usual = (next: number) => number;

function countSteps(
  part: CapturePart,
  bounds: readonly number[],
  usual: Usual | undefined,
  sums: readonly Sum[],
): void {
  const { stepMs, from, to, heard } = part;
  let next = 0;
  let month = 0;
  for (let at = Math.floor(from / stepMs) * stepMs; at < to; at += stepMs) {
    while (next < heard.length && heard[next]!.at < at) next += 1;
    while (month < sums.length - 1 && bounds[month + 1]! <= at) month += 1;
    const count = next < heard.length && heard[next]!.at < at + stepMs ? heard[next]!.count : 0;
    const sum = sums[month]!;
    sum.values += count;
    if (!usual) continue;
    const whole = Math.min(to, at + stepMs) - Math.max(from, at);
    const expected = whole / usual(next);
    sum.expected += expected;
    sum.captured += Math.min(count, expected + OVER_MAX);
    // Of one that speaks less than once an hour no hour is whole, or each is.
    if (stepMs !== HOUR_MS || whole < HOUR_MS || expected < 1) continue;
    sum.hours += 1;
    if (count >= VALID_SHARE * expected) sum.validHours += 1;
  }
}

/** How often it spoke around a step, by the number of the next one that was heard; undefined for too few. */
function learn(heard: readonly Heard[]): Usual | undefined {
  const steps = heard.slice(1).map(({ at }, i) => (at - heard[i]!.at) / heard[i]!.count);
  if (steps.length < LEARNT_MIN) return undefined;
  const medians = new Float64Array(steps.length);
  const some = new Float64Array(AROUND);
  for (let i = 0; i < steps.length; i++) {
    const length = Math.min(AROUND, steps.length - i);
    for (let k = 0; k < length; k++) some[k] = steps[i + k]!;
    medians[i] = some.subarray(0, length).sort()[length >> 1]!;
  }
  return (next) => {
    const before = medians[Math.max(0, Math.min(next - 1, steps.length) - AROUND)]!;
    const after = medians[Math.min(next, Math.max(0, steps.length - LEARNT_MIN))]!;
    return Math.max(before, after);
  };
}

/** The usual interval of the whole time. */
export function usualInterval(heard: readonly Heard[]): number | undefined {
  const steps = heard.slice(1).map(({ at }, i) => (at - heard[i]!.at) / heard[i]!.count);
  return steps.length < LEARNT_MIN ? undefined : Float64Array.from(steps).sort()[steps.length >> 1];
}

/** It counts where it begins; what of it lies in another month is that month's silence. */
function addGap({ from, to }: Gap, bounds: readonly number[], sums: readonly Sum[]): void {
  for (const [i, sum] of sums.entries()) {
    const ms = Math.min(to, bounds[i + 1]!) - Math.max(from, bounds[i]!);
    if (ms <= 0) continue;
    if (from >= bounds[i]!) sum.gaps += 1;
    sum.gapMs += ms;
    sum.longestGapMs = Math.max(sum.longestGapMs, ms);
  }
}

/** All of them as one. Shares are weighed by what was expected. */
export function sumOf(cells: readonly (Captured | undefined)[]): Captured | undefined {
  const found = cells.filter((cell) => cell !== undefined);
  if (found.length === 0) return undefined;
  const add = (of: (cell: Captured) => number | undefined) => found.reduce((sum, cell) => sum + (of(cell) ?? 0), 0);
  const expected = add((cell) => cell.expected);
  const hours = add((cell) => cell.hours);
  return {
    from: found[0]!.from,
    to: found.at(-1)!.to,
    values: add((cell) => cell.values),
    ...(expected > 0 ? { expected, share: add(({ share = 0, expected: of = 0 }) => share * of) / expected } : {}),
    ...(hours > 0 ? { hours, validHours: add((cell) => cell.validHours) } : {}),
    gaps: add((cell) => cell.gaps),
    gapMs: add((cell) => cell.gapMs),
    longestGapMs: Math.max(...found.map((cell) => cell.longestGapMs)),
  };
}
