import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { medianOf } from "./trend.ts";

/** What is usual at this time of the day or the week, learnt from the last weeks. Bounded; shared between copies. */
export type Baseline = {
  /** One list per hour of the season, each the values of its last occurrences, oldest first. */
  readonly slots: readonly (readonly number[])[];
  /** How far the last taught values lay from what was usual then. */
  readonly offs: readonly number[];
};

export const NOTHING_LEARNT: Baseline = { slots: [], offs: [] };

export type Season = "none" | "day" | "week";

/** `spread`: one robust standard deviation. */
export type Usual = { readonly middle: number; readonly spread: number };

/** 1970-01-01 was a Thursday; slots begin on Monday. */
const MONDAY_MS = 4 * DAY_MS;
const OFFS_MAX = 96;
const OFFS_MIN = 24;
/** Makes a MAD the standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/** Of windows shorter than an hour so many are learnt per hour, each time others. `min`: occurrences before it speaks. */
const SEASONS = {
  none: { slots: 1, perHour: 60, keep: 336, min: 48 },
  day: { slots: 24, perHour: 4, keep: 14, min: 5 },
  week: { slots: 168, perHour: 2, keep: 5, min: 3 },
} as const;
/** Two weekends, or four working days. */
const POOL_MIN = 4;

type Shape = { readonly season: Season; readonly windowMs: number };

/**
 * Median and 1.4826 x MAD of the windows at the same hour of the season in the last weeks (14 days, or 5 weeks; without
 * a season the last 336 windows), the spread being at least that of all hours together: a MAD of five values may be small by chance. Of a week, until an
 * hour has been seen three times, all days of its kind (Monday to Friday, or the weekend) stand in. undefined while too
 * little is known, and where nothing ever moves. Hours and days are UTC. Source: Rousseeuw & Croux 1993 for the scale.
 */
export function usualAt({ slots, offs }: Baseline, shape: Shape, from: number): Usual | undefined {
  const values = valuesFor(slots, shape, from);
  if (!values || offs.length < OFFS_MIN) return undefined;
  const { middle, off } = middleOf(values);
  const spread = MAD_SCALE * Math.max(off, medianOf(offs));
  return spread > 0 ? { middle, spread } : undefined;
}

/** Learns a window that was as usual. */
export function learn(baseline: Baseline, shape: Shape, from: number, value: number): Baseline {
  if (!isTaught(shape, from)) return baseline;
  const { slots: count, keep } = SEASONS[shape.season];
  const { slots } = baseline;
  const place = slotOf(shape.season, from);
  const values = valuesFor(slots, shape, from);
  const size = shape.season === "none" ? keep : keep * taughtPerHour(shape);
  const short = Number(value.toPrecision(5));
  const next = slots.length === 0 ? Array<readonly number[]>(count).fill([]) : [...slots];
  next[place] = [...next[place]!, short].slice(-size);
  if (!values) return { slots: next, offs: baseline.offs };
  const off = Number(Math.abs(value - medianOf(values)).toPrecision(5));
  return { slots: next, offs: [...baseline.offs, off].slice(-OFFS_MAX) };
}

function middleOf(values: readonly number[]): { middle: number; off: number } {
  const middle = medianOf(values);
  return { middle, off: medianOf(values.map((value) => Math.abs(value - middle))) };
}

function valuesFor(slots: Baseline["slots"], shape: Shape, from: number): readonly number[] | undefined {
  const { season } = shape;
  const place = slotOf(season, from);
  const own = slots[place];
  if (!own) return undefined;
  const taught = season === "none" ? 1 : taughtPerHour(shape);
  if (own.length >= SEASONS[season].min * taught) return own;
  if (season !== "week") return undefined;
  const days = place < 5 * 24 ? [0, 1, 2, 3, 4] : [5, 6];
  const pool = days.flatMap((day) => slots[day * 24 + (place % 24)]!);
  return pool.length >= POOL_MIN * taught ? pool : undefined;
}

function slotOf(season: Season, from: number): number {
  if (season === "none") return 0;
  const periodMs = season === "day" ? DAY_MS : 7 * DAY_MS;
  return Math.floor(((from - MONDAY_MS) % periodMs) / HOUR_MS + (from < MONDAY_MS ? periodMs / HOUR_MS : 0));
}

const windowsPerHour = ({ windowMs }: Shape) => Math.max(1, Math.floor(HOUR_MS / windowMs));
const taughtPerHour = (shape: Shape) => Math.min(SEASONS[shape.season].perHour, windowsPerHour(shape));

/** Every n-th window of an hour, beginning with another one on every day. */
function isTaught(shape: Shape, from: number): boolean {
  const windows = windowsPerHour(shape);
  const every = Math.ceil(windows / taughtPerHour(shape));
  const place = Math.floor((from % HOUR_MS) / shape.windowMs);
  return (place + Math.floor(from / DAY_MS)) % every === 0;
}
