import type { Cause } from "../../model/alert.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { Params } from "./compile.ts";
import { openBacklog } from "./history.ts";
import type { OpenWindow } from "./open-window.ts";
import type { Plan, Watch } from "./plan.ts";
import { AT, append, FLAGS, IMPORTED, KEY, type Ring, SAVED, suspectBit, VALUES } from "./ring.ts";
import { recentTimes, streamOf, withWindows } from "./stream.ts";
import type { Checkpoint, Subject, Told } from "./subject.ts";
import { openAlert } from "./teller.ts";
import type { Active } from "./transition.ts";

/** A row of the records: opaque to them. State "" removes it. */
export type StateRow = { readonly rule: string; readonly subject: string; readonly state: string };

/**
 * Rows that are not a rule's: no rule id can start with "~". A sensor's oldest checkpoint, and the readings since in
 * chunks, of which only the last is written again; folded once more they give everything else. `PLAN` says what the columns of a checkpoint are.
 */
export const BASE = "~base";
export const RECENT = "~rows";
/** Late readings that are not among those yet: no rule has seen them. */
export const LATE = "~late";
export const PLAN = "~plan";
export const LISTENING = "~listening";
/** Rules whose condition has thrown. */
export const FAILED = "~failed";
/** Of former versions. */
export const OUTDATED: readonly string[] = ["~clocks", "~readings"];

export type PlanJson = { readonly watches: [rule: string, fit: string, params: Params][]; readonly derived: string[] };

export function planRow({ id, watches, deriving }: Plan): StateRow {
  const json: PlanJson = {
    watches: watches.map(({ compiled, params }) => [compiled.rule.id, compiled.fit, params]),
    derived: deriving.map(({ track }) => track.metric),
  };
  return { rule: PLAN, subject: id, state: JSON.stringify(json) };
}

export type BaseJson = {
  readonly plan: string;
  /** null: before the first reading. */
  readonly key: number | null;
  readonly heardAt: number;
  readonly imported: boolean;
  readonly receivedTo: number;
  readonly times: number[];
  readonly streams: [metric: string, times: number[], windows: readonly OpenWindow[]][];
  /** Those that are not quiet: many rules share one. */
  readonly states: [state: unknown, columns: number[]][];
  readonly actives: [column: number, active: Active][];
};

export function baseRow(subject: Subject): StateRow {
  const { plan, sensor, heardAt, imported } = subject;
  const { key, receivedTo, clock, streams, states, actives } = subject.checkpoints[0]!;
  const json: BaseJson = {
    plan: plan.id,
    key: Number.isFinite(key) ? key : null,
    heardAt,
    imported,
    receivedTo,
    times: recentTimes(clock),
    streams: plan.tracks.map(({ metric, index }) => [metric, recentTimes(streams[index]!), streams[index]!.windows]),
    states: grouped(states, plan.quiet),
    actives: [...actives],
  };
  return { rule: BASE, subject: sensor.id, state: JSON.stringify(json) };
}

function grouped(states: readonly unknown[], quiet: readonly unknown[]): BaseJson["states"] {
  const groups = new Map<unknown, number[]>();
  if (states === quiet) return [];
  for (let column = 0; column < states.length; column++) {
    const state = states[column];
    if (state === quiet[column]) continue;
    const columns = groups.get(state);
    if (columns) columns.push(column);
    else groups.set(state, [column]);
  }
  return [...groups];
}

/** The checkpoint, of a sensor under the plan it was made with. `columns`: where the plan has the columns of the row. */
export function checkpointFrom(
  json: BaseJson,
  plan: Plan,
  columns: readonly (number | undefined)[],
  declaredMs: number | undefined,
): Checkpoint {
  const known = new Map(json.streams.map(([metric, ...rest]) => [metric, rest]));
  const states = [...plan.quiet];
  const actives = new Map<number, Active>();
  for (const [state, shared] of json.states) {
    for (const column of shared) {
      const to = columns[column];
      if (to !== undefined) states[to] = state;
    }
  }
  for (const [column, active] of json.actives) {
    const to = columns[column];
    if (to !== undefined) actives.set(to, active);
  }
  return {
    key: json.key ?? Number.NEGATIVE_INFINITY,
    states: json.states.length === 0 ? plan.quiet : states,
    clock: streamOf(declaredMs, json.times),
    streams: plan.tracks.map(({ metric, windowsMs }) => {
      const [times = [], windows = []] = known.get(metric) ?? [];
      return withWindows(streamOf(declaredMs, times, windows), windowsMs);
    }),
    actives,
    receivedTo: json.receivedTo,
  };
}

/**
 * `rows`: readings one after the other, as little-endian doubles in base64 (a tenth of the time of decimal digits), each
 * without the values that none of them has; `places` are those of `metrics` that are there.
 */
type RecentJson = {
  readonly metrics: readonly MetricName[];
  readonly places: readonly number[];
  readonly rows: string;
};

