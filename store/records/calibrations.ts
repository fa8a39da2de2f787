import type { Calibration, NewCalibration } from "../../model/calibration.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

type Row = { id: number; sensor: string; body: string; ended_at: number | null; ended_by: string | null };
type OfSensor = { readonly sensorId: string; readonly all: readonly Calibration[] };

const NONE: readonly Calibration[] = [];
const LISTED = "SELECT id, sensor, body, ended_at, ended_by FROM calibrations";

/** How sensors are calibrated. Nothing is removed: messages that are read again need what held when they came. */
export function createCalibrationRecords(db: Database) {
  const found = (db.statement(`${LISTED} ORDER BY id`).all() as Row[]).map(fromRow);
  const bySensor = loadInStep<OfSensor>(
    db,
    Array.from(
      Map.groupBy(found, ({ sensorId }) => sensorId),
      ([sensorId, all]) => ({ sensorId, all }),
    ),
    ({ sensorId }) => sensorId,
  );
  /** From RAM, for every reading, in the order of their ids. */
  const of = (sensorId: string): readonly Calibration[] => bySensor.get(sensorId)?.all ?? NONE;

  function add(calibration: NewCalibration): Calibration {
    return db.transaction(() => {
      const insert = db.statement("INSERT INTO calibrations (sensor, body) VALUES (?, ?)");
      const { lastInsertRowid } = insert.run(calibration.sensorId, JSON.stringify(calibration));
      const added = { ...calibration, id: Number(lastInsertRowid) };
      bySensor.set({ sensorId: added.sensorId, all: [...of(added.sensorId), added] });
      return added;
    });
  }

  /** Undefined if there is none; one that has ended stays as it is. */
  function end(id: number, at: number, by: string): Calibration | undefined {
    return db.transaction(() => {
      const update = db.statement(
        "UPDATE calibrations SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL",
      );
      update.run(at, by, id);
      const row = db.statement(`${LISTED} WHERE id = ?`).get(id) as Row | undefined;
      if (!row) return undefined;
      const ended = fromRow(row);
      bySensor.set({ sensorId: row.sensor, all: of(row.sensor).map((one) => (one.id === id ? ended : one)) });
      return ended;
    });
  }

  return {
    of,
    add,
    end,
    get: (id: number) =>
      bySensor
        .all()
        .flatMap(({ all }) => all)
        .find((one) => one.id === id),
  };
}

function fromRow({ id, body, ended_at, ended_by }: Row): Calibration {
  const calibration = { ...(JSON.parse(body) as NewCalibration), id };
  return ended_at === null ? calibration : { ...calibration, endedAt: ended_at, endedBy: ended_by ?? "" };
}
