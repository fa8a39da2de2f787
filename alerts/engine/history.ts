import type { Reading } from "../../model/reading.ts";
import { LATE_AFTER_MS } from "../../model/reading.ts";
import { type FoldContext, fold } from "./fold.ts";
import type { Plan } from "./plan.ts";
import {
  AT,
  append,
  dropTo,
  FLAGS,
  firstAfter,
  has,
  IMPORTED,
  insert,
  KEY,
  RECEIVED,
  type Ring,
  rowCount,
  suspectBit,
  VALUES,
} from "./ring.ts";
import { checkpointOf, NOTHING_TOLD, restore, type Subject, type Told } from "./subject.ts";
import type { Active } from "./transition.ts";

/** How late a reading may be, in event time of its sensor, and still change what was said. */
export const LATENESS_MS = LATE_AFTER_MS;

/**
 * "behind": too late for the sensor, but the first news of its own metrics: an analyser may run an hour behind the
 * thermometer beside it. "too-late": counted, decides nothing.
 */
export type Place = "in-order" | "late" | "behind" | "duplicate" | "too-late";

export function placeOf(subject: Subject, { measuredAt: at, values }: Reading): Place {
  const { clock, ring, checkpoints, plan, streams } = subject;
  const { lastAt } = clock;
  if (lastAt === undefined || at > lastAt) return "in-order";
  if (at === lastAt || has(ring, at)) return "duplicate";
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

/** Below any difference of two times; keeps readings apart that are taken up at the same place in the order. */
const KEY_STEP = 1 / 1024;

/** Folds a reading that comes after all others, or is taken for such. */
export function goOn(subject: Subject, reading: Reading, context: FoldContext): void {
  const key = Math.max(reading.measuredAt, subject.key + KEY_STEP);
  checkpointIfDue(subject, key);
  const { ring, plan, saving } = subject;
  saving.fresh = true;
  const row = append(ring);
  write(ring, row, key, reading, plan);
  subject.rowsSince += 1;
  fold(subject, row, context);
}

/** Enough that a sensor with a hundred readings in half an hour is folded anew from the one before the last half hour. */
const CHECKPOINT_ROWS = 64;

function checkpointIfDue(subject: Subject, key: number): void {
  const { checkpoints, rowsSince } = subject;
  if (rowsSince === 0) return;
  if (key - checkpoints.at(-1)!.key < LATENESS_MS && rowsSince < CHECKPOINT_ROWS) return;
  checkpoints.push(checkpointOf(subject));
  subject.rowsSince = 0;
}

/**
 * Lets go of what can no longer change: older than the lateness, or too many. Answers how many readings were given up
 * before their time.
 */
export function prune(subject: Subject, rowsMax: number): number {
  const { checkpoints, ring, clock } = subject;
  const changeable = (clock.lastAt ?? 0) - LATENESS_MS;
  let early = 0;
  while (checkpoints.length > 1 && (checkpoints[1]!.key <= changeable || rowCount(ring) > rowsMax)) {
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
  readonly said: readonly Told[];
  readonly actives: ReadonlyMap<number, Active>;
};

/** Takes a late reading into its place and folds again from the checkpoint before it. */
export function insertLate(subject: Subject, reading: Reading, context: FoldContext): Before {
  const { ring, plan, saving } = subject;
  saving.fresh = true;
  const key = reading.measuredAt;
  write(ring, insert(ring, key), key, reading, plan);
  return refold(subject, key, context);
}

/** Folds again all that comes after the last checkpoint before `key`. */
export function refold(subject: Subject, key: number, context: FoldContext): Before {
  const { checkpoints, ring } = subject;
  const index = checkpoints.findLastIndex((one) => one.key < key);
  const checkpoint = checkpoints[index]!;
  checkpoints.length = index + 1;
  const said = subject.log.filter((told) => told.key > checkpoint.key);
  if (said.length > 0) subject.log = subject.log.filter((told) => told.key <= checkpoint.key);
  restore(subject, checkpoint);
  subject.rowsSince = 0;
  for (let row = firstAfter(ring, checkpoint.key); row < ring.end; row += ring.width) {
    checkpointIfDue(subject, ring.data[row + KEY]!);
    subject.rowsSince += 1;
    fold(subject, row, context);
  }
  return { key: checkpoint.key, said, actives: checkpoint.actives };
}

/** Nothing that has come so far can change any more: the rules are others now. */
export function seal(subject: Subject): void {
  const { ring, checkpoints } = subject;
  ring.start = 0;
  ring.end = 0;
  subject.log = NOTHING_TOLD;
  checkpoints.length = 0;
  checkpoints.push(checkpointOf(subject));
  subject.rowsSince = 0;
}

function write({ data }: Ring, row: number, key: number, reading: Reading, { metrics }: Plan): void {
  const { values, quality } = reading;
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
