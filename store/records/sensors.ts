import type { EpochTimes } from "../../contract/common.ts";
import type { SensorView } from "../../contract/reading.ts";
import { RecordConflict } from "../../model/ids.ts";
import type { Kind } from "../../model/kinds.ts";
import { KINDS } from "../../model/kinds.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

type SensorFilter = {
  readonly district?: string;
  readonly kind?: Kind;
  /** Those that were taken off the register, in place of those that are on it. */
  readonly isRetired?: boolean;
};

/** As the API shows it, without what is known of it from its messages. */
export type Sensor = EpochTimes<
  Omit<SensorView, "online" | "lastSeen" | "latest" | "faults">,
  "createdAt" | "retiredAt" | "from"
>;

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
  places: string | null;
  replaces: string | null;
  replaces_from: number | null;
  replaced_by: string | null;
  retired_at: number | null;
};

const SAVE = `INSERT OR REPLACE INTO sensors (id, kind, district, name, lat, lon, interval_s, tags, gateway, created_at,
  places, replaces, replaces_from, replaced_by, retired_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Off the register, the oldest of more are forgotten: their readings stay in the store. */
const RETIRED_MAX = 100_000;

/** The registry. Every read is answered from RAM. */
export function createSensorRecords(db: Database) {
  const all = (db.statement("SELECT * FROM sensors").all() as Row[]).map(fromRow);
  const idOf = (sensor: Sensor) => sensor.id;
  const isRetired = ({ retiredAt }: Sensor) => retiredAt !== undefined;
  const sensors = loadInStep(
    db,
    all.filter((sensor) => !isRetired(sensor)),
    idOf,
  );
  const retired = loadInStep(db, all.filter(isRetired), idOf);

  /** In the transaction of the caller, where there is one: many sensors are one write. */
  function save(changed: readonly Sensor[]): void {
    db.transaction(() => {
      const statement = db.statement(SAVE);
      for (const sensor of changed) {
        statement.run(...toRow(sensor));
        const [here, there] = isRetired(sensor) ? [retired, sensors] : [sensors, retired];
        here.set(sensor);
        if (there.get(sensor.id)) there.delete(sensor.id);
      }
    });
  }

  /** Throws `RecordConflict` if the id is taken. */
  function add(sensor: Sensor): void {
    if (sensors.get(sensor.id)) throw new RecordConflict(`The sensor ${sensor.id} exists already.`);
    save([sensor]);
  }

  /** Keys that are absent or undefined stay as they are. */
  function update(id: string, change: Partial<Omit<Sensor, "id" | "createdAt">>): Sensor | undefined {
    const old = sensors.get(id);
    if (!old) return undefined;
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const sensor: Sensor = { ...old, ...given, id, createdAt: old.createdAt };
    save([sensor]);
    return sensor;
  }

  /** As if it had never been registered; false if there was none. The readings stay. */
  function remove(id: string): boolean {
    if (!sensors.get(id) && !retired.get(id)) return false;
    db.transaction(() => {
      db.statement("DELETE FROM sensors WHERE id = ?").run(id);
      for (const table of [sensors, retired]) if (table.get(id)) table.delete(id);
    });
    return true;
  }

  /** Takes it off the register: nobody watches it any more, and what it sent can still be asked for. */
  function retire(sensor: Sensor, at: number): void {
    save([{ ...sensor, retiredAt: at }]);
    if (retired.count() <= RETIRED_MAX) return;
    const oldest = retired.all().reduce((one, other) => (other.retiredAt! < one.retiredAt! ? other : one));
    remove(oldest.id);
  }

  /** The same from after this id on, one by one: who stops early looks at no more. */
  function* after(id: string | undefined, filter: SensorFilter = {}): Iterable<Sensor> {
    const { district, kind, isRetired } = filter;
    for (const one of (isRetired ? retired : sensors).inOrder(id)) {
      if ((!district || one.district === district) && (!kind || one.kind === kind)) yield one;
    }
  }

  const { get, count } = sensors;
  return {
    /** From RAM: called for every reading. */
    get,
    /** One that was taken off the register. */
    retired: retired.get,
    /** From RAM, at no cost. */
    count,
    after,
    /** In order of their ids. All are looked at: not for every message. */
    list: (filter?: SensorFilter) => [...after(undefined, filter)],
    add,
    update,
    save,
    retire,
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
    ...(row.places !== null && { places: JSON.parse(row.places) }),
    ...(row.replaces !== null && { replaces: { sensorId: row.replaces, from: row.replaces_from! } }),
    ...(row.replaced_by !== null && { replacedBy: row.replaced_by }),
    ...(row.retired_at !== null && { retiredAt: row.retired_at }),
  };
}

function toRow(sensor: Sensor): (string | number | null)[] {
  const { id, kind, district, name, lat, lon, intervalS, tags, gateway, createdAt } = sensor;
  const { places, replaces, replacedBy, retiredAt } = sensor;
  const own = [id, kind, district, name ?? null, lat ?? null, lon ?? null, intervalS ?? null];
  const past = [places ? JSON.stringify(places) : null, replaces?.sensorId ?? null, replaces?.from ?? null];
  return [...own, JSON.stringify(tags), gateway ?? null, createdAt, ...past, replacedBy ?? null, retiredAt ?? null];
}
