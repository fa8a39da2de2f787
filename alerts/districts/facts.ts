import type { Transition } from "../../model/alert.ts";
import { isDerived, METRICS, type MetricName } from "../../model/metrics.ts";
import type { Rule, RuleData } from "../../model/rule.ts";
import { type Amount, type Sentence, say } from "../../model/sentence.ts";
import { isNearFloor, median, noiseOf, robustSigma } from "../conditions/statistics.ts";
import { type Recent, repeats, SLOT_MS, slotEnd, usualGapMs, valuesIn } from "./recent.ts";

/** A metric in the time of the alert and in the sensor's recent past. */
type Glimpse = { readonly now: number; readonly before: number | undefined };
type Look = (metric: MetricName) => Glimpse | undefined;

/** What the sensor's other metrics say: a part of a sentence each, undefined if they say nothing. */
type SiblingEvidence = {
  /** Another measurement of the same thing went with it. */
  readonly agrees?: Sentence;
  /** Together the values cannot be true. */
  readonly contradicts?: Sentence;
};

/** Pure: `look` answers the sensor's own other values. */
function siblingEvidence(metric: MetricName, look: Look): SiblingEvidence {
  switch (metric) {
    case "pm25":
    case "pm1":
      return finerThanCoarse(metric, look);
    case "flow":
    case "occupancy":
    case "speed":
      return loop(look);
    case "voltage":
    case "current":
    case "activePower":
    case "oilTemperature":
      return circuit(metric, look);
    default:
      return {};
  }
}

const amount = (value: number, of: MetricName): Amount => ({ value: Math.round(value * 10) / 10, of });

/**
 * Fine particles are among the coarse ones. Reference stations break that by a little in 3 to 8 % of hours, so only half
 * as much again and 20 µg/m³ count.
 */
function finerThanCoarse(metric: "pm25" | "pm1", look: Look): SiblingEvidence {
  const coarser = metric === "pm25" ? "pm10" : "pm25";
  const [fine, coarse] = [look(metric)?.now, look(coarser)?.now];
  if (fine === undefined || coarse === undefined || fine <= 1.5 * coarse + 20) return {};
  return { contradicts: say("sibling.particles", { coarse: amount(coarse, coarser), fine: amount(fine, metric) }) };
}

/** Vehicle and detector together, in m: 10 o v / q of occupancy in %, speed in km/h and flow in veh/h. */
const LENGTH_M = [2.5, 25] as const;

/** A loop that jams shows it twice: slower, and longer covered. What it shows must fit vehicles of a possible length. */
function loop(look: Look): SiblingEvidence {
  const [flow, occupancy, speed] = [look("flow"), look("occupancy"), look("speed")];
  if (flow && occupancy && speed && flow.now > 60 && occupancy.now > 0 && speed.now > 0) {
    const length = (10 * occupancy.now * speed.now) / flow.now;
    // Medians of an hour mix jam and free flow: only what is off by twice and more cannot be.
    if (length < LENGTH_M[0] / 2 || length > LENGTH_M[1] * 2) {
      return { contradicts: say("sibling.vehicles", { length: { value: Math.round(length * 10) / 10, unit: "m" } }) };
    }
  }
  if (!occupancy || !speed || occupancy.before === undefined || speed.before === undefined) return {};
  const jammed = speed.now <= 0.8 * speed.before && occupancy.now >= 1.2 * occupancy.before + 1;
  if (!jammed) return {};
  const [slower, longer] = [
    { speedFrom: amount(speed.before, "speed"), speedTo: amount(speed.now, "speed") },
    { occupancyFrom: amount(occupancy.before, "occupancy"), occupancyTo: amount(occupancy.now, "occupancy") },
  ];
  return { agrees: say("sibling.jam", { ...slower, ...longer }) };
}

/** kW per kVA of one phase: below or above this no number of phases and no power factor explains it. */
const POWER_RATIO = [0.05, 4] as const;

/** Power is voltage times current, times up to three phases. A loaded transformer warms up; a loaded line sags. */
function circuit(metric: MetricName, look: Look): SiblingEvidence {
  const [power, volts, amps, oil] = [look("activePower"), look("voltage"), look("current"), look("oilTemperature")];
  if (power && volts && amps && Math.abs(amps.now) > 5 && volts.now > 50) {
    const ratio = (1_000 * Math.abs(power.now)) / (volts.now * Math.abs(amps.now));
    if (ratio < POWER_RATIO[0] || ratio > POWER_RATIO[1]) {
      const [voltage, current] = [amount(volts.now, "voltage"), amount(amps.now, "current")];
      return { contradicts: say("sibling.power", { voltage, current, power: amount(power.now, "activePower") }) };
    }
  }
  if (metric === "voltage") return {};
  const load = metric === "current" ? (power ?? oil) : amps;
  if (!load || load.before === undefined || load.now < 1.15 * load.before || load.now < 1) return {};
  const name = metric !== "current" ? "current" : power ? "activePower" : "oilTemperature";
  return { agrees: say("sibling.load", { metric: name, from: amount(load.before, name), to: amount(load.now, name) }) };
}

