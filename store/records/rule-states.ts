import type { RuleStateRecords } from "../records.ts";
import type { Database } from "./database.ts";

type Row = { rule: string; subject: string; state: string };

const SAVE = `INSERT INTO rule_states (rule, subject, state) VALUES (?, ?, ?)
  ON CONFLICT (rule, subject) DO UPDATE SET state = excluded.state`;
const REMOVE = "DELETE FROM rule_states WHERE rule = ? AND subject = ?";

/** The engine's snapshots. */
export function createRuleStateRecords(db: Database): RuleStateRecords {
  function save(rows: Iterable<Row>): void {
    db.transaction(() => {
      const write = db.statement(SAVE);
      const remove = db.statement(REMOVE);
      for (const { rule, subject, state } of rows) {
        if (state === "") remove.run(rule, subject);
        else write.run(rule, subject, state);
      }
    });
  }

  return {
    load: () => db.statement("SELECT rule, subject, state FROM rule_states ORDER BY rule, subject").all() as Row[],
    save,
  };
}
