import type { Correction, NewCorrection } from "../../model/correction.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";
import { pageSize, parseCursor, toPage } from "./query.ts";

type Row = {
  id: number;
  sensor: string;
  body: string;
  revoked_at: number | null;
  revoked_by: string | null;
  revoke_reason: string | null;
};

/** A sensor's corrections in the order of their ids. */
type OfSensor = {
  readonly sensorId: string;
  readonly all: readonly Correction[];
  readonly active: readonly Correction[];
};

const NONE: readonly Correction[] = [];
const LISTED = "SELECT id, sensor, body, revoked_at, revoked_by, revoke_reason FROM corrections";
/** What the rules are still to take up: that it holds, or that it holds no more. */
const UNFOLDED = "folded < iif(revoked_at IS NULL, 1, 2)";

/** What people found out about readings. Nothing is ever removed; all are in RAM, because every query asks for them. */
export function createCorrectionRecords(db: Database) {
  const found = (db.statement(`${LISTED} ORDER BY id`).all() as Row[]).map(fromRow);
  const bySensor = loadInStep(
    db,
    Array.from(Map.groupBy(found, ({ sensorId }) => sensorId).values(), ofSensor),
    ({ sensorId }) => sensorId,
  );
  let changes = 0;
  const activeNow = () => bySensor.all().filter(({ active }) => active.length > 0);

  function add(correction: NewCorrection): Correction {
    return db.transaction(() => {
      const insert = db.statement("INSERT INTO corrections (sensor, body) VALUES (?, ?)");
      const { lastInsertRowid } = insert.run(correction.sensorId, JSON.stringify(correction));
      const added = { ...correction, id: Number(lastInsertRowid) };
      changes += 1;
      bySensor.set(ofSensor([...(bySensor.get(added.sensorId)?.all ?? NONE), added]));
      return added;
    });
  }

  /** Undefined if there is none; one that was revoked before stays as it is. */
  function revoke(id: number, at: number, by: string, reason: string): Correction | undefined {
    return db.transaction(() => {
      const update = db.statement(
        "UPDATE corrections SET revoked_at = ?, revoked_by = ?, revoke_reason = ? WHERE id = ? AND revoked_at IS NULL",
      );
      const updated = update.run(at, by, reason, id).changes;
      const now = get(id);
      if (now && updated > 0) {
        changes += 1;
        const others = bySensor.get(now.sensorId)!.all;
        bySensor.set(ofSensor(others.map((one) => (one.id === id ? now : one))));
      }
      return now;
    });
  }

  function get(id: number): Correction | undefined {
    const row = db.statement(`${LISTED} WHERE id = ?`).get(id) as Row | undefined;
    return row && fromRow(row);
  }

  /** Newest first. */
  function list(sensorId: string, limit: number, cursor?: string): { items: Correction[]; next?: string } {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const rows = db.statement(`${LISTED} WHERE sensor = ? AND id < ? ORDER BY id DESC LIMIT ?`);
    const items = (rows.all(sensorId, before, size + 1) as Row[]).map(fromRow);
    return toPage(items, size, ({ id }) => ({ key: id, id: "" }));
  }

  return {
    add,
    revoke,
    get,
    list,
    /** From RAM: those in force of a sensor, in the order they apply. */
    active: (sensorId: string): readonly Correction[] => bySensor.get(sensorId)?.active ?? NONE,
    /** From RAM: those that were revoked, too. */
    all: (sensorId: string): readonly Correction[] => bySensor.get(sensorId)?.all ?? NONE,
    /** Sensors that have some in force. */
    sensors: (): readonly string[] => activeNow().map(({ sensorId }) => sensorId),
    /** Sensors that have or had some. */
    everCorrected: (): readonly string[] => bySensor.all().map(({ sensorId }) => sensorId),
    /** Goes up with each that comes or goes. */
    changes: () => changes,
    /** Those that the rules have not taken up as they are now, the oldest first. */
    unfolded: (limit: number): Correction[] =>
      (db.statement(`${LISTED} WHERE ${UNFOLDED} ORDER BY id LIMIT ?`).all(limit) as Row[]).map(fromRow),
    /** The rules have taken up what was said of it: that it holds (1), that it was revoked (2). */
    setFolded: (id: number, folded: 1 | 2): void => {
      const update = db.statement("UPDATE corrections SET folded = max(folded, ?) WHERE id = ?");
      db.transaction(() => update.run(folded, id));
    },
  };
}

function ofSensor(all: readonly Correction[]): OfSensor {
  return { sensorId: all[0]!.sensorId, all, active: all.filter(({ revokedAt }) => revokedAt === undefined) };
}

function fromRow({ id, body, revoked_at, revoked_by, revoke_reason }: Row): Correction {
  const correction = { ...(JSON.parse(body) as NewCorrection), id };
  if (revoked_at === null) return correction;
  return { ...correction, revokedAt: revoked_at, revokedBy: revoked_by ?? "", revokeReason: revoke_reason ?? "" };
}
