import { say } from "../../model/sentence.ts";
import { HOUR_MS } from "../../model/time.ts";
import { zoneNamed } from "../../model/zone.ts";
import type { Cadence } from "./cadence.ts";
import { amount, measured, NOTHING, needsGood, type Outcome, type OverValues, type Step } from "./condition.ts";
import {
  type Closed,
  close,
  expire,
  NO_WINDOW,
  type Rolled,
  type Rolling,
  roll,
  sizeOf,
  type Window,
  windowEndAfter,
  windowEvidence,
  windowsSince,
} from "./window.ts";

export type ConsecutiveParams = {
  readonly above: number;
  readonly count: number;
  readonly windowMs: number;
  readonly days?: string;
  readonly capture: number;
  readonly needsGood: boolean;
  /** The zone of the years in which windows above the limit are counted; and how many of them are allowed. */
  readonly countedIn?: string;
  readonly allowed?: number;
};

/** `run`: the newest windows over the limit, at most `count`; `since`: start of the first of them all. */
type ConsecutiveState = {
  readonly rolling: Rolling;
  readonly run: readonly Closed[];
  readonly since?: number;
  readonly firing?: boolean;
  /** Windows without a valid mean since the last valid one. */
  readonly missed: number;
  readonly above?: Above;
};

/** So many windows above the limit in this year; an alert or none, suspect or not. */
type Above = { readonly year: string; readonly times: number };

const NO_RUN: readonly Closed[] = [];
const QUIET: ConsecutiveState = { rolling: NO_WINDOW, run: NO_RUN, missed: 0 };

/**
 * `count` aligned windows in a row whose mean is over the limit (strictly): the alert thresholds of 2008/50/EC and
 * (EU) 2024/2881, "measured over three consecutive hours". Units are the metric's; windows are UTC hours, the city's days (or
 * any size that divides the day).
 *
 * A window counts with 75 % data capture. An invalid or missing one breaks the run. A valid one at or below the limit
 * resolves the alert; so do max(3, count) windows in a row without a valid mean ("no-data"): nobody can say that it
 * still holds. Guard: for operators, one window of the run must contain a reading that is not suspect.
 */
export const consecutive: OverValues<"consecutive", ConsecutiveParams, ConsecutiveState> = {
  over: "values",
  params({ above, count, window, days, allowed, capture }, rule) {
    const countedIn = days === "utc" ? "UTC" : (days ?? rule.zone ?? "UTC");
    const params = { above, count, ...sizeOf(window, days), capture, needsGood: needsGood(rule) };
    return () => (allowed === undefined ? params : { ...params, countedIn, allowed });
  },
  limit: ({ above }) => above,
  explain({ rule, spec: { allowed }, params: { above, count, windowMs }, sensor, outcome: { at, value, evidence } }) {
    const mean = { ...measured(rule, sensor), value: amount(rule, value!), at, window: windowMs };
    const nth = Object.values(evidence.at(-1)?.says?.params ?? {})[0] as number | undefined;
    return say("consecutive", {
      ...mean,
      limit: amount(rule, above),
      count,
      ...(allowed !== undefined && nth !== undefined && { nth, allowed }),
    });
  },
  quiet: QUIET,
  step(params, state, sample) {
    const rolled = roll(state.rolling, params, sample);
    if (!rolled.ended && rolled.missing === 0) return [moved(state, rolled), NOTHING];
    const next = moved(state, rolled);
    const [judged, outcomes] = rolled.ended ? judge(params, next, rolled.ended, sample.cadence) : still(next);
    const [missed, lapsed] = passMissing(params, judged, rolled.missing, rolled.rolling.closedTo!);
    return [
      missed.rolling === rolled.rolling ? moved(missed, rolled) : missed,
      lapsed.length > 0 ? [...outcomes, ...lapsed] : outcomes,
    ];
  },
  advance(params, state, time, cadence) {
    const { rolling, ended } = expire(state.rolling, params, time);
    const [judged, outcomes] = ended ? judge(params, { ...state, rolling }, ended, cadence) : still(state);
    const { open, closedTo } = judged.rolling;
    if (!judged.firing || open || closedTo === undefined) return [judged, outcomes];
    // Only to see whether the alert has run out of data: what arrives later is still judged window by window.
    const missing = windowsSince(params, closedTo, time);
    const [lapsed, resolved] = passMissing(params, judged, missing, closedTo);
    return resolved.length > 0 ? [lapsed, [...outcomes, ...resolved]] : [judged, outcomes];
  },
};

