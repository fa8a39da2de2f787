import type { EpochTimes } from "../../contract/common.ts";
import type { SensorView } from "../../contract/reading.ts";
import { RecordConflict } from "../../model/ids.ts";
import type { Kind } from "../../model/kinds.ts";
import { KINDS } from "../../model/kinds.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

type SensorFilter = { readonly district?: string; readonly kind?: Kind };

/** As the API shows it, without what is known of it from its messages. */
export type Sensor = EpochTimes<Omit<SensorView, "online" | "lastSeen" | "latest">, "createdAt">;

type Row = {
  id: string;
  kind: Kind;
  district: string;
  name: string | null;
  lat: number | null;
  lon: number | null;
  interval_s: number | null;
  tags: string;
  gateway: string | null;
  created_at: number;
};

const SAVE = `INSERT OR REPLACE INTO sensors (id, kind, district, name, lat, lon, interval_s, tags, gateway, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** The registry. Every read is answered from RAM. */
export function createSensorRecords(db: Database) {
  const rows = db.statement("SELECT * FROM sensors").all() as Row[];
  const sensors = loadInStep(db, rows.map(fromRow), (sensor) => sensor.id);

  function save(sensor: Sensor): void {
    const { id, kind, district, name, lat, lon, intervalS, tags, gateway, createdAt } = sensor;
    db.transaction(() => {
      const own = [id, kind, district, name ?? null, lat ?? null, lon ?? null, intervalS ?? null];
      db.statement(SAVE).run(...own, JSON.stringify(tags), gateway ?? null, createdAt);
      sensors.set(sensor);
    });
  }

  /** Throws `RecordConflict` if the id is taken. */
  function add(sensor: Sensor): void {
    if (sensors.get(sensor.id)) throw new RecordConflict(`The sensor ${sensor.id} exists already.`);
    save(sensor);
  }

  /** Keys that are absent or undefined stay as they are. */
  function update(id: string, change: Partial<Omit<Sensor, "id" | "createdAt">>): Sensor | undefined {
    const old = sensors.get(id);
    if (!old) return undefined;
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const sensor: Sensor = { ...old, ...given, id, createdAt: old.createdAt };
    save(sensor);
    return sensor;
  }

  /** False if there was none. The readings stay. */
  function remove(id: string): boolean {
    if (!sensors.get(id)) return false;
    db.transaction(() => {
      db.statement("DELETE FROM sensors WHERE id = ?").run(id);
      sensors.delete(id);
    });
    return true;
  }

  /** The same from after this id on, one by one: who stops early looks at no more. */
  function* after(id: string | undefined, filter: SensorFilter = {}): Iterable<Sensor> {
    const { district, kind } = filter;
    for (const one of sensors.inOrder(id)) {
      if ((!district || one.district === district) && (!kind || one.kind === kind)) yield one;
    }
  }

  const { get, count } = sensors;
  return {
    /** From RAM: called for every reading. */
    get,
    /** From RAM, at no cost. */
    count,
    after,
    /** In order of their ids. All are looked at: not for every message. */
    list: (filter?: SensorFilter) => [...after(undefined, filter)],
    add,
    update,
    remove,
    districts: () => countDistricts(sensors.all()),
  };
}

function countDistricts(
  sensors: readonly Sensor[],
): readonly { district: string; sensors: number; kinds: Readonly<Record<Kind, number>> }[] {
  const counts = new Map<string, { district: string; sensors: number; kinds: Record<Kind, number> }>();
  for (const { district, kind } of sensors) {
    const kinds = Object.fromEntries(KINDS.map((name) => [name, 0])) as Record<Kind, number>;
    const count = counts.get(district) ?? { district, sensors: 0, kinds };
    count.sensors += 1;
    count.kinds[kind] += 1;
    counts.set(district, count);
  }
  return [...counts.values()].sort((a, b) => (a.district < b.district ? -1 : 1));
}

function fromRow(row: Row): Sensor {
  return {
    id: row.id,
    kind: row.kind,
    district: row.district,
    name: row.name ?? undefined,
    lat: row.lat ?? undefined,
    lon: row.lon ?? undefined,
    intervalS: row.interval_s ?? undefined,
    tags: JSON.parse(row.tags),
    gateway: row.gateway ?? undefined,
    createdAt: row.created_at,
  };
}
