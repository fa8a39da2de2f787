import type { Outcome } from "../conditions/condition.ts";
import { HEARD, lookForSilence, type SilenceParams, stepSilence } from "../conditions/silence.ts";
import type { FoldContext } from "./fold.ts";
import { withWindow } from "./open-window.ts";
import type { Watch } from "./plan.ts";
import type { Subject, Told } from "./subject.ts";
import { type Active, nextActive } from "./transition.ts";

/**
 * What the clock says ahead of the readings: nothing of it enters the states, so that the readings, when they come, can
 * confirm it or take it back.
 */
export type ByClock = Map<number, readonly Told[]>;

/** Everything up to `time` is known to have come: windows that have ended are judged without waiting for a sample. */
export function advance(subject: Subject, time: number, context: FoldContext): ByClock {
  const told: ByClock = new Map();
  for (const { index, watches } of subject.plan.tracks) {
    const stream = subject.streams[index]!;
    // A sample after `time` has closed all that ended before.
    if (stream.lastAt === undefined || stream.lastAt >= time) continue;
    for (const watch of watches) {
      const { compiled, condition, params, column, window } = watch;
      if (!condition?.advance || compiled.failure !== undefined) continue;
      try {
        const upTo = condition.whileHeard ? Math.min(time, subject.clock.lastAt ?? time) : time;
        const state = subject.states[column];
        const full = window === undefined ? state : withWindow(state, stream.windows[window]!);
        const [, outcomes] = condition.advance(params, full, upTo, stream);
        if (outcomes.length > 0) told.set(column, tell(subject, watch, [], outcomes));
      } catch (error) {
        context.onFailure(compiled, error);
      }
    }
  }
  return told;
}

/** Sensors that have fallen silent. Answers what is new, with what was said before it. */
export function lookAtSilence(subject: Subject, now: number, listeningSince: number | undefined): ByClock {
  const told: ByClock = new Map();
  const { clock, heardAt, plan } = subject;
  if (clock.lastAt === undefined) return told;
  for (const watch of plan.silences) {
    if (watch.compiled.failure !== undefined) continue;
    const before = subject.tentative.get(watch.column) ?? [];
    const last = before.at(-1)?.outcome;
    if (last && last.what !== "resolved") continue;
    // Ended by an old reading: it may be silent again since then.
    const lastAt = last ? heardAt : clock.lastAt;
    const look = { now, lastAt, heardAt, cadence: clock, listeningSince };
    const [, outcomes] = lookForSilence(watch.params as SilenceParams, HEARD, look);
    if (outcomes.length > 0) told.set(watch.column, tell(subject, watch, before, outcomes));
  }
  return told;
}

/** An old reading has arrived: it fills no gap, but whoever sends it is not silent. */
export function endSilences(subject: Subject, at: number): ByClock {
  const told: ByClock = new Map();
  for (const watch of subject.plan.silences) {
    const before = subject.tentative.get(watch.column) ?? [];
    const last = before.at(-1)?.outcome;
    if (!last || last.what === "resolved") continue;
    const heard = { at, lastAt: undefined, cadence: subject.clock };
    const [, outcomes] = stepSilence(watch.params as SilenceParams, { since: last.startedAt }, heard);
    told.set(watch.column, tell(subject, watch, before, outcomes));
  }
  return told;
}

function tell(subject: Subject, watch: Watch, before: readonly Told[], outcomes: readonly Outcome[]): Told[] {
  const { column, compiled, params } = watch;
  const about = { rule: compiled.rule, params, sensor: subject.sensor };
  const told = [...before];
  for (const outcome of outcomes) {
    const last = told.at(-1);
    const former: Active | undefined = last
      ? last.outcome.what === "resolved"
        ? undefined
        : last.active
      : subject.actives.get(column);
    told.push({ key: subject.key, column, outcome, active: nextActive(about, former, outcome) });
  }
  return told;
}
