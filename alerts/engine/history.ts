import type { MetricName } from "../../model/metrics.ts";
import { LATE_AFTER_MS, type Reading } from "../../model/reading.ts";
import type { Sentence } from "../../model/sentence.ts";
import { HOUR_MS } from "../../model/time.ts";
import { SILENCE_MIN_MS } from "../conditions/cadence.ts";
import { isWorkedOn, type Outcome, type Sample, type WorksOn } from "../conditions/condition.ts";
import { HEARD, type Heard, type SilenceParams, stepSilence } from "../conditions/silence.ts";
import { close } from "../conditions/window.ts";
import { knownDelayOf } from "./arrivals.ts";
import type { DerivedSample, HourMean, HourMeans } from "./derive.ts";
import type { CompiledRule, Deriving, Plan, Track, Watch } from "./plan.ts";
import {
  AT,
  append,
  copyAfter,
  createRing,
  dropTo,
  FLAGS,
  firstAfter,
  IMPORTED,
  KEY,
  merge,
  RECEIVED,
  type Ring,
  rowCount,
  rowsAt,
  scanRows,
  sortedRows,
  suspectBit,
  VALUES,
} from "./ring.ts";
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
import {
  type Active,
  type Backlog,
  type Checkpoint,
  checkpointOf,
  type JudgedRow,
  NONE,
  NOTHING_TOLD,
  restore,
  type Subject,
  setState,
  withEntry,
} from "./subject.ts";
import { nextActive } from "./transitions.ts";

/** How late a reading may be, in event time of its sensor, and still change what was said. */
export const LATENESS_MS = LATE_AFTER_MS;

/**
 * "behind": too late for the sensor, or of a moment that is known, but the first news of its own metrics: an analyser
 * may run an hour behind the thermometer beside it, or speak after it. "too-late": counted, decides nothing.
 */
export type Arrival = "in-order" | "late" | "behind" | "duplicate" | "too-late";

export function placeOf(subject: Subject, { measuredAt: at, values }: Reading): Arrival {
  const { clock, checkpoints, plan, streams } = subject;
  const { lastAt } = clock;
  if (lastAt === undefined || at > lastAt) return "in-order";
  // A device may send the metrics of one moment in several messages.
  if (at === lastAt) return bringsNews(subject, values, at) ? "behind" : "duplicate";
  if (knowsAll(subject, values, messagesOf(subject, at))) return "duplicate";
  if (at > lastAt - LATENESS_MS && at > checkpoints[0]!.key) return "late";
  let isNews = false;
  for (const { track } of plan.measuring) {
    if (values[track.metric as keyof typeof values] === undefined) continue;
    const newest = streams[track.index]!.lastAt;
    if (newest !== undefined && newest >= at) return "too-late";
    isNews = true;
  }
  return isNews ? "behind" : "too-late";
}

/** Rows, and the ring they are in. */
type Rows = { readonly ring: Ring; readonly rows: readonly number[] };

/** What has come of this moment, whether it is folded or waits. */
function messagesOf({ ring, backlog }: Subject, at: number): readonly Rows[] {
  const folded = { ring, rows: rowsAt(ring, at) };
  if (!backlog?.times.has(at)) return [folded];
  return [folded, { ring: backlog.rows, rows: scanRows(backlog.rows, at) }];
}

/** Each of these values that a rule measures is in one of the messages; where there are none, nothing is known. */
function knowsAll({ plan }: Subject, values: Reading["values"], messages: readonly Rows[]): boolean {
  if (messages.every(({ rows }) => rows.length === 0)) return false;
  for (const { track, value: place } of plan.measuring) {
    if (values[track.metric as keyof typeof values] === undefined) continue;
    const has = ({ ring, rows }: Rows) => rows.some((row) => !Number.isNaN(ring.data[row + VALUES + place]!));
    if (!messages.some(has)) return false;
  }
  return true;
}

