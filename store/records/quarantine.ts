import type { Kind } from "../../model/kinds.ts";
import { formatSource, PAYLOAD_BYTES_MAX, parseSource } from "../../model/message.ts";
import type { MetricName } from "../../model/metrics.ts";
import { bookedSensor, type Reason, type Rejection } from "../../model/rejection.ts";
import type { Database } from "./database.ts";
import type { createRemovalRecords } from "./ledger.ts";
import { allOf, type Condition, equal, pageSize, parseCursor, toPage } from "./query.ts";

/** The oldest go first where there is more, and are booked as removed. */
export type QuarantineLimits = {
  readonly itemsMax: number;
  /** Of rows and payloads; SQLite's indexes come on top. */
  readonly bytesMax: number;
  /** What one sender may have of both: 0 to 1. An external broker stands for many and may have half. */
  readonly senderShare: number;
};

/** What waits for a quota and not for a person. */
type WaitingReason = "enrolment_quota";

type QuarantineFilter = {
  readonly reason?: Reason;
  readonly sensorId?: string;
  readonly metric?: MetricName;
  readonly redriven?: boolean;
  /** What became of it; `redriven` counts what was dismissed or decided as well. */
  readonly state?: "waiting" | "redriven" | "dismissed";
};

/** What is wrong with many items in the same way; without a metric, with the items as a whole. */
export type Cause = { readonly sensorId: string; readonly reason: Reason; readonly metric?: MetricName | undefined };

export type QuarantineItem = {
  readonly id: number;
  readonly rejection: Rejection;
  /** Set when it was driven again: when, by whom. */
  readonly redrivenAt?: number;
  readonly redrivenBy?: string;
  /** What an operator decided of a conflict, or that nothing is to be made of it; then it is done with, as if it was driven again. */
  readonly decision?: "keep" | "take" | "dismiss";
  /** Why it was dismissed. */
  readonly because?: string;
};

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
  metric: MetricName | null;
  measured_at: number | null;
  redriven_at: number | null;
  redriven_by: string | null;
  decision: "keep" | "take" | "dismiss" | null;
  because: string | null;
  payload?: Uint8Array | null;
};

const ADD = `INSERT INTO quarantine
  (journal_seq, item, reason, detail, received_at, source, topic, sensor, district, kind, booked, payload, metric, measured_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (journal_seq, item) DO NOTHING RETURNING bytes`;
const ADD_USE = `INSERT INTO quarantine_use (source, items, bytes) VALUES (?, ?, ?)
  ON CONFLICT (source) DO UPDATE SET items = items + excluded.items, bytes = bytes + excluded.bytes`;
/** The line of the books a row is counted in. */
const BOOKED = "coalesce(booked, sensor, '')";
const OLDEST = `SELECT id, ${BOOKED} AS sensor, bytes, metric FROM quarantine WHERE source = ? ORDER BY id LIMIT ?`;
const ALL = "";
/** Whatever was there before: one addition never takes the thread for longer than so many removals. */
const REMOVED_AT_ONCE_MAX = 10_000;
const REMOVED_PER_LOOK = 500;
const BROKER_SHARE_MIN = 0.5;
/** From here on a share counts as full, and of a message with many mistakes only the first few are kept. */
const FULL = 0.9;
const KEPT_OF_FULL = 5;
/** Looked through for one mapping. */
const NEWEST = 5_000;

type Use = { items: number; bytes: number };
const NOTHING: Readonly<Use> = { items: 0, bytes: 0 };
const LISTED = `id, journal_seq, item, reason, detail, received_at, source, topic, sensor, district, kind, metric,
  measured_at, redriven_at, redriven_by, decision, because`;
/** More than a message may have items: what is beyond in the column `item` numbers the refused values of one. */
const ITEMS_OF_MESSAGE = 1_000;
/** The books are of items: a refused value stands beside them, for its reading went on. */
const WHOLE = "metric IS NULL";

/** As the index has it: SQLite uses a partial one only where it sees the same words. */
const WAITS: Readonly<Record<WaitingReason, string>> = {
  enrolment_quota: "reason = 'enrolment_quota' AND redriven_at IS NULL",
};

