import type { Cause } from "../../model/alert.ts";
import type { Reading } from "../../model/reading.ts";
import type { Sentence } from "../../model/sentence.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { Outcome } from "../conditions/condition.ts";
import { HEARD, lookForSilence, type SilenceParams, stepSilence } from "../conditions/silence.ts";
import { delayOf } from "./arrivals.ts";
import type { FoldContext } from "./fold.ts";
import { appendReading, isRefolded, LATENESS_MS, refoldSome, replaceReadings, takeRefold } from "./history.ts";
import type { Watch } from "./plan.ts";
import { AT, RECEIVED } from "./ring.ts";
import { withWindow } from "./stream.ts";
import { type Active, addSign, type JudgedRow, NONE, type Subject } from "./subject.ts";
import { nextActive, type Recorder } from "./transitions.ts";

/** When readings were corrected (wall clock), and how, in a sentence. */
export type Rejudged = { readonly at: number; readonly note: Sentence };

type Heard = Pick<Reading, "measuredAt" | "receivedAt" | "imported">;

/** Everything that is not simply one more reading in order: late readings, and what the clock says ahead of them. */
export function createCorrector(recorder: Recorder, context: FoldContext, listeningSince: () => number | undefined) {
  /** The clock has spoken of a time that this reading is about. */
  const isAhead = (subject: Subject, { measuredAt }: Reading): boolean =>
    subject.tentative.size > 0 || subject.advancedTo > measuredAt;

  /** A reading in order that confirms what the clock said, or takes it back. */
  function confirm(subject: Subject, reading: Reading): void {
    const { actives, key } = subject;
    const told = subject.log.length;
    const byClock = subject.tentative;
    const isLate = reading.receivedAt - reading.measuredAt > LATENESS_MS + delayOf(subject.arrivals, subject.sensor);
    appendReading(subject, reading, context);
    const fresh = subject.log.slice(told);
    const settled = isLate && !reading.imported ? endLate(subject, fresh, reading) : new Set<number>();
    const said = flat(byClock).filter(({ column }) => !settled.has(column));
    setTentative(subject, advance(subject, subject.advancedTo, context));
    const now = [...fresh, ...flat(subject.tentative)];
    const cause = causeOf(reading);
    recorder.correct(subject, { key, said, actives }, now, { causeOf: () => cause, knownAt: cause.receivedAt, isLate });
    forgetTold(subject, byClock);
  }

  /**
   * A silence that a reading fills more than half an hour after it was due: it was one, and it is over. Within half an
   * hour it was none, which the comparison finds by itself. Answers the columns that are settled so.
   */
  function endLate(subject: Subject, fresh: readonly JudgedRow[], { measuredAt, receivedAt }: Reading): Set<number> {
    const settled = new Set<number>();
    for (const [column, told] of endSilences(subject, measuredAt)) {
      const { startedAt } = told[0]!.outcome;
      if (fresh.some((one) => one.column === column && one.outcome.startedAt === startedAt)) continue;
      recorder.record(subject, told.at(-1)!, receivedAt);
      settled.add(column);
    }
    return settled;
  }

  /** Folds the late readings of a sensor that wait, at most so many rows. Answers how many it was. */
  function catchUp(subject: Subject, rowsMax: number): number {
    const rows = refoldSome(subject, rowsMax, context);
    const { backlog } = subject;
    if (backlog && isRefolded(backlog)) settle(subject, backlog.refold!.late);
    return rows;
  }

  /** Says what is otherwise now that these late readings are in their place. */
  function settle(subject: Subject, late: Float64Array): void {
    const byClock = subject.tentative;
    const { key, said, actives } = takeRefold(subject);
    const now = subject.log.filter((told) => told.key > key);
    const silences = [...byClock].filter(([column]) => !subject.plan.watches[column]!.condition);
    setTentative(subject, new Map([...advance(subject, subject.advancedTo, context), ...silences]));
    const before = { key, said: [...said, ...flat(byClock)], actives };
    const causes = causesIn(subject, late);
    recorder.correct(subject, before, [...now, ...flat(subject.tentative)], { ...causes, isLate: true });
    forgetTold(subject, byClock);
  }

  /** Says what is otherwise now that the readings of a sensor were corrected. */
  function rejudge(subject: Subject, readings: readonly Reading[], { at, note }: Rejudged): void {
    const byClock = subject.tentative;
    const { lastAt } = subject.clock;
    const { key, said, actives } = replaceReadings(subject, readings, context);
    // What was left out has come all the same: the sensor is not silent.
    if (lastAt !== undefined && (subject.clock.lastAt ?? Number.NEGATIVE_INFINITY) < lastAt) {
      addSign(subject, Math.max(lastAt, subject.heardAt));
    }
    const now = subject.log.filter((told) => told.key > key);
    const silences = [...byClock].filter(([column]) => !subject.plan.watches[column]!.condition);
    setTentative(subject, new Map([...advance(subject, subject.advancedTo, context), ...silences]));
    const before = { key, said: [...said, ...flat(byClock)], actives };
    const cause = { sensorId: subject.sensor.id, measuredAt: at, receivedAt: at };
    const about = { causeOf: () => cause, knownAt: at, isLate: true, note };
    recorder.correct(subject, before, [...now, ...flat(subject.tentative)], about);
    forgetTold(subject, byClock);
  }

  /** A live reading that is no news in event time still shows that its sensor is not silent. */
  function hear(subject: Subject, { measuredAt, receivedAt, imported }: Heard): void {
    if (imported || subject.tentative.size === 0) return;
    const ended = endSilences(subject, measuredAt);
    if (ended.size === 0) return;
    setTentative(subject, new Map([...subject.tentative, ...ended]));
    for (const told of ended.values()) recorder.record(subject, told.at(-1)!, receivedAt);
  }

  /** The clock's own verdicts; of what is excused, none of its silence. True if there is something new to save. */
  function look(subject: Subject, now: number, isExcused = false): boolean {
    const news: ByClock = isExcused ? new Map() : lookAtSilence(subject, now, listeningSince());
    // By the clock of the sensor's own feed, which may be hours behind.
    const time = now - LATENESS_MS - delayOf(subject.arrivals, subject.sensor);
    if (Math.floor(time / MINUTE_MS) > Math.floor(subject.advancedTo / MINUTE_MS) && isBehind(subject, time)) {
      subject.advancedTo = time;
      for (const [column, told] of advance(subject, time, context)) {
        if (told.length > (subject.tentative.get(column)?.length ?? 0)) news.set(column, told);
      }
    }
    if (news.size === 0) return false;
    const before = subject.tentative;
    setTentative(subject, new Map([...before, ...news]));
    for (const [column, told] of news) {
      for (const one of told.slice(before.get(column)?.length ?? 0)) recorder.record(subject, one, now);
    }
    return true;
  }

  /** The rows of what the clock no longer says are written anew. */
  function forgetTold(subject: Subject, byClock: Subject["tentative"]): void {
    for (const column of byClock.keys()) recorder.touch(subject, column);
  }

  return { isAhead, confirm, catchUp, rejudge, hear, look };
}

