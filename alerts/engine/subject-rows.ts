import type { Cause } from "../../model/alert.ts";
import type { MetricName } from "../../model/metrics.ts";
import type { WatchedSensor } from "../conditions/condition.ts";
import { type ArrivalsJson, arrivalsFrom, arrivalsToJson, arrive } from "./arrivals.ts";
import type { FoldContext } from "./fold.ts";
import { replay as foldAgain, openBacklog } from "./history.ts";
import type { Bound, CompiledRule, Params, Plan, Planner, Watch } from "./plan.ts";
import { rebind } from "./rebind.ts";
import { AT, append, FLAGS, IMPORTED, KEY, RECEIVED, type Ring, SAVED, suspectBit, VALUES } from "./ring.ts";
import type { StateRow } from "./states.ts";
import type { OpenWindow } from "./stream.ts";
import {
  type ClockJson,
  clockFrom,
  clockOfTimes,
  clockToJson,
  recentTimes,
  type SlowJson,
  slowToJson,
  streamOf,
  withWindows,
} from "./stream.ts";
import type { Active } from "./subject.ts";
import {
  type Checkpoint,
  createSubject,
  declaredMsOf,
  type JudgedRow,
  restore,
  type Subject,
  withEntry,
} from "./subject.ts";
import { openAlert } from "./transitions.ts";

/**
 * Rows that are not a rule's: no rule id can start with "~". A sensor's oldest checkpoint, and the readings since in
 * chunks, of which only the last is written again; folded once more they give everything else. `PLAN` says what the columns of a checkpoint are.
 */
const BASE = "~base";
const RECENT = "~rows";
/** Late readings that are not among those yet: no rule has seen them. */
const LATE = "~late";
const PLAN = "~plan";
export const LISTENING = "~listening";
/** Rules whose condition has thrown. */
export const FAILED = "~failed";
type PlanJson = { readonly watches: [rule: string, fit: string, params: Params][]; readonly derived: string[] };

function planRow({ id, watches, deriving }: Plan): StateRow {
  const json: PlanJson = {
    watches: watches.map(({ compiled, params }) => [compiled.rule.id, compiled.fit, params]),
    derived: deriving.map(({ track }) => track.metric),
  };
  return { rule: PLAN, subject: id, state: JSON.stringify(json) };
}

type BaseJson = {
  readonly plan: string;
  /** null: before the first reading. */
  readonly key: number | null;
  readonly heardAt: number;
  readonly imported: boolean;
  readonly receivedTo: number;
  readonly signs?: Subject["signs"];
  /** As versions before kept `clock`. */
  readonly times: number[];
  readonly clock?: ClockJson | undefined;
  readonly arrivals?: ArrivalsJson | undefined;
  readonly streams: [metric: string, times: number[], windows: readonly OpenWindow[], slow?: SlowJson | null][];
  /** Those that are not quiet: many rules share one. */
  readonly states: [state: unknown, columns: number[]][];
  readonly actives: [column: number, active: Active][];
};