function moved(state: ConsecutiveState, { rolling, calm }: Rolled): ConsecutiveState {
  if (!calm || !isCalm(state)) return { ...state, rolling };
  calm.consecutive ??= { rolling, run: NO_RUN, missed: 0 };
  return calm.consecutive as ConsecutiveState;
}

/** Nearly all states: no window over the limit. */
const isCalm = ({ run, firing, missed, above }: ConsecutiveState) =>
  run.length === 0 && !firing && missed === 0 && above === undefined;

const still = (state: ConsecutiveState): Step<ConsecutiveState> => [state, NOTHING];

function judge(
  params: ConsecutiveParams,
  state: ConsecutiveState,
  ended: Window,
  cadence: Cadence,
): Step<ConsecutiveState> {
  const closed = close(ended, { ...params, aggregate: "mean" }, cadence);
  if (!closed.valid) return passMissing(params, state, 1, closed.from);
  return closed.value > params.above ? extend(params, state, closed) : end(state, closed);
}

function extend(params: ConsecutiveParams, state: ConsecutiveState, closed: Closed): Step<ConsecutiveState> {
  const run = [...state.run, closed].slice(-params.count);
  // What is firing keeps its start, though a hole in the data has broken the run since.
  const since = state.since ?? closed.from;
  const above = params.countedIn === undefined ? undefined : counted(params.countedIn, state.above, closed.from);
  const next = { ...state, run, since, missed: 0, ...(above && { above }) };
  const enough = run.length >= params.count && (!params.needsGood || run.some(({ good }) => good));
  if (!state.firing && !enough) return [next, NOTHING];
  const about = { at: closed.to, startedAt: since, value: closed.value, ...(above && countsOf(params, above)) };
  if (state.firing) {
    if (!above || !isSaid(params, above, closed.from)) return [next, NOTHING];
    return [next, [{ ...about, what: "counted", evidence: [windowEvidence(closed)] }]];
  }
  const evidence = run.map(windowEvidence).map((one) => ({ ...one, ...(above && noteOf(params, above)) }));
  const fired: Outcome = { ...about, what: "firing", evidence };
  return [{ ...next, firing: true }, [fired]];
}

function counted(zone: string, former: Above | undefined, from: number): Above {
  const year = zoneNamed(zone).dateOf(from).slice(0, 4);
  return { year, times: (former?.year === year ? former.times : 0) + 1 };
}

/** While it fires: of days each; of hours the first of a day, and the first that is not allowed. */
function isSaid({ windowMs, allowed, countedIn }: ConsecutiveParams, { times }: Above, from: number): boolean {
  return windowMs !== HOUR_MS || times === allowed! + 1 || zoneNamed(countedIn!).startOfDay(from) === from;
}

function countsOf({ windowMs, allowed, above: limit }: ConsecutiveParams, { times: nth }: Above) {
  return { counts: [{ per: windowMs === HOUR_MS ? ("hour" as const) : ("day" as const), nth, allowed, limit }] };
}

function noteOf({ windowMs }: ConsecutiveParams, { times }: Above) {
  const per = windowMs === HOUR_MS ? "hour" : "day";
  const says = per === "hour" ? say("note.hoursAbove", { hours: times }) : say("note.daysAbove", { days: times });
  return { says, note: `${per} ${times} of the year above` };
}

/** What is left when nothing is above the limit. */
const calmed = ({ rolling, above }: ConsecutiveState): ConsecutiveState => ({
  rolling,
  run: [],
  missed: 0,
  ...(above && { above }),
});

function end(state: ConsecutiveState, closed: Closed): Step<ConsecutiveState> {
  const { firing, since } = state;
  const next = calmed(state);
  if (!firing) return [next, NOTHING];
  const evidence = [windowEvidence(closed)];
  const { to: at, value } = closed;
  return [next, [{ what: "resolved", at, startedAt: since!, value, evidence, why: "cleared" }]];
}

/** `count` windows from `from` on have no valid mean: the run is broken, and too many of them end the alert. */
function passMissing(
  params: ConsecutiveParams,
  state: ConsecutiveState,
  count: number,
  from: number,
): Step<ConsecutiveState> {
  if (count === 0) return [state, NOTHING];
  const { firing, since, missed } = state;
  if (!firing) return [calmed(state), NOTHING];
  const lapseAfter = Math.max(3, params.count);
  if (missed + count < lapseAfter) return [{ ...calmed(state), since, firing, missed: missed + count }, NOTHING];
  const at = windowEndAfter(params, from, lapseAfter - missed);
  const resolved: Outcome = { what: "resolved", at, startedAt: since!, evidence: [], why: "no-data" };
  return [calmed(state), [resolved]];
}