/** Which of the late readings shows what became of an alert: the one measured next to its beginning. */
function causesIn({ sensor, ring, heardAt }: Subject, late: Float64Array) {
  const { width } = ring;
  let knownAt = heardAt;
  for (let row = 0; row < late.length; row += width) knownAt = Math.max(knownAt, late[row + RECEIVED]!);

  function causeOf(startedAt: number): Cause {
    let low = 0;
    let high = late.length / width;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (late[middle * width + AT]! < startedAt) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [(low - 1) * width, low * width];
    const isAfter =
      before < 0 || (after < late.length && late[after + AT]! - startedAt <= startedAt - late[before + AT]!);
    const row = isAfter ? after : before;
    return { sensorId: sensor.id, measuredAt: late[row + AT]!, receivedAt: late[row + RECEIVED]! };
  }

  return { knownAt, causeOf };
}

/** Windows of the sensor may have ended by the clock alone; every aligned window ends at a full minute. */
function isBehind({ streams }: Subject, time: number): boolean {
  for (const { lastAt } of streams) if (lastAt !== undefined && lastAt < time) return true;
  return false;
}

function setTentative(subject: Subject, byClock: ByClock): void {
  subject.tentative = byClock.size === 0 ? NONE : byClock;
}

const flat = (byClock: Subject["tentative"]): JudgedRow[] => [...byClock.values()].flat();

const causeOf = ({ sensorId, measuredAt, receivedAt }: Reading): Cause => ({ sensorId, measuredAt, receivedAt });

/**
 * What the clock says ahead of the readings: nothing of it enters the states, so that the readings, when they come, can
 * confirm it or take it back.
 */
type ByClock = Map<number, readonly JudgedRow[]>;

/** Everything up to `time` is known to have come: windows that have ended are judged without waiting for a sample. */
function advance(subject: Subject, time: number, context: FoldContext): ByClock {
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
function lookAtSilence(subject: Subject, now: number, listeningSince: number | undefined): ByClock {
  const told: ByClock = new Map();
  const { clock, heardAt, plan } = subject;
  if (clock.lastAt === undefined) return told;
  for (const watch of plan.silences) {
    if (watch.compiled.failure !== undefined) continue;
    const before = subject.tentative.get(watch.column) ?? [];
    const last = before.at(-1)?.outcome;
    if (last && last.what !== "resolved") continue;
    // Ended by an old reading: it may be silent again since then.
    const lastAt = last ? heardAt : Math.max(clock.lastAt, subject.signs.at(-1)?.to ?? 0);
    const arrivals = subject.arrivals.clock;
    const look = { now, lastAt, heardAt, cadence: clock, arrivals, listeningSince };
    const [, outcomes] = lookForSilence(watch.params as SilenceParams, HEARD, look);
    if (outcomes.length > 0) told.set(watch.column, tell(subject, watch, before, outcomes));
  }
  return told;
}

/** An old reading has arrived: it fills no gap, but whoever sends it is not silent. */
function endSilences(subject: Subject, at: number): ByClock {
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

function tell(subject: Subject, watch: Watch, before: readonly JudgedRow[], outcomes: readonly Outcome[]): JudgedRow[] {
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