function baseRow(subject: Subject): StateRow {
  const { plan, sensor, heardAt, imported, signs, arrivals } = subject;
  const { key, receivedTo, clock, streams, states, actives } = subject.checkpoints[0]!;
  const json: BaseJson = {
    plan: plan.id,
    key: Number.isFinite(key) ? key : null,
    heardAt,
    imported,
    receivedTo,
    ...(signs.length > 0 ? { signs } : {}),
    times: [],
    clock: clockToJson(clock),
    arrivals: arrivalsToJson(arrivals),
    streams: plan.tracks.map(({ metric, index }) => {
      const stream = streams[index]!;
      const slow = slowToJson(stream);
      return [metric, recentTimes(stream), stream.windows, ...(slow ? [slow] : [])] as BaseJson["streams"][number];
    }),
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
function checkpointFrom(
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
    clock: json.clock ? clockFrom(declaredMs, json.clock) : clockOfTimes(declaredMs, json.times),
    streams: plan.tracks.map(({ metric, sizes }) => {
      const [times = [], windows = [], slow] = known.get(metric) ?? [];
      return withWindows(streamOf(declaredMs, times, windows, slow ?? {}), sizes);
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
function openRows({ width, data, start, end }: Ring): number[] {
  const rows: number[] = [];
  for (let row = start; row < end; row += width) if ((data[row + FLAGS]! & SAVED) === 0) rows.push(row);
  return rows;
}

/** The late readings that wait; "": none. */
const backlogState = ({ plan, backlog }: Subject): string =>
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
function recentRows(state: string): RecentRow[] {
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

function markSaved({ width, data, start, end }: Ring): void {
  for (let row = start; row < end; row += width) data[row + FLAGS] = data[row + FLAGS]! | SAVED;
}

type RecentRow = { readonly metrics: readonly MetricName[]; readonly row: Float64Array };

/** The readings that waited, under the plan they were saved with. */
function restoreBacklog(subject: Subject, state: string): void {
  const backlog = openBacklog(subject);
  for (const saved of recentRows(state)) {
    addRow(backlog.rows, subject.plan, saved, 0);
    const key = saved.row[KEY]!;
    backlog.times.add(key);
    backlog.oldest = Math.min(backlog.oldest, key);
  }
}

/** A row of a chunk, with the metrics of today's plan. */
function addRow(ring: Ring, plan: Plan, { metrics, row: saved }: RecentRow, mark = SAVED): void {
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
type WatchJson = {
  readonly fit: string;
  /** Of the alert that is not over. */
  readonly startedAt?: number;
  readonly tentative?: readonly JudgedRow[];
  readonly advancedTo?: number;
  readonly cause?: { startedAt: number; cause: Cause };
};

/** "": nothing to remember. */
function watchState(subject: Subject, watch: Watch | undefined): string {
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

// ---- what of a sensor has to be written ---------------------------------------------------------------------------

const chunkName = (sensorId: string, chunk: number) => `${sensorId} ${String(chunk).padStart(9, "0")}`;

/** A chunk with so many readings is written no more: few rows for a fast sensor, and little written twice. */
const CHUNK_ROWS = 16;

/** What has changed of a sensor since it was last asked. `plans`: those that are on disk. */
export function changedRows(subject: Subject, plans: Set<string>): StateRow[] {
  const { saving, checkpoints, plan, sensor, backlog } = subject;
  const rows: StateRow[] = [];
  if (saving.base !== checkpoints[0] || saving.isBaseStale) {
    if (!plans.has(plan.id)) rows.push(planRow(plan));
    plans.add(plan.id);
    rows.push(baseRow(subject));
  }
  saving.base = checkpoints[0];
  saving.isBaseStale = false;
  rows.push(...chunkRows(subject));
  if (backlog || saving.isBacklogStored) rows.push({ rule: LATE, subject: sensor.id, state: backlogState(subject) });
  saving.isBacklogStored = backlog !== undefined;
  rows.push(...watchRows(subject));
  return rows;
}

/** The chunks that are needed no more, and the open one if it has changed. */
function chunkRows({ saving, sensor, checkpoints, ring, plan }: Subject): StateRow[] {
  const { key } = checkpoints[0]!;
  const rows: StateRow[] = [];
  saving.chunks = saving.chunks.filter(({ name, to }) => {
    if (to <= key) rows.push({ rule: RECENT, subject: name, state: "" });
    return to > key;
  });
  const open = openRows(ring);
  const isChanged = saving.fresh || (saving.isOpenStored && open.length === 0);
  saving.fresh = false;
  if (!isChanged || (open.length === 0 && !saving.isOpenStored)) return rows;
  const name = chunkName(sensor.id, saving.open);
  rows.push({ rule: RECENT, subject: name, state: packRows(plan, ring, open) });
  saving.isOpenStored = open.length > 0;
  if (open.length < CHUNK_ROWS) return rows;
  saving.chunks.push({ name, to: ring.data[open.at(-1)! + KEY]! });
  markSaved(ring);
  saving.open += 1;
  saving.isOpenStored = false;
  return rows;
}

function watchRows(subject: Subject): StateRow[] {
  const { saving, sensor, plan } = subject;
  const rows: StateRow[] = [];
  for (const rule of saving.changed) {
    const state = watchState(
      subject,
      plan.watches.find(({ compiled }) => compiled.rule.id === rule),
    );
    if (state !== "" || saving.stored.has(rule)) rows.push({ rule, subject: sensor.id, state });
    if (state === "") saving.stored.delete(rule);
    else saving.stored.add(rule);
  }
  saving.changed.clear();
  return rows;
}

/** The sensor is no more: its rows go. */
export function droppedRows({ sensor: { id }, saving }: Subject): StateRow[] {
  const { chunks, open, isOpenStored, isBacklogStored, stored } = saving;
  const names = [...chunks.map(({ name }) => name), ...(isOpenStored ? [chunkName(id, open)] : [])];
  return [
    { rule: BASE, subject: id, state: "" },
    ...names.map((subject) => ({ rule: RECENT, subject, state: "" })),
    ...(isBacklogStored ? [{ rule: LATE, subject: id, state: "" }] : []),
    ...[...stored].map((rule) => ({ rule, subject: id, state: "" })),
  ];
}

// ---- and what is made of it again ---------------------------------------------------------------------------------

type LoadContext = FoldContext & {
  readonly rules: readonly CompiledRule[];
  readonly planner: Planner;
  readonly sensor: (id: string) => WatchedSensor | undefined;
};

type Loaded = {
  readonly subjects: readonly Subject[];
  /** Plans that are on disk and in use. */
  readonly plans: Iterable<string>;
  /** Nobody needs them any more. */
  readonly obsolete: readonly StateRow[];
};

/**
 * Makes the sensors again: the oldest checkpoint of each, and the readings since folded once more, under the rules that
 * are still as they were. Then the rules of today are put on, as they would be while the service runs.
 */
export function loadSubjects(rows: readonly StateRow[], context: LoadContext): Loaded {
  const of = (rule: string) => rows.filter((row) => row.rule === rule);
  const failed = new Set(of(FAILED).map(({ subject }) => subject));
  const plans = new Map(of(PLAN).map(({ subject, state }) => [subject, JSON.parse(state) as PlanJson]));
  const recent = recentBySensor(of(RECENT));
  const late = new Map(of(LATE).map((row) => [row.subject, row]));
  const subjects = new Map<string, Subject>();
  const used = new Set<string>();
  const known = new Map<string, Former>();
  const obsolete = of(FAILED);
  for (const row of of(BASE)) {
    const sensor = context.sensor(row.subject);
    const base = JSON.parse(row.state) as BaseJson;
    const saved = plans.get(base.plan);
    const chunks = recent.get(row.subject);
    recent.delete(row.subject);
    const waiting = late.get(row.subject);
    late.delete(row.subject);
    if (!sensor || !saved) {
      obsolete.push(row, ...(chunks?.rows ?? []), ...(waiting ? [waiting] : []));
      continue;
    }
    used.add(base.plan);
    const former = known.get(base.plan) ?? formerPlan(saved, failed, context);
    known.set(base.plan, former);
    subjects.set(sensor.id, loadSubject(sensor, base, former, chunks, waiting, context));
  }
  for (const { rows } of recent.values()) obsolete.push(...rows);
  obsolete.push(...late.values());
  for (const row of of(PLAN)) if (!used.has(row.subject)) obsolete.push(row);
  for (const row of rows) if (!row.rule.startsWith("~") && !loadWatch(row, subjects)) obsolete.push(row);
  return { subjects: [...subjects.values()], plans: used, obsolete };
}

type Chunks = {
  readonly rows: StateRow[];
  readonly readings: RecentRow[];
  readonly ends: { name: string; to: number }[];
};

function recentBySensor(rows: readonly StateRow[]): Map<string, Chunks> {
  const found = new Map<string, Chunks>();
  for (const row of rows) {
    const id = row.subject.slice(0, row.subject.indexOf(" "));
    const chunks = found.get(id) ?? { rows: [], readings: [], ends: [] };
    found.set(id, chunks);
    const readings = recentRows(row.state);
    chunks.rows.push(row);
    for (const one of readings) chunks.readings.push(one);
    chunks.ends.push({ name: row.subject, to: readings.reduce((to, one) => Math.max(to, one.row[KEY]!), -Infinity) });
  }
  return found;
}

function loadSubject(
  sensor: WatchedSensor,
  base: BaseJson,
  { plan, columns }: Former,
  chunks: Chunks | undefined,
  late: StateRow | undefined,
  context: LoadContext,
): Subject {
  const subject: Subject = { ...createSubject(sensor, true, plan), arrivals: arrivalsFrom(base.arrivals) };
  const checkpoint = checkpointFrom(base, plan, columns, declaredMsOf(sensor));
  subject.checkpoints[0] = checkpoint;
  restore(subject, checkpoint);
  subject.heardAt = base.heardAt;
  subject.imported = base.imported;
  subject.signs = base.signs ?? [];
  if (chunks) replay(subject, chunks, context);
  const { saving } = subject;
  if (late) restoreBacklog(subject, late.state);
  saving.isBacklogStored = late !== undefined;
  saving.base = subject.checkpoints[0];
  saving.chunks = chunks ? [...chunks.ends] : [];
  saving.open = chunks ? Number(chunks.ends.at(-1)!.name.split(" ")[1]) + 1 : 0;
  const today = context.planner.planFor(sensor, context.rules);
  return today === plan ? subject : rebind(subject, sensor, true, today);
}

function replay(subject: Subject, { readings }: Chunks, context: LoadContext): void {
  const floor = subject.key;
  const fresh = readings.filter(({ row }) => row[KEY]! > floor).sort((a, b) => a.row[KEY]! - b.row[KEY]!);
  if (fresh.length === 0) return;
  for (const reading of fresh) addRow(subject.ring, subject.plan, reading);
  foldAgain(subject, context);
  arriveAgain(subject, context);
  subject.heardAt = Math.max(subject.heardAt, subject.receivedTo);
  const newest = fresh.findLast(({ row }) => row[AT] === subject.clock.lastAt);
  if (newest) subject.imported = (newest.row[FLAGS]! & IMPORTED) !== 0;
}

/** What came since the sensor was last saved as a whole, in the order in which it came. */
function arriveAgain(
  { ring, arrivals, checkpoints, clock: { declaredMs } }: Subject,
  { listeningBetween }: LoadContext,
): void {
  const { width, data, start, end } = ring;
  const known = arrivals.clock.lastAt ?? Number.NEGATIVE_INFINITY;
  const rows: number[] = [];
  for (let row = start; row < end; row += width) {
    if ((data[row + FLAGS]! & IMPORTED) === 0 && data[row + RECEIVED]! > known) rows.push(row);
  }
  rows.sort((a, b) => data[a + RECEIVED]! - data[b + RECEIVED]!);
  let lastAt = newestBefore(ring, known) ?? checkpoints[0]!.clock.lastAt;
  for (const row of rows) {
    const receivedAt = data[row + RECEIVED]!;
    const measuredAt = data[row + AT]!;
    const newsAt = lastAt === undefined || measuredAt > lastAt ? measuredAt : undefined;
    const { lastAt: formerly } = arrivals.clock;
    const wasAway = formerly !== undefined && listeningBetween(formerly, receivedAt) !== undefined;
    arrive(arrivals, receivedAt, newsAt, { lastAt, declaredMs }, wasAway);
    lastAt = newsAt ?? lastAt;
  }
}

/** The newest time of what had been received by then. */
function newestBefore({ width, data, start, end }: Ring, receivedTo: number): number | undefined {
  let newest: number | undefined;
  for (let row = start; row < end; row += width) {
    const at = data[row + AT]!;
    if (data[row + RECEIVED]! <= receivedTo && (newest === undefined || at > newest)) newest = at;
  }
  return newest;
}

/** `columns`: where `plan` has the columns of the saved one. */
type Former = { readonly plan: Plan; readonly columns: readonly (number | undefined)[] };

/** The plan as it was saved, without the rules that are gone, are others now or have failed. */
function formerPlan(saved: PlanJson, failed: ReadonlySet<string>, { rules, planner }: LoadContext): Former {
  const known = new Map(rules.map((compiled) => [`${compiled.rule.id} ${compiled.fit}`, compiled]));
  const bound: Bound[] = [];
  const columns: (number | undefined)[] = saved.watches.map(([id, fit, params]) => {
    const compiled = failed.has(id) ? undefined : known.get(`${id} ${fit}`);
    if (!compiled) return undefined;
    bound.push({ compiled, params });
    return bound.length - 1;
  });
  const plan = planner.planOf(bound);
  for (const metric of saved.derived) columns.push(plan.deriving.find(({ track }) => track.metric === metric)?.column);
  return { plan, columns };
}

/** Goes on from what the clock had said. False: the sensor is no more, and so nobody writes the row anew. */
function loadWatch(row: StateRow, subjects: ReadonlyMap<string, Subject>): boolean {
  const json = JSON.parse(row.state) as WatchJson;
  const subject = subjects.get(row.subject);
  if (!subject) return false;
  const watch = subject.plan.watches.find(({ compiled }) => compiled.rule.id === row.rule);
  const { saving } = subject;
  saving.stored.add(row.rule);
  if (watch?.compiled.fit !== json.fit) {
    saving.changed.add(row.rule);
    return true;
  }
  if (json.tentative) {
    subject.tentative = withEntry(subject.tentative, watch.column, json.tentative);
    subject.advancedTo = Math.max(subject.advancedTo, json.advancedTo ?? Number.NEGATIVE_INFINITY);
  }
  if (json.cause) subject.causes = withEntry(subject.causes, watch.column, json.cause);
  if (openAlert(subject, watch.column)?.startedAt !== json.startedAt) saving.changed.add(row.rule);
  return true;
}
