import type { Kind } from "../../model/kinds.ts";
import {
  addValueSums,
  type LedgerFigure,
  type LedgerOutcome,
  type LedgerRow,
  noValues,
  VALUE_OUTCOMES,
  type ValueSums,
} from "../../model/ledger.ts";
import type { Database } from "./database.ts";
import { allOf, equal, oneOfMany } from "./query.ts";

/** Readings about to be removed: all of a kind that are measured, and received, before this moment. */
type RemovalPlan = {
  readonly kind: Kind;
  readonly before: number;
  readonly counts: ReadonlyMap<string, number>;
};

/** What was booked as stored or quarantined and is gone on purpose, by sensor: the books less this is what is there. */
type Removable = "readings" | "quarantined";

/** `identity`: items received and items with an outcome. `sums`: sums of the day and of its sensors, of any outcome. */
type LedgerMistake = {
  readonly what: "identity" | "sums";
  readonly day: string;
  /** Only for `identity`. */
  readonly sensorId?: string;
  readonly booked: number;
  readonly found: number;
};

type Sum = { outcome: LedgerOutcome; count: number } & ValueSums;
type Outcomes = Map<LedgerFigure, number>;

const ADD = `INSERT INTO ledger (day, sensor, outcome, count) VALUES (?, ?, ?, ?)
  ON CONFLICT (day, sensor, outcome) DO UPDATE SET count = count + excluded.count`;
const ADD_DAY = `INSERT INTO ledger_days (day, outcome, count) VALUES (?, ?, ?)
  ON CONFLICT (day, outcome) DO UPDATE SET count = count + excluded.count`;
const NAMES = VALUE_OUTCOMES.join(", ");
/** The same with what became of the values. */
function addValues(table: "ledger" | "ledger_days"): string {
  const key = table === "ledger" ? "day, sensor, outcome" : "day, outcome";
  const sums = ["count", ...VALUE_OUTCOMES].map((name) => `${name} = ${name} + excluded.${name}`).join(", ");
  const places = `${key}, count, ${NAMES}`.split(", ").map(() => "?");
  return `INSERT INTO ${table} (${key}, count, ${NAMES}) VALUES (${places.join(", ")})
    ON CONFLICT (${key}) DO UPDATE SET ${sums}`;
}
const ADD_VALUES = addValues("ledger");
const ADD_DAY_VALUES = addValues("ledger_days");
const SUMS = `sum(count) AS count, ${VALUE_OUTCOMES.map((name) => `sum(${name}) AS ${name}`).join(", ")}`;
const NEWEST = "(SELECT DISTINCT day FROM ledger_days ORDER BY day DESC LIMIT ?)";
const BY_DAY = `SELECT day, outcome, count, ${NAMES} FROM ledger_days WHERE day IN ${NEWEST} ORDER BY day DESC, outcome`;
const SENSOR_BY_DAY = `SELECT day, outcome, count, ${NAMES} FROM ledger
  WHERE day IN ${NEWEST} AND sensor = ? ORDER BY day DESC, outcome`;
// By sensor on few days: the key starts with the day, so each of the sensors is looked up on each day.
const DAYS = "day IN (SELECT DISTINCT day FROM ledger_days)";

// What was never opened has no `received` row.
const RECEIVED = "sum(CASE WHEN outcome = 'received' THEN count ELSE 0 END)";
const SETTLED = "sum(CASE WHEN outcome IN ('received', 'shed', 'lost') THEN 0 ELSE count END)";
const UNBALANCED = `SELECT day, sensor, ${RECEIVED} AS booked, ${SETTLED} AS found
  FROM ledger WHERE day = ? GROUP BY sensor HAVING booked <> found LIMIT ?`;
const UNEQUAL = `SELECT day, coalesce(ofDay, 0) AS booked, coalesce(ofSensors, 0) AS found
  FROM (SELECT day, outcome, count AS ofDay FROM ledger_days WHERE day = ?1)
  FULL JOIN (SELECT day, outcome, sum(count) AS ofSensors FROM ledger WHERE day = ?1 GROUP BY outcome)
  USING (day, outcome)
  WHERE booked <> found LIMIT ?2`;