/** Some rule measures one of these values, and nothing of it has come for this moment. */
function bringsNews({ plan, streams }: Subject, values: Reading["values"], at: number): boolean {
  for (const { track } of plan.measuring) {
    if (values[track.metric as keyof typeof values] === undefined) continue;
    const newest = streams[track.index]!.lastAt;
    if (newest === undefined || newest < at) return true;
  }
  return false;
}

/** Below any difference of two times; keeps readings apart that are taken up at the same place in the order. */
const KEY_STEP = 1 / 1024;

/** Folds a reading that comes after all others, or is taken for such. */
export function appendReading(subject: Subject, reading: Reading, context: FoldContext): void {
  const key = Math.max(reading.measuredAt, subject.key + KEY_STEP);
  checkpointIfDue(subject, key);
  const { ring, plan, saving, backlog } = subject;
  saving.fresh = true;
  const row = append(ring);
  write(ring, row, key, reading, plan);
  subject.rowsSince += 1;
  fold(subject, row, context);
  // What is being folded anew comes to this reading, too.
  if (backlog?.refold) write(backlog.refold.shadow.ring, append(backlog.refold.shadow.ring), key, reading, plan);
}

/** Enough that a sensor with a hundred readings in half an hour is folded anew from the one before the last half hour. */
const CHECKPOINT_ROWS = 64;

function checkpointIfDue(subject: Subject, key: number): void {
  const { checkpoints, rowsSince } = subject;
  if (rowsSince === 0) return;
  if (key - checkpoints.at(-1)!.key < LATENESS_MS && rowsSince < CHECKPOINT_ROWS) return;
  checkpoints.push(checkpointOf(subject));
  subject.rowsSince = 0;
  subject.late -= subject.late >> 5;
}

/**
 * Lets go of what can no longer change: older than the lateness, or too many. Answers how many readings were given up
 * before their time.
 */
export function prune(subject: Subject, rowsMax: number): number {
  const { checkpoints, ring, clock, backlog } = subject;
  const changeable = (clock.lastAt ?? 0) - LATENESS_MS;
  // What waits is folded from a checkpoint before it.
  const oldest = backlog?.oldest ?? Number.POSITIVE_INFINITY;
  let early = 0;
  while (checkpoints.length > 1 && checkpoints[1]!.key < oldest) {
    if (checkpoints[1]!.key > changeable && rowCount(ring) <= rowsMax) break;
    checkpoints.shift();
    const floor = checkpoints[0]!.key;
    early += dropTo(ring, floor, changeable);
    if (subject.log.length > 0) cutLog(subject, floor);
  }
  return early;
}

function cutLog(subject: Subject, floor: number): void {
  const kept = subject.log.filter(({ key }) => key > floor);
  subject.log = kept.length === 0 ? NOTHING_TOLD : kept;
}

/** What was said since a moment (after the row `key`), and what was active then: the one side of the comparison. */
export type Before = {
  readonly key: number;
  readonly said: readonly JudgedRow[];
  readonly actives: ReadonlyMap<number, Active>;
};

/** Keeps a late reading until it is folded, with the others that wait, by `refoldSome`. */
export function addLate(subject: Subject, reading: Reading, together?: number): void {
  const backlog = openBacklog(subject, together);
  const before = messagesOf(subject, reading.measuredAt).reduce((sum, { rows }) => sum + rows.length, 0);
  // After the messages of its moment that have come.
  const key = reading.measuredAt + before * KEY_STEP;
  write(backlog.rows, append(backlog.rows), key, reading, subject.plan);
  backlog.times.add(reading.measuredAt);
  backlog.oldest = Math.min(backlog.oldest, key);
  subject.late += 1;
}

/** Late readings that are folded together, and how few they are where they have much to say: it is told in one go. */
const TOGETHER_MAX = 512;
const TOGETHER_MIN = 32;
export const TOGETHER_FIRST = 64;
const MUCH_SAID = 128;

