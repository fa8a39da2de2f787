import { CLOCKS, clocksRow, isQuiet, type StateRow, watchRow } from "./state-rows.ts";
import type { Subject, Watch } from "./subject.ts";

/** What has changed since it was last saved. Marks are flags on the objects: this is touched for every reading. */
export function createUnsaved() {
  let watches: Watch[] = [];
  let clocks: Subject[] = [];
  let others: StateRow[] = [];

  return {
    watch(watch: Watch): void {
      if (watch.dirty) return;
      watch.dirty = true;
      watches.push(watch);
    },
    clocks(subject: Subject): void {
      if (subject.dirty) return;
      subject.dirty = true;
      clocks.push(subject);
    },
    other(row: StateRow): void {
      others.push(row);
    },
    /** The watch, or the whole subject, is no more: its rows go. */
    dropWatch(watch: Watch): void {
      watch.gone = true;
      others.push({ rule: watch.compiled.rule.id, subject: watch.subject.sensor.id, state: "" });
    },
    dropSubject(subject: Subject): void {
      subject.gone = true;
      others.push({ rule: CLOCKS, subject: subject.sensor.id, state: "" });
    },
    rows(): StateRow[] {
      const changed = watches.filter(({ gone }) => !gone).map(watchRow);
      const moved = clocks.filter(({ gone }) => !gone).map(clocksRow);
      return [...others, ...changed.filter((row) => row !== undefined), ...moved];
    },
    /** The rows are on disk. */
    saved(): void {
      for (const watch of watches) {
        watch.dirty = false;
        watch.stored = !isQuiet(watch);
      }
      for (const subject of clocks) subject.dirty = false;
      watches = [];
      clocks = [];
      others = [];
    },
  };
}
