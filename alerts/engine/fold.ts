import type { MetricName } from "../../model/metrics.ts";
import type { Outcome, Sample } from "../conditions/condition.ts";
import { HEARD, type SilenceParams, stepSilence } from "../conditions/silence.ts";
import type { CompiledRule } from "./compile.ts";
import type { Measured } from "./derive.ts";
import { addTo, isWithin, withWindow } from "./open-window.ts";
import type { Deriving, Track, Watch } from "./plan.ts";
import { AT, FLAGS, IMPORTED, KEY, RECEIVED, VALUES } from "./ring.ts";
import { moveOn, own } from "./stream.ts";
import { NOTHING_TOLD, type Subject, setState, withEntry } from "./subject.ts";
import { nextActive } from "./transition.ts";

export type FoldContext = {
  /** Since when the service was listening again, if it was away between two arrivals. */
  readonly listeningBetween: (from: number, to: number) => number | undefined;
  /** A condition has thrown. */
  readonly onFailure: (compiled: CompiledRule, error: unknown) => void;
};

/**
 * One more reading, in event-time order: moves the states, the clocks and the log of a subject. Everything that is ever
 * said about readings comes from here, whether they came in order, late or out of the snapshot.
 */
export function fold(subject: Subject, row: number, context: FoldContext): void {
  const { plan, ring, clock } = subject;
  const { data } = ring;
  const at = data[row + AT]!;
  const flags = data[row + FLAGS]!;
  subject.key = data[row + KEY]!;
  const heardAt = clock.lastAt;
  if (heardAt === undefined || at > heardAt) hear(subject, row, context);
  const { measuring, deriving } = plan;
  for (let i = 0; i < measuring.length; i++) {
    const { track, value: place, suspect } = measuring[i]!;
    const value = data[row + VALUES + place]!;
    if (!Number.isNaN(value)) measure(subject, track, at, value, (flags & suspect) === 0, heardAt, context);
  }
  for (let i = 0; i < deriving.length; i++) derive(subject, deriving[i]!, row, context);
  if ((flags & IMPORTED) === 0) subject.receivedTo = Math.max(subject.receivedTo, data[row + RECEIVED]!);
}

function hear(subject: Subject, row: number, context: FoldContext): void {
  const { plan, ring } = subject;
  if (subject.clock.lastAt === undefined) subject.clock = own(subject.clock);
  const { clock } = subject;
  const at = ring.data[row + AT]!;
  const { lastAt } = clock;
  for (let i = 0; i < plan.silences.length; i++) {
    const watch = plan.silences[i]!;
    if (watch.compiled.failure !== undefined) continue;
    const imported = (ring.data[row + FLAGS]! & IMPORTED) !== 0;
    const listeningSince = imported
      ? undefined
      : context.listeningBetween(subject.receivedTo, ring.data[row + RECEIVED]!);
    const heard = { at, lastAt, cadence: clock, listeningSince };
    const [, outcomes] = stepSilence(watch.params as SilenceParams, HEARD, heard);
    for (let j = 0; j < outcomes.length; j++) note(subject, watch, outcomes[j]!);
  }
  moveOn(clock, at);
}

function measure(
  subject: Subject,
  { index, watches, sharesWindows }: Track,
  at: number,
  value: number,
  good: boolean,
  heardAt: number | undefined,
  context: FoldContext,
): void {
  const former = subject.streams[index]!;
  if (former.lastAt !== undefined && at <= former.lastAt) return;
  const stream = former.lastAt === undefined ? own(former) : former;
  if (stream !== former) subject.streams[index] = stream;
  const { lastAt, windows } = stream;
  const sample: Sample = { at, value, good, lastAt, heardAt, cadence: stream, rolls: sharesWindows ? [] : undefined };
  for (let i = 0; i < watches.length; i++) {
    const watch = watches[i]!;
    if (watch.compiled.failure !== undefined) continue;
    const state = subject.states[watch.column];
    const window = watch.window === undefined ? undefined : windows[watch.window]!;
    if (window && isWithin(window, state, at)) continue;
    try {
      const full = window ? withWindow(state, window) : state;
      const [next, outcomes] = watch.condition!.step(watch.params, full, sample);
      if (next !== state) setState(subject, watch.column, next);
      for (let j = 0; j < outcomes.length; j++) note(subject, watch, outcomes[j]!);
    } catch (error) {
      context.onFailure(watch.compiled, error);
    }
  }
  for (let i = 0; i < windows.length; i++) addTo(windows[i]!, at, value, good);
  moveOn(stream, at);
}

function derive(
  subject: Subject,
  { track, derive, column, inputs }: Deriving,
  row: number,
  context: FoldContext,
): void {
  const { data } = subject.ring;
  const values: Partial<Record<MetricName, number>> = {};
  const suspect: MetricName[] = [];
  let found = false;
  for (const input of inputs) {
    const value = data[row + VALUES + input.value]!;
    if (Number.isNaN(value)) continue;
    found = true;
    values[input.metric] = value;
    if ((data[row + FLAGS]! & input.suspect) !== 0) suspect.push(input.metric);
  }
  if (!found) return;
  try {
    const measured: Measured = { at: data[row + AT]!, values, suspect };
    const [state, samples] = derive.step(subject.states[column], measured);
    if (state !== subject.states[column]) setState(subject, column, state);
    for (const { at, value, good } of samples) measure(subject, track, at, value, good, undefined, context);
  } catch (error) {
    for (const { compiled } of track.watches) context.onFailure(compiled, error);
  }
}

/** Writes down what a rule has said. */
function note(subject: Subject, watch: Watch, outcome: Outcome): void {
  const { column, compiled, params } = watch;
  const about = { rule: compiled.rule, params, sensor: subject.sensor };
  const active = nextActive(about, subject.actives.get(column), outcome);
  subject.actives = withEntry(subject.actives, column, outcome.what === "resolved" ? undefined : active);
  if (subject.log === NOTHING_TOLD) subject.log = [];
  subject.log.push({ key: subject.key, column, outcome, active });
}