export function openBacklog(subject: Subject, together = TOGETHER_MAX): Backlog {
  subject.backlog ??= {
    rows: createRing(subject.plan.metrics.length),
    times: new Set(),
    oldest: Number.POSITIVE_INFINITY,
    together,
    refold: undefined,
  };
  return subject.backlog;
}

/** How many rows have to be folded for what waits. */
export function refoldRows({ ring, checkpoints, backlog }: Subject): number {
  if (!backlog) return 0;
  const { key } = checkpointBefore(checkpoints, backlog.oldest);
  return (ring.end - firstAfter(ring, key)) / ring.width + rowCount(backlog.rows);
}

const checkpointBefore = (checkpoints: readonly Checkpoint[], key: number) =>
  checkpoints.findLast((one) => one.key < key)!;

/**
 * Folds all that comes after the checkpoint before the oldest late reading once more, with those that have
 * waited for longest, at most so many rows in this call. Answers how many it was. It is done beside the sensor, whose newer
 * readings go on meanwhile, and `takeRefold` puts it in force once `isRefolded`.
 */
export function refoldSome(subject: Subject, rowsMax: number, context: FoldContext): number {
  const backlog = subject.backlog!;
  backlog.refold ??= beginRefold(subject, backlog);
  const { refold } = backlog;
  const { shadow } = refold;
  const from = refold.row;
  const to = Math.min(shadow.ring.end, from + rowsMax * shadow.ring.width);
  while (refold.row < to) {
    foldRow(shadow, refold.row, context);
    refold.row += shadow.ring.width;
  }
  return (to - from) / shadow.ring.width;
}

function beginRefold(subject: Subject, { rows, together }: Backlog): NonNullable<Backlog["refold"]> {
  const late = sortedRows(rows, together);
  const checkpoint = checkpointBefore(subject.checkpoints, late[KEY]!);
  const ring = copyAfter(subject.ring, checkpoint.key);
  merge(ring, late);
  const shadow: Subject = { ...subject, ring, log: NOTHING_TOLD, checkpoints: [checkpoint], backlog: undefined };
  restore(shadow, checkpoint);
  shadow.rowsSince = 0;
  return { shadow, checkpoint, late, row: ring.start };
}

function foldRow(subject: Subject, row: number, context: FoldContext): void {
  checkpointIfDue(subject, subject.ring.data[row + KEY]!);
  subject.rowsSince += 1;
  fold(subject, row, context);
}

export const isRefolded = ({ refold }: Backlog): boolean =>
  refold !== undefined && refold.row === refold.shadow.ring.end;

/** The sensor is from now on what the fold has come to. Answers what had been said instead. */
export function takeRefold(subject: Subject): Before {
  const backlog = subject.backlog!;
  const { shadow, checkpoint, late } = backlog.refold!;
  const { ring, log, checkpoints, saving } = subject;
  merge(ring, late);
  saving.fresh = true;
  const said = log.filter((told) => told.key > checkpoint.key);
  if (said.length > 0 || shadow.log.length > 0) {
    const kept = [...log.filter((told) => told.key <= checkpoint.key), ...shadow.log];
    subject.log = kept.length === 0 ? NOTHING_TOLD : kept;
  }
  checkpoints.length = checkpoints.findLastIndex(({ key }) => key === checkpoint.key) + 1;
  checkpoints.push(...shadow.checkpoints.slice(1));
  const { states, ownsStates, clock, streams, actives, receivedTo, key, rowsSince } = shadow;
  Object.assign(subject, { states, ownsStates, clock, streams, actives, receivedTo, key, rowsSince });
  subject.backlog = restOf(backlog, late);
  return { key: checkpoint.key, said, actives: checkpoint.actives };
}

/**
 * The sensor is from now on what these readings, in ascending order, come to from its oldest checkpoint on: they were
 * corrected. Answers what had been said instead.
 */
