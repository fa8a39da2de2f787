import type { Escalation, RecipientRecords } from "../outbox-records.ts";
import type { Database } from "./database.ts";

type Row = { alert: string; target: string; due_at: number };

export function createRecipientRecords(db: Database): RecipientRecords {
  return {
    add: (alert, target) =>
      void db.statement("INSERT OR IGNORE INTO recipients (alert, target) VALUES (?, ?)").run(alert, target),

    of(alert) {
      const rows = db.statement("SELECT target FROM recipients WHERE alert = ? ORDER BY target").all(alert);
      return (rows as { target: string }[]).map(({ target }) => target);
    },

    forget(alert) {
      for (const table of ["recipients", "escalations"])
        db.statement(`DELETE FROM ${table} WHERE alert = ?`).run(alert);
    },

    escalate({ alert, target, dueAt }) {
      const sql = "INSERT OR IGNORE INTO escalations (alert, target, due_at) VALUES (?, ?, ?)";
      db.statement(sql).run(alert, target, dueAt);
    },

    escalations(dueAt, limit): readonly Escalation[] {
      const sql = "SELECT alert, target, due_at FROM escalations WHERE due_at <= ? ORDER BY due_at, alert LIMIT ?";
      const rows = db.statement(sql).all(dueAt, limit) as Row[];
      return rows.map(({ alert, target, due_at }) => ({ alert, target, dueAt: due_at }));
    },

    nextEscalationAt() {
      const row = db.statement("SELECT min(due_at) AS at FROM escalations").get() as { at: number | null };
      return row.at ?? undefined;
    },

    escalated: ({ alert, target }) =>
      void db.statement("DELETE FROM escalations WHERE alert = ? AND target = ?").run(alert, target),
  };
}
