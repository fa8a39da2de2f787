import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../model/time.ts";
import { zoneNamed } from "../../model/zone.ts";
import {
  type Anchor,
  type Deviation,
  type LampParams,
  type Learnt,
  NEW_USUAL_NIGHTS,
  type Night,
  type Span,
  type Switching,
  short,
  type Turn,
  ZEROS,
} from "./lamps.ts";
import { median } from "./statistics.ts";
import { nightAfter, noonBefore, type Passing, type Spot, SUNSET_DEG } from "./sun.ts";

const SWITCHINGS_KEPT = 14;
const SWITCHINGS_MIN = 3;
const DEVIATIONS_KEPT = 14;
export const TOLERANCE_MIN_MS = 15 * MINUTE_MS;
const TOLERANCE_MAX_MS = 45 * MINUTE_MS;
/** Without a place nobody can say for how long a time of the day holds. */
const NEW_TIMES_NIGHTS = 6;

const EDGES = ["on", "off"] as const;
type Edge = (typeof EDGES)[number];

export function planNight(params: LampParams, learnt: Learnt, at: number): Night {
  const { spot, zone } = params;
  const lon = spot?.lon ?? learnt.lon ?? (zoneNamed(zone).offsetMs(at) / HOUR_MS) * 15;
  const from = noonBefore(lon, at);
  const frame = {
    from,
    to: from + DAY_MS,
    rest: 0,
    rests: 0,
    sums: ZEROS,
    counts: ZEROS,
    zeros: ZEROS,
    isWeekend: isWeekend(zone, from),
  };
  return spot ? { ...frame, ...bySun(spot, learnt, from) } : { ...frame, ...byNights(learnt, from) };
}

/** Friday's and Saturday's night may have another schedule. */
function isWeekend(zone: string, from: number): boolean {
  const day = new Date(zoneNamed(zone).dateOf(from + 6 * HOUR_MS)).getUTCDay();
  return day === 5 || day === 6;
}

type Expectation = Pick<Night, "on" | "off" | "lit" | "dayTo" | "dayFrom" | "basis">;

/** Before anything was learnt: lamps go on between sunset and the end of civil twilight. */
const FIRST_ANCHOR: Anchor = { degrees: -2 };
const SURE = { learnt: { night: 1, day: 1 }, first: { night: 5, day: 6 } } as const;

/**
 * Switched by the sun: by its height (a photocell, a twilight clock), or minutes from sunset and sunrise (most clocks).
 * The two differ by some minutes over the year, and much where nights get short. What is between them is unsure, so that
 * a night without darkness has no time in which lamps must be on.
 */
function bySun(spot: Spot, learnt: Learnt, from: number): Expectation {
  const sun = nightAfter(spot, from);
  const horizon = sun.passing(SUNSET_DEG);
  const sides = EDGES.map((edge) => {
    const anchor = learnt[`${edge}At`];
    const { degrees, minutes } = anchor ?? FIRST_ANCHOR;
    const sure = anchor ? SURE.learnt : SURE.first;
    const side = (passing: Passing) => sideOf(passing, edge);
    const byHeight = side(sun.passing(degrees));
    const byMinutes = minutes === undefined ? undefined : withMinutes(side(horizon), minutes);
    const expected = [byHeight, byMinutes].filter((time) => typeof time === "number");
    const stray = strayOf(learnt, edge, from);
    const times = [...expected, ...(stray !== 0 && expected[0] ? [expected[0] + stray * MINUTE_MS] : [])];
    const tolerance = toleranceOf(learnt, edge);
    // Towards the night: later in the evening, earlier in the morning.
    const inward = edge === "on" ? 1 : -1;
    const outermost = (all: readonly number[]) => (edge === "on" ? Math.min(...all) : Math.max(...all));
    const innermost = (all: readonly number[]) => (edge === "on" ? Math.max(...all) : Math.min(...all));
    const deep = side(sun.passing(degrees - sure.night));
    const high = side(sun.passing(degrees + sure.day));
    const darkFrom =
      typeof deep === "number" && times.length > 0
        ? innermost([...times.map((time) => time + inward * tolerance), deep])
        : undefined;
    const brightTo =
      high === "below"
        ? undefined
        : outermost([
            ...times.map((time) => time - inward * tolerance),
            typeof high === "number" ? high : from + DAY_MS / 2,
          ]);
    return { expected: minuteOf(expected[0]), darkFrom, brightTo, isPolarNight: high === "below" };
  });
  const [on, off] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const polar: Span = [from + DAY_MS / 4, from + (3 * DAY_MS) / 4];
  const span = on.isPolarNight || off.isPolarNight ? polar : spanOf(on.darkFrom, off.darkFrom);
  return {
    basis: "sun",
    ...(on.expected === undefined ? {} : { on: on.expected }),
    ...(off.expected === undefined ? {} : { off: off.expected }),
    ...(span ? { lit: span } : {}),
    ...(on.brightTo === undefined ? {} : { dayTo: on.brightTo }),
    ...(off.brightTo === undefined ? {} : { dayFrom: off.brightTo }),
  };
}