const QUARANTINE_DEFAULTS: QuarantineLimits = { itemsMax: 1_000_000, bytesMax: 2 ** 30, senderShare: 0.1 };

export function createQuarantineRecords(
  db: Database,
  removals: Pick<ReturnType<typeof createRemovalRecords>, "add">,
  limits: QuarantineLimits = QUARANTINE_DEFAULTS,
) {
  let removedByLimits = 0;
  const overflowing = new Map<string, number>();

  /** Ignores one that is there already (same journalSeq, index and place among the values of it). Payloads are kept up to 64 KiB. */
  function add(rejections: readonly Rejection[]): void {
    db.transaction(() => {
      const insert = db.statement(ADD);
      const added = new Map<string, Use>();
      const skipped = createSkipped();
      const placeOf = createValuePlaces();
      for (const one of rejections) {
        const { journalSeq, index, reason, detail, receivedAt, topic, sensorId, district, kind } = one;
        const place = [sensorId ?? null, district ?? null, kind ?? null, one.unregistered ? bookedSensor(one) : null];
        const source = formatSource(one.source);
        if (index >= KEPT_OF_FULL && skipped.isFull(source)) {
          skipped.count(source, one);
          continue;
        }
        const row = insert.get(
          journalSeq,
          one.metric === undefined ? index : placeOf(one),
          reason,
          detail,
          receivedAt,
          source,
          topic,
          ...place,
          keptPayload(one),
          one.metric ?? null,
          one.measuredAt ?? null,
        );
        if (row) note(added, source, (row as { bytes: number }).bytes);
      }
      for (const [source, use] of added) change(source, use);
      makeRoom(added);
      skipped.book();
    });
  }

  /** What a sender whose share is full sent beyond the first readings of a message: it would only push out its own. */
  function createSkipped() {
    const full = new Map<string, boolean>();
    const sensors = new Map<string, number>();
    function isFull(source: string): boolean {
      const known = full.get(source);
      if (known !== undefined) return known;
      const { items, bytes } = useOf(source);
      const { itemsMax, bytesMax } = shareOf(source);
      const answer = items >= FULL * itemsMax || bytes >= FULL * bytesMax;
      full.set(source, answer);
      return answer;
    }
    function count(source: string, one: Rejection): void {
      const sensor = bookedSensor(one);
      if (one.metric === undefined) sensors.set(sensor, (sensors.get(sensor) ?? 0) + 1);
      overflowing.set(source, (overflowing.get(source) ?? 0) + 1);
      removedByLimits += 1;
    }
    return { isFull, count, book: () => removals.add("quarantined", sensors) };
  }

  function change(source: string, { items, bytes }: Use): void {
    const add = db.statement(ADD_USE);
    add.run(source, items, bytes);
    add.run(ALL, items, bytes);
  }

  const useOf = (source: string): Readonly<Use> =>
    (db.statement("SELECT items, bytes FROM quarantine_use WHERE source = ?").get(source) as Use | undefined) ??
    NOTHING;

  /** First those beyond their share lose their oldest, then, while there is more than may be in all, whoever has most. */
  function makeRoom(added: ReadonlyMap<string, Use>): void {
    let left = REMOVED_AT_ONCE_MAX;
    for (const [source, { items }] of added) {
      left += 2 * items;
      left -= removeOldest(source, beyond(useOf(source), shareOf(source)), left);
    }
    for (;;) {
      const over = beyond(useOf(ALL), limits);
      if (left <= 0 || (over.items <= 0 && over.bytes <= 0)) return;
      const by = over.bytes > 0 ? "bytes" : "items";
      const sql = `SELECT source FROM quarantine_use WHERE source <> '' ORDER BY ${by} DESC LIMIT 1`;
      const { source } = db.statement(sql).get() as { source: string };
      // A part at a time: then another may be the one who has most.
      const part = { items: over.items, bytes: over.bytes };
      const removed = removeOldest(source, part, Math.min(left, REMOVED_PER_LOOK));
      if (removed === 0) return;
      left -= removed;
    }
  }

  function shareOf(source: string): Pick<QuarantineLimits, "itemsMax" | "bytesMax"> {
    const isBroker = parseSource(source).role === "broker";
    const share = isBroker ? Math.max(BROKER_SHARE_MIN, limits.senderShare) : limits.senderShare;
    return { itemsMax: limits.itemsMax * share, bytesMax: limits.bytesMax * share };
  }

  /** Until so many items and bytes are gone, but at most `most` items; answers how many went. */
  function removeOldest(source: string, over: Readonly<Use>, most: number): number {
    const gone = { items: 0, bytes: 0 };
    while (gone.items < most && (gone.items < over.items || gone.bytes < over.bytes)) {
      const rows = db.statement(OLDEST).all(source, REMOVED_PER_LOOK) as {
        id: number;
        sensor: string;
        bytes: number;
        metric: string | null;
      }[];
      if (rows.length === 0) break;
      const sensors = new Map<string, number>();
      let last = 0;
      for (const { id, sensor, bytes, metric } of rows) {
        if (gone.items >= most || (gone.items >= over.items && gone.bytes >= over.bytes)) break;
        if (metric === null) sensors.set(sensor, (sensors.get(sensor) ?? 0) + 1);
        gone.items += 1;
        gone.bytes += bytes;
        last = id;
      }
      removals.add("quarantined", sensors);
      db.statement("DELETE FROM quarantine WHERE source = ? AND id <= ?").run(source, last);
    }
    if (gone.items === 0) return 0;
    change(source, { items: -gone.items, bytes: -gone.bytes });
    removedByLimits += gone.items;
    overflowing.set(source, (overflowing.get(source) ?? 0) + gone.items);
    return gone.items;
  }

  function get(id: number): QuarantineItem | undefined {
    const row = db.statement("SELECT * FROM quarantine WHERE id = ?").get(id) as Row | undefined;
    return row && fromRow(row);
  }

  /** Newest first. Payloads are left out of lists. */
  function list(filter: QuarantineFilter, limit: number, cursor?: string): { items: QuarantineItem[]; next?: string } {
    const size = pageSize(limit);
    const { sql, values } = allOf([
      ...equal("reason", filter.reason),
      ...equal("sensor", filter.sensorId),
      ...equal("metric", filter.metric),
      ...ifRedriven(filter.redriven),
      ...inState(filter.state),
      ...(cursor === undefined ? [] : [{ sql: "id < ?", values: [parseCursor(cursor).key] }]),
    ]);
    const rows = db.statement(`SELECT ${LISTED} FROM quarantine WHERE ${sql} ORDER BY id DESC LIMIT ?`);
    const items = (rows.all(...values, size + 1) as Row[]).map(fromRow);
    return toPage(items, size, ({ id }) => ({ key: id, id: "" }));
  }

  function markRedriven(ids: readonly number[], by: string, now: number): void {
    // What was dismissed and is sent again after all, is not dismissed any more.
    const sql = `UPDATE quarantine SET redriven_at = ?, redriven_by = ?, decision = nullif(decision, 'dismiss'),
      because = NULL WHERE id IN (SELECT value FROM json_each(?))`;
    db.transaction(() => db.statement(sql).run(now, by, JSON.stringify(ids)));
  }

  /** Those that wait, the oldest first. */
  function ofCause({ sensorId, reason, metric }: Cause, limit: number): readonly number[] {
    const { sql, values } = allOf([
      ...equal("sensor", sensorId),
      ...equal("reason", reason),
      ...equal("metric", metric),
    ]);
    const whole = metric === undefined ? "AND metric IS NULL" : "";
    const rows = db.statement(
      `SELECT id FROM quarantine WHERE ${sql} ${whole} AND redriven_at IS NULL ORDER BY received_at, id LIMIT ?`,
    );
    return (rows.all(...values, limit) as { id: number }[]).map(({ id }) => id);
  }

  /** Nothing is to be made of these. Answers how many of them waited. */
  function dismiss(ids: readonly number[], because: string, by: string, now: number): number {
    const sql = `UPDATE quarantine SET decision = 'dismiss', because = ?, redriven_at = ?, redriven_by = ?
      WHERE id IN (SELECT value FROM json_each(?)) AND redriven_at IS NULL`;
    return db.transaction(() => Number(db.statement(sql).run(because, now, by, JSON.stringify(ids)).changes));
  }

  /** Of a conflict. It is not driven again any more. */
  function decide(id: number, decision: "keep" | "take", by: string, now: number): void {
    const sql = "UPDATE quarantine SET decision = ?, redriven_at = ?, redriven_by = ? WHERE id = ?";
    db.transaction(() => db.statement(sql).run(decision, now, by, id));
  }

  /**
   * Who has items of this kind that wait to be driven again by themselves; as `formatSource` writes them. One look at the
   * index for each sender, however much waits of each.
   */
  function senders(reason: WaitingReason): readonly string[] {
    const sql = `WITH RECURSIVE found (source) AS (
        SELECT min(source) FROM quarantine WHERE ${WAITS[reason]}
        UNION ALL
        SELECT (SELECT min(q.source) FROM quarantine q WHERE ${WAITS[reason]} AND q.source > found.source)
        FROM found WHERE found.source IS NOT NULL
      ) SELECT source FROM found WHERE source IS NOT NULL`;
    return (db.statement(sql).all() as { source: string }[]).map(({ source }) => source);
  }

  /** Items of a reason that were not driven again yet and have a payload, in the order they were received. */
  function undriven(reason: Reason, limit: number): readonly number[] {
    const sql = `SELECT id FROM quarantine WHERE reason = ? AND redriven_at IS NULL AND payload IS NOT NULL
      ORDER BY received_at, id LIMIT ?`;
    return (db.statement(sql).all(reason, limit) as { id: number }[]).map(({ id }) => id);
  }

  /** Of the newest few thousand those messages that were not driven again yet and have a payload, newest first; single values are none. */
  function newestUndriven(): readonly QuarantineItem[] {
    const sql = `SELECT ${LISTED} FROM quarantine WHERE id > (SELECT max(id) FROM quarantine) - ${NEWEST}
      AND redriven_at IS NULL AND payload IS NOT NULL AND ${WHOLE} ORDER BY id DESC`;
    return (db.statement(sql).all() as Row[]).map(fromRow);
  }

  /** Those of them that are there, in the order they were received. */
  function inOrder(ids: readonly number[]): readonly number[] {
    const sql = "SELECT id FROM quarantine WHERE id IN (SELECT value FROM json_each(?)) ORDER BY received_at, id";
    return (db.statement(sql).all(JSON.stringify(ids)) as { id: number }[]).map(({ id }) => id);
  }

  /** Their oldest such items with a payload. */
  function waiting(reason: WaitingReason, sender: string, limit: number): readonly { id: number; sensorId: string }[] {
    const condition = `${WAITS[reason]} AND source = ? AND payload IS NOT NULL`;
    const sql = `SELECT id, sensor AS sensorId FROM quarantine WHERE ${condition} ORDER BY id LIMIT ?`;
    return db.statement(sql).all(sender, limit) as { id: number; sensorId: string }[];
  }

  /** Storage limit: the oldest beyond `rowsMax` and those received before `time`. Booked with the removals. */
  function prune(time: number, rowsMax: number): number {
    const beyond = "id IN (SELECT id FROM quarantine ORDER BY id DESC LIMIT -1 OFFSET ?)";
    return db.transaction(() => remove("received_at < ?", time) + remove(beyond, Math.max(0, rowsMax)));
  }

  function remove(condition: string, value: number): number {
    removals.add("quarantined", countWhere(condition, value));
    const uses = `SELECT source, count(*) AS items, sum(bytes) AS bytes FROM quarantine WHERE ${condition} GROUP BY source`;
    for (const { source, ...use } of db.statement(uses).all(value) as ({ source: string } & Use)[]) {
      change(source, { items: -use.items, bytes: -use.bytes });
    }
    db.statement("DELETE FROM quarantine_use WHERE items = 0 AND source <> ''").run();
    return Number(db.statement(`DELETE FROM quarantine WHERE ${condition}`).run(value).changes);
  }

  function countWhere(condition: string, ...values: number[]): ReadonlyMap<string, number> {
    const sql = `SELECT ${BOOKED} AS sensor, count(*) AS n FROM quarantine WHERE ${WHOLE} AND ${condition} GROUP BY 1`;
    const rows = db.statement(sql).all(...values) as { sensor: string; n: number }[];
    return new Map(rows.map(({ sensor, n }) => [sensor, n]));
  }

  /** Whole items of messages from `from` to `to - 1`, as `<journalSeq> <index>`; `*` for a whole message of a stranger. */
  function places(from: number, to: number): ReadonlySet<string> {
    const sql = `SELECT journal_seq, item, reason FROM quarantine WHERE ${WHOLE} AND journal_seq >= ? AND journal_seq < ?`;
    const rows = db.statement(sql).all(from, to) as Pick<Row, "journal_seq" | "item" | "reason">[];
    const isWhole = (reason: Reason) => ["unknown_sensor", "wrong_sensor", "enrolment_quota"].includes(reason);
    return new Set(rows.map(({ journal_seq, item, reason }) => `${journal_seq} ${isWhole(reason) ? "*" : item}`));
  }

  /** Who has had items removed by the limits since it was last asked: for the audit. */
  function overflow(): { sender: string; removed: number }[] {
    const found = [...overflowing].map(([sender, removed]) => ({ sender, removed }));
    overflowing.clear();
    return found;
  }

  return {
    add,
    get,
    list,
    markRedriven,
    decide,
    dismiss,
    ofCause,
    dismissed: () =>
      (db.statement("SELECT count(*) AS n FROM quarantine WHERE decision = 'dismiss'").get() as { n: number }).n,
    senders,
    waiting,
    undriven,
    newestUndriven,
    inOrder,
    places,
    prune,
    overflow,
    count: () => useOf(ALL).items,
    /** What it holds, and how many were removed since the start because there was more than the limits allow. */
    use: () => ({ ...useOf(ALL), removed: removedByLimits }),
    /** Whole items; "" where the topic has no sensor. */
    countBySensor: () => countWhere("1"),
  };
}

