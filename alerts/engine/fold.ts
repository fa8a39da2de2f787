import type { MetricName } from "../../model/metrics.ts";
import type { Sentence } from "../../model/sentence.ts";
import { HOUR_MS } from "../../model/time.ts";
import { SILENCE_MIN_MS } from "../conditions/cadence.ts";
import { isWorkedOn, type Outcome, type Sample, type WorksOn } from "../conditions/condition.ts";
import { HEARD, type Heard, type SilenceParams, stepSilence } from "../conditions/silence.ts";
import { close } from "../conditions/window.ts";
import { knownDelayOf } from "./arrivals.ts";
import type { DerivedSample, HourMean, HourMeans } from "./derive.ts";
import type { CompiledRule, Deriving, Track, Watch } from "./plan.ts";
import { AT, FLAGS, IMPORTED, KEY, RECEIVED, type Ring, VALUES } from "./ring.ts";
import {
  addTo,
  countHour,
  coveredBy,
  isNewBurst,
  isWithin,
  moveClock,
  moveOn,
  notePause,
  noteSlow,
  own,
  ownClock,
  withWindow,
} from "./stream.ts";
import { type JudgedRow, NONE, NOTHING_TOLD, type Subject, setState, withEntry } from "./subject.ts";
import { nextActive } from "./transitions.ts";

export type FoldContext = {
  /** Since when the service was listening again, if it was away between two arrivals. */
  readonly listeningBetween: (from: number, to: number) => number | undefined;
  /** A condition has thrown. */
  readonly onFailure: (compiled: CompiledRule, error: unknown) => void;
  /** A live reading that is older than this (an hour or more) on arrival, beyond the delay of its feed, is history. */
  readonly historyAfterMs: () => number;
  readonly worksOn: WorksOn;
};

/** Imported, or too old to be told of: what it makes rules say is recorded as history. */
export function isPast(
  { arrivals, sensor }: Subject,
  isImported: boolean,
  ageMs: number,
  { historyAfterMs }: Pick<FoldContext, "historyAfterMs">,
): boolean {
  if (isImported || ageMs <= HOUR_MS) return isImported;
  const afterMs = historyAfterMs();
  return ageMs > afterMs && ageMs > afterMs + knownDelayOf(arrivals, sensor);
}

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
  const age = data[row + RECEIVED]! - at;
  subject.isPast = isPast(subject, (flags & IMPORTED) !== 0, age, context);
  subject.works = context.worksOn(subject.sensor, at);
  const heardAt = clock.lastAt;
  if (heardAt === undefined || at > heardAt) hear(subject, row, context);
  const { measuring, deriving } = plan;
  const derived = deriving.length === 0 ? NONE_DERIVED : derive(subject, row, at, context);
  for (let i = 0; i < measuring.length; i++) {
    const { track, value: place, suspect } = measuring[i]!;
    const value = data[row + VALUES + place]!;
    if (!Number.isNaN(value)) measure(subject, track, at, value, (flags & suspect) === 0, heardAt, context, row);
  }
  for (let i = 0; i < derived.length; i++) {
    const { track, sample } = derived[i]!;
    measure(subject, track, sample.at, sample.value, sample.good, undefined, context, row, sample.because);
  }
  if (!subject.isPast && subject.actives !== NONE) bringUpToDate(subject, at);
  if ((flags & IMPORTED) === 0) subject.receivedTo = Math.max(subject.receivedTo, data[row + RECEIVED]!);
}

/** What fired by readings of the past still holds now: it is an alert of today. */
function bringUpToDate(subject: Subject, at: number): void {
  for (const [column, { isHistory, ...active }] of subject.actives) {
    const { firedAt, startedAt, evidence, value, level } = active;
    if (!isHistory || firedAt === undefined) continue;
    subject.actives = withEntry(subject.actives, column, active);
    const outcome: Outcome = { what: "firing", at: Math.max(at, firedAt), startedAt, value, evidence, level };
    push(subject, { key: subject.key, column, outcome, active });
  }
}

function hear(subject: Subject, row: number, context: FoldContext): void {
  const { plan, ring } = subject;
  if (subject.clock.lastAt === undefined) subject.clock = ownClock(subject.clock);
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
    const outcomes = hearSilence(
      subject,
      watch.params as SilenceParams,
      heard,
      imported ? NOTHING_RECEIVED : ring.data[row + RECEIVED]!,
    );
    for (let j = 0; j < outcomes.length; j++) note(subject, watch, outcomes[j]!);
  }
  // Time in which the service was away, or messages were refused, is no pause of the sensor.
  const isWorked = isWorkedOn(subject, lastAt ?? at, at);
  const mayBePause = lastAt !== undefined && at - lastAt > SILENCE_MIN_MS && clock.declaredMs === undefined;
  if (mayBePause && !isWorked && !wasInterrupted(subject, row, context)) notePause(clock, at, plan.zone);
  if (clock.declaredMs === undefined && !isWorked && isNewBurst(clock, at)) countHour(clock, at, plan.zone);
  moveClock(clock, at, isWorked ? 0 : undefined);
}

function wasInterrupted({ ring, receivedTo, signs }: Subject, row: number, context: FoldContext): boolean {
  if ((ring.data[row + FLAGS]! & IMPORTED) !== 0) return false;
  const receivedAt = ring.data[row + RECEIVED]!;
  if (context.listeningBetween(receivedTo, receivedAt) !== undefined) return true;
  return signs.some(({ from, to }) => from > receivedTo && to <= receivedAt);
}

const NOTHING_RECEIVED = Number.NEGATIVE_INFINITY;

