import type { Kind } from "../../model/kinds.ts";
import { formatSource, PAYLOAD_BYTES_MAX, parseSource } from "../../model/message.ts";
import type { Reason, Rejection } from "../../model/rejection.ts";
import type { QuarantineFilter, QuarantineItem, QuarantineRecords, RemovalRecords, WaitingReason } from "../records.ts";
import { pageSize, parseCursor, toPage } from "./cursor.ts";
import type { Database } from "./database.ts";
import { allOf, type Condition, equal } from "./where.ts";

type Row = {
  id: number;
  journal_seq: number;
  item: number;
  reason: Reason;
  detail: string;
  received_at: number;
  source: string;
  topic: string;
  sensor: string | null;
  district: string | null;
  kind: Kind | null;
  redriven_at: number | null;
  redriven_by: string | null;
  payload?: Uint8Array | null;
};

const ADD = `INSERT INTO quarantine
  (journal_seq, item, reason, detail, received_at, source, topic, sensor, district, kind, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (journal_seq, item) DO NOTHING`;
const LISTED = `id, journal_seq, item, reason, detail, received_at, source, topic, sensor, district, kind,
  redriven_at, redriven_by`;

/** As the index has it: SQLite uses a partial one only where it sees the same words. */
const WAITS: Readonly<Record<WaitingReason, string>> = {
  enrolment_quota: "reason = 'enrolment_quota' AND redriven_at IS NULL",
};

export function createQuarantineRecords(db: Database, removals: Pick<RemovalRecords, "add">): QuarantineRecords {
  function add(rejections: readonly Rejection[]): void {
    db.transaction(() => {
      const insert = db.statement(ADD);
      for (const one of rejections) {
        const { journalSeq, index, reason, detail, receivedAt, topic, sensorId, district, kind } = one;
        const place = [sensorId ?? null, district ?? null, kind ?? null];
        const source = formatSource(one.source);
        insert.run(journalSeq, index, reason, detail, receivedAt, source, topic, ...place, keptPayload(one));
      }
    });
  }

  function get(id: number): QuarantineItem | undefined {
    const row = db.statement("SELECT * FROM quarantine WHERE id = ?").get(id) as Row | undefined;
    return row && fromRow(row);
  }

  function list(filter: QuarantineFilter, limit: number, cursor?: string): { items: QuarantineItem[]; next?: string } {
    const size = pageSize(limit);
    const { sql, values } = allOf([
      ...equal("reason", filter.reason),
      ...equal("sensor", filter.sensorId),
      ...ifRedriven(filter.redriven),
      ...(cursor === undefined ? [] : [{ sql: "id < ?", values: [parseCursor(cursor).key] }]),
    ]);
    const rows = db.statement(`SELECT ${LISTED} FROM quarantine WHERE ${sql} ORDER BY id DESC LIMIT ?`);
    const items = (rows.all(...values, size + 1) as Row[]).map(fromRow);
    return toPage(items, size, ({ id }) => ({ key: id, id: "" }));
  }

  function markRedriven(ids: readonly number[], by: string, now: number): void {
    const sql = `UPDATE quarantine SET redriven_at = ?, redriven_by = ? WHERE id IN (SELECT value FROM json_each(?))`;
    db.transaction(() => db.statement(sql).run(now, by, JSON.stringify(ids)));
  }

  /** One look at the index for each sender, however much waits of each. */
  function senders(reason: WaitingReason): readonly string[] {
    const sql = `WITH RECURSIVE found (source) AS (
        SELECT min(source) FROM quarantine WHERE ${WAITS[reason]}
        UNION ALL
        SELECT (SELECT min(q.source) FROM quarantine q WHERE ${WAITS[reason]} AND q.source > found.source)
        FROM found WHERE found.source IS NOT NULL
      ) SELECT source FROM found WHERE source IS NOT NULL`;
    return (db.statement(sql).all() as { source: string }[]).map(({ source }) => source);
  }

  function waiting(reason: WaitingReason, sender: string, limit: number): readonly { id: number; sensorId: string }[] {
    const condition = `${WAITS[reason]} AND source = ? AND payload IS NOT NULL`;
    const sql = `SELECT id, sensor AS sensorId FROM quarantine WHERE ${condition} ORDER BY id LIMIT ?`;
    return db.statement(sql).all(sender, limit) as { id: number; sensorId: string }[];
  }

  function prune(time: number, rowsMax: number): number {
    const beyond = "id IN (SELECT id FROM quarantine ORDER BY id DESC LIMIT -1 OFFSET ?)";
    return db.transaction(() => remove("received_at < ?", time) + remove(beyond, Math.max(0, rowsMax)));
  }

  function remove(condition: string, value: number): number {
    removals.add("quarantined", countWhere(condition, value));
    return Number(db.statement(`DELETE FROM quarantine WHERE ${condition}`).run(value).changes);
  }

  function countWhere(condition: string, ...values: number[]): ReadonlyMap<string, number> {
    const sql = `SELECT coalesce(sensor, '') AS sensor, count(*) AS n FROM quarantine WHERE ${condition} GROUP BY 1`;
    const rows = db.statement(sql).all(...values) as { sensor: string; n: number }[];
    return new Map(rows.map(({ sensor, n }) => [sensor, n]));
  }

  function places(from: number, to: number): ReadonlySet<string> {
    const sql = "SELECT journal_seq, item, reason FROM quarantine WHERE journal_seq >= ? AND journal_seq < ?";
    const rows = db.statement(sql).all(from, to) as Pick<Row, "journal_seq" | "item" | "reason">[];
    const isWhole = (reason: Reason) => ["unknown_sensor", "wrong_sensor", "enrolment_quota"].includes(reason);
    return new Set(rows.map(({ journal_seq, item, reason }) => `${journal_seq} ${isWhole(reason) ? "*" : item}`));
  }

  const count = () => (db.statement("SELECT count(*) AS n FROM quarantine").get() as { n: number }).n;
  return { add, get, list, markRedriven, senders, waiting, count, places, countBySensor: () => countWhere("1"), prune };
}

function ifRedriven(redriven: boolean | undefined): Condition[] {
  return redriven === undefined ? [] : [{ sql: `redriven_at IS ${redriven ? "NOT NULL" : "NULL"}`, values: [] }];
}

/** Personal data is not kept, whatever the caller hands in. */
function keptPayload({ reason, payload }: Rejection): Uint8Array | null {
  if (!payload || reason === "personal_data") return null;
  return payload.byteLength > PAYLOAD_BYTES_MAX ? payload.subarray(0, PAYLOAD_BYTES_MAX) : payload;
}

function fromRow(row: Row): QuarantineItem {
  return {
    id: row.id,
    rejection: {
      journalSeq: row.journal_seq,
      index: row.item,
      reason: row.reason,
      detail: row.detail,
      receivedAt: row.received_at,
      source: parseSource(row.source),
      topic: row.topic,
      sensorId: row.sensor ?? undefined,
      district: row.district ?? undefined,
      kind: row.kind ?? undefined,
      payload: row.payload ?? undefined,
    },
    redrivenAt: row.redriven_at ?? undefined,
    redrivenBy: row.redriven_by ?? undefined,
  };
}