const IMBALANCE = `SELECT coalesce(sum(abs(received - settled)), 0) AS n
  FROM (SELECT ${RECEIVED} AS received, ${SETTLED} AS settled FROM ledger_days GROUP BY day)`;

/** The books. */
export function createLedgerRecords(db: Database) {
  /** Adds to the books; call it in the transaction that moves the offset. */
  function add(rows: Iterable<LedgerRow>): void {
    const days = new Map<string, Outcomes>();
    const values = new Map<string, ValueSums>();
    db.transaction(() => {
      const insert = db.statement(ADD);
      const insertValues = db.statement(ADD_VALUES);
      for (const { day, sensorId, outcome, count, values: ofRow } of rows) {
        addTo(days, day, outcome, count);
        if (!ofRow) insert.run(day, sensorId, outcome, count);
        else {
          insertValues.run(day, sensorId, outcome, count, ...VALUE_OUTCOMES.map((name) => ofRow[name]));
          addValueSums(entry(values, day), ofRow);
        }
      }
      const insertDay = db.statement(ADD_DAY);
      for (const [day, outcomes] of days) {
        for (const [outcome, count] of outcomes) insertDay.run(day, outcome, count);
      }
      const insertDayValues = db.statement(ADD_DAY_VALUES);
      for (const [day, ofDay] of values)
        insertDayValues.run(day, "received", 0, ...VALUE_OUTCOMES.map((name) => ofDay[name]));
    });
  }

  /** Sums, all or of some; grouped as asked. */
  function totals(filter: { day?: string; sensors?: readonly string[] } = {}): ReadonlyMap<LedgerFigure, number> {
    const { day, sensors } = filter;
    const days = sensors && day === undefined ? [{ sql: DAYS, values: [] }] : equal("day", day);
    const { sql, values } = allOf([...days, ...oneOfMany("sensor", sensors)]);
    const table = sensors ? "ledger" : "ledger_days";
    const sums = db.statement(`SELECT outcome, ${SUMS} FROM ${table} WHERE ${sql} GROUP BY outcome`);
    const all = new Map<string, Outcomes>();
    for (const sum of sums.all(...values) as Sum[]) addSum(all, "", sum);
    return all.get("") ?? new Map();
  }

  /** Newest day first. */
  function byDay(
    limitDays: number,
    sensorId?: string,
  ): readonly { day: string; outcomes: ReadonlyMap<LedgerFigure, number> }[] {
    const newest = Math.max(0, limitDays);
    const found =
      sensorId === undefined ? db.statement(BY_DAY).all(newest) : db.statement(SENSOR_BY_DAY).all(newest, sensorId);
    const rows = found as (Sum & { day: string })[];
    const days = new Map<string, Outcomes>();
    for (const { day, ...sum } of rows) addSum(days, day, sum);
    return [...days].map(([day, outcomes]) => ({ day, outcomes }));
  }

  function bySensor(day?: string): readonly { sensorId: string; outcomes: ReadonlyMap<LedgerFigure, number> }[] {
    const { sql, values } = allOf(equal("day", day));
    const text = `SELECT sensor, outcome, ${SUMS} FROM ledger WHERE ${sql} GROUP BY sensor, outcome`;
    const sensors = new Map<string, Outcomes>();
    for (const { sensor, ...sum } of db.statement(text).all(...values) as (Sum & { sensor: string })[]) {
      addSum(sensors, sensor, sum);
    }
    return [...sensors].map(([sensorId, outcomes]) => ({ sensorId, outcomes }));
  }

  /** Where the books of a day contradict themselves, at most so many. */
  function mistakes(day: string, limit: number): readonly LedgerMistake[] {
    type Row = { day: string; sensor?: string; booked: number; found: number };
    const identity = db.statement(UNBALANCED).all(day, limit) as Row[];
    const sums = db.statement(UNEQUAL).all(day, limit) as Row[];
    return [
      ...identity.map(({ sensor, ...row }) => ({ what: "identity" as const, sensorId: sensor, ...row })),
      ...sums.map((row) => ({ what: "sums" as const, ...row })),
    ].slice(0, limit);
  }

  /** Newest first. */
  function days(): readonly string[] {
    const rows = db.statement("SELECT DISTINCT day FROM ledger_days ORDER BY day DESC").all();
    return (rows as { day: string }[]).map(({ day }) => day);
  }

  /** |received - outcomes| over all days: 0 unless something is wrong. Cheap. */
  const imbalance = () => (db.statement(IMBALANCE).get() as { n: number }).n;
  return { add, totals, byDay, bySensor, mistakes, days, imbalance };
}