/** Refused messages in between part a gap: what is on either side of them is judged by itself. */
function hearSilence(
  { signs, receivedTo }: Subject,
  params: SilenceParams,
  heard: Heard,
  receivedAt: number,
): readonly Outcome[] {
  const [, plain] = stepSilence(params, HEARD, heard);
  // The cheap half first: nearly every gap is none.
  if (plain.length === 0 || signs.length === 0) return plain;
  const said: Outcome[] = [];
  let { lastAt } = heard;
  for (const { from, to } of signs) {
    if (from <= receivedTo || to > receivedAt) continue;
    said.push(...stepSilence(params, HEARD, { ...heard, at: Math.max(from, lastAt ?? from), lastAt })[1]);
    lastAt = Math.max(to, lastAt ?? to);
  }
  return [...said, ...stepSilence(params, HEARD, { ...heard, at: Math.max(heard.at, lastAt ?? heard.at), lastAt })[1]];
}

function measure(
  subject: Subject,
  { index, watches, sharesWindows, alarms, beside }: Track,
  at: number,
  value: number,
  good: boolean,
  heardAt: number | undefined,
  context: FoldContext,
  row: number,
  because?: Sentence,
): void {
  const former = subject.streams[index]!;
  if (former.lastAt !== undefined && at <= former.lastAt) return;
  const stream = former.lastAt === undefined ? own(former) : former;
  if (stream !== former) subject.streams[index] = stream;
  const { lastAt, windows } = stream;
  const coversMs = windows.length > 0 ? coveredBy(stream, at) : undefined;
  const rolls = sharesWindows ? [] : undefined;
  const alarmed = alarms.length > 0 && subject.actives !== NONE && isAlarmed(subject, alarms);
  const works = subject.works.length > 0 ? subject.works : undefined;
  const others = beside && besideIn(subject.ring, row, beside);
  const sample: Sample = {
    at,
    value,
    good,
    lastAt,
    heardAt,
    alarmed,
    works,
    cadence: stream,
    coversMs,
    rolls,
    beside: others,
    because,
  };
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
  for (let i = 0; i < windows.length; i++) addTo(windows[i]!, at, value, good, coversMs);
  if (works && isWorkedOn(sample, lastAt ?? at, at)) {
    stream.lastAt = at;
    return;
  }
  if (windows.length > 0) noteSlow(stream, at);
  moveOn(stream, at);
}

function besideIn({ data }: Ring, row: number, places: NonNullable<Track["beside"]>): Sample["beside"] {
  const values: Partial<Record<MetricName, number>> = {};
  for (const { metric, value } of places) {
    const found = data[row + VALUES + value]!;
    if (!Number.isNaN(found)) values[metric] = found;
  }
  return values;
}

/** One of these columns has an alert that fires. */
function isAlarmed({ actives }: Subject, columns: readonly number[]): boolean {
  for (let i = 0; i < columns.length; i++) if (actives.get(columns[i]!)?.firedAt !== undefined) return true;
  return false;
}

type Derived = { readonly track: Track; readonly sample: DerivedSample };
const NONE_DERIVED: readonly Derived[] = [];

/** What is worked out from hours that are over, now that a later value comes: before that is part of its own hour. */
function derive(subject: Subject, row: number, at: number, context: FoldContext): readonly Derived[] {
  const { data } = subject.ring;
  const { deriving } = subject.plan;
  let found: Derived[] | undefined;
  for (let i = 0; i < deriving.length; i++) {
    const { inputs, derive, column, track } = deriving[i]!;
    let [newest, isMet] = [0, false];
    for (let j = 0; j < inputs.length; j++) {
      const { stream, window, value } = inputs[j]!;
      isMet ||= !Number.isNaN(data[row + VALUES + value]!);
      newest = Math.max(newest, subject.streams[stream]!.windows[window]!.to);
    }
    if (!isMet || newest === 0 || at < newest) continue;
    try {
      const means = hourMeans(subject, inputs, newest, derive.capture);
      const [state, sample] = derive.step(subject.states[column], newest - HOUR_MS, means);
      if (state !== subject.states[column]) setState(subject, column, state);
      if (sample) found = [...(found ?? []), { track, sample }];
    } catch (error) {
      for (const { compiled } of track.watches) context.onFailure(compiled, error);
    }
  }
  return found ?? NONE_DERIVED;
}

/** Of the hour that ended then. */
function hourMeans({ streams }: Subject, inputs: Deriving["inputs"], to: number, capture: number): HourMeans {
  const means: Partial<Record<MetricName, HourMean>> = {};
  for (const { metric, stream, window } of inputs) {
    const of = streams[stream]!.windows[window]!;
    if (of.count === 0 || of.to !== to) continue;
    const { value, good, valid } = close(of, { windowMs: HOUR_MS, aggregate: "mean", capture }, streams[stream]!);
    means[metric] = { value, good, valid };
  }
  return means;
}

/** Writes down what a rule has said. */
function note(subject: Subject, watch: Watch, outcome: Outcome): void {
  const { column, compiled, params } = watch;
  const about = { rule: compiled.rule, params, sensor: subject.sensor };
  const next = nextActive(about, subject.actives.get(column), outcome);
  const active = subject.isPast && outcome.what !== "resolved" ? { ...next, isHistory: true as const } : next;
  subject.actives = withEntry(subject.actives, column, outcome.what === "resolved" ? undefined : active);
  push(subject, { key: subject.key, column, outcome, active });
}

function push(subject: Subject, row: JudgedRow): void {
  if (subject.log === NOTHING_TOLD) subject.log = [];
  subject.log.push(row);
}
