import { LATE_AFTER_MS, type Reading } from "../../model/reading.ts";
import { type FoldContext, fold } from "./fold.ts";
import type { Plan } from "./plan.ts";
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
  type Active,
  type Backlog,
  type Checkpoint,
  checkpointOf,
  type JudgedRow,
  NOTHING_TOLD,
  restore,
  type Subject,
} from "./subject.ts";

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