/** What is known about an alert beside the values it rests on. Levels in the metric's unit, times in ms. */
export type Facts = {
  readonly metric: MetricName;
  readonly condition: RuleData["condition"]["type"];
  readonly direction: 1 | -1;
  readonly limit: number | undefined;
  readonly value: number | undefined;
  /** How far the sensor has moved from its own recent past in the alert's direction; undefined without a past. */
  readonly change: number | undefined;
  /** Neighbours with values in the time of the alert, and how many of them are beyond the limit or moved with it. */
  readonly neighbours: number;
  readonly beyond: number;
  readonly moved: number;
  /** The median of the neighbours (of each the value nearest to the alert), and the sensor's robust z among them. */
  readonly level: number;
  readonly z: number;
  /** While the sensor's value stood still: neighbours that stood still, too, and that moved. */
  readonly standing: number;
  readonly alive: number;
  readonly stuck: { readonly value: number; readonly forMs: number } | undefined;
  /** Its value is at the lower end of the range, and the lowest it has shown lately. */
  readonly atFloor: boolean;
  /** What is said of a value that means "none" or "no more than this", such as 999. */
  readonly oddValue: Sentence | undefined;
  readonly allSuspect: boolean;
  readonly siblings: SiblingEvidence;
};

type Asked = {
  readonly alert: Transition["alert"];
  readonly rule: Rule;
  readonly metric: MetricName;
  /** Nothing later is looked at. */
  readonly to: number;
  readonly own: (metric: MetricName) => Recent | undefined;
  readonly around: readonly Recent[];
};

/** An alert's neighbours may have been there earlier: a plume or a jam takes its time. */
const EARLIER_MS = 30 * 60_000;
const NOW_MAX = 24;
const BEFORE_MAX = 24;
const BEFORE_MIN = 3;
/** So many equal values in a row, over so long, are a stuck sensor's. */
const STUCK_COUNT = 6;
const STUCK_MS = 30 * 60_000;
const NEVER = Number.NEGATIVE_INFINITY;

/**
 * The last moment that counts for an alert that fired at `at`: the end of its window, else of its five minutes, so that
 * neighbours that report a little later are heard. All that is thinned by five minutes is complete then.
 */
export function horizonOf({ condition, metric }: Rule, at: number): number {
  const isOfWindow = ("window" in condition && condition.window !== undefined) || (metric && isDerived(metric));
  return slotEnd(isOfWindow ? at - 1 : at);
}

/**
 * Neighbours may be hit a little later: feeders of one outage trip within minutes, and each is to have the same verdict.
 * All that is looked at lies within this of the horizon.
 */
export const LATER_MS = 2 * SLOT_MS;

/** The same answer whenever it is asked for, once all that was measured up to `LATER_MS` after `to` is in. */
export function factsOf(asked: Asked): Facts {
  const { alert, rule, metric, to, own, around } = asked;
  const mine = own(metric);
  const from = Math.min(alert.startedAt, to - Math.max(EARLIER_MS, 1.2 * ((mine && usualGapMs(mine)) ?? 0)));
  const span = { from: from - EARLIER_MS, to };
  const now = mine ? valuesIn(mine, from, to, NOW_MAX) : [];
  const value = usesMetricUnit(rule) && metric === rule.metric ? (alert.value ?? now.at(-1)) : now.at(-1);
  const before = mine ? valuesIn(mine, NEVER, span.from, BEFORE_MAX) : [];
  const shift = value === undefined || before.length < BEFORE_MIN ? undefined : value - median(before);
  const direction = directionOf(rule, shift);
  const limit = limitOf(rule, alert.limit);
  const change = shift === undefined ? undefined : direction * shift;
  const others = around.flatMap((recent) => lookAt(recent, metric, span, direction));
  const stuck = mine && stuckBy(mine, to);
  const stillFrom = stuck ? Math.max(stuck.since, alert.startedAt - EARLIER_MS * 24) : from;
  const levels = others.map(({ level }) => level);
  const level = median(levels);
  return {
    metric,
    condition: rule.condition.type,
    direction,
    limit,
    value,
    change,
    neighbours: others.length,
    beyond: limit === undefined ? 0 : others.filter(({ reach }) => direction * (reach - limit) > 0).length,
    moved: change === undefined ? 0 : others.filter((one) => movedWith(one, change, direction)).length,
    level,
    z: value === undefined || others.length === 0 ? 0 : (direction * (value - level)) / spreadOf(metric, levels, level),
    ...stillness(around, metric, stillFrom, to),
    stuck: stuck && { value: stuck.value, forMs: to - stuck.since },
    atFloor: value !== undefined && isNearFloor(metric, value) && lowestOf(mine, to) >= value,
    oddValue: value === undefined ? undefined : oddValue(metric, value),
    allSuspect: alert.evidence.length > 0 && alert.evidence.every(({ quality }) => quality === "suspect"),
    siblings: siblingEvidence(metric, (name) =>
      glimpse(own(name), { since: alert.startedAt, from, to, past: span.from }),
    ),
  };
}

