import type { Cause, Evidence, Expected } from "../../model/alert.ts";
import type { Sentence } from "../../model/sentence.ts";
import type { Span } from "../../model/silence.ts";
import { SILENCE_MIN_MS } from "../conditions/cadence.ts";
import type { Outcome, WatchedSensor } from "../conditions/condition.ts";
import { type Arrivals, createArrivals } from "./arrivals.ts";
import type { Plan } from "./plan.ts";
import { createRing, type Ring } from "./ring.ts";
import { type Clock, copyClock, copyStream, createClock, createStream, type Stream } from "./stream.ts";

/** What an alert that is not over yet rests on. Kept with the state, so that its end can tell the whole story. */
export type Active = {
  readonly startedAt: number;
  /** Of a rule with levels. */
  readonly level?: number;
  readonly firedAt?: number;
  readonly value?: number;
  readonly limit?: number;
  readonly evidence: readonly Evidence[];
  readonly explanation: string;
  readonly says?: readonly Sentence[];
  readonly expected?: Expected;
  /** It fired by readings of the past. */
  readonly isHistory?: true;
};

/** Something a rule said: the outcome and what the alert then was. `key`: the row of the ring that made it say so. */
export type JudgedRow = {
  readonly key: number;
  readonly column: number;
  readonly outcome: Outcome;
  readonly active: Active;
};

/** What the rows up to `key` came to. The states are immutable, so that this is a copy of references. */
export type Checkpoint = {
  readonly key: number;
  readonly states: readonly unknown[];
  readonly clock: Clock;
  readonly streams: readonly Stream[];
  readonly actives: ReadonlyMap<number, Active>;
  readonly receivedTo: number;
};

/** Late readings that no rule has seen yet. They become part of the ring once they are folded. */
export type Backlog = {
  /** In the order of arrival. */
  readonly rows: Ring;
  readonly times: Set<number>;
  /** The least of their keys. */
  oldest: number;
  /** So many of them are folded together. */
  together: number;
  refold: Refold | undefined;
};

/** A fold of the rows after a checkpoint with the late ones among them, beside the sensor as it is, some rows at a time. */
type Refold = {
  readonly shadow: Subject;
  readonly checkpoint: Checkpoint;
  /** The late rows that are in it, sorted. */
  readonly late: Float64Array;
  /** The next row of the shadow's ring. */
  row: number;
};

/**
 * A sensor as the engine knows it. The first block is a fold over its readings in event-time order, and nothing else: it
 * could be made again from the oldest checkpoint and the ring.
 */
export type Subject = {
  states: readonly unknown[];
  /** False while `states` is shared, with a checkpoint or with every quiet sensor. */
  ownsStates: boolean;
  /** All readings of the sensor, whatever they measure; and those of each metric, by `Track.index`. */
  clock: Clock;
  streams: Stream[];
  /** The alerts that are not over, by column. */
  actives: ReadonlyMap<number, Active>;
  /** When the newest of the live readings arrived. */
  receivedTo: number;
  /** The newest row. */
  key: number;
  /** What was said because of the rows of the ring. */
  log: JudgedRow[];
  /** Rows since the newest checkpoint. */
  rowsSince: number;

  readonly ring: Ring;
  backlog: Backlog | undefined;
  /** About how many of the rows came late; fades as others come in order. */
  late: number;
  /** Oldest first, never empty: nothing up to the oldest can change any more. */
  readonly checkpoints: Checkpoint[];
  /** What was said by the clock, ahead of the readings, by column. */
  tentative: ReadonlyMap<number, readonly JudgedRow[]>;
  /** The clock's verdicts are about the time up to here. */
  advancedTo: number;
  /** The late readings that changed alerts that are not over. */
  causes: ReadonlyMap<number, { readonly startedAt: number; readonly cause: Cause }>;

  readonly sensor: WatchedSensor;
  readonly plan: Plan;
  /** Was in the registry when it was bound. */
  readonly registered: boolean;
  /** When anything of it last arrived live, and whether its newest reading is imported history. */
  heardAt: number;
  imported: boolean;
  /** When messages of it arrived that were refused, oldest first. */
  signs: readonly Sign[];
  readonly arrivals: Arrivals;
  /** The reading that is being folded is of the past; and when people worked on the sensor around it. */
  isPast: boolean;
  works: readonly Span[];
  readonly saving: Saving;
};

