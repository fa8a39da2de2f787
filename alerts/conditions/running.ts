import { say } from "../../model/sentence.ts";
import { HOUR_MS, parseDuration } from "../../model/time.ts";
import { zoneNamed } from "../../model/zone.ts";
import type { Cadence } from "./cadence.ts";
import { amount, measured, NOTHING, needsGood, type Outcome, type OverValues, type Step } from "./condition.ts";
import { close, expire, NO_WINDOW, type Rolling, roll, type Window, windowsSince } from "./window.ts";

export type RunningParams = {
  readonly above: number;
  /** Of the hours that the mean is made of. */
  readonly windowMs: number;
  readonly hours: number;
  readonly capture: number;
  /** Days of the year that may be above the limit. */
  readonly allowed?: number | undefined;
  readonly zone: string;
  readonly needsGood: boolean;
};

type Hour = { readonly to: number; readonly value: number; readonly good: boolean };

/** `days`: of this year, with a mean above the limit; `day`: the begin of the last of them. */
type RunningState = {
  readonly rolling: Rolling;
  readonly hours: readonly Hour[];
  readonly year?: string;
  readonly days?: number;
  readonly day?: number;
  readonly firing?: number;
  /** Hours without a valid mean since the last valid one. */
  readonly missed: number;
};

const QUIET: RunningState = { rolling: NO_WINDOW, hours: [], missed: 0 };

/**
 * The running mean of the last `over`, made anew at each full hour (UTC) of hourly means: strictly above the limit. Data
 * capture: an hour counts with 75 % of its data, the mean with 75 % of its hours (6 of 8). It belongs to the day in which
 * it ends, so that one that ends at midnight belongs to the day before; days and years are the city's. Source: 2008/50/EC
 * Annex I and VII, (EU) 2024/2881 Annex I and IV: maximum daily 8-hour mean of ozone and carbon monoxide.
 */
export const running: OverValues<"running", RunningParams, RunningState> = {
  over: "values",
  params({ above, over, days, capture, allowed }, rule) {
    const zone = days === "utc" ? "UTC" : (days ?? rule.zone ?? "UTC");
    const hours = parseDuration(over)! / HOUR_MS;
    const params = { above, windowMs: HOUR_MS, hours, capture, zone, needsGood: needsGood(rule) };
    return () => (allowed === undefined ? params : { ...params, allowed });
  },
  limit: ({ above }) => above,
  explain({ rule, spec: { above, allowed }, params: { hours }, sensor, outcome: { at, value, evidence } }) {
    const count = evidence.at(-1)!.window!.samples;
    const days = Number(evidence.at(-1)!.says!.params.days);
    const mean = { ...measured(rule, sensor), value: amount(rule, value!), at, span: hours * HOUR_MS, hours: count };
    return say("running", { ...mean, limit: amount(rule, above), days, allowed });
  },
  quiet: QUIET,
  step(params, state, sample) {
    const { rolling, ended, missing } = roll(state.rolling, params, sample);
    const next = { ...state, rolling };
    if (!ended && missing === 0) return [next, NOTHING];
    return judge(params, next, ended, missing, rolling.closedTo!, sample.cadence);
  },
  advance(params, state, time, cadence) {
    const { rolling, ended } = expire(state.rolling, params, time);
    const next = { ...state, rolling };
    const closedTo = rolling.closedTo;
    if (rolling.open || closedTo === undefined) return [next, NOTHING];
    return [next, judge(params, next, ended, windowsSince(params, closedTo, time), closedTo, cadence)[1]];
  },
};

/** At the end of an hour, and of those after it in which nothing came. */
function judge(
  params: RunningParams,
  state: RunningState,
  ended: Window | undefined,
  missing: number,
  closedTo: number,
  cadence: Cadence,
): Step<RunningState> {
  const closed = ended && close(ended, { ...params, aggregate: "mean" }, cadence);
  const { hours } = params;
  const kept = closed?.valid
    ? [...state.hours, { to: closed.to, value: closed.value, good: closed.good }]
    : state.hours;
  let now: RunningState = { ...state, hours: kept };
  const outcomes: Outcome[] = [];
  for (let i = ended ? 0 : 1; i <= Math.min(missing, 2 * hours); i++) {
    const [next, said] = look(params, now, closedTo + i * HOUR_MS);
    now = next;
    outcomes.push(...said);
  }
  return [now, outcomes];
}

function look(params: RunningParams, state: RunningState, at: number): Step<RunningState> {
  const { above, hours, capture, zone } = params;
  const recent = state.hours.filter(({ to }) => to > at - hours * HOUR_MS);
  const next = { ...state, hours: recent };
  const { firing } = state;
  if (recent.length < capture * hours - 1e-9) {
    const missed = state.missed + 1;
    if (firing === undefined || missed < hours) return [{ ...next, missed }, NOTHING];
    const { firing: _, ...over } = next;
    return [{ ...over, missed: 0 }, [{ what: "resolved", at, startedAt: firing, evidence: [], why: "no-data" }]];
  }
  const value = Math.round((recent.reduce((sum, one) => sum + one.value, 0) / recent.length) * 1e6) / 1e6;
  const evidence = [
    { measuredAt: at, value, window: { from: at - hours * HOUR_MS, samples: recent.length, expected: hours } },
  ] as const;
  if (value <= above) {
    const { firing: _, ...over } = next;
    if (firing === undefined) return [{ ...over, missed: 0 }, NOTHING];
    return [{ ...over, missed: 0 }, [{ what: "resolved", at, startedAt: firing, value, evidence, why: "cleared" }]];
  }
  // It belongs to the day in which it ends: at midnight that is the one that ends.
  const day = zoneNamed(zone).startOfDay(at - 1);
  const year = zoneNamed(zone)
    .dateOf(at - 1)
    .slice(0, 4);
  const before = state.year === year ? (state.days ?? 0) : 0;
  const days = state.day === day ? before : before + 1;
  const counted = { ...next, day, year, days, missed: 0 };
  const counts = [{ per: "day", nth: days, allowed: params.allowed, limit: above }] as const;
  if (firing !== undefined) {
    const isNew = state.day !== day;
    return [counted, isNew ? [{ what: "counted", at, startedAt: firing, value, evidence, counts }] : NOTHING];
  }
  if (params.needsGood && !recent.some(({ good }) => good)) return [counted, NOTHING];
  const startedAt = at - hours * HOUR_MS;
  const noted = { says: say("note.daysAbove", { days }), note: `day ${days} of the year above` };
  const fired: Outcome = { what: "firing", at, startedAt, value, evidence: [{ ...evidence[0], ...noted }], counts };
  return [{ ...counted, firing: startedAt }, [fired]];
}