/** While the condition held; where nothing was measured then, the newest value before. */
function glimpse(
  recent: Recent | undefined,
  at: { since: number; from: number; to: number; past: number },
): Glimpse | undefined {
  if (!recent) return undefined;
  const held = valuesIn(recent, at.since - 1, at.to, NOW_MAX);
  const values = held.length > 0 ? held : valuesIn(recent, at.from, at.to, 1);
  const past = valuesIn(recent, NEVER, at.past, BEFORE_MAX);
  if (values.length === 0) return undefined;
  return { now: median(values), before: past.length < BEFORE_MIN ? undefined : median(past) };
}

/** `reach`: the most extreme value in the alert's direction, `level`: the newest, `noise`: what is nothing there. */
type Other = {
  readonly reach: number;
  readonly level: number;
  readonly before: number | undefined;
  readonly noise: number;
};

function lookAt(
  recent: Recent,
  metric: MetricName,
  { from, to }: { from: number; to: number },
  direction: 1 | -1,
): Other[] {
  const until = valuesIn(recent, from, to, NOW_MAX);
  const now = [...until, ...valuesIn(recent, to, to + LATER_MS, NOW_MAX)];
  if (now.length === 0) return [];
  const reach = direction * Math.max(...now.map((value) => direction * value));
  const past = valuesIn(recent, NEVER, from, BEFORE_MAX);
  const before = past.length < BEFORE_MIN ? undefined : median(past);
  const noise = Math.max(noiseOf(metric, before ?? reach), before === undefined ? 0 : 2 * robustSigma(past, before));
  return [{ reach, level: until.at(-1) ?? now[0]!, before, noise }];
}

/** The same way, clearly, and by a third at least of what the sensor did. */
function movedWith({ reach, before, noise }: Other, change: number, direction: 1 | -1): boolean {
  if (before === undefined) return false;
  const moved = direction * (reach - before);
  return moved > noise && moved >= 0.3 * change;
}

function spreadOf(metric: MetricName, levels: readonly number[], level: number): number {
  return Math.max(robustSigma(levels, level), noiseOf(metric, level));
}

const rangeOf = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
/** So many different values are a sensor's that is alive, however small their differences. */
const DISTINCT_MIN = 5;

function stillness(around: readonly Recent[], metric: MetricName, from: number, to: number) {
  let standing = 0;
  let alive = 0;
  for (const recent of around) {
    const values = valuesIn(recent, from, to, NOW_MAX);
    const later = valuesIn(recent, from + (to - from) / 2, to, NOW_MAX);
    if (values.length < 4) continue;
    if (later.length >= 3 && rangeOf(later) === 0) standing += 1;
    else if (new Set(values).size >= DISTINCT_MIN || rangeOf(values) > noiseOf(metric, median(values))) alive += 1;
  }
  return { standing, alive };
}

function stuckBy(recent: Recent, to: number): ReturnType<typeof repeats> {
  const run = repeats(recent, to);
  return run && run.count >= STUCK_COUNT && to - run.since >= STUCK_MS ? run : undefined;
}

/** Values that devices send for "none", and ends of ranges: 255, 999, 1000, 9999, 65535, 100 % of the time. */
const SENTINELS = new Set([-1, 255, 999, 9999, 10_000, 32_767, 65_535]);

function oddValue(metric: MetricName, value: number): Sentence | undefined {
  const { fail } = METRICS[metric];
  if (value >= fail[1] || (value <= fail[0] && fail[0] !== 0)) {
    return say("odd.range", { value: { value, of: metric } });
  }
  return SENTINELS.has(value) || value === 999.9 ? say("odd.sentinel", { value }) : undefined;
}

/** Of two days of an hourly station; what the ring holds beyond that depends on when it is asked. */
function lowestOf(recent: Recent | undefined, to: number): number {
  return recent ? Math.min(...valuesIn(recent, NEVER, to, NOW_MAX + BEFORE_MAX)) : Number.POSITIVE_INFINITY;
}

/** Not of an index, whose classes say nothing of the values it is made of. */
function usesMetricUnit({ metric, condition: { type } }: Rule): boolean {
  const isOwn = metric === undefined || !isDerived(metric);
  return isOwn && (hasLimit(type) || type === "flatline" || type === "spike" || type === "anomaly");
}

const hasLimit = (type: RuleData["condition"]["type"]) => type === "threshold" || type === "consecutive";

function limitOf(rule: Rule, limit: number | undefined): number | undefined {
  return usesMetricUnit(rule) && hasLimit(rule.condition.type) ? limit : undefined;
}

function directionOf({ condition }: Rule, shift: number | undefined): 1 | -1 {
  if ("below" in condition && condition.below !== undefined) return -1;
  if ("above" in condition && condition.above !== undefined && condition.type !== "spike") return 1;
  if (condition.type === "change") return condition.fall === undefined ? 1 : -1;
  return (shift ?? 0) < 0 ? -1 : 1;
}