/** What of a sensor is on disk. Outlives a change of its rules. */
type Saving = {
  dirty: boolean;
  base: Checkpoint | undefined;
  /** A message has come that is no row of the ring: only the base tells of it. */
  isBaseStale: boolean;
  /** Readings have come since it was last saved. */
  fresh: boolean;
  isBacklogStored: boolean;
  /** The chunk that is written anew until it is full, and those that are. */
  open: number;
  isOpenStored: boolean;
  chunks: { readonly name: string; readonly to: number }[];
  /** Rules whose alerts have changed, and those that have a row. */
  readonly changed: Set<string>;
  readonly stored: Set<string>;
};

export const NO_WORKS: readonly Span[] = [];
export const NONE: ReadonlyMap<number, never> = new Map<number, never>();
/** Shared by all who have said nothing lately; never added to. */
export const NOTHING_TOLD: JudgedRow[] = [];

export const declaredMsOf = ({ intervalS }: WatchedSensor) => (intervalS === undefined ? undefined : intervalS * 1_000);

export function createSubject(sensor: WatchedSensor, registered: boolean, plan: Plan): Subject {
  const declaredMs = declaredMsOf(sensor);
  const subject: Subject = {
    states: plan.quiet,
    ownsStates: false,
    clock: createClock(declaredMs),
    streams: plan.tracks.map(({ sizes }) => createStream(declaredMs, sizes)),
    actives: NONE,
    receivedTo: 0,
    key: Number.NEGATIVE_INFINITY,
    log: NOTHING_TOLD,
    rowsSince: 0,
    ring: createRing(plan.metrics.length),
    backlog: undefined,
    late: 0,
    checkpoints: [],
    tentative: NONE,
    advancedTo: Number.NEGATIVE_INFINITY,
    causes: NONE,
    sensor,
    plan,
    registered,
    heardAt: 0,
    imported: false,
    signs: [],
    arrivals: createArrivals(),
    isPast: false,
    works: NO_WORKS,
    saving: createSaving(),
  };
  subject.checkpoints.push(checkpointOf(subject));
  return subject;
}

/** A span of time (of receipt) in which refused messages came, with no gap that could be a silence. */
export type Sign = { readonly from: number; readonly to: number };

const SIGNS_MAX = 32;

export function addSign(subject: Subject, at: number): void {
  const { signs } = subject;
  const last = signs.at(-1);
  const isNear = last !== undefined && at - last.to < SILENCE_MIN_MS;
  if (isNear) subject.signs = [...signs.slice(0, -1), { from: last.from, to: Math.max(last.to, at) }];
  else subject.signs = [...signs, { from: at, to: at }].slice(-SIGNS_MAX);
}

function createSaving(): Saving {
  return {
    dirty: false,
    base: undefined,
    isBaseStale: false,
    fresh: false,
    isBacklogStored: false,
    open: 0,
    isOpenStored: false,
    chunks: [],
    changed: new Set(),
    stored: new Set(),
  };
}

/** From here on the states are shared with the checkpoint; the clocks are copied, because they change in place. */
export function checkpointOf(subject: Subject): Checkpoint {
  const { plan, key, actives, receivedTo } = subject;
  if (subject.ownsStates && subject.states.every((state, column) => state === plan.quiet[column])) {
    subject.states = plan.quiet;
  }
  subject.ownsStates = false;
  const clock = copyClock(subject.clock);
  return { key, states: subject.states, clock, streams: subject.streams.map(copyStream), actives, receivedTo };
}

export function restore(subject: Subject, checkpoint: Checkpoint): void {
  subject.states = checkpoint.states;
  subject.ownsStates = false;
  subject.clock = copyClock(checkpoint.clock);
  subject.streams = checkpoint.streams.map(copyStream);
  subject.actives = checkpoint.actives;
  subject.receivedTo = checkpoint.receivedTo;
  subject.key = checkpoint.key;
}

export function setState(subject: Subject, column: number, state: unknown): void {
  if (!subject.ownsStates) {
    subject.states = subject.states.slice();
    subject.ownsStates = true;
  }
  (subject.states as unknown[])[column] = state;
}

export function withEntry<Value>(map: ReadonlyMap<number, Value>, column: number, value: Value | undefined) {
  if (value === undefined && !map.has(column)) return map;
  const next = new Map(map);
  if (value === undefined) next.delete(column);
  else next.set(column, value);
  return next.size === 0 ? (NONE as ReadonlyMap<number, Value>) : next;
}