/** The place of a refused value: those of one reading are numbered in their order. */
function createValuePlaces() {
  const counts = new Map<string, number>();
  return ({ journalSeq, index }: Rejection): number => {
    const key = `${journalSeq} ${index}`;
    const number = (counts.get(key) ?? 0) + 1;
    counts.set(key, number);
    return index + number * ITEMS_OF_MESSAGE;
  };
}

function note(uses: Map<string, Use>, source: string, bytes: number): void {
  const own = uses.get(source);
  if (own) {
    own.items += 1;
    own.bytes += bytes;
  } else uses.set(source, { items: 1, bytes });
}

const beyond = (use: Readonly<Use>, { itemsMax, bytesMax }: Pick<QuarantineLimits, "itemsMax" | "bytesMax">): Use => ({
  items: use.items - itemsMax,
  bytes: use.bytes - bytesMax,
});

const STATES = {
  waiting: "redriven_at IS NULL",
  redriven: "redriven_at IS NOT NULL AND decision IS NOT 'dismiss'",
  dismissed: "decision = 'dismiss'",
} as const;

function inState(state: keyof typeof STATES | undefined): Condition[] {
  return state === undefined ? [] : [{ sql: STATES[state], values: [] }];
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
      index: row.item % ITEMS_OF_MESSAGE,
      reason: row.reason,
      detail: row.detail,
      receivedAt: row.received_at,
      source: parseSource(row.source),
      topic: row.topic,
      sensorId: row.sensor ?? undefined,
      district: row.district ?? undefined,
      kind: row.kind ?? undefined,
      ...(row.metric !== null && { metric: row.metric, measuredAt: row.measured_at ?? undefined }),
      payload: row.payload ?? undefined,
    },
    redrivenAt: row.redriven_at ?? undefined,
    redrivenBy: row.redriven_by ?? undefined,
    ...(row.decision !== null && { decision: row.decision }),
    ...(row.because !== null && { because: row.because }),
  };
}
