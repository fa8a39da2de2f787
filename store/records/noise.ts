import type { Silence } from "../../model/silence.ts";
import type { NoiseRecords, NoiseRow, SilenceRecords } from "../records.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";
import { pageSize, parseCursor, toPage } from "./query.ts";

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
export function createNoiseRecords(db: Database): NoiseRecords {
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

  function place(alert: string, rule: string, places: readonly string[]): void {
    db.transaction(() => {
      db.statement("DELETE FROM noise_places WHERE alert = ?").run(alert);
      const insert = db.statement("INSERT INTO noise_places (rule, place, alert) VALUES (?, ?, ?)");
      for (const one of places) insert.run(rule, one, alert);
    });
  }

  function at(rule: string, where: string): readonly string[] {
    const found = db.statement("SELECT alert FROM noise_places WHERE rule = ? AND place = ? ORDER BY alert");
    return (found.all(rule, where) as { alert: string }[]).map(({ alert }) => alert);
  }

  function counts(): ReturnType<NoiseRecords["counts"]> {
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

  function newestChange(series: string): number | undefined {
    const row = db.statement("SELECT max(known) AS known FROM noise WHERE series = ?").get(series);
    return (row as { known: number | null }).known ?? undefined;
  }

  return {
    get: (alert) => rows("SELECT body FROM noise WHERE alert = ?", alert)[0],
    save,
    open: () => rows("SELECT body FROM noise WHERE open = 1 ORDER BY rowid"),
    due: (now, limit) => rows("SELECT body FROM noise WHERE due <= ? ORDER BY due, rowid LIMIT ?", now, limit),
    changedSince: (series, time, limit) =>
      rows("SELECT body FROM noise WHERE series = ? AND at > ? ORDER BY at, rowid LIMIT ?", series, time, limit),
    // Left to itself SQLite takes the index that is in this order, and with it all rows of the series.
    owed: (series) =>
      rows("SELECT body FROM noise INDEXED BY noise_owed WHERE series = ? AND owed = 1 ORDER BY at, rowid", series),
    newestChange,
    counts,
    place,
    at,
    unnoticed: () => (db.statement(UNNOTICED).all() as { id: string }[]).map(({ id }) => id),
  };
}

type SilenceRow = { id: number; body: string; ended_at: number | null; ended_by: string | null };

const SILENCES = "SELECT id, body, ended_at, ended_by FROM silences";

/** Silences and maintenance windows. What may be on is answered from RAM; nothing is ever removed. */
export function createSilenceRecords(db: Database, now: () => number): SilenceRecords {
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
      return added;
    });
  }

  function end(id: number, at: number, by: string): Silence | undefined {
    return db.transaction(() => {
      const update = db.statement("UPDATE silences SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL");
      if (update.run(at, by, id).changes === 0) return undefined;
      current.delete(String(id));
      return get(id);
    });
  }

  function get(id: number): Silence | undefined {
    const row = db.statement(`${SILENCES} WHERE id = ?`).get(id) as SilenceRow | undefined;
    return row && silenceOf(row);
  }

  function list(filter: { ended?: boolean; at: number }, limit: number, cursor?: string) {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const ended = "(ended_at IS NOT NULL OR coalesce(ends_at <= ?, 0))";
    const wanted = filter.ended === undefined ? `(1 OR ${ended})` : filter.ended ? ended : `NOT ${ended}`;
    const found = db.statement(`${SILENCES} WHERE id < ? AND ${wanted} ORDER BY id DESC LIMIT ?`);
    const items = (found.all(before, filter.at, size + 1) as SilenceRow[]).map(silenceOf);
    return toPage(items, size, ({ id }) => ({ key: id, id: "" }));
  }

  return { add, end, get, list, current: current.all };
}

function silenceOf({ id, body, ended_at: endedAt, ended_by: endedBy }: SilenceRow): Silence {
  const silence = { ...(JSON.parse(body) as Omit<Silence, "id">), id };
  return endedAt === null ? silence : { ...silence, endedAt, endedBy: endedBy ?? undefined };
}
