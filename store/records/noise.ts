import type { AlertTraits, Silence } from "../../model/silence.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";
import { pageSize, parseCursor, toPage } from "./query.ts";

/** What people have been told of an alert. `told - ended` is 1 while they are owed its end, else 0. */
export type NoiseRow = {
  readonly alert: string;
  /** Rule and subject. */
  readonly series: string;
  readonly about: AlertTraits;
  /** It fires. */
  readonly open: boolean;
  /** Event time, and when the service knew. */
  readonly firedAt: number;
  readonly firedKnownAt: number;
  readonly endedAt?: number;
  readonly endedKnownAt?: number;
  readonly suppressedBy?: string;
  /** Not told before this: a cause may come that explains it. */
  readonly holdUntil: number;
  /** How often its firing and its end were told, and how often people were reminded. */
  readonly told: number;
  readonly ended: number;
  readonly reminders: number;
  /** Audience and severity as they were when it was told. */
  readonly toldAs?: string;
  /** When people last heard of it. */
  readonly saidAt?: number;
  /** When to look at it again. */
  readonly dueAt?: number;
};

type Row = { body: string };

const SAVE = `INSERT INTO noise (alert, series, at, known, open, owed, due, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (alert) DO UPDATE SET series = excluded.series, at = excluded.at, known = excluded.known,
    open = excluded.open, owed = excluded.owed, due = excluded.due, body = excluded.body`;
// What the most frequent change needs: each column that is set is written to all of its indexes.
const SAVE_TOLD = "UPDATE noise SET owed = ?, due = ?, body = ? WHERE alert = ?";
// Alerts that others than the rules raise do not come through the noise control, and a start may find old ones.
const UNNOTICED = `SELECT id FROM alerts WHERE state IN ('pending', 'firing') AND state = 'firing'
    AND body ->> '$.mode' IS NULL AND NOT EXISTS (SELECT 1 FROM noise WHERE alert = id AND open = 1)
  UNION ALL SELECT alert FROM noise JOIN alerts ON id = alert WHERE noise.open = 1 AND state <> 'firing'`;

/** Of its newest change: when it was so, and when the service knew. */
function timesOf({ firedAt, firedKnownAt, endedAt, endedKnownAt }: NoiseRow): readonly [number, number] {
  return [Math.max(firedAt, endedAt ?? firedAt), Math.max(firedKnownAt, endedKnownAt ?? firedKnownAt)];
}

/** What people have been told of each alert, and what is still to be told. One row for each alert that ever fired. */
export function createNoiseRecords(db: Database) {
  const rows = (sql: string, ...values: (string | number)[]) =>
    (db.statement(sql).all(...values) as Row[]).map(({ body }) => JSON.parse(body) as NoiseRow);

  function save(row: NoiseRow, former?: NoiseRow): void {
    const { alert, series, open, told, ended, dueAt } = row;
    const [at, known] = timesOf(row);
    if (former && former.open === open && timesOf(former).join() === `${at},${known}`) {
      db.statement(SAVE_TOLD).run(Number(told > ended), dueAt ?? null, JSON.stringify(row), alert);
      return;
    }
    const flags = [Number(open), Number(told > ended)];
    db.statement(SAVE).run(alert, series, at, known, ...flags, dueAt ?? null, JSON.stringify(row));
  }

  /** Where an alert of a rule stands in the city's trees ("gateway:gw-1"); no places once it has ended. */
  function place(alert: string, rule: string, places: readonly string[]): void {
    db.transaction(() => {
      db.statement("DELETE FROM noise_places WHERE alert = ?").run(alert);
      const insert = db.statement("INSERT INTO noise_places (rule, place, alert) VALUES (?, ?, ?)");
      for (const one of places) insert.run(rule, one, alert);
    });
  }

  /** Ids of the alerts of a rule that stand there. */
  function at(rule: string, where: string): readonly string[] {
    const found = db.statement("SELECT alert FROM noise_places WHERE rule = ? AND place = ? ORDER BY alert");
    return (found.all(rule, where) as { alert: string }[]).map(({ alert }) => alert);
  }

  /** Firing alerts that are kept from being told, by what stands before ":" in `suppressedBy`, and those that wait. */
  function counts(): { readonly suppressed: ReadonlyMap<string, number>; readonly held: number } {
    const found = db.statement(
      `SELECT body ->> '$.suppressedBy' AS by, owed, count(*) AS count FROM noise WHERE open = 1 GROUP BY 1, 2`,
    );
    const groups = found.all() as { by: string | null; owed: number; count: number }[];
    const suppressed = new Map<string, number>();
    let held = 0;
    for (const { by, owed, count } of groups) {
      const label = by?.split(":")[0];
      if (label !== undefined) suppressed.set(label, (suppressed.get(label) ?? 0) + count);
      else if (owed === 0) held += count;
    }
    return { suppressed, held };
  }

  /** When the service last learnt of a change of this rule and subject. */
  function newestChange(series: string): number | undefined {
    const row = db.statement("SELECT max(known) AS known FROM noise WHERE series = ?").get(series);
    return (row as { known: number | null }).known ?? undefined;
  }

  return {
    get: (alert: string) => rows("SELECT body FROM noise WHERE alert = ?", alert)[0],
    save,
    /** What the alerts that fire and nobody has closed are about, after this row, so many. */
    openTraits(after: number, limit: number): readonly { readonly row: number; readonly about: NoiseRow["about"] }[] {
      const sql = `SELECT noise.rowid AS row, noise.body FROM noise INDEXED BY noise_open JOIN alerts ON alerts.id = alert
        WHERE open = 1 AND handling <> 'closed' AND noise.rowid > ? ORDER BY noise.rowid LIMIT ?`;
      const found = db.statement(sql).all(after, limit) as (Row & { row: number })[];
      return found.map(({ row, body }) => ({ row, about: (JSON.parse(body) as NoiseRow).about }));
    },
    /** Those that fire and were told of, after this row, so many. */
    toldOpen(after: number, limit: number): readonly { readonly row: number; readonly noise: NoiseRow }[] {
      const sql = `SELECT rowid AS row, body FROM noise INDEXED BY noise_open
        WHERE open = 1 AND owed = 1 AND rowid > ? ORDER BY rowid LIMIT ?`;
      const found = db.statement(sql).all(after, limit) as (Row & { row: number })[];
      return found.map(({ row, body }) => ({ row, noise: JSON.parse(body) as NoiseRow }));
    },
    open: () => rows("SELECT body FROM noise WHERE open = 1 ORDER BY rowid"),
    /** Those to look at by now, the longest due first. */
    due: (now: number, limit: number) =>
      rows("SELECT body FROM noise WHERE due <= ? ORDER BY due, rowid LIMIT ?", now, limit),
    /** Of one rule and subject: those that fired or ended after `time` (event time), in that order, the first of them. */
    changedSince: (series: string, time: number, limit: number) =>
      rows("SELECT body FROM noise WHERE series = ? AND at > ? ORDER BY at, rowid LIMIT ?", series, time, limit),
    // Left to itself SQLite takes the index that is in this order, and with it all rows of the series.
    /** Of one rule and subject: those whose end people are owed. */
    owed: (series: string) =>
      rows("SELECT body FROM noise INDEXED BY noise_owed WHERE series = ? AND owed = 1 ORDER BY at, rowid", series),
    newestChange,
    counts,
    place,
    at,
    /** Alerts whose firing or end has not been seen here: looks at all that are open. */
    unnoticed: () => (db.statement(UNNOTICED).all() as { id: string }[]).map(({ id }) => id),
  };
}

