import type { Silence } from "../../model/silence.ts";
import type { SilenceRecords } from "../records.ts";
import { pageSize, parseCursor, toPage } from "./cursor.ts";
import type { Database } from "./database.ts";
import { loadInStep } from "./in-step.ts";

type Row = { id: number; body: string; ended_at: number | null; ended_by: string | null };

const ALL = "SELECT id, body, ended_at, ended_by FROM silences";

/** Silences and maintenance windows. What may be on is answered from RAM; nothing is ever removed. */
export function createSilenceRecords(db: Database, now: () => number): SilenceRecords {
  const rows = db.statement(`${ALL} WHERE ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?)`).all(now()) as Row[];
  const current = loadInStep(db, rows.map(fromRow), ({ id }) => String(id));

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
    const row = db.statement(`${ALL} WHERE id = ?`).get(id) as Row | undefined;
    return row && fromRow(row);
  }

  function list(filter: { ended?: boolean; at: number }, limit: number, cursor?: string) {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const ended = "(ended_at IS NOT NULL OR coalesce(ends_at <= ?, 0))";
    const wanted = filter.ended === undefined ? `(1 OR ${ended})` : filter.ended ? ended : `NOT ${ended}`;
    const found = db.statement(`${ALL} WHERE id < ? AND ${wanted} ORDER BY id DESC LIMIT ?`);
    const items = (found.all(before, filter.at, size + 1) as Row[]).map(fromRow);
    return toPage(items, size, ({ id }) => ({ key: id, id: "" }));
  }

  return { add, end, get, list, current: current.all };
}

function fromRow({ id, body, ended_at: endedAt, ended_by: endedBy }: Row): Silence {
  const silence = { ...(JSON.parse(body) as Omit<Silence, "id">), id };
  return endedAt === null ? silence : { ...silence, endedAt, endedBy: endedBy ?? undefined };
}