/** The readings of the ring that are in no closed chunk. */
export function openRows({ width, data, start, end }: Ring): number[] {
  const rows: number[] = [];
  for (let row = start; row < end; row += width) if ((data[row + FLAGS]! & SAVED) === 0) rows.push(row);
  return rows;
}

/** The readings of the ring that are in no closed chunk; "": none. */
export const recentState = ({ plan, ring }: Subject): string => packRows(plan, ring, openRows(ring));

/** The late readings that wait; "": none. */
export const backlogState = ({ plan, backlog }: Subject): string =>
  backlog ? packRows(plan, backlog.rows, openRows(backlog.rows)) : "";

function packRows({ metrics }: Plan, { data }: Ring, open: readonly number[]): string {
  if (open.length === 0) return "";
  const places: number[] = [];
  for (let place = 0; place < metrics.length; place++) {
    if (open.some((row) => !Number.isNaN(data[row + VALUES + place]!))) places.push(place);
  }
  const width = VALUES + places.length;
  const packed = new Float64Array(open.length * width);
  let to = 0;
  for (const row of open) {
    for (let i = 0; i < VALUES; i++) packed[to++] = data[row + i]!;
    for (const place of places) packed[to++] = data[row + VALUES + place]!;
  }
  const rows = Buffer.from(packed.buffer).toString("base64");
  return JSON.stringify({ metrics, places, rows } satisfies RecentJson);
}

/** The readings of a chunk, with all values of `metrics` again. */
export function recentRows(state: string): RecentRow[] {
  const { metrics, places, rows } = JSON.parse(state) as RecentJson;
  const packed = new Float64Array(Uint8Array.from(Buffer.from(rows, "base64")).buffer);
  const width = VALUES + places.length;
  return Array.from({ length: packed.length / width }, (_, i) => {
    const row = new Float64Array(VALUES + metrics.length).fill(Number.NaN, VALUES);
    row.set(packed.subarray(i * width, i * width + VALUES));
    for (const [j, place] of places.entries()) row[VALUES + place] = packed[i * width + VALUES + j]!;
    return { metrics, row };
  });
}

export function markSaved({ width, data, start, end }: Ring): void {
  for (let row = start; row < end; row += width) data[row + FLAGS] = data[row + FLAGS]! | SAVED;
}

export type RecentRow = { readonly metrics: readonly MetricName[]; readonly row: Float64Array };

/** The readings that waited, under the plan they were saved with. */
export function restoreBacklog(subject: Subject, state: string): void {
  const backlog = openBacklog(subject);
  for (const saved of recentRows(state)) {
    addRow(backlog.rows, subject.plan, saved, 0);
    const key = saved.row[KEY]!;
    backlog.times.add(key);
    backlog.oldest = Math.min(backlog.oldest, key);
  }
}

/** A row of a chunk, with the metrics of today's plan. */
export function addRow(ring: Ring, plan: Plan, { metrics, row: saved }: RecentRow, mark = SAVED): void {
  const row = append(ring);
  const { data } = ring;
  const flags = saved[FLAGS]!;
  let kept = mark | (flags & IMPORTED);
  if (saved[KEY] !== saved[AT]) ring.hasBehind = true;
  for (let i = 0; i < VALUES; i++) data[row + i] = saved[i]!;
  for (const [i, metric] of plan.metrics.entries()) {
    const from = metrics.indexOf(metric);
    data[row + VALUES + i] = (from < 0 ? undefined : saved[VALUES + from]) ?? Number.NaN;
    if (from >= 0 && (flags & suspectBit(from)) !== 0) kept |= suspectBit(i);
  }
  data[row + FLAGS] = kept;
}

/** Of a rule on a sensor, while there is something to remember. */
export type WatchJson = {
  readonly fit: string;
  /** Of the alert that is not over: so that it can be ended if the rule is gone by the next start. */
  readonly startedAt?: number;
  readonly tentative?: readonly Told[];
  readonly advancedTo?: number;
  readonly cause?: { startedAt: number; cause: Cause };
};

/** "": nothing to remember. */
export function watchState(subject: Subject, watch: Watch | undefined): string {
  if (!watch) return "";
  const { column, compiled } = watch;
  const open = openAlert(subject, column);
  const tentative = subject.tentative.get(column);
  if (!open && !tentative) return "";
  const json: WatchJson = { fit: compiled.fit, startedAt: open?.startedAt };
  const clock = tentative && { tentative, advancedTo: finite(subject.advancedTo) };
  return JSON.stringify({ ...json, ...clock, cause: subject.causes.get(column) });
}

const finite = (time: number) => (Number.isFinite(time) ? time : undefined);

/** An alert whose rule or sensor is gone, or whose rule now says something else: someone has to end it. */
export type Orphan = { readonly row: StateRow; readonly startedAt: number | undefined; readonly fit?: string };
