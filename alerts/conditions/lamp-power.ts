import { DAY_MS } from "../../model/time.ts";
import { zoneNamed } from "../../model/zone.ts";
import {
  CELL_MS,
  CELLS,
  CLOCK_CELLS,
  type LampParams,
  type LampSample,
  type Learnt,
  NEW_USUAL_NIGHTS,
  type Night,
  ON_SHARE,
  short,
} from "./lamps.ts";

/** Of a schedule that begins late in a healthy evening. */
const NEW_SCHEDULE_NIGHTS = 2;

/** Where its level belongs: to the half hour of the local day, or to the level it was told to dim to. */
export function cellOf(
  { zone }: LampParams,
  { at, dimLevel }: LampSample,
): { index: number; unit: number } | undefined {
  if (dimLevel !== undefined) {
    if (dimLevel < 5) return undefined;
    return { index: CLOCK_CELLS + Math.min(10, Math.round(dimLevel / 10)), unit: dimLevel / 100 };
  }
  const local = at + zoneNamed(zone).offsetMs(at);
  return { index: Math.floor((local % DAY_MS) / CELL_MS), unit: 1 };
}

export function addToCell(night: Night, index: number, level: number, isOn: boolean): Night {
  if (!isOn) return { ...night, zeros: night.zeros.with(index, night.zeros[index]! + 1) };
  const sums = night.sums.with(index, short(night.sums[index]! + level));
  const counts = night.counts.with(index, night.counts[index]! + 1);
  return { ...night, sums, counts, firstCell: night.firstCell ?? index };
}

type Range = { readonly low: number; readonly high: number };

/** An hour to both sides: a schedule may follow another clock than the city's when the clocks change. */
const CELLS_ASIDE = 2;
/** Nights get longer: what was learnt of the nearest half hour holds for two hours beyond. */
const CELLS_BEYOND = 4;

export function expectedIn(params: LampParams, learnt: Learnt, night: Night, index: number): Range | undefined {
  const own = night.isWeekend ? learnt.weekend : learnt.week;
  // What a level draws is the same on all days.
  const others = index >= CLOCK_CELLS ? ofOtherDays(learnt, night, index) : undefined;
  return rangeIn(own, index) ?? others ?? bySchedule(params, index);
}

/** Enough to say that it is on then at all, while its own kind of day is not known: the levels may be others. */
export function ofOtherDays(learnt: Learnt, night: Night, index: number): Range | undefined {
  return rangeIn(night.isWeekend ? learnt.week : learnt.weekend, index);
}

function rangeIn(cells: readonly number[], index: number): Range | undefined {
  const aside = index >= CLOCK_CELLS ? 1 : CELLS_ASIDE;
  const near = valuesAbout(cells, index, 0, aside);
  if (near.length > 0) return { low: Math.min(...near), high: Math.max(...near) };
  const beyond = valuesAbout(cells, index, aside + 1, CELLS_BEYOND);
  return beyond.length > 0 ? { low: Math.min(...beyond), high: Math.max(...beyond) } : undefined;
}

function valuesAbout(cells: readonly number[], index: number, from: number, to: number): number[] {
  const [first, count] = index >= CLOCK_CELLS ? [CLOCK_CELLS, CELLS - CLOCK_CELLS] : [0, CLOCK_CELLS];
  const values: number[] = [];
  for (let step = from; step <= to; step++) {
    for (const place of step === 0 ? [index] : [index - step, index + step]) {
      const inside = first + ((((place - first) % count) + count) % count);
      if (first > 0 && inside !== place) continue;
      if (cells[inside]! >= 0) values.push(cells[inside]!);
    }
  }
  return values;
}

/** Before a night was learnt, where it is known what all lamps draw: nine tenths of that, dimmed as the tags say. */
function bySchedule({ full, dimming, isExact }: LampParams, index: number): Range | undefined {
  if (full === undefined || isExact) return undefined;
  if (index >= CLOCK_CELLS) return { low: 0.8 * full, high: full };
  const [from, to] = [(index - CELLS_ASIDE) * 30, (index + 1 + CELLS_ASIDE) * 30];
  let low = shareAt(dimming, from);
  for (const [minute, share] of dimming ?? []) {
    const isInside = [minute, minute - 1_440, minute + 1_440].some((one) => one >= from && one < to);
    if (isInside) low = Math.min(low, share);
  }
  return { low: 0.9 * full * low, high: full };
}

function shareAt(dimming: LampParams["dimming"], minute: number): number {
  if (!dimming || dimming.length === 0) return 1;
  const inDay = ((minute % 1_440) + 1_440) % 1_440;
  return (dimming.findLast(([from]) => from <= inDay) ?? dimming.at(-1)!)[1];
}

/** A camera more on the cabinet, or one less. */
export function learnRest({ isExact }: LampParams, learnt: Learnt, { rest, rests }: Night): Learnt {
  if (isExact || rests === 0) return learnt;
  return { ...learnt, off: short(learnt.off + 0.2 * (rest / rests - learnt.off)) };
}

