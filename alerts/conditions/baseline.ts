import { DAY_MS, MINUTE_MS } from "../../model/time.ts";
import { zoneNamed } from "../../model/zone.ts";
import { median } from "./statistics.ts";

export type Season = "none" | "day" | "week";

/** How the time is cut: steps of a day as long as the windows, days of the city's zone. */
export type Shape = {
  readonly season: Season;
  readonly windowMs: number;
  readonly zone?: string | undefined;
  /** "12-25" of every year, or "2026-04-06". Days like Sundays. */
  readonly holidays?: readonly string[] | undefined;
  /** Spreads below this are none. */
  readonly spreadMin: number;
};

/**
 * What is usual at each step of each kind of day. Bounded, plain, never changed in place. `slots`: the newest values of
 * each, oldest first. `others`: of slots whose last values were not as usual, those values.
 */
export type Baseline = {
  readonly slots: readonly (readonly number[])[];
  readonly others: Readonly<Record<string, readonly number[]>>;
  /** How far the last taught values lay from what was usual then. */
  readonly offs: readonly number[];
  /** Their median, as of the last fourth window; 0 while there are too few. */
  readonly off: number;
};

export const NOTHING_LEARNT: Baseline = { slots: [], others: {}, offs: [], off: 0 };

/**
 * Between `low` and `high` all is as usual. `up`, `down`: one robust standard deviation beyond either. `isKnown`: of this
 * very time of the day.
 */
export type Usual = {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  readonly up: number;
  readonly down: number;
  readonly isKnown: boolean;
};

/** Working days, Saturdays, Sundays and holidays. */
const KINDS = 3;
/** Steps are no finer than this: 144 of a day. */
const STEP_MIN_MS = 10 * MINUTE_MS;
const SEASONS = {
  none: { keep: [336], min: 24 },
  day: { keep: [14], min: 4 },
  week: { keep: [8, 4, 4], min: 3 },
} as const;
const OFFS_MAX = 96;
const OFFS_MIN = 12;
/** A step of a kind of day that was never as usual so many times in a row has a new level. */
const RENEW_AFTER = 5;
/** Makes a MAD the standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;
/** While a step is not known, what lies beyond everything seen by half as much again is four standard deviations off. */
const BEYOND = 1.5 / 4;
/** Switching a little earlier or later is nothing unusual, where steps are as short as this. */
const NEAR_MS = 30 * MINUTE_MS;

const stepMs = ({ windowMs }: Shape) => Math.max(windowMs, STEP_MIN_MS);
const stepsOf = (shape: Shape) => (shape.season === "none" ? 1 : DAY_MS / stepMs(shape));
const slotCount = (shape: Shape): number => stepsOf(shape) * (shape.season === "week" ? KINDS : 1);
const lengthOf = (shape: Shape, slot: number): number => SEASONS[shape.season].keep[Math.floor(slot / stepsOf(shape))]!;

/** Of windows shorter than a step one is taught, each day another one. */
function isTaught(shape: Shape, from: number): boolean {
  if (shape.season === "none" || shape.windowMs >= STEP_MIN_MS) return true;
  const place = Math.floor((from % STEP_MIN_MS) / shape.windowMs) + Math.floor(from / DAY_MS);
  return place % Math.ceil(STEP_MIN_MS / shape.windowMs) === 0;
}

/** By the clocks of the city, which show an hour twice in autumn and skip one in spring. */
export function slotOf(shape: Shape, at: number): number {
  if (shape.season === "none") return 0;
  const zone = zoneNamed(shape.zone ?? "UTC");
  const start = zone.startOfDay(at);
  const isPlain = zone.nextDay(at) - start === DAY_MS;
  const wallMs = isPlain ? at - start : (at + zone.offsetMs(at)) % DAY_MS;
  const step = Math.floor(wallMs / stepMs(shape));
  return shape.season === "day" ? step : kindOf(zone.dateOf(at), shape.holidays) * stepsOf(shape) + step;
}

function kindOf(date: string, holidays: readonly string[] = []): number {
  if (holidays.includes(date) || holidays.includes(date.slice(5))) return 2;
  const day = new Date(Date.parse(date)).getUTCDay();
  return day === 0 ? 2 : day === 6 ? 1 : 0;
}

/**
 * Median and 1.4826 x MAD of the values of this step on the last days of its kind. Steps of half an hour and less look to
 * either side: what is usual a step before or after is so now, and the spread is the middle one of the three. It is at
 * least that of all steps together: a MAD of five values may be small by chance. Until a step of a kind of day is known,
 * all that was seen at any time stands in, and only what lies far beyond it counts. undefined while too little is known,
 * and where nothing ever moves. Source: Rousseeuw & Croux 1993 for the scale.
 */
