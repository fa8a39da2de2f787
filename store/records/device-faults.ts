import type { Database } from "./database.ts";

const SAVE = `INSERT INTO device_faults (sensor, body) VALUES (?, ?)
  ON CONFLICT (sensor) DO UPDATE SET body = excluded.body`;

/** What was refused of each sensor lately, as JSON: small, and only for people. */
export function createDeviceFaultRecords(db: Database) {
  /** At most so many. */
  function load(max: number): [sensorId: string, faults: unknown][] {
    const rows = db.statement("SELECT sensor, body FROM device_faults ORDER BY rowid DESC LIMIT ?").all(max);
    return (rows as { sensor: string; body: string }[]).map(({ sensor, body }) => [sensor, JSON.parse(body)]);
  }

  /** undefined: there is nothing of this sensor any more. */
  function save(all: readonly (readonly [sensorId: string, faults: unknown])[]): void {
    db.transaction(() => {
      for (const [sensorId, faults] of all) {
        if (faults === undefined) db.statement("DELETE FROM device_faults WHERE sensor = ?").run(sensorId);
        else db.statement(SAVE).run(sensorId, JSON.stringify(faults));
      }
    });
  }

  return { load, save };
}
