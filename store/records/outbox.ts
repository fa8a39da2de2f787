import { createHash } from "node:crypto";
import type { Notice } from "../../model/alert.ts";
import type { Target, TargetState } from "../../model/target.ts";
import type { Database } from "./database.ts";

export type Escalation = { readonly alert: string; readonly target: string; readonly dueAt: number };

/** What goes out as one message. `id` stays the same on every attempt, in every life of the service. */
export type Message = { readonly id: string; readonly deliveries: readonly Delivery[] };

/** A notice on its way to a target. */
export type Delivery = {
  readonly id: number;
  readonly target: string;
  readonly notice: Notice;
  readonly firstDueAt: number;
  /** How often the target did not want it; that it could not be reached does not count. */
  readonly refusals: number;
  /** Of a mail: those of the addresses that refused it. The others have it. */
  readonly refusedBy?: readonly string[];
};

type NewDelivery = {
  readonly target: string;
  readonly notice: Notice;
  /** Rows of a target with the same key go out as one message. */
  readonly groupKey?: string;
  readonly dueAt: number;
};

/** Notices that go out as one message at most: the receiver's page, not our limit. */
const BATCH_MAX = 100;
const BEGINNINGS = `SELECT alert FROM outbox WHERE state = 'pending' AND target = ? AND first_due_at < ?
  AND refused_by IS NULL AND body ->> '$.what' IN ('firing', 'escalated')`;
/** Rows between two looks at how many wait: counting them is not free. */
const LOOK_EVERY = 100;

type Row = {
  id: number;
  target: string;
  notice: string;
  alert: string;
  body: string;
  group_key: string | null;
  batch: string | null;
  first_due_at: number;
  refusals: number;
  refused_by: string | null;
};