const minuteOf = (time: number | undefined) => time && Math.round(time / MINUTE_MS) * MINUTE_MS;

const sideOf = (passing: Passing, edge: Edge) =>
  typeof passing === "string" ? passing : edge === "on" ? passing.down : passing.up;

const withMinutes = (time: number | string, minutes: number) =>
  typeof time === "number" ? time + minutes * MINUTE_MS : undefined;

/** Shorter than this a night says nothing. */
const LIT_MIN_MS = 20 * MINUTE_MS;

const spanOf = (from: number | undefined, to: number | undefined): Span | undefined =>
  from !== undefined && to !== undefined && to - from >= LIT_MIN_MS ? [from, to] : undefined;

/** Without a place: as in the last nights, with their trend. */
function byNights(learnt: Learnt, from: number): Expectation {
  const [on, off] = [expectedBy(learnt.ons, from), expectedBy(learnt.offs, from)];
  // Where it is nearly always night, the times leap from one to the next.
  if (on === undefined || off === undefined || off <= on || off - on > NIGHT_MAX_MS) return { basis: "unknown" };
  const margin = 2 * TOLERANCE_MIN_MS;
  const [late, early] = EDGES.map((edge) => Math.max(margin, toleranceOf(learnt, edge))) as [number, number];
  const [onStray, offStray] = EDGES.map((edge) => MINUTE_MS * strayOf(learnt, edge, from)) as [number, number];
  const span = spanOf(on + Math.max(0, onStray) + late, off + Math.min(0, offStray) - early);
  const dayTo = on + Math.min(0, onStray) - late;
  const dayFrom = off + Math.max(0, offStray) + early;
  return { basis: "nights", on, off, dayTo, dayFrom, ...(span ? { lit: span } : {}) };
}

/** A clock that went wrong yesterday is as wrong today: that is said once, and not again as darkness every night. */
const strayOf = ({ deviations }: Learnt, edge: Edge, from: number): number =>
  deviations.findLast(({ night }) => nightNumber(from) - night <= 2)?.[edge] ?? 0;

const NIGHT_MAX_MS = 18.5 * HOUR_MS;
const nightNumber = (from: number) => Math.round(from / DAY_MS);
const NIGHTS_FOR_TREND = 4;
const NIGHTS_BACK_MAX = 7;

/** Theil and Sen's line through the last ten times of the day. */
function expectedBy(switchings: readonly Switching[], from: number): number | undefined {
  const night = nightNumber(from);
  const last = switchings.filter((one) => night - one.night <= 14).slice(-10);
  if (last.length < NIGHTS_FOR_TREND || night - last.at(-1)!.night > NIGHTS_BACK_MAX) return undefined;
  const slopes: number[] = [];
  for (const [i, a] of last.entries()) {
    for (const b of last.slice(i + 1)) slopes.push((b.clock - a.clock) / (b.night - a.night));
  }
  // At 65 degrees a night is ten minutes longer than the one before; no clock moves faster.
  const slope = Math.max(-10, Math.min(10, median(slopes)));
  return from + MINUTE_MS * Math.round(median(last.map((one) => one.clock + slope * (night - one.night))));
}

/** From how its switchings spread; never below 15 minutes, as photocells see the weather. */
function toleranceOf(learnt: Learnt, edge: Edge): number {
  const offs = learnt.deviations.flatMap((one) => one[edge] ?? []).filter((minutes) => Math.abs(minutes) < 45);
  if (offs.length < SWITCHINGS_MIN) return 2 * TOLERANCE_MIN_MS;
  const middle = median(offs);
  const spread = 1.4826 * median(offs.map((one) => Math.abs(one - middle)));
  return Math.min(TOLERANCE_MAX_MS, Math.max(TOLERANCE_MIN_MS, 4 * spread * MINUTE_MS));
}

