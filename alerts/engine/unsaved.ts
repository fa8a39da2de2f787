import { KEY } from "./ring.ts";
import {
  BASE,
  backlogState,
  baseRow,
  LATE,
  markSaved,
  openRows,
  planRow,
  RECENT,
  recentState,
  type StateRow,
  watchState,
} from "./state-rows.ts";
import type { Subject } from "./subject.ts";

const chunkName = (sensorId: string, chunk: number) => `${sensorId} ${String(chunk).padStart(9, "0")}`;

/** What has changed since it was last saved. Marks are flags on the objects: this is touched for every reading. */
export function createUnsaved(subjectOf: (id: string) => Subject | undefined) {
  let dirty: string[] = [];
  let others: StateRow[] = [];
  let plans = new Set<string>();

  function subject({ sensor, saving }: Subject): void {
    if (saving.dirty) return;
    saving.dirty = true;
    dirty.push(sensor.id);
  }

  function rows(): StateRow[] {
    const all = [...others];
    const planned = new Set(plans);
    for (const one of changed()) {
      const { plan } = one;
      if (isBaseDue(one)) {
        if (!planned.has(plan.id)) all.push(planRow(plan));
        planned.add(plan.id);
        all.push(baseRow(one));
      }
      for (const row of chunkRows(one)) all.push(row);
      const { backlog, saving, sensor } = one;
      if (backlog || saving.isBacklogStored) all.push({ rule: LATE, subject: sensor.id, state: backlogState(one) });
      for (const row of watchRows(one)) all.push(row);
    }
    return all;
  }

  const changed = () => dirty.map(subjectOf).filter((one) => one !== undefined);

  /** The rows are on disk. */
  function saved(): void {
    for (const one of changed()) {
      const { saving, checkpoints, plan } = one;
      if (saving.base !== checkpoints[0]) plans.add(plan.id);
      saving.base = checkpoints[0];
      saving.heardAt = one.heardAt;
      const { key } = checkpoints[0]!;
      saving.chunks = saving.chunks.filter((chunk) => chunk.to > key);
      saveOpen(one);
      saving.isBacklogStored = one.backlog !== undefined;
      for (const { rule, state } of watchRows(one)) {
        if (state === "") saving.stored.delete(rule);
        else saving.stored.add(rule);
      }
      saving.changed.clear();
      saving.dirty = false;
    }
    dirty = [];
    others = [];
  }

  return {
    subject,
    /** The alerts of this rule have changed. */
    watch(one: Subject, column: number): void {
      one.saving.changed.add(one.plan.watches[column]!.compiled.rule.id);
      subject(one);
    },
    other(row: StateRow): void {
      others.push(row);
    },
    /** The sensor is no more: its rows go. */
    drop({ sensor, saving }: Subject): void {
      others.push({ rule: BASE, subject: sensor.id, state: "" });
      const open = saving.isOpenStored ? [{ name: chunkName(sensor.id, saving.open) }] : [];
      for (const { name } of [...saving.chunks, ...open]) others.push({ rule: RECENT, subject: name, state: "" });
      if (saving.isBacklogStored) others.push({ rule: LATE, subject: sensor.id, state: "" });
      for (const rule of saving.stored) others.push({ rule, subject: sensor.id, state: "" });
    },
    rows,
    saved,
    /** These plans are on disk. */
    planned(ids: Iterable<string>): void {
      plans = new Set(ids);
    },
  };
}

/** `heardAt` comes with the readings of the ring, unless what came last is none of them. */
function isBaseDue({ saving, checkpoints, heardAt, receivedTo }: Subject): boolean {
  return saving.base !== checkpoints[0] || (heardAt > receivedTo && heardAt !== saving.heardAt);
}

/** A chunk with so many readings is written no more: few rows for a fast sensor, and little written twice. */
const CHUNK_ROWS = 16;

function saveOpen({ saving, sensor, ring }: Subject): void {
  const open = openRows(ring);
  saving.fresh = false;
  saving.isOpenStored = open.length > 0;
  if (open.length < CHUNK_ROWS) return;
  const to = ring.data[open.at(-1)! + KEY]!;
  markSaved(ring);
  saving.chunks.push({ name: chunkName(sensor.id, saving.open), to });
  saving.open += 1;
  saving.isOpenStored = false;
}

function chunkRows(subject: Subject): StateRow[] {
  const { saving, sensor, checkpoints, ring } = subject;
  const { key } = checkpoints[0]!;
  const old = saving.chunks.filter(({ to }) => to <= key);
  const rows = old.map(({ name }) => ({ rule: RECENT, subject: name, state: "" }));
  const isEmptied = saving.isOpenStored && openRows(ring).length === 0;
  if (!saving.fresh && !isEmptied) return rows;
  const state = recentState(subject);
  if (state === "" && !saving.isOpenStored) return rows;
  return [...rows, { rule: RECENT, subject: chunkName(sensor.id, saving.open), state }];
}

function watchRows(subject: Subject): StateRow[] {
  const { saving, sensor, plan } = subject;
  return [...saving.changed].flatMap((rule) => {
    const state = watchState(
      subject,
      plan.watches.find(({ compiled }) => compiled.rule.id === rule),
    );
    if (state === "" && !saving.stored.has(rule)) return [];
    return [{ rule, subject: sensor.id, state }];
  });
}
