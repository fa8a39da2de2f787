import type { Figures } from "../../model/backtest.ts";
import type { RuleData } from "../../model/rule.ts";
import type { RuleChange } from "../../model/rule-change.ts";
import type { RuleChangeRecords } from "../records.ts";
import { pageSize, parseCursor, toPage } from "./cursor.ts";
import type { Database } from "./database.ts";

type Row = {
  id: number;
  rule: string;
  at: number;
  by_whom: string;
  what: RuleChange["what"];
  reason: string;
  version: string | null;
  body: string | null;
  figures: string | null;
};

/** Every version that a rule ever had while the service ran. Nothing is ever changed or deleted here. */
export function createRuleChangeRecords(db: Database): RuleChangeRecords {
  function add(change: Omit<RuleChange, "id">): RuleChange {
    const { rule, at, by, what, reason, version, data, figures } = change;
    const sql = `INSERT INTO rule_changes (rule, at, by_whom, what, reason, version, body, figures)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    const texts = [data, figures].map((value) => (value === undefined ? null : JSON.stringify(value)));
    const said = [rule, at, by.toWellFormed(), what, reason.toWellFormed(), version ?? null];
    const { lastInsertRowid } = db.statement(sql).run(...said, ...texts);
    return { ...change, id: Number(lastInsertRowid) };
  }

  function newest(): RuleChange[] {
    const sql = `SELECT * FROM rule_changes WHERE id IN (SELECT max(id) FROM rule_changes GROUP BY rule) ORDER BY rule`;
    return (db.statement(sql).all() as Row[]).map(fromRow);
  }

  function of(rule: string, limit: number, cursor?: string): { items: RuleChange[]; next?: string } {
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseCursor(cursor).key;
    const size = pageSize(limit);
    const sql = "SELECT * FROM rule_changes WHERE rule = ? AND id < ? ORDER BY id DESC LIMIT ?";
    const rows = db.statement(sql).all(rule, before, size + 1) as Row[];
    return toPage(rows.map(fromRow), size, ({ id }) => ({ key: id, id: "" }));
  }

  return { add, newest, of };
}

function fromRow({ by_whom: by, version, body, figures, ...row }: Row): RuleChange {
  return {
    ...row,
    by,
    ...(version === null ? {} : { version }),
    ...(body === null ? {} : { data: JSON.parse(body) as RuleData }),
    ...(figures === null ? {} : { figures: JSON.parse(figures) as Figures }),
  };
}