const FITS = 0.1;
const ALIKE = 0.06;
const MOST = 0.8;
const FASTER = 0.1;
/** Lamps that fail one by one are not taken for usual before a few of them are out. */
const FALL_A_NIGHT = 0.003;

export function learnPower(params: LampParams, learnt: Learnt, night: Night): Learnt {
  const cells = cellsOf(params, night);
  const brightest = Math.max(...cells);
  if (brightest <= ON_SHARE * learnt.full && learnt.nights === 0) return learnt;
  if (cells.filter((cell) => cell >= 0).length < 2) return learnt;
  const side = night.isWeekend ? "weekend" : "week";
  const ranges = cells.map((cell, i) => (cell < 0 ? undefined : expectedIn(params, learnt, night, i)));
  const known = cells.flatMap((cell, i) => (ranges[i] && cell >= 0 ? [{ cell, range: ranges[i] }] : []));
  const fitting = known.filter(({ cell, range }) => cell >= range.low * (1 - FITS) && cell <= range.high * (1 + FITS));
  const isUsual = known.length === 0 || fitting.length >= MOST * known.length;
  if (isUsual) {
    const fits = cells.map((cell, i) => {
      const range = ranges[i];
      return !range || (cell >= range.low * (1 - FITS) && cell <= range.high * (1 + FITS));
    });
    return learnUsual(
      learnt,
      side,
      cells.map((cell, i) => (fits[i] ? cell : -1)),
      brightest,
    );
  }
  const isAlike = learnt.odd !== undefined && areAlike(learnt.odd.cells, cells);
  const odd = { cells, times: isAlike ? learnt.odd!.times + 1 : 1 };
  const first = night.firstCell === undefined ? -1 : cells[night.firstCell]!;
  const evening = night.firstCell === undefined ? undefined : ranges[night.firstCell];
  const isWholeEvening = evening !== undefined && first >= evening.high * (1 - FITS);
  const isMore = known.filter(({ cell, range }) => cell > range.low * (1 - FITS)).length >= MOST * known.length;
  const enough = isWholeEvening || isMore ? NEW_SCHEDULE_NIGHTS : NEW_USUAL_NIGHTS;
  if (odd.times < enough) return { ...learnt, odd };
  const { odd: _, ...rest } = learnt;
  // A schedule that is new is so on all days; one day a week without it is found by drawing more.
  const both = isMore ? { [side]: cells } : { week: cells, weekend: cells };
  return {
    ...rest,
    ...both,
    full: brightest > 0 ? brightest : learnt.full,
    newSince: night.to,
    nights: learnt.nights + 1,
  };
}

/**
 * Means of the night; of half an hour in which it was switched nothing is learnt. Where nobody knew when it is dark, it was
 * off by schedule only between going on and off.
 */
function cellsOf({ zone }: LampParams, { from, lit, wentOn, wentOff, sums, counts, zeros }: Night): number[] {
  const clock = from + zoneNamed(zone).offsetMs(from);
  const timeOf = (index: number) => from + ((((index * CELL_MS - clock) % DAY_MS) + DAY_MS) % DAY_MS);
  return sums.map((sum, i) => {
    if (counts[i]! > 0) return zeros[i]! > 0 ? -1 : short(sum / counts[i]!);
    if (zeros[i] === 0) return -1;
    const isInside = wentOn && wentOff && timeOf(i) > wentOn.at && timeOf(i) + CELL_MS < wentOff.at;
    return lit || isInside ? 0 : -1;
  });
}

function learnUsual(learnt: Learnt, side: "week" | "weekend", cells: readonly number[], brightest: number): Learnt {
  const former = learnt[side];
  const { odd: _, ...rest } = learnt;
  const offs: number[] = [];
  const next = former.map((before, i) => {
    const cell = cells[i]!;
    if (cell < 0) return before;
    if (before < 0) return cell;
    const off = before > 0 ? Math.abs(cell / before - 1) : 0;
    if (off <= FITS) offs.push(off);
    // Half an hour in which the schedule steps: it has moved.
    if (off > FITS || before === 0) return short(before + (cell - before) / 2);
    return short(before + Math.max(FASTER * (cell - before), -FALL_A_NIGHT * before));
  });
  const spread = offs.length > 0 ? offs.reduce((sum, one) => sum + one, 0) / offs.length : learnt.spread;
  return {
    ...rest,
    [side]: next,
    spread: short(learnt.nights < 2 ? spread : learnt.spread + 0.1 * (spread - learnt.spread)),
    full: brightest > 0 ? short(learnt.full + 0.1 * (brightest - learnt.full)) : learnt.full,
    nights: learnt.nights + 1,
  };
}

function areAlike(a: readonly number[], b: readonly number[]): boolean {
  let [common, alike] = [0, 0];
  for (const [i, one] of a.entries()) {
    const other = b[i]!;
    if (one < 0 || other < 0) continue;
    common += 1;
    if (Math.abs(one - other) <= ALIKE * Math.max(one, other)) alike += 1;
  }
  return common > 0 && alike >= MOST * common;
}
