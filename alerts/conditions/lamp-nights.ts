import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../model/time.ts";
import { isWorkedOn } from "./condition.ts";
import { addToCell, cellOf, expectedIn, learnPower, learnRest, ofOtherDays } from "./lamp-power.ts";
import { learnSwitching, planNight } from "./lamp-times.ts";
import {
  CELL_MS,
  type Dip,
  type LampParams,
  type LampSample,
  type Lamps,
  type Learnt,
  type Night,
  ON_SHARE,
  short,
  type Turn,
  UNKNOWN,
} from "./lamps.ts";

/** Discharge lamps take ten minutes to their full level. */
const RAMP_MS = 20 * MINUTE_MS;
/** A switching between samples further apart is not known well enough. */
const GAP_MAX_MS = 2 * HOUR_MS;
const BLOCKS_MIN = 40;
const BLOCKS_MAX = 96;

const nothingLearnt = ({ full = 0 }: LampParams): Learnt => ({
  off: 0,
  full,
  ons: [],
  offs: [],
  deviations: [],
  astray: 0,
  week: UNKNOWN,
  weekend: UNKNOWN,
  spread: 0,
  nights: 0,
});

export function foldLamps(params: LampParams, before: Lamps | undefined, sample: LampSample): Lamps {
  const { at } = sample;
  const started = before ?? start(params, sample);
  const isTaught = !isKnown(params, started.learnt) && !isWorkedOn(sample, at, at);
  const known = !isTaught ? started : findLevels(params, started, sample);
  const turned = known.night.to <= at ? nextNight(params, known, sample) : known;
  return look(params, turned, sample);
}

/** What it draws, and by its nights where it stands, if nobody has said so. */
const isKnown = ({ spot }: LampParams, { full, lon }: Learnt) => full > 0 && (spot !== undefined || lon !== undefined);

function start(params: LampParams, { at, value }: LampSample): Lamps {
  const learnt = nothingLearnt(params);
  const night = planNight(params, learnt, at);
  const block = { from: at, sum: 0, count: 0 };
  return { since: at, samples: 0, at, value, isLit: false, isDay: false, night, learnt, blocks: [], block };
}

// ── levels ──

/** What it draws off and on, from the half hours of a day: they lie far apart where lamps were switched at all. */
function findLevels(params: LampParams, lamps: Lamps, { at, value }: LampSample): Lamps {
  const { block } = lamps;
  if (at < block.from + CELL_MS) {
    return { ...lamps, block: { from: block.from, sum: block.sum + value, count: block.count + 1 } };
  }
  const blocks = [...lamps.blocks, block.count === 0 ? value : block.sum / block.count].slice(-BLOCKS_MAX);
  const next: Lamps = { ...lamps, blocks, block: { from: at, sum: value, count: 1 } };
  if (blocks.length < BLOCKS_MIN) return next;
  const sorted = blocks.toSorted((a, b) => a - b);
  const [low, high] = [sorted[2]!, sorted.at(-3)!];
  // A lamp of 20 W is the smallest there is; a constant load beside the lamps lifts both.
  if (high - low < Math.max(0.3 * Math.abs(high), 0.008)) return next;
  const level = short(high - low);
  const lon = params.spot ? undefined : longitudeOf(blocks, low + level / 2, at);
  const levels = lamps.learnt.full > 0 ? {} : { off: short(low), full: level };
  const learnt: Learnt = { ...lamps.learnt, ...levels, ...(lon === undefined ? {} : { lon }) };
  return { ...next, learnt, night: planNight(params, learnt, at), blocks: [] };
}

/** The middle of the time it was on is midnight: as if it stood there. */
function longitudeOf(blocks: readonly number[], limit: number, at: number): number {
  let [x, y] = [0, 0];
  for (const [i, value] of blocks.entries()) {
    if (value < limit) continue;
    const angle = (2 * Math.PI * ((at - (blocks.length - i - 0.5) * CELL_MS) % DAY_MS)) / DAY_MS;
    x += Math.cos(angle);
    y += Math.sin(angle);
  }
  return short((-Math.atan2(y, x) * 180) / Math.PI);
}

// ── a sample ──

