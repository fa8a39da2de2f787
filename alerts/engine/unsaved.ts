import {
  BASE,
  baseRow,
  markSaved,
  planRow,
  RECENT,
  recentState,
  type StateRow,
  unsavedTo,
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
      for (const row of watchRows(one)) all.push(row);
    }
    return all;
  }

  const changed = () => dirty.map(subjectOf).filter((one) => one !== undefined);

  /** The rows are on disk. */
  function saved(): void {
    for (const one of changed()) {
      const { saving, checkpoints, ring, sensor, plan } = one;
      if (saving.base !== checkpoints[0]) plans.add(plan.id);
      saving.base = checkpoints[0];
      saving.heardAt = one.heardAt;
      const to = unsavedTo(ring);
      const { key } = checkpoints[0]!;
      saving.chunks = saving.chunks.filter((chunk) => chunk.to > key);
      if (to !== undefined) saving.chunks.push({ name: chunkName(sensor.id, saving.nextChunk++), to });
      markSaved(ring);
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
      for (const { name } of saving.chunks) others.push({ rule: RECENT, subject: name, state: "" });
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

function chunkRows(subject: Subject): StateRow[] {
  const { saving, sensor, checkpoints } = subject;
  const { key } = checkpoints[0]!;
  const old = saving.chunks.filter(({ to }) => to <= key);
  const rows = old.map(({ name }) => ({ rule: RECENT, subject: name, state: "" }));
  if (unsavedTo(subject.ring) === undefined) return rows;
  return [...rows, { rule: RECENT, subject: chunkName(sensor.id, saving.nextChunk), state: recentState(subject) }];
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
