import type { WatchedSensor } from "../conditions/condition.ts";
import type { CompiledRule } from "./compile.ts";
import type { FoldContext } from "./fold.ts";
import { replay as foldAgain } from "./history.ts";
import type { Bound, Plan, Planner } from "./plan.ts";
import { rebind } from "./rebind.ts";
import { AT, FLAGS, IMPORTED, KEY } from "./ring.ts";
import {
  addRow,
  BASE,
  type BaseJson,
  checkpointFrom,
  FAILED,
  LATE,
  LISTENING,
  type Orphan,
  OUTDATED,
  PLAN,
  type PlanJson,
  RECENT,
  type RecentRow,
  recentRows,
  restoreBacklog,
  type StateRow,
  type WatchJson,
} from "./state-rows.ts";
import { createSubject, declaredMsOf, restore, type Subject, withEntry } from "./subject.ts";
import { openAlert } from "./teller.ts";

type LoadContext = FoldContext & {
  readonly rules: readonly CompiledRule[];
  readonly planner: Planner;
  readonly sensor: (id: string) => WatchedSensor | undefined;
};

export type Loaded = {
  readonly subjects: readonly Subject[];
  readonly orphans: readonly Orphan[];
  readonly listening: string | undefined;
  /** Plans that are on disk and in use. */
  readonly plans: readonly string[];
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
  const obsolete: StateRow[] = rows.filter(({ rule }) => OUTDATED.includes(rule) || rule === FAILED);
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
  const orphans = rows.filter(({ rule }) => !rule.startsWith("~")).flatMap((row) => loadWatch(row, subjects));
  return { subjects: [...subjects.values()], orphans, listening: of(LISTENING)[0]?.state, plans: [...used], obsolete };
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
  const subject = createSubject(sensor, true, plan);
  const checkpoint = checkpointFrom(base, plan, columns, declaredMsOf(sensor));
  subject.checkpoints[0] = checkpoint;
  restore(subject, checkpoint);
  subject.heardAt = base.heardAt;
  subject.imported = base.imported;
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
  subject.heardAt = Math.max(subject.heardAt, subject.receivedTo);
  const newest = fresh.findLast(({ row }) => row[AT] === subject.clock.lastAt);
  if (newest) subject.imported = (newest.row[FLAGS]! & IMPORTED) !== 0;
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

/** Goes on from what the clock had said; answers the alert if nothing watches it any more. */
function loadWatch(row: StateRow, subjects: ReadonlyMap<string, Subject>): Orphan[] {
  const json = JSON.parse(row.state) as WatchJson & { active?: { startedAt: number } };
  const subject = subjects.get(row.subject);
  const watch = subject?.plan.watches.find(({ compiled }) => compiled.rule.id === row.rule);
  subject?.saving.stored.add(row.rule);
  const { startedAt = json.active?.startedAt, fit } = json;
  const orphan: Orphan = { row, startedAt, fit: json.active ? undefined : fit };
  if (!subject || watch?.compiled.fit !== fit || json.active) return lost(orphan, subject);
  if (json.tentative) {
    subject.tentative = withEntry(subject.tentative, watch.column, json.tentative);
    subject.advancedTo = Math.max(subject.advancedTo, json.advancedTo ?? Number.NEGATIVE_INFINITY);
  }
  if (json.cause) subject.causes = withEntry(subject.causes, watch.column, json.cause);
  return openAlert(subject, watch.column)?.startedAt === startedAt ? [] : lost(orphan, subject);
}

/** The row is looked at again when it is next saved. */
function lost(orphan: Orphan, subject: Subject | undefined): Orphan[] {
  subject?.saving.changed.add(orphan.row.rule);
  return [orphan];
}
