import type { WatchedSensor } from "../conditions/condition.ts";
import { seal } from "./history.ts";
import type { Plan, Watch } from "./plan.ts";
import { createRing } from "./ring.ts";
import { copyStream, createStream, type Stream, withWindows } from "./stream.ts";
import { type Checkpoint, declaredMsOf, NONE, type Subject } from "./subject.ts";

/**
 * The same sensor under another plan, or with another entry in the registry. Rules that are as they were keep their
 * states and alerts; new ones begin with nothing. Unless all rules and params are the same, what has come so far is
 * sealed: a late reading cannot change what was said under other rules, nor make a new rule speak of the past.
 */
export function rebind(former: Subject, sensor: WatchedSensor, registered: boolean, plan: Plan): Subject {
  const declaredMs = declaredMsOf(sensor);
  const entry = { sensor, registered, plan };
  if (plan.id === former.plan.id) {
    const subject: Subject = { ...former, ...entry };
    declare(subject, declaredMs);
    for (const checkpoint of subject.checkpoints) declare(checkpoint, declaredMs);
    return subject;
  }
  const columns = columnsFrom(former.plan, plan);
  const states = plan.quiet.map((quiet, i) => (columns[i] === undefined ? quiet : former.states[columns[i]]));
  const subject: Subject = {
    ...former,
    ...entry,
    states,
    ownsStates: true,
    streams: streamsFrom(former, plan, declaredMs),
    actives: moved(former.actives, columns),
    tentative: moved(former.tentative, columns),
    causes: moved(former.causes, columns),
    ring: createRing(plan.metrics.length),
    backlog: undefined,
    checkpoints: [],
  };
  declare(subject, declaredMs);
  seal(subject);
  return subject;
}

const name = ({ compiled }: Watch) => `${compiled.rule.id} ${compiled.fit}`;

/** For each column of the new plan the one that held the same before. */
function columnsFrom(former: Plan, plan: Plan): (number | undefined)[] {
  const known = new Map(former.watches.map((watch) => [name(watch), watch.column]));
  const derived = new Map(former.deriving.map(({ track, column }) => [track.metric, column]));
  return [
    ...plan.watches.map((watch) => known.get(name(watch))),
    ...plan.deriving.map(({ track }) => derived.get(track.metric)),
  ];
}

function streamsFrom(former: Subject, plan: Plan, declaredMs: number | undefined): Stream[] {
  const known = new Map(former.plan.tracks.map(({ metric, index }) => [metric, former.streams[index]!]));
  return plan.tracks.map(({ metric, sizes }) => {
    const stream = known.get(metric);
    return stream ? withWindows(copyStream(stream), sizes) : createStream(declaredMs, sizes);
  });
}

function declare({ clock, streams }: Pick<Checkpoint, "clock" | "streams">, declaredMs: number | undefined): void {
  clock.declaredMs = declaredMs;
  for (const stream of streams) stream.declaredMs = declaredMs;
}

function moved<Value>(map: ReadonlyMap<number, Value>, columns: readonly (number | undefined)[]) {
  if (map.size === 0) return map;
  const next = new Map<number, Value>();
  for (const [to, from] of columns.entries()) {
    const value = from === undefined ? undefined : map.get(from);
    if (value !== undefined) next.set(to, value);
  }
  return next.size === 0 ? (NONE as ReadonlyMap<number, Value>) : next;
}

/** Columns of the old plan that the new one no longer has. */
export function droppedColumns(former: Plan, plan: Plan): Watch[] {
  const kept = new Set(plan.watches.map(name));
  return former.watches.filter((watch) => !kept.has(name(watch)));
}

/** A rule that has failed: as if it had never seen this sensor. */
export function clearColumn(subject: Subject, column: number): void {
  const quiet = subject.plan.quiet[column];
  const cleared = (states: readonly unknown[]) => (states[column] === quiet ? states : states.with(column, quiet));
  const without = <Value>(map: ReadonlyMap<number, Value>) => {
    if (!map.has(column)) return map;
    const rest = [...map].filter(([one]) => one !== column);
    return rest.length === 0 ? (NONE as ReadonlyMap<number, Value>) : new Map(rest);
  };
  subject.states = cleared(subject.states);
  subject.actives = without(subject.actives);
  subject.tentative = without(subject.tentative);
  subject.causes = without(subject.causes);
  // Begun anew: it has seen the rule, too.
  if (subject.backlog) subject.backlog.refold = undefined;
  if (subject.log.some((told) => told.column === column)) {
    subject.log = subject.log.filter((told) => told.column !== column);
  }
  for (const [i, checkpoint] of subject.checkpoints.entries()) {
    const states = cleared(checkpoint.states);
    const actives = without(checkpoint.actives);
    if (states === checkpoint.states && actives === checkpoint.actives) continue;
    subject.checkpoints[i] = { ...checkpoint, states, actives };
  }
}