type SilenceRow = { id: number; body: string; ended_at: number | null; ended_by: string | null };

const MAINTENANCE_MAX = 1_000;
const SILENCES = "SELECT id, body, ended_at, ended_by FROM silences";

/** Silences and maintenance windows. What may be on is answered from RAM; nothing is ever removed. */
export function createSilenceRecords(db: Database, now: () => number) {
  const listeners: (() => void)[] = [];
  const changed = () => db.afterCommit(() => listeners.forEach((listener) => void listener()));
  const rows = db
    .statement(`${SILENCES} WHERE ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?)`)
    .all(now()) as SilenceRow[];
  const current = loadInStep(db, rows.map(silenceOf), ({ id }) => String(id));

  function add(silence: Omit<Silence, "id">): Silence {
    return db.transaction(() => {
      const insert = db.statement("INSERT INTO silences (ends_at, body) VALUES (?, ?)");
      const { lastInsertRowid } = insert.run(silence.endsAt ?? null, JSON.stringify(silence));
      const added = { ...silence, id: Number(lastInsertRowid) };
      current.set(added);
      changed();
      return added;
    });
  }

  /** Undefined if there is none or somebody has ended it before. */
  function end(id: number, at: number, by: string): Silence | undefined {
    return db.transaction(() => {
      const update = db.statement("UPDATE silences SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL");
      if (update.run(at, by, id).changes === 0) return undefined;
      current.delete(String(id));
      changed();
      return get(id);
    });
  }

  function get(id: number): Silence | undefined {
    const row = db.statement(`${SILENCES} WHERE id = ?`).get(id) as SilenceRow | undefined;
    return row && silenceOf(row);
  }

  /** Newest first. `ended`: somebody ended it, or its time was over at `at`. */
  function list(filter: { ended?: boolean; at: number }, limit: number, cursor?: string) {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const ended = "(ended_at IS NOT NULL OR coalesce(ends_at <= ?, 0))";
    const wanted = filter.ended === undefined ? `(1 OR ${ended})` : filter.ended ? ended : `NOT ${ended}`;
    const found = db.statement(`${SILENCES} WHERE id < ? AND ${wanted} ORDER BY id DESC LIMIT ?`);
    const items = (found.all(before, filter.at, size + 1) as SilenceRow[]).map(silenceOf);
    return toPage(items, size, ({ id }) => ({ key: id, id: "" }));
  }

  return {
    add,
    end,
    get,
    list,
    /** Maintenance windows that were on after this moment or may come to be, those that somebody ended, too: the newest. */
    maintenanceSince(at: number): readonly Silence[] {
      const wanted = `body ->> '$.kind' = 'maintenance' AND coalesce(ended_at > ?, 1) AND coalesce(ends_at > ?, 1)`;
      const found = db.statement(`${SILENCES} WHERE ${wanted} ORDER BY id DESC LIMIT ?`).all(at, at, MAINTENANCE_MAX);
      return (found as SilenceRow[]).map(silenceOf);
    },
    /** From RAM: those nobody has ended; the time of some may be over. */
    current: current.all,
    /** Called after the commit that added or ended one. */
    onChange: (listener: () => void) => void listeners.push(listener),
  };
}

function silenceOf({ id, body, ended_at: endedAt, ended_by: endedBy }: SilenceRow): Silence {
  const silence = { ...(JSON.parse(body) as Omit<Silence, "id">), id };
  return endedAt === null ? silence : { ...silence, endedAt, endedBy: endedBy ?? undefined };
}