function look(params: LampParams, lamps: Lamps, sample: LampSample): Lamps {
  const { at, value } = sample;
  const { learnt, night, isOn: wasOn } = lamps;
  const samples = lamps.samples + 1;
  if (!isKnown(params, learnt)) return { ...lamps, at, value, samples };
  const isOn = value - learnt.off > ON_SHARE * learnt.full;
  const isLit = night.lit !== undefined && at >= night.lit[0] && at < night.lit[1];
  const isDay = (night.dayTo !== undefined && at < night.dayTo) || (night.dayFrom !== undefined && at >= night.dayFrom);
  const isNear = at - lamps.at <= GAP_MAX_MS;
  const isTurn = wasOn !== undefined && wasOn !== isOn;
  const turnedAt = isTurn
    ? Math.floor((lamps.at + at) / 2 / MINUTE_MS) * MINUTE_MS
    : isNear
      ? lamps.turnedAt
      : undefined;
  const isRamp = isOn && turnedAt !== undefined && at - turnedAt < RAMP_MS;
  const cell = cellOf(params, sample);
  const level = cell && isOn ? (value - learnt.off) / cell.unit : 0;
  const range = cell && expectedIn(params, learnt, night, cell.index);
  const wasSwitched = turnedAt !== undefined && turnedAt >= (night.dayTo ?? Number.POSITIVE_INFINITY);
  const isNight = isLit || (!isDay && (wasSwitched || night.basis === "unknown"));
  const missing = isOn && !isRamp && isNight && range && range.low > 0 ? short(1 - level / range.low) : undefined;
  const counts = isOn ? !isRamp : night.lit ? isLit : night.wentOn !== undefined;
  const seen = cell && counts && !isDay ? addToCell(night, cell.index, level, isOn) : night;
  const rested = isDay && !isOn ? { ...seen, rest: seen.rest + value, rests: seen.rests + 1 } : seen;
  const turn = { at: turnedAt!, slack: (at - lamps.at) / 2 };
  const marked = isTurn && isNear ? markSwitching(rested, isOn, turn) : rested;
  // Part of the night it may be off by schedule; where nothing was learnt, nobody knows.
  const due = range ?? (cell && ofOtherDays(learnt, night, cell.index));
  const isDue = isLit && sample.lampState !== 0 && due !== undefined && due.low > ON_SHARE * learnt.full;
  const next: Lamps = {
    since: lamps.since,
    samples,
    at,
    value,
    isOn,
    isLit: isDue || (sample.lampState === 1 && isLit),
    isDay,
    night: marked,
    learnt,
    blocks: lamps.blocks,
    block: lamps.block,
    ...(turnedAt === undefined ? {} : { turnedAt }),
    ...(missing === undefined ? {} : { missing }),
    ...(range && cell && range.low > 0 ? { expected: short(range.low * cell.unit + learnt.off) } : {}),
  };
  return withInterruption(lamps, next, range && range.low > 0 && isOn ? 1 - level / range.low : undefined);
}

/** The switching nearest to what is expected, where it went on or off more than once. */
function markSwitching(night: Night, isOn: boolean, turn: Turn): Night {
  if (!isOn) return { ...night, wentOff: turn };
  const { wentOn, on } = night;
  const isBetter = wentOn === undefined || (on !== undefined && Math.abs(turn.at - on) < Math.abs(wentOn.at - on));
  return isBetter ? { ...night, wentOn: turn } : night;
}

// ── interruptions ──

const DIP_SHARE = 0.15;
const BACK_SHARE = 0.06;
const RESTART_MAX_MS = 30 * MINUTE_MS;

/**
 * Off in the middle of the night, or back with the slow rise of a cold start: the supply was interrupted. A schedule steps
 * at once and stays.
 */
function withInterruption(before: Lamps, now: Lamps, missing: number | undefined): Lamps {
  const { at, isOn, isLit } = now;
  if (!isLit) return now;
  if (!isOn) {
    if (before.isOn && before.isLit) return { ...now, cut: { from: before.at, samples: 1 } };
    return before.cut ? { ...now, cut: { from: before.cut.from, samples: before.cut.samples + 1 } } : now;
  }
  if (missing === undefined) return now;
  if (before.dip) return goOn(before.dip, now, missing);
  const wasWhole = before.isOn && before.isLit && before.missing !== undefined && before.missing <= BACK_SHARE;
  if (missing < DIP_SHARE || (!before.cut && !wasWhole)) return now;
  return { ...now, dip: { from: before.cut?.from ?? before.at, since: at, last: now.value, rises: 0 } };
}

function goOn(dip: Dip, now: Lamps, missing: number): Lamps {
  const { at, value } = now;
  const { from, since, last } = dip;
  if (at - since > RESTART_MAX_MS || value < last - 1e-9) return now;
  const rises = dip.rises + (value > last ? 1 : 0);
  if (missing > BACK_SHARE) return { ...now, dip: { from, since, last: value, rises } };
  return rises > 0 ? { ...now, restart: [from, at] } : now;
}

// ── from night to night ──

function nextNight(params: LampParams, lamps: Lamps, { at, works }: LampSample): Lamps {
  const { night, learnt, isOn } = lamps;
  if (!isKnown(params, learnt) || isWorkedOn({ works }, night.from, night.to))
    return { ...lamps, night: planNight(params, learnt, at) };
  const power = learnPower(params, learnRest(params, learnt, night), night);
  const next = learnSwitching(params, power, night, isOn === false);
  return { ...lamps, learnt: next, night: planNight(params, next, at) };
}