const WAITS = "state = 'pending'";
const ADD = `INSERT OR IGNORE INTO outbox (target, notice, alert, body, group_key, due_at, first_due_at)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;
// The order of an alert's notices holds whatever a retry does to the times; only who refuses a mail holds up nobody else.
const HEADS = `SELECT * FROM outbox AS one WHERE ${WAITS} AND target = ? AND due_at <= ? AND NOT EXISTS (
    SELECT 1 FROM outbox AS former WHERE former.${WAITS} AND former.target = one.target AND former.alert = one.alert
      AND former.id < one.id AND former.refused_by IS NULL)
  ORDER BY due_at, id LIMIT ?`;
const GROUP = `SELECT * FROM outbox AS one WHERE ${WAITS} AND target = ? AND group_key = ? AND batch IS NULL AND due_at <= ?
    AND NOT EXISTS (SELECT 1 FROM outbox AS former WHERE former.${WAITS} AND former.target = one.target
      AND former.alert = one.alert AND former.id < one.id AND former.refused_by IS NULL
      AND (former.group_key IS NOT one.group_key OR former.batch IS NOT NULL))
  ORDER BY id LIMIT ?`;

export function createOutboxRecords(db: Database) {
  const listeners: ((target: string) => void)[] = [];
  const added = new Set<string>();

  /**
   * Call it in the transaction of what is told. False if the target has this notice already. A row of an open group is
   * due with the group. Beyond about `pendingMax` rows that wait for a target, the oldest are given up.
   */
  function add(delivery: NewDelivery, pendingMax: number): boolean {
    return db.transaction(() => insert(delivery, pendingMax));
  }

  function insert({ target, notice, groupKey, dueAt }: NewDelivery, pendingMax: number): boolean {
    const due = groupKey === undefined ? dueAt : (groupDueAt(target, groupKey) ?? dueAt);
    const body = JSON.stringify(notice);
    const result = db.statement(ADD).run(target, notice.id, notice.alert.id, body, groupKey ?? null, due, due);
    if (result.changes === 0) return false;
    if (Number(result.lastInsertRowid) % LOOK_EVERY === 0) limit(target, pendingMax, notice.at);
    tellAfterCommit(target);
    return true;
  }

  function groupDueAt(target: string, key: string): number | undefined {
    const sql = `SELECT min(due_at) AS at FROM outbox WHERE ${WAITS} AND target = ? AND group_key = ? AND batch IS NULL`;
    return (db.statement(sql).get(target, key) as { at: number | null }).at ?? undefined;
  }

  function limit(target: string, pendingMax: number, now: number): void {
    const sql = `SELECT id FROM outbox WHERE ${WAITS} AND target = ? ORDER BY due_at DESC, id DESC LIMIT -1 OFFSET ?`;
    const beyond = (db.statement(sql).all(target, pendingMax) as { id: number }[]).map(({ id }) => id);
    if (beyond.length > 0) end(beyond, "failed", `more than ${pendingMax} notices wait for this target`, now);
  }

  /** Once for each target, however many rows a transaction adds. */
  function tellAfterCommit(target: string): void {
    if (added.has(target)) return;
    added.add(target);
    db.onRollback(() => added.delete(target));
    db.afterCommit(() => {
      added.delete(target);
      for (const listener of listeners) listener(target);
    });
  }

  /**
   * What is to be sent to the target now, at most so many; the earliest due first, never a notice while an earlier one of
   * the same alert waits. A group comes alone and is closed by this: what comes later is another message.
   */
  function next(target: string, now: number, max: number): readonly Message[] {
    return db.transaction(() => {
      const heads = db.statement(HEADS).all(target, now, max) as Row[];
      const group = heads.findIndex((head) => head.group_key !== null);
      if (group !== 0) return heads.slice(0, group < 0 ? max : group).map((head) => toMessage([head]));
      const head = heads[0]!;
      return [toMessage(head.batch === null ? close(head, now) : batch(head))];
    });
  }

  function close(head: Row, now: number): Row[] {
    const rows = db.statement(GROUP).all(head.target, head.group_key, now, BATCH_MAX) as Row[];
    const ids = JSON.stringify(rows.map(({ id }) => id));
    db.statement("UPDATE outbox SET batch = ? WHERE id IN (SELECT value FROM json_each(?))").run(head.notice, ids);
    return rows;
  }

  function batch({ target, batch: name }: Row): Row[] {
    const sql = `SELECT * FROM outbox WHERE ${WAITS} AND target = ? AND batch = ? ORDER BY id`;
    return db.statement(sql).all(target, name) as Row[];
  }

  /** The first moment after `now` at which something becomes due. */
  function nextAt(target: string, now: number): number | undefined {
    const sql = `SELECT min(due_at) AS at FROM outbox WHERE ${WAITS} AND target = ? AND due_at > ?`;
    return (db.statement(sql).get(target, now) as { at: number | null }).at ?? undefined;
  }

  /** The notice itself is not kept once it is told or given up: the alert has its own timeline. */
  function end(ids: readonly number[], state: "sent" | "failed", error: string | null, now: number): void {
    const sql = `UPDATE outbox SET state = ?, error = ?, done_at = ?, attempts = attempts + ?, body = ''
      WHERE id IN (SELECT value FROM json_each(?))`;
    db.statement(sql).run(state, error, now, state === "sent" ? 1 : 0, JSON.stringify(ids));
  }

  /** The target could not be reached: due again when the target's turn comes. */
  function failed(deliveries: readonly Delivery[], error: string): void {
    const sql = `UPDATE outbox SET attempts = attempts + 1, error = ? WHERE id IN (SELECT value FROM json_each(?))`;
    db.statement(sql).run(error, JSON.stringify(idsOf(deliveries)));
  }

  /** The target did not want it: not again before `dueAt`. */
  function refused(deliveries: readonly Delivery[], error: string, dueAt: number): void {
    const sql = `UPDATE outbox SET attempts = attempts + 1, refusals = refusals + 1, error = ?, due_at = ?
      WHERE id IN (SELECT value FROM json_each(?))`;
    db.statement(sql).run(error, dueAt, JSON.stringify(idsOf(deliveries)));
  }

  /** Some addresses of a mail did not want it, the others have it: not again before `dueAt`, and to those only. */
  function partlyRefused(deliveries: readonly Delivery[], by: readonly string[], error: string, dueAt: number): void {
    const sql = "UPDATE outbox SET refused_by = ? WHERE id IN (SELECT value FROM json_each(?))";
    db.statement(sql).run(JSON.stringify(by), JSON.stringify(idsOf(deliveries)));
    refused(deliveries, error, dueAt);
  }

  /** Whether something of this alert still waits for the target. */
  function isWaiting(target: string, alert: string): boolean {
    const sql = `SELECT 1 FROM outbox WHERE ${WAITS} AND target = ? AND alert = ? AND refused_by IS NULL LIMIT 1`;
    return db.statement(sql).get(target, alert) !== undefined;
  }

  /** What waits for the target of one alert; it was not to be told any more. */
  function drop(target: string, alert: string, why: string, now: number): void {
    const sql = `SELECT id FROM outbox WHERE ${WAITS} AND target = ? AND alert = ?`;
    const rows = db.statement(sql).all(target, alert) as { id: number }[];
    end(
      rows.map(({ id }) => id),
      "failed",
      why,
      now,
    );
  }

  /**
   * All that waits for the target and was due before this; how many. Whose beginning is among them has not heard of the
   * alert, so that it is news there as long as it goes on.
   */
  function giveUpBefore(target: string, dueBefore: number, error: string, now: number): number {
    for (const table of ["recipients", "escalations"])
      db.statement(`DELETE FROM ${table} WHERE target = ? AND alert IN (${BEGINNINGS})`).run(target, target, dueBefore);
    const sql = `UPDATE outbox SET state = 'failed', error = ?, done_at = ?, body = ''
      WHERE ${WAITS} AND target = ? AND first_due_at < ?`;
    return Number(db.statement(sql).run(error, now, target, dueBefore).changes);
  }

  /** Rows that wait, by target. */
  function pending(): ReadonlyMap<string, number> {
    const rows = db.statement(`SELECT target, count(*) AS n FROM outbox WHERE ${WAITS} GROUP BY target`).all();
    return new Map((rows as { target: string; n: number }[]).map(({ target, n }) => [target, n]));
  }

  return {
    add,
    next,
    nextAt,
    sent: (deliveries: readonly Delivery[], now: number) => end(idsOf(deliveries), "sent", null, now),
    failed,
    refused,
    partlyRefused,
    drop,
    isWaiting,
    /** Kept as failed, with the reason, until pruned. */
    giveUp: (deliveries: readonly Delivery[], error: string, now: number) =>
      end(idsOf(deliveries), "failed", error, now),
    giveUpBefore,
    pending,
    /** Forgets what was sent or given up before. */
    prune: (before: number) =>
      Number(db.statement("DELETE FROM outbox WHERE state <> 'pending' AND done_at < ?").run(before).changes),
    /** Called after the commit that added rows, once for each target. */
    onAdded: (listener: (target: string) => void) => void listeners.push(listener),
  };
}

const idsOf = (deliveries: readonly Delivery[]) => deliveries.map(({ id }) => id);

function toMessage(rows: readonly Row[]): Message {
  const { target, notice, batch } = rows[0]!;
  const hash = createHash("sha256")
    .update(`${target}\n${batch ?? notice}`)
    .digest("hex");
  return { id: `msg_${hash.slice(0, 32)}`, deliveries: rows.map(toDelivery) };
}

function toDelivery({ id, target, body, first_due_at: firstDueAt, refusals, refused_by: by }: Row): Delivery {
  const refusedBy = by === null ? {} : { refusedBy: JSON.parse(by) as string[] };
  return { id, target, notice: JSON.parse(body) as Notice, firstDueAt, refusals, ...refusedBy };
}

const QUIET: TargetState = { failures: 0 };

export function createTargetRecords(db: Database) {
  const listeners: ((id: string) => void)[] = [];
  let targets = read();

  function read(): ReadonlyMap<string, Target> {
    const rows = db.statement("SELECT id, body FROM targets ORDER BY id").all() as { id: string; body: string }[];
    return new Map(rows.map(({ id, body }) => [id, JSON.parse(body) as Target]));
  }

  function change(id: string, work: () => void): void {
    db.transaction(() => {
      const before = targets;
      db.onRollback(() => {
        targets = before;
      });
      work();
      targets = read();
      db.afterCommit(() => {
        for (const listener of listeners) listener(id);
      });
    });
  }

  /** Adds or replaces it; how it went with it before is forgotten. */
  function put(target: Target): void {
    const sql = `INSERT INTO targets (id, body) VALUES (?, ?)
      ON CONFLICT (id) DO UPDATE SET body = excluded.body, state = '{"failures":0}'`;
    change(target.id, () => db.statement(sql).run(target.id, JSON.stringify(target)));
  }

  /** With everything that waits for it. False if there was none. */
  function remove(id: string): boolean {
    if (!targets.has(id)) return false;
    change(id, () => {
      for (const table of ["outbox", "recipients", "escalations"])
        db.statement(`DELETE FROM ${table} WHERE target = ?`).run(id);
      db.statement("DELETE FROM targets WHERE id = ?").run(id);
    });
    return true;
  }

  function state(id: string): TargetState {
    const row = db.statement("SELECT state FROM targets WHERE id = ?").get(id) as { state: string } | undefined;
    return row ? (JSON.parse(row.state) as TargetState) : QUIET;
  }

  return {
    /** From RAM, by id: read for every notice. */
    list: () => [...targets.values()],
    get: (id: string) => targets.get(id),
    put,
    remove,
    state,
    setState: (id: string, next: TargetState) =>
      void db.statement("UPDATE targets SET state = ? WHERE id = ?").run(JSON.stringify(next), id),
    /** Called after the commit of a `put` or `remove`. */
    onChange: (listener: (id: string) => void) => void listeners.push(listener),
  };
}

type EscalationRow = { alert: string; target: string; due_at: number };

/** Who was told of which alert, so that everyone who heard of it hears of its end; and who hears next if nobody answers. */
export function createRecipientRecords(db: Database) {
  return {
    /** It is to be told there; `hears` once it may have been. */
    add(alert: string, target: string) {
      const sql = `INSERT INTO recipients (alert, target, heard) VALUES (?, ?, 0)
        ON CONFLICT (alert, target) DO UPDATE SET heard = min(heard, 1)`;
      db.statement(sql).run(alert, target);
    },

    /** Those who were told of the beginning, or will be. */
    ofBeginning(alert: string) {
      const rows = db.statement("SELECT target FROM recipients WHERE alert = ? AND heard < 2").all(alert);
      return (rows as { target: string }[]).map(({ target }) => target);
    },

    /** Call it before an attempt: what became of one that is cut off nobody knows. */
    hears(target: string, alerts: readonly string[]) {
      const sql = `UPDATE recipients SET heard = 1
        WHERE target = ? AND heard = 0 AND alert IN (SELECT value FROM json_each(?))`;
      db.statement(sql).run(target, JSON.stringify(alerts));
    },

    /** Whether nothing of the alert can have reached the target, which was to be told. */
    isUnheard(alert: string, target: string) {
      const row = db.statement("SELECT 1 FROM recipients WHERE alert = ? AND target = ? AND heard = 0");
      return row.get(alert, target) !== undefined;
    },

    /** The beginning is not told there after all. Where it may have arrived, its end is owed all the same. */
    dropBeginning(alert: string, target: string) {
      db.statement("DELETE FROM escalations WHERE alert = ? AND target = ?").run(alert, target);
      db.statement("DELETE FROM recipients WHERE alert = ? AND target = ? AND heard = 0").run(alert, target);
      db.statement("UPDATE recipients SET heard = 2 WHERE alert = ? AND target = ?").run(alert, target);
    },

    of(alert: string) {
      const rows = db.statement("SELECT target FROM recipients WHERE alert = ? ORDER BY target").all(alert);
      return (rows as { target: string }[]).map(({ target }) => target);
    },

    /** The alert is over: forgets who was told and what would have been escalated. */
    forget(alert: string) {
      for (const table of ["recipients", "escalations"])
        db.statement(`DELETE FROM ${table} WHERE alert = ?`).run(alert);
    },

    escalate({ alert, target, dueAt }: Escalation) {
      const sql = "INSERT OR IGNORE INTO escalations (alert, target, due_at) VALUES (?, ?, ?)";
      db.statement(sql).run(alert, target, dueAt);
    },

    /** At most so many, the earliest first. */
    escalations(dueAt: number, limit: number): readonly Escalation[] {
      const sql = "SELECT alert, target, due_at FROM escalations WHERE due_at <= ? ORDER BY due_at, alert LIMIT ?";
      const rows = db.statement(sql).all(dueAt, limit) as EscalationRow[];
      return rows.map(({ alert, target, due_at }) => ({ alert, target, dueAt: due_at }));
    },

    nextEscalationAt() {
      const row = db.statement("SELECT min(due_at) AS at FROM escalations").get() as { at: number | null };
      return row.at ?? undefined;
    },

    escalated: (alert: string, target: string) =>
      void db.statement("DELETE FROM escalations WHERE alert = ? AND target = ?").run(alert, target),
  };
}

/**
 * What is due at a time of the clock, when the clock is set back: without this it would wait for as long as it was set
 * back, besides. What was due is due, and what was still to come is as far away as before. Quiet hours end when the clock
 * of the wall says so, and stay.
 */
const MOVED = (time: string) =>
  `CASE WHEN ${time} > $before THEN ${time} - ($before - $now) ELSE min(${time}, $now) END`;

const OUTBOX = `UPDATE outbox SET due_at = ${MOVED("due_at")}, first_due_at = min(first_due_at, $now)
  WHERE state = 'pending' AND due_at > $now AND (due_at <= $before OR refusals > 0 OR group_key IS NULL OR group_key NOT LIKE 'quiet %')`;
const ESCALATIONS = `UPDATE escalations SET due_at = ${MOVED("due_at")} WHERE due_at > $now`;
const field = (name: string) => `body ->> '$.${name}'`;
const clamped = (name: string) => `'$.${name}', min(${field(name)}, $now)`;
// `json_replace` leaves out what a row does not have.
const NOISE = `UPDATE noise SET due = CASE WHEN due > $now THEN ${MOVED("due")} ELSE due END, known = min(known, $now),
  body = json_replace(body, ${["firedKnownAt", "endedKnownAt", "saidAt"].map(clamped).join(", ")},
    '$.dueAt', ${MOVED(field("dueAt"))}, '$.holdUntil', ${MOVED(field("holdUntil"))})
  WHERE due > $now OR known > $now`;

export function createDueTimes(db: Database) {
  return {
    /** Whatever waits in the records for a time of the clock: moved with it (`before`: what it would say now). */
    clockSetBack(before: number, now: number): void {
      db.transaction(() => {
        for (const sql of [OUTBOX, ESCALATIONS, NOISE]) db.statement(sql).run({ $before: before, $now: now });
      });
    },
  };
}