export function usualAt({ slots, offs, off }: Baseline, shape: Shape, slot: number): Usual | undefined {
  const own = slots[slot];
  if (!own) return undefined;
  const { min } = SEASONS[shape.season];
  if (own.length < min) return shape.season === "none" ? undefined : beyondAll(slots, shape);
  if (offs.length < OFFS_MIN) return undefined;
  const near = nearTo(shape, slot).map((one) => slots[one]!);
  const middles: number[] = [];
  const spreads: number[] = [];
  for (const values of near) {
    if (values.length < min) continue;
    const middle = median(values);
    middles.push(middle);
    spreads.push(median(values.map((value) => Math.abs(value - middle))));
  }
  const spread = Math.max(MAD_SCALE * Math.max(median(spreads), off), shape.spreadMin);
  const [low, high] = [Math.min(...middles), Math.max(...middles)];
  return spread > 0 ? { middle: middles[0]!, low, high, up: spread, down: spread, isKnown: true } : undefined;
}

/** A slot, and of short steps those beside it. */
function nearTo(shape: Shape, slot: number): readonly number[] {
  if (shape.season === "none" || stepMs(shape) > NEAR_MS) return [slot];
  const steps = stepsOf(shape);
  const first = slot - (slot % steps);
  return [slot, first + ((slot - first + steps - 1) % steps), first + ((slot - first + 1) % steps)];
}

/** At least a day of them. The middle is that of the newest of each step. */
function beyondAll(slots: Baseline["slots"], shape: Shape): Usual | undefined {
  let count = 0;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const newest: number[] = [];
  for (const values of slots) {
    if (values.length === 0) continue;
    count += values.length;
    newest.push(values.at(-1)!);
    for (let i = 0; i < values.length; i++) {
      if (values[i]! < low) low = values[i]!;
      if (values[i]! > high) high = values[i]!;
    }
  }
  if (count * shape.windowMs < DAY_MS || count < SEASONS.none.min || high === low) return undefined;
  const middle = median(newest);
  const narrow = (high - low) / 4;
  const [up, down] = [Math.max(high - middle, narrow), Math.max(middle - low, narrow)];
  return { middle, low: middle, high: middle, up: BEYOND * up, down: BEYOND * down, isKnown: false };
}

/** In robust standard deviations, with its sign; 0 for what is as usual. */
export function distance({ low, high, up, down }: Usual, value: number): number {
  return value > high ? (value - high) / up : value < low ? (value - low) / down : 0;
}

const short = (value: number) => Number(value.toPrecision(5));

/** Learns a window that was as usual. */
export function learn(baseline: Baseline, shape: Shape, from: number, value: number): Baseline {
  if (!isTaught(shape, from)) return baseline;
  const { slots, others, offs } = baseline;
  const next = slots.length === 0 ? Array<readonly number[]>(slotCount(shape)).fill([]) : [...slots];
  const slot = slotOf(shape, from);
  const own = next[slot]!;
  next[slot] = [...own, short(value)].slice(-lengthOf(shape, slot));
  const more = own.length > 0 ? [...offs, short(Math.abs(value - median(own)))].slice(-OFFS_MAX) : offs;
  const isFourth = Math.floor(from / shape.windowMs) % 4 === 0;
  return {
    slots: next,
    offs: more,
    off: more.length < OFFS_MIN ? 0 : baseline.off === 0 || isFourth ? median(more) : baseline.off,
    others: others[slot] ? without(others, slot) : others,
  };
}

/**
 * A window that was not as usual, or of a time in which something is known to be wrong. It teaches nothing, but for what
 * stays: after five of the same step in a row they are what is usual there. Answers whether they have become that.
 */
export function learnOther(baseline: Baseline, shape: Shape, from: number, value: number): [Baseline, boolean] {
  const { slots, others } = baseline;
  if (slots.length === 0 || !isTaught(shape, from)) return [baseline, false];
  const slot = slotOf(shape, from);
  const seen = [...(others[slot] ?? []), short(value)];
  if (seen.length < renewAfter(shape)) return [{ ...baseline, others: { ...others, [slot]: seen } }, false];
  const next = [...slots];
  next[slot] = seen.slice(-lengthOf(shape, slot));
  return [{ ...baseline, slots: next, others: without(others, slot) }, true];
}

/** Five days. */
function renewAfter(shape: Shape): number {
  if (shape.season !== "none") return RENEW_AFTER;
  return Math.min(SEASONS.none.keep[0], Math.ceil((RENEW_AFTER * DAY_MS) / shape.windowMs));
}

function without(others: Baseline["others"], slot: number): Baseline["others"] {
  const { [slot]: _, ...rest } = others;
  return rest;
}

/**
 * The level has changed (`since`, and it is `at`): wherever something else was seen since then, that is all that is
 * known; of kinds of day that have not come since then nothing is.
 */
export function renewed(baseline: Baseline, shape: Shape, since: number, at: number): Baseline {
  const { slots, others } = baseline;
  const steps = stepsOf(shape);
  const seen = new Set<number>();
  for (let day = Math.max(since, at - 14 * DAY_MS); day < at; day += DAY_MS)
    seen.add(Math.floor(slotOf(shape, day) / steps));
  const next = slots.map((own, slot) => others[slot] ?? (seen.has(Math.floor(slot / steps)) ? own : []));
  return { ...baseline, slots: next, others: {} };
}