export function replaceReadings(subject: Subject, readings: readonly Reading[], context: FoldContext): Before {
  const [checkpoint] = subject.checkpoints as [Checkpoint];
  const { log, saving, plan } = subject;
  const ring = createRing(plan.metrics.length);
  const shadow: Subject = { ...subject, ring, log: NOTHING_TOLD, checkpoints: [checkpoint], backlog: undefined };
  restore(shadow, checkpoint);
  shadow.rowsSince = 0;
  for (const reading of readings) {
    if (reading.measuredAt <= shadow.key) continue;
    const row = append(ring);
    write(ring, row, reading.measuredAt, reading, plan);
    foldRow(shadow, row, context);
  }
  const said = log.filter(({ key }) => key > checkpoint.key);
  const kept = [...log.filter(({ key }) => key <= checkpoint.key), ...shadow.log];
  const { states, ownsStates, clock, streams, actives, receivedTo, key, rowsSince, checkpoints } = shadow;
  Object.assign(subject, { ring, states, ownsStates, clock, streams, actives, receivedTo, key, rowsSince });
  Object.assign(subject, { checkpoints, log: kept.length === 0 ? NOTHING_TOLD : kept, backlog: undefined });
  // None of the rows that are on disk holds any more.
  saving.fresh = true;
  saving.chunks = saving.chunks.map((chunk) => ({ ...chunk, to: Number.NEGATIVE_INFINITY }));
  return { key: checkpoint.key, said, actives: checkpoint.actives };
}

/** What has come since the fold began. */
function restOf({ rows, times, together }: Backlog, late: Float64Array): Backlog | undefined {
  const { width, data } = rows;
  rows.start += late.length;
  if (rows.start === rows.end) return undefined;
  for (let row = 0; row < late.length; row += width) times.delete(late[row + AT]!);
  let oldest = Number.POSITIVE_INFINITY;
  for (let row = rows.start; row < rows.end; row += width) {
    oldest = Math.min(oldest, data[row + KEY]!);
    times.add(data[row + AT]!);
  }
  return { rows, times, oldest, together, refold: undefined };
}

/** So many things were said of those that were folded last: each costs the records more than many rows cost here. */
export function adaptTo(backlog: Backlog, said: number): void {
  const next = said > MUCH_SAID ? backlog.together >> 1 : backlog.together << 1;
  backlog.together = Math.max(TOGETHER_MIN, Math.min(TOGETHER_MAX, next));
}

/** Folds the rows of the ring, of a sensor that stands at its oldest checkpoint. */
export function replay(subject: Subject, context: FoldContext): void {
  const { ring } = subject;
  for (let row = ring.start; row < ring.end; row += ring.width) foldRow(subject, row, context);
}

/** Nothing that has come so far can change any more: the rules are others now. */
export function seal(subject: Subject): void {
  const { ring, checkpoints } = subject;
  ring.start = 0;
  ring.end = 0;
  ring.hasBehind = false;
  subject.backlog = undefined;
  subject.log = NOTHING_TOLD;
  checkpoints.length = 0;
  checkpoints.push(checkpointOf(subject));
  subject.rowsSince = 0;
}

function write(ring: Ring, row: number, key: number, reading: Reading, { metrics }: Plan): void {
  const { data } = ring;
  const { values, quality } = reading;
  if (key !== reading.measuredAt) ring.hasBehind = true;
  let flags = reading.imported ? IMPORTED : 0;
  for (let i = 0; i < metrics.length; i++) {
    const metric = metrics[i]!;
    const value = values[metric];
    data[row + VALUES + i] = value === undefined ? Number.NaN : value;
    if (quality !== undefined && quality[metric] !== undefined) flags |= suspectBit(i);
  }
  data[row + KEY] = key;
  data[row + AT] = reading.measuredAt;
  data[row + RECEIVED] = reading.receivedAt;
  data[row + FLAGS] = flags;
}

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