export function learnSwitching({ spot }: LampParams, learnt: Learnt, night: Night, isOffNow: boolean): Learnt {
  const number = nightNumber(night.from);
  const sun = spot && nightAfter(spot, night.from);
  const horizon = sun?.passing(SUNSET_DEG);
  const times = { on: night.wentOn, off: isOffNow ? night.wentOff : undefined };
  // Where it is nearly always night, the sun hardly moves at noon and says little.
  const isLong = night.on !== undefined && night.off !== undefined && night.off - night.on > NIGHT_MAX_MS;
  if (horizon === "below" || isLong) return learnt;
  if (times.on === undefined && times.off === undefined) return learnt;
  // After white nights, or months without news, it shows anew how it is switched.
  const isBack = number - (learnt.ons.at(-1)?.night ?? number) > NIGHTS_AWAY;
  const seen: { on?: Switching; off?: Switching } = {};
  let deviation: Deviation = { night: number };
  for (const edge of EDGES) {
    const turn = times[edge];
    if (turn === undefined) continue;
    const time = turn.at;
    const set = horizon && sideOf(horizon, edge);
    seen[edge] = {
      night: number,
      clock: short((time - night.from) / MINUTE_MS),
      ...(sun ? { degrees: short(sun.altitudeAt(time)) } : {}),
      ...(typeof set === "number" ? { minutes: short((time - set) / MINUTE_MS) } : {}),
    };
    const off = isBack ? undefined : deviationOf(learnt, night, edge, turn, sun, set);
    // Off for the rest of the night by schedule, or on by hand: no clock is wrong by that much.
    if (Math.abs(off ?? 0) > STRAY_MAX_MINUTES) delete seen[edge];
    else if (off !== undefined) deviation = { ...deviation, [edge]: short(off) };
  }
  const deviations = [...learnt.deviations, deviation].slice(-DEVIATIONS_KEPT);
  const isAstray = EDGES.some(
    (edge) =>
      Math.abs(deviation[edge] ?? 0) * MINUTE_MS > Math.max(spot ? 0 : 2 * TOLERANCE_MIN_MS, toleranceOf(learnt, edge)),
  );
  const enough = spot ? NEW_USUAL_NIGHTS : NEW_TIMES_NIGHTS;
  if (isAstray && learnt.astray + 1 < enough) return { ...learnt, deviations, astray: learnt.astray + 1 };
  // So it is from now on: learnt anew.
  const { onAt: formerOn, offAt: formerOff, ...rest } = learnt;
  const [ons, offs] = [
    keep(isAstray || isBack ? [] : learnt.ons, seen.on),
    keep(isAstray || isBack ? [] : learnt.offs, seen.off),
  ];
  const [onAt, offAt] = isAstray
    ? [undefined, undefined]
    : [anchorOf(isBack ? undefined : formerOn, ons), anchorOf(isBack ? undefined : formerOff, offs)];
  return {
    ...rest,
    ons,
    offs,
    deviations: isAstray ? [] : deviations,
    astray: 0,
    ...(onAt ? { onAt } : {}),
    ...(offAt ? { offAt } : {}),
  };
}

const keep = (known: readonly Switching[], one: Switching | undefined) =>
  one ? [...known, one].slice(-SWITCHINGS_KEPT) : known;

const NIGHTS_AWAY = 14;
const STRAY_MAX_MINUTES = 150;
/** Where the sun hardly sinks, minutes say little: so much in its height is nothing. */
const DEGREES_SLACK = 0.6;

/** Minutes later than expected, at least, by the way of expecting that fits better. */
function deviationOf(
  learnt: Learnt,
  night: Night,
  edge: Edge,
  { at: time, slack }: Turn,
  sun: ReturnType<typeof nightAfter> | undefined,
  set: number | string | undefined,
): number | undefined {
  // Where samples are far apart, what was learnt is as unsure.
  const unsure = slack > 10 * MINUTE_MS ? 2 * slack : slack;
  const later = (expected: number) => {
    const off = time - expected;
    return (Math.sign(off) * Math.max(0, Math.abs(off) - unsure)) / MINUTE_MS;
  };
  if (!sun) return night[edge] === undefined ? undefined : later(night[edge]);
  const anchor = learnt[`${edge}At`];
  if (!anchor) return undefined;
  if (Math.abs(sun.altitudeAt(time) - anchor.degrees) <= DEGREES_SLACK) return 0;
  const byHeight = sideOf(sun.passing(anchor.degrees), edge);
  const byMinutes =
    typeof set === "number" && anchor.minutes !== undefined ? set + anchor.minutes * MINUTE_MS : undefined;
  const offs = [byHeight, byMinutes].flatMap((one) => (typeof one === "number" ? later(one) : []));
  if (offs.length === 0) return undefined;
  // On both sides of it: between the two ways, as expected.
  if (Math.min(...offs) <= 0 && Math.max(...offs) >= 0) return 0;
  return offs.reduce((best, one) => (Math.abs(one) < Math.abs(best) ? one : best));
}

/** A clock that is a minute off after ten nights is found; the year's slow error of the model is followed. */
const FOLLOW_MINUTES = 0.1;
const FOLLOW_DEGREES = 0.015;

function anchorOf(known: Anchor | undefined, switchings: readonly Switching[]): Anchor | undefined {
  const degrees = switchings.flatMap((one) => one.degrees ?? []);
  const minutes = switchings.flatMap((one) => one.minutes ?? []);
  if (degrees.length < SWITCHINGS_MIN) return known;
  const isYoung = !known || switchings.length < SWITCHINGS_KEPT;
  const follow = (before: number | undefined, now: number, step: number) =>
    isYoung || before === undefined ? now : before + Math.max(-step, Math.min(step, now - before));
  return {
    degrees: short(follow(known?.degrees, median(degrees), FOLLOW_DEGREES)),
    ...(minutes.length >= SWITCHINGS_MIN
      ? { minutes: short(follow(known?.minutes, median(minutes), FOLLOW_MINUTES)) }
      : known?.minutes === undefined
        ? {}
        : { minutes: known.minutes }),
  };
}