function addTo(sums: Map<string, Outcomes>, key: string, outcome: LedgerFigure, count: number): void {
  const outcomes = sums.get(key) ?? new Map();
  sums.set(key, outcomes);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
}

function addSum(sums: Map<string, Outcomes>, key: string, { outcome, count, ...values }: Sum): void {
  addTo(sums, key, outcome, count);
  if (outcome === "received")
    for (const name of VALUE_OUTCOMES) if (values[name] !== 0) addTo(sums, key, `values.${name}`, values[name]);
}

function entry(sums: Map<string, ValueSums>, day: string): ValueSums {
  const known = sums.get(day) ?? noValues();
  sums.set(day, known);
  return known;
}

const ADD_REMOVED = `INSERT INTO removed (what, sensor, count) VALUES (?, ?, ?)
  ON CONFLICT (what, sensor) DO UPDATE SET count = count + excluded.count`;
const ADD_PLAN = "INSERT INTO removal_plans (kind, before, sensor, count) VALUES (?, ?, ?, ?)";

/** What was taken away on purpose, so that the books can be compared with what is there. */
export function createRemovalRecords(db: Database) {
  function counts(what: Removable): ReadonlyMap<string, number> {
    const rows = db.statement("SELECT sensor, count FROM removed WHERE what = ?").all(what);
    return new Map((rows as { sensor: string; count: number }[]).map(({ sensor, count }) => [sensor, count]));
  }

  function add(what: Removable, removed: ReadonlyMap<string, number>): void {
    db.transaction(() => {
      const insert = db.statement(ADD_REMOVED);
      for (const [sensor, count] of removed) if (count > 0) insert.run(what, sensor, count);
    });
  }

  /** Written down before the store is told, because the store is another file: one plan for each kind. */
  function plan({ kind, before, counts: planned }: RemovalPlan): void {
    db.transaction(() => {
      db.statement("DELETE FROM removal_plans WHERE kind = ?").run(kind);
      const insert = db.statement(ADD_PLAN);
      for (const [sensor, count] of planned) insert.run(kind, before, sensor, count);
    });
  }

  function plans(): readonly RemovalPlan[] {
    const rows = db.statement("SELECT kind, before, sensor, count FROM removal_plans").all();
    const all = new Map<Kind, { kind: Kind; before: number; counts: Map<string, number> }>();
    for (const { kind, before, sensor, count } of rows as {
      kind: Kind;
      before: number;
      sensor: string;
      count: number;
    }[]) {
      const one = all.get(kind) ?? { kind, before, counts: new Map() };
      all.set(kind, one);
      one.counts.set(sensor, count);
    }
    return [...all.values()];
  }

  /** Books what was removed and forgets the plan. */
  function settle(kind: Kind, removed: ReadonlyMap<string, number>): void {
    db.transaction(() => {
      add("readings", removed);
      db.statement("DELETE FROM removal_plans WHERE kind = ?").run(kind);
    });
  }

  return { counts, add, plan, plans, settle };
}

const SET_OFFSET = `INSERT INTO offsets (consumer, position) VALUES (?, ?)
  ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`;

/** How far each consumer of the journal has come. */
export function createOffsetRecords(db: Database) {
  function get(consumer: string): number | undefined {
    const row = db.statement("SELECT position FROM offsets WHERE consumer = ?").get(consumer);
    return (row as { position: number } | undefined)?.position;
  }

  function set(consumer: string, offset: number): void {
    db.transaction(() => db.statement(SET_OFFSET).run(consumer, offset));
  }
  return { get, set };
}
