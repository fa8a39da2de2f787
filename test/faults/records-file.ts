import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { SILENT } from "../../model/log.ts";
import type { Sensor } from "../../store/records/sensors.ts";
import { openRecords, type Records } from "../../store/records.ts";

/** The registry every city starts with, as a file to copy: making the tables anew costs more than the rest of a run. */
export function createTemplate(dir: string, sensors: readonly Sensor[]): string {
  const path = join(dir, "template.db");
  const records = openRecords({ path, now: () => 0, log: SILENT });
  records.transaction(() => {
    for (const sensor of sensors) records.sensors.add(sensor);
  });
  records.close();
  return path;
}

/** The file of SQLite over several lives. A killed process leaves the file and its log as they are, open and not folded. */
export function createRecordsFile(dir: string, template: string, now: () => number) {
  let generation = 0;
  let open: Records | undefined;
  const trouble = { isFull: false };
  const path = () => join(dir, `records-${generation}.db`);
  copyFileSync(template, path());

  function openFor(): Records {
    // The template is not new: from the first life on, a file that is gone has been lost.
    const records = openRecords({ path: path(), now, log: SILENT, mustBeThere: true });
    open = records;
    return {
      ...records,
      transaction: (work) => {
        if (trouble.isFull) throw new Error("database or disk is full");
        return records.transaction(work);
      },
    };
  }

  /** What is committed stays; the dead process cannot change anything any more. */
  function crash(): void {
    const left = path();
    generation += 1;
    copyFileSync(left, path());
    if (existsSync(`${left}-wal`)) copyFileSync(`${left}-wal`, `${path()}-wal`);
    open?.close();
    open = undefined;
  }

  return { open: openFor, crash, path, trouble, close: () => open?.close() };
}

export type RecordsFile = ReturnType<typeof createRecordsFile>;
